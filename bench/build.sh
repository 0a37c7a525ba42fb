#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times `sheaf build` of Dockerfiles next to buildah. What the rows mean: bench/README.md.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: bench/build.sh [-n RUNS] [--no-peer] [CASE...]

  CASE       rebuild, large, steps, copy, stages; without one: all
  -n RUNS    runs of each case (default 10); the slow peer makes at most 3
  --no-peer  leave buildah out

environment: SHEAF, the program (default: build/bin/sheaf, built if absent);
             TMPDIR, where contexts and the stores of both programs are made, all on that file system
EOF
}

# shellcheck source=bench/measure.sh
. "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

# ---- options -------------------------------------------------------------------------------------------------------

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
runs=10
with_peer=1
cases=()
while [ $# -gt 0 ]; do
  case $1 in
    -n) runs=${2?}; shift ;;
    --no-peer) with_peer= ;;
    -h | --help) usage; exit 0 ;;
    rebuild | large | steps | copy | stages) cases+=("$1") ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[[ $runs =~ ^[1-9][0-9]*$ ]] || die "-n '$runs' is not a number of runs"
[ "${#cases[@]}" -gt 0 ] || cases=(rebuild large steps copy stages)
peer_runs=$((runs < 3 ? runs : 3))

program=${SHEAF:-$root/build/bin/sheaf}
[ -x "$program" ] || "$root/dev" build >&2
[ -x "$program" ] || die "there is no program at '$program'"
busybox=$(command -v busybox || true)
[ -n "$busybox" ] || die "busybox is missing: apt-get install busybox-static"
[ -n "$with_peer" ] && ! command -v buildah >/dev/null && { say "no buildah: no ratios"; with_peer=; }

work=$(mktemp -d "${TMPDIR:-/tmp}/sheaf-bench.XXXXXX")
export SHEAF_ROOT=$work/store

# Stores of an ordinary user hold files of sub-ids, which only a user namespace or root can remove.
clean() {
  [ ! -d "$work/buildah/overlay" ] || umount "$work/buildah/overlay" 2>/dev/null || true
  rm -rf --one-file-system "$work" 2>/dev/null || unshare --map-auto --map-root-user rm -rf "$work" ||
    say "could not remove all of '$work'"
}
trap clean EXIT
trap 'exit 130' INT TERM

# ---- the two programs ----------------------------------------------------------------------------------------------

own=("$program" build --progress plain)
peer=()

quietly() { "$@" >"$work/log" 2>&1 || die "failed: $*: $(tail -n 3 "$work/log")"; }

# base CONTEXT: an image of one static program, which takes neither time nor network.
base() {
  mkdir -p "$1/etc"
  cp "$busybox" "$1/busybox"
  echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
  cat >"$1/Dockerfile" <<'EOF'
FROM scratch
COPY busybox /bin/busybox
COPY etc /etc
RUN ["/bin/busybox", "--install", "-s", "/bin"]
EOF
}

prepare() {
  local driver
  base "$work/base"
  quietly "${own[@]}" -t bench-base "$work/base"
  [ -n "$with_peer" ] || return 0
  for driver in overlay vfs; do
    peer=(buildah --root "$work/buildah" --runroot "$work/buildah-run" --storage-driver "$driver" bud --layers
      --isolation chroot --network host)
    if "${peer[@]}" -t bench-base "$work/base" >"$work/log" 2>&1; then
      say "buildah with storage driver $driver, chroot isolation"
      return 0
    fi
  done
  say "buildah does not work here, so there are no ratios: $(tail -n 1 "$work/log")"
  with_peer=
}

# again CONTEXT COUNT PROGRAM...: the microseconds of builds after which nothing has changed.
again() {
  local context=$1 count=$2
  shift 2
  quietly "$@" -t bench-again "$context"
  times "$count" "$@" -t bench-again "$context"
}

# cold COUNT PREPARE CONTEXT PROGRAM...: the microseconds of builds of what PREPARE wrote, which it makes different for
# each number it is given.
number=0
cold() {
  local count=$1 prepare=$2 context=$3 i start stop
  shift 3
  for ((i = 0; i < count; i++)); do
    number=$((number + 1))
    "$prepare" "$context" "$number-$BASHPID"
    start=${EPOCHREALTIME/[.,]/}
    quietly "$@" -t bench-cold "$context"
    stop=${EPOCHREALTIME/[.,]/}
    echo $((stop - start))
  done
}

