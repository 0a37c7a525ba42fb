#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times `sheaf push` and `sheaf pull` next to buildah and podman. What the rows mean: bench/README.md.
set -euo pipefail

usage() {
  cat <<'END'
usage: bench/registry.sh [-n RUNS] [-s SIZE_MB] [--no-peer] [CASE...]

  CASE        push, second, pull, digests; without one: all
  -n RUNS     runs of each case (default 3)
  -s SIZE_MB  the size of the image's files in 10^6 bytes (default 1500); six times that must be free
  --no-peer   leave buildah and podman out

environment: SHEAF, the program (default: build/bin/sheaf, built if absent);
             SHEAF_TEST_USER, whom 'digests' builds as, too, when run by root (default: sheaf-test);
             TMPDIR, where contexts, the registry and all stores are made, all on that file system
END
}

# shellcheck source=bench/measure.sh
. "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

# ---- options -------------------------------------------------------------------------------------------------------

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
runs=3
megabytes=1500
with_peer=1
cases=()
while [ $# -gt 0 ]; do
  case $1 in
    -n) runs=${2?}; shift ;;
    -s) megabytes=${2?}; shift ;;
    --no-peer) with_peer= ;;
    -h | --help) usage; exit 0 ;;
    push | second | pull | digests) cases+=("$1") ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[[ $runs =~ ^[1-9][0-9]*$ ]] || die "-n '$runs' is not a number of runs"
[[ $megabytes =~ ^[1-9][0-9]*$ ]] || die "-s '$megabytes' is not a size in megabytes"
[ "${#cases[@]}" -gt 0 ] || cases=(push second pull digests)

program=${SHEAF:-$root/build/bin/sheaf}
[ -x "$program" ] || "$root/dev" build >&2
[ -x "$program" ] || die "there is no program at '$program'"
for tool in docker-registry skopeo zstd openssl; do
  command -v "$tool" >/dev/null || die "$tool is missing: apt-get install $tool"
done
for tool in buildah podman; do
  [ -n "$with_peer" ] && ! command -v "$tool" >/dev/null && { say "no $tool: no ratios"; with_peer=; }
done
user=${SHEAF_TEST_USER:-sheaf-test}
peer_name='the peer'

work=$(mktemp -d "${TMPDIR:-/tmp}/sheaf-bench.XXXXXX")
chmod 755 "$work"
registry=

forget() {
  local folder
  for folder in "$@"; do
    [ ! -d "$folder/overlay" ] || umount "$folder/overlay" 2>/dev/null || true
    rm -rf --one-file-system "$folder" 2>/dev/null || unshare --map-auto --map-root-user rm -rf "$folder" ||
      say "could not remove all of '$folder'"
  done
}
clean() {
  [ -z "$registry" ] || kill "$registry" 2>/dev/null || true
  forget "$work/buildah" "$work/podman" "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

# The program is copied for the ordinary user, who may not be able to read this clone.
install -m 755 "$program" "$work/sheaf"
sheaf=$work/sheaf

quietly() { "$@" >"$work/log" 2>&1 || die "failed: $*: $(tail -n 3 "$work/log")"; }

# ---- the image -----------------------------------------------------------------------------------------------------

# layers CONTEXT: six folders of files of this machine, together `megabytes`. Each has about a third of its bytes from
# the libraries, from the texts and from the programs, as long as there are any; whole folders stay together.
layers() {
  python3 - "$1" "$megabytes" <<'END'
import hashlib, os, pathlib, shutil, sys
top, wanted = pathlib.Path(sys.argv[1]), int(sys.argv[2]) * 10**6
def files(source):
    folders = [(folder, sorted(names)) for folder, _, names in os.walk(source)]
    for folder, names in sorted(folders, key=lambda pair: hashlib.sha256(pair[0].encode()).digest()):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path) and os.path.isfile(path) and os.path.getsize(path) <= wanted / 18:
                yield path
sources = [files("/usr/bin"), files("/usr/share"), files("/usr/lib")]
done = 0
for layer in range(6):
    for part, source in enumerate(sources):
        while done < wanted * (3 * layer + part + 1) / 18:
            path = next(source, None)
            if path is None:
                break
            target = top / f"layer{layer}" / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
            target.chmod(target.stat().st_mode | 0o444)
            done += target.stat().st_size
if done < wanted * 0.9:
    sys.exit(f"bench: this machine has no {wanted / 1e6:.0f} MB of files below /usr, only {done / 1e6:.0f}: choose -s")
END
}

# dockerfile TOP: six layers, the uppermost is folder TOP of the context.
dockerfile() {
  echo 'FROM scratch'
  for layer in layer0 layer1 layer2 layer3 layer4 "$1"; do echo "COPY $layer /"; done
}

own_build() { env SHEAF_ROOT="$1" "$sheaf" build -q -f "$work/context/$2" -t "$3" "$work/context"; }

buildah=(buildah --root "$work/buildah" --runroot "$work/buildah-run" --storage-driver overlay)
podman=(podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver overlay)

