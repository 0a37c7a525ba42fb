#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds a base and five layers as independent layers, and the same as one sequential Containerfile with buildah; then
# changes the lowest. What the rows mean: bench/README.md.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: bench/layers.sh [-n RUNS] [--no-peer] [CASE...]

  CASE       cold, change; without one: both
  -n RUNS    runs of each case (default 3)
  --no-peer  leave buildah out

environment: SHEAF, the program (default: build/bin/sheaf, built if absent);
             TMPDIR, where all stores are made (3 GB)

Needs root, mmdebstrap and the network: Debian packages are downloaded once, before anything is measured.
EOF
}

# shellcheck source=bench/measure.sh
. "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

# ---- options -------------------------------------------------------------------------------------------------------

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
runs=3
with_peer=1
cases=()
while [ $# -gt 0 ]; do
  case $1 in
    -n) runs=${2?}; shift ;;
    --no-peer) with_peer= ;;
    -h | --help) usage; exit 0 ;;
    cold | change) cases+=("$1") ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[[ $runs =~ ^[1-9][0-9]*$ ]] || die "-n '$runs' is not a number of runs"
[ "${#cases[@]}" -gt 0 ] || cases=(cold change)

program=${SHEAF:-$root/build/bin/sheaf}
[ -x "$program" ] || "$root/dev" build >&2
[ -x "$program" ] || die "there is no program at '$program'"
command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: apt-get install mmdebstrap"
[ -n "$with_peer" ] && ! command -v buildah >/dev/null && { say "no buildah: no ratios"; with_peer=; }
unset SHEAF_ROOT SHEAF_BASE SHEAF_AGENTS

work=$(mktemp -d "${TMPDIR:-/tmp}/sheaf-bench.XXXXXX")
chmod 755 "$work"
clean() {
  [ ! -d "$work/buildah/overlay" ] || umount "$work/buildah/overlay" 2>/dev/null || true
  rm -rf --one-file-system "$work" 2>/dev/null || unshare --map-auto --map-root-user rm -rf "$work" ||
    say "could not remove all of '$work'"
}
trap clean EXIT
trap 'exit 130' INT TERM

# Our own home: no settings and no layers of the user.
export HOME=$work/home SHEAF_ROOT=$work/store
mkdir -p "$HOME"
project=$work/project
peer_folder=$work/peer

# ---- what is built -------------------------------------------------------------------------------------------------

# The layers, in the order of a stack; each is one RUN of apt-get. The first is the one that 'change' changes.
layers=(cmake gdb git python3 ruby)
base_packages='ca-certificates curl procps'

install_line() { echo "apt-get install -y --no-install-recommends $* && echo $stamp >/etc/stamp-$1"; }
stamp=0

# layer NAME KIND: the Containerfile is standard input.
layer() {
  local folder=$project/.sheaf/layers/$1
  mkdir -p "$folder"
  printf 'summary: %s of the benchmark\nkind: %s\n' "$1" "$2" >"$folder/layer.yml"
  cat >"$folder/Containerfile"
}

# write_tool NAME STAMP
write_tool() {
  local stamp=$2
  # shellcheck disable=SC2016 # the variable is the Containerfile's
  printf 'ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nUSER root\nRUN %s\n' "$(install_line "$1")" | layer "$1" tool
}

# write_sequential STAMP_OF_FIRST: the same instructions in one file.
write_sequential() {
  local name stamp=0
  mkdir -p "$peer_folder"
  {
    printf 'FROM localhost/bench-seed:1\nRUN apt-get update\nRUN apt-get install -y --no-install-recommends %s\n' \
      "$base_packages"
    for name in "${layers[@]}"; do
      [ "$name" = "${layers[0]}" ] && stamp=$1 || stamp=0
      printf 'RUN %s\n' "$(install_line "$name")"
    done
  } >"$peer_folder/Containerfile"
}

# Both start from one small Debian, which is not measured.
write_all() {
  local name
  layer base base <<EOF
FROM localhost/bench-seed:1
RUN apt-get install -y --no-install-recommends $base_packages
RUN mkdir -p /workspace && useradd -m -u 1000 dev
USER dev
EOF
  for name in "${layers[@]}"; do write_tool "$name" 0; done
  printf 'layers: [%s]\n' "$(IFS=,; echo "${layers[*]}")" >"$project/sheaf.yml"
  write_sequential 0
}