if_peer() { [ -z "$with_peer" ] || "$@"; }

# ---- contexts ------------------------------------------------------------------------------------------------------

# tree FOLDER FILES TEXT: that many small files of up to 1,400 bytes, a hundred in a folder.
tree() {
  python3 - "$@" <<'EOF'
import pathlib, sys
top, count, text = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
for folder in range(0, count, 100):
    path = top / f"part{folder // 10000}" / f"folder{folder // 100}"
    path.mkdir(parents=True, exist_ok=True)
    for i in range(folder, min(folder + 100, count)):
        (path / f"file{i}.txt").write_text(f"{text} {i}\n" * (1 + i * 7 % 100))
EOF
}

# Twenty instructions of the kinds that files have; the context is read by three of them.
twenty_instructions() {
  mkdir -p "$1"
  cat >"$1/Dockerfile" <<'EOF'
FROM bench-base
LABEL org.opencontainers.image.title="bench"
ARG VERSION=1
ENV VERSION=$VERSION LANG=C.UTF-8
ENV PATH=/app/bin:/bin
WORKDIR /app
RUN mkdir -p /app/bin /var/lib/app
RUN echo "$VERSION" > /app/version
COPY src/part0/folder0 /app/first/
RUN ls /app/first > /app/list
COPY src/part0/folder1/file100.txt /app/
RUN wc -l /app/file100.txt > /app/lines
COPY src /app/src
RUN echo built > /app/built
RUN chmod 700 /var/lib/app
EXPOSE 8080
VOLUME /data
STOPSIGNAL SIGINT
USER 1000:1000
CMD ["cat", "/app/built"]
EOF
}

twenty_steps() {
  mkdir -p "$1"
  { echo 'FROM bench-base'; seq -f "RUN : $2-%g" 20; } >"$1/Dockerfile"
}

many_files() {
  mkdir -p "$1"
  tree "$1/src" 20000 "$2"
  printf 'FROM bench-base\nCOPY src /src\n' >"$1/Dockerfile"
}

eight_stages() {
  local i
  mkdir -p "$1"
  {
    for i in 1 2 3 4 5 6 7 8; do printf 'FROM bench-base AS s%s\nRUN sleep 1 && echo %s > /%s\n' "$i" "$2" "$i"; done
    echo 'FROM bench-base'
    for i in 1 2 3 4 5 6 7 8; do echo "COPY --from=s$i /$i /"; done
  } >"$1/Dockerfile"
}

# ---- cases ---------------------------------------------------------------------------------------------------------

# unchanged NAME FILES TARGET
unchanged() {
  local context=$work/context-$2 own_times peer_times
  twenty_instructions "$context"
  tree "$context/src" "$2" same
  own_times=$(again "$context" "$runs" "${own[@]}")
  peer_times=$(if_peer again "$context" "$peer_runs" "${peer[@]}")
  row "unchanged, 20 lines, $1 files" "$3" "$own_times" "$peer_times"
  own_times=$(times "$runs" find "$context" -printf '%s %T@ %i %m\n')
  row '  one stat walk (find) over them' - "$own_times" ''
  # The context stays: ext4 is slow at making files for seconds after many were removed.
}

case_rebuild() { unchanged 10,000 10000 20; }
case_large() { unchanged 100,000 100000 -; }

# compare NAME TARGET RUNS PEER_RUNS PREPARE: a row of cold builds
compare() {
  local context=$work/$5 own_times peer_times
  own_times=$(cold "$3" "$5" "$context" "${own[@]}")
  peer_times=$(if_peer cold "$4" "$5" "$context" "${peer[@]}")
  row "$1" "$2" "$own_times" "$peer_times"
}

case_steps() { compare '20 trivial RUN steps, cold' 150 "$runs" "$peer_runs" twenty_steps; }
case_copy() { compare 'COPY of 20,000 files, cold' 3x "$peer_runs" "$peer_runs" many_files; }
case_stages() { compare '8 stages of sleep 1, cold' 2500 "$peer_runs" 1 eight_stages; }

# ---- all -----------------------------------------------------------------------------------------------------------

prepare
for name in "${cases[@]}"; do
  "case_$name"
done
echo
print_table