prepare() {
  local context=$work/context
  say "making the image: $megabytes MB in six layers"
  layers "$context"
  mkdir "$context/other"
  echo 'another selection' >"$context/other/selection"
  dockerfile layer5 >"$context/first"
  dockerfile other >"$context/second"
  quietly own_build "$work/store" first bench
  [ -n "$with_peer" ] || return 0
  if ! "${buildah[@]}" bud --layers -f "$context/first" -t bench "$context" >"$work/log" 2>&1; then
    say "buildah does not work here, so there are no ratios: $(tail -n 1 "$work/log")"
    with_peer=
  fi
}

# ---- the registry --------------------------------------------------------------------------------------------------

open_registry() {
  local port tries
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  address=127.0.0.1:$port
  cat >"$work/registry.yml" <<END
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "$address"}
END
  docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
  registry=$!
  for ((tries = 0; tries < 100; tries++)); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
    sleep 0.1
  done
  die "docker-registry does not answer: $(tail -n 3 "$work/registry.log")"
}

# Nobody knows of a blob any more, and nobody has a packed one. What was written before is on the disk.
empty_registry() {
  rm -rf "$work/registry/docker" "$work"/store/blobs/*/* "$work"/store/blob-places/* "$work/buildah/cache"
  sync
}

own_push() { env SHEAF_ROOT="$work/store" "$sheaf" push -q bench "$address/$1:1" "${@:2}"; }
peer_push() { "${buildah[@]}" push --tls-verify=false bench "docker://$address/$1:1"; }

# json FILTER: of standard input, Python's view of it as `it`.
json() { python3 -c "import json, sys; it = json.load(sys.stdin); print($1)"; }
manifest() { skopeo inspect --raw --tls-verify=false "docker://$address/$1:1"; }
layer_digests() { manifest "$1" | json '" ".join(layer["digest"] for layer in it["layers"])'; }
packed_megabytes() { manifest "$1" | json 'round(sum(layer["size"] for layer in it["layers"]) / 1e6)'; }

# ---- measuring -----------------------------------------------------------------------------------------------------

# clock COMMAND...: its microseconds; its seconds of processor time, its children's too, go into $work/cpu.
clock() {
  local start=${EPOCHREALTIME/[.,]/} TIMEFORMAT='%U %S'
  { time quietly "$@" 2>&3; } 3>&2 2>"$work/cpu"
  echo $((${EPOCHREALTIME/[.,]/} - start))
}
processor() { awk '{print $1 + $2}' "$work/cpu"; }

# versus NAME TARGET BEFORE OWN PEER: a row of both in turn, the peer first, each after BEFORE. The last three are
# functions. PEER may be empty, or "same" for the peer's times of the row before. Leaves own_times and peer_times.
peer_times=
versus() {
  local i own=() peer=() own_cpu='' peer_cpu=''
  for ((i = 0; i < runs; i++)); do
    if [ -n "$with_peer" ] && [ -n "$5" ] && [ "$5" != same ]; then
      "$3"
      peer+=("$(clock "$5")")
      peer_cpu+=$(processor)$'\n'
    fi
    "$3"
    own+=("$(clock "$4")")
    own_cpu+=$(processor)$'\n'
  done
  own_times=$(printf '%s\n' "${own[@]}")
  [ "$5" = same ] || peer_times=$([ "${#peer[@]}" = 0 ] || printf '%s\n' "${peer[@]}")
  row "$1" "$2" "$own_times" "$peer_times"
  [ "$2" = - ] || fact "$1: processor, ours" "$(least <<<"${own_cpu%$'\n'}")" s -
  [ -z "$peer_cpu" ] || fact "$1: processor, peer" "$(least <<<"${peer_cpu%$'\n'}")" s -
}

facts=()
# fact NAME VALUE UNIT TARGET: a number that should be at most TARGET; "-" if there is no target.
fact() {
  facts+=("$(awk -v n="$1" -v v="$2" -v u="$3" -v t="$4" \
    'BEGIN {printf "%-56s %9s %-6s %6s  %s", n, v, u, t, t == "-" ? "" : v + 0 <= t + 0 ? "met" : "missed"}')")
  say "${facts[-1]}"
}

# ---- cases ---------------------------------------------------------------------------------------------------------

push_zstd() { own_push zstd; }
push_gzip() { own_push gzip --compression gzip; }
push_peer() { peer_push peer; }

# What the later cases need is there if they run alone, too.
fill_registry() {
  [ -d "$work/registry/docker/registry/v2/repositories/zstd" ] || { empty_registry; quietly push_zstd; }
  [ -z "$with_peer" ] || [ -d "$work/registry/docker/registry/v2/repositories/peer" ] || quietly push_peer
}

case_push() {
  versus 'first push, gzip, buildah gzip' 3x empty_registry push_gzip push_peer
  fact 'gzip by us: layers in the registry' "$(packed_megabytes gzip)" MB -
  versus 'first push, zstd, buildah gzip' 3x empty_registry push_zstd same
  fill_registry
  fact 'zstd by us: layers in the registry' "$(packed_megabytes zstd)" MB -
  [ -z "$with_peer" ] || fact 'gzip by buildah: layers in the registry' "$(packed_megabytes peer)" MB -
}

push_second() { env SHEAF_ROOT="$work/store" "$sheaf" push --json -q bench-second "$address/$1:2"; }
case_second() {
  fill_registry
  quietly own_build "$work/store" second bench-second
  fact 'second selection, same repository: sent' "$(push_second zstd | json 'it["bytes_sent"] / 1000')" kB 200
  fact 'second selection, another repository: sent' "$(push_second elsewhere | json 'it["bytes_sent"] / 1000')" kB 200
}

no_pulls() { forget "$work/pulled" "$work/podman" "$work/podman-run"; sync; }
pull_zstd() { env SHEAF_ROOT="$work/pulled" "$sheaf" pull -q "$address/zstd:1"; }
pull_gzip() { env SHEAF_ROOT="$work/pulled" "$sheaf" pull -q "$address/peer:1"; }
peer_zstd() { "${podman[@]}" pull --tls-verify=false "$address/zstd:1"; }
peer_gzip() { "${podman[@]}" pull --tls-verify=false "$address/peer:1"; }

# each FOLDER COMMAND...: COMMAND with every file of the folder, one after the other; and all at once, as many as there
# are processors.
each() { find "$1" -type f -print0 | xargs -0 -n 1 -P "${parallel:-1}" "${@:2}"; }
decompress() { each "$work/parts/packed" zstd -dqq -o /dev/null -f; }
hash_tars() { each "$work/parts/tars" openssl dgst -sha256; }
write_files() { each "$work/parts/tars" tar -C "$work/parts/files" -xf; }
no_files() { forget "$work/parts/files"; mkdir "$work/parts/files"; sync; }

# What a pull cannot do without, each alone, from files that were just read.
single_costs() {
  local digest slowest=0 own middle
  own=$(median <<<"$1")
  mkdir -p "$work/parts/packed" "$work/parts/tars"
  for digest in $(layer_digests zstd); do
    cp "$work/store/blobs/sha256/${digest#*:}" "$work/parts/packed/"
    zstd -dqq "$work/parts/packed/${digest#*:}" -o "$work/parts/tars/${digest#*:}"
  done
  local cost
  for cost in decompress hash_tars write_files; do
    versus "  $cost alone, one by one" - no_files "$cost" ''
    middle=$(median <<<"$own_times")
    [ "$middle" -lt "$slowest" ] || slowest=$middle
    parallel=$(nproc) versus "  $cost alone, at once" - no_files "$cost" ''
  done
  fact 'pull, zstd: times the slowest cost alone, one by one' \
    "$(awk -v o="$own" -v s="$slowest" 'BEGIN {printf "%.2f", o / s}')" times 1.5
  forget "$work/parts"
}

case_pull() {
  local zstd_times
  fill_registry
  versus 'pull what we pushed, podman' 3x no_pulls pull_zstd peer_zstd
  zstd_times=$own_times
  [ -z "$with_peer" ] || versus 'pull what buildah pushed, podman' 3x no_pulls pull_gzip peer_gzip
  no_pulls
  single_costs "$zstd_times"
}

# as_user COMMAND...: as the test user, in their own home. Needs root.
as_user() { runuser -u "$user" -- env HOME="$work/home" "$@"; }

# packings NAME COMMAND...: one line of layer digests for each run: packed anew, pushed to a place of its own.
packings() {
  local name=$1 i
  shift
  for ((i = 0; i < runs; i++)); do
    rm -rf "$work/registry/docker" "$work/$name"/blobs/*/* "$work/$name"/blob-places/*
    quietly "$@" push -q bench "$address/digests:1"
    layer_digests digests
  done
}

case_digests() {
  local all users=1
  quietly own_build "$work/other-store" first bench
  all=$(packings store env SHEAF_ROOT="$work/store" "$sheaf" &&
    packings other-store env SHEAF_ROOT="$work/other-store" "$sheaf")
  if [ "$(id -u)" = 0 ] && id "$user" >/dev/null 2>&1; then
    install -d -o "$user" "$work/home"
    quietly as_user env SHEAF_ROOT="$work/home/store" "$sheaf" build -q -f "$work/context/first" -t bench "$work/context"
    all+=$'\n'$(packings home/store runuser -u "$user" -- env HOME="$work/home" SHEAF_ROOT="$work/home/store" "$sheaf")
    users=2
  else
    say "no ordinary user beside root: 'digests' compares the stores of one user"
  fi
  fact "different lists of layers in $(wc -l <<<"$all") packings by $users user(s)" "$(sort -u <<<"$all" | wc -l)" lists 1
}

# ---- all -----------------------------------------------------------------------------------------------------------

say "load of the last minute: $(cut -d ' ' -f 1 /proc/loadavg), $(nproc) processors"
prepare
open_registry
for name in "${cases[@]}"; do
  "case_$name"
done
echo
[ "${#table[@]}" = 0 ] || print_table
echo
[ "${#facts[@]}" = 0 ] || { printf '%-56s %9s %-6s %6s\n' figure value unit 'at most'; printf '%s\n' "${facts[@]}"; }
say "load of the last minute: $(cut -d ' ' -f 1 /proc/loadavg)"