# The seed, as an image of both programs.
seed() {
  say "making the small Debian that both start from"
  mkdir -p "$work/seed"
  mmdebstrap --variant=apt --quiet bookworm "$work/seed/root.tar" >"$work/log" 2>&1 || die "mmdebstrap: $(tail -n 3 "$work/log")"
  printf 'FROM scratch\nADD root.tar /\nENV DEBIAN_FRONTEND=noninteractive\n' >"$work/seed/Containerfile"
  "$program" build -q -t localhost/bench-seed:1 "$work/seed" >"$work/log" 2>&1 || die "$(tail -n 3 "$work/log")"
  [ -z "$with_peer" ] || prepare_peer
}

peer_driver=
peer() { buildah --root "$work/buildah" --runroot "$work/buildah-run" --storage-driver "$peer_driver" "$@"; }

prepare_peer() {
  mkdir -p "$work/archives/partial"
  for peer_driver in overlay vfs; do
    if peer bud --isolation chroot -t localhost/bench-seed:1 "$work/seed" >"$work/log" 2>&1; then
      say "buildah with storage driver $peer_driver, chroot isolation"
      return 0
    fi
  done
  say "buildah does not work here, so there are no ratios: $(tail -n 1 "$work/log")"
  with_peer=
}

# ---- builds --------------------------------------------------------------------------------------------------------

own_build() { "$program" build -C "$project" -j 2 --progress json >"$work/out" 2>"$work/events" || die "$(tail -n 5 "$work/events")"; }

# peer_build CACHE: downloaded packages are kept outside of the image, as ours are. CACHE is "--no-cache" or "--layers".
peer_build() {
  peer bud --isolation chroot --network host --layers "$1" -v "$work/archives:/var/cache/apt/archives" \
    -t localhost/bench-stack "$peer_folder" >"$work/peer.log" 2>&1 || die "buildah: $(tail -n 5 "$work/peer.log")"
}

# What was built is forgotten, what was downloaded is not.
forget_layers() {
  rm -rf "$SHEAF_ROOT"/{layers,recipes,joins,generated,plans} "$SHEAF_ROOT"/index.db*
}

micros() { local start=${EPOCHREALTIME/[.,]/}; "$@"; echo $((${EPOCHREALTIME/[.,]/} - start)); }

# Layers that our last build built, and RUN steps that the peer's last build ran.
own_count() { grep -c '"event":"begin".*"subject":"layer ' "$work/events" || true; }
peer_count() {
  python3 - "$work/peer.log" <<'EOF'
import re, sys
ran, last = 0, False
for line in open(sys.argv[1], errors="replace"):
    if re.match(r"STEP \d+/\d+: ", line):
        ran += last
        last = "RUN" in line
    elif "Using cache" in line:
        last = False
print(ran + last)
EOF
}

# ---- cases ---------------------------------------------------------------------------------------------------------

case_cold() {
  local i own='' peer_times=''
  for ((i = 0; i < runs; i++)); do
    forget_layers
    sync
    own+=$(micros own_build)$'\n'
    [ "$(own_count)" = 6 ] || die "not six layers were built but $(own_count)"
    if [ -n "$with_peer" ]; then
      sync
      peer_times+=$(micros peer_build --no-cache)$'\n'
    fi
  done
  row 'base and 5 layers, cold' - "${own%$'\n'}" "${peer_times%$'\n'}"
}

case_change() {
  local i own='' peer_times='' own_built=0 peer_ran=0
  own_build
  [ -z "$with_peer" ] || peer_build --layers
  for ((i = 1; i <= runs; i++)); do
    write_tool "${layers[0]}" "$i-$$"
    write_sequential "$i-$$"
    sync
    own+=$(micros own_build)$'\n'
    own_built=$(own_count)
    if [ -n "$with_peer" ]; then
      sync
      peer_times+=$(micros peer_build --layers)$'\n'
      peer_ran=$(peer_count)
    fi
  done
  row 'the lowest layer changed' - "${own%$'\n'}" "${peer_times%$'\n'}"
  figures+=("the lowest layer changed: $own_built of 6 layers built${with_peer:+, $peer_ran of 8 RUN steps run by buildah}")
}

# ---- all -----------------------------------------------------------------------------------------------------------

figures=()
write_all
seed
say "downloading the packages (not measured)"
own_build
[ -z "$with_peer" ] || peer_build --layers
for name in "${cases[@]}"; do "case_$name"; done
echo
print_table
[ "${#figures[@]}" = 0 ] || printf '%s\n' '' "${figures[@]}"
