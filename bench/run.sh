#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times the program as a person does, next to buildah. What the rows mean: bench/README.md.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: bench/run.sh [-n RUNS] [--store DIR] [--no-peer] [--no-join] [--sets "N..."] [CASE...]

  CASE         plan, up, switch, catalogue, steps, join, sets, rootless; without one: all
  -n RUNS      runs of each case (default 10); the slow peer makes at most 3
  --store DIR  keep the layers of the case 'join' here: building them takes minutes and needs the network
  --no-peer    leave buildah out
  --no-join    leave the cases 'join' and 'sets' out
  --sets "N…"  the sizes of the case 'sets' (default "2 6 10 24")

environment: SHEAF, the program (default: build/bin/sheaf, built if absent);
             SHEAF_TEST_USER, whom 'rootless' runs as (default: sheaf-test)
EOF
}

# shellcheck source=bench/measure.sh
. "$(dirname "${BASH_SOURCE[0]}")/measure.sh"

# ---- options -------------------------------------------------------------------------------------------------------

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
runs=10
join_store=
with_peer=1
with_join=1
set_sizes=(2 6 10 24)
cases=()
while [ $# -gt 0 ]; do
  case $1 in
    -n) runs=${2?}; shift ;;
    --store) join_store=${2?}; shift ;;
    --no-peer) with_peer= ;;
    --no-join) with_join= ;;
    --sets) read -ra set_sizes <<<"${2?}"; shift ;;
    -h | --help) usage; exit 0 ;;
    plan | up | switch | catalogue | steps | join | sets | rootless) cases+=("$1") ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[[ $runs =~ ^[1-9][0-9]*$ ]] || die "-n '$runs' is not a number of runs"
[ "${#cases[@]}" -gt 0 ] || cases=(plan up switch catalogue steps join sets rootless)

program=${SHEAF:-$root/build/bin/sheaf}
[ -x "$program" ] || "$root/dev" build >&2
[ -x "$program" ] || die "there is no program at '$program'"
busybox=$(command -v busybox || true)
[ -n "$busybox" ] || die "busybox is missing: apt-get install busybox-static"
[ -n "$with_peer" ] && ! command -v buildah >/dev/null && { say "no buildah: no ratios"; with_peer=; }
user=${SHEAF_TEST_USER:-sheaf-test}
unset SHEAF_ROOT SHEAF_BASE SHEAF_AGENTS

work=$(mktemp -d "${TMPDIR:-/tmp}/sheaf-bench.XXXXXX")
chmod 755 "$work"

# Stores of an ordinary user hold files of sub-ids, which only a user namespace or root can remove.
clean() {
  local storage
  for storage in "$work"/buildah*/overlay "$work"/home/buildah*/overlay; do
    [ ! -d "$storage" ] || umount "$storage" 2>/dev/null || true
  done
  rm -rf --one-file-system "$work" 2>/dev/null || unshare --map-auto --map-root-user rm -rf "$work" ||
    say "could not remove all of '$work'"
}
trap clean EXIT
trap 'exit 130' INT TERM

# The program is copied for the ordinary user, who may not be able to read this clone.
install -m 755 "$program" "$work/sheaf"
sheaf=$work/sheaf

# ---- projects ------------------------------------------------------------------------------------------------------

# layer PROJECT NAME KIND: the Containerfile is standard input.
layer() {
  local folder=$1/.sheaf/layers/$2
  mkdir -p "$folder"
  printf 'summary: %s of the benchmark\nkind: %s\n' "$2" "$3" >"$folder/layer.yml"
  # shellcheck disable=SC2016 # the variable is the Containerfile's
  { printf 'ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n'; cat; } >"$folder/Containerfile"
}

# A project whose base is a busybox and two account files: its build takes a moment and needs no network.
small_project() {
  local base=$1/.sheaf/layers/base
  layer "$1" base base <<'EOF'
COPY --chmod=755 busybox /bin/busybox
COPY etc/ /etc/
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /workspace /home/dev /root /tmp && chown 1000:1000 /workspace /home/dev
USER dev
EOF
  mkdir -p "$base/etc"
  cp "$busybox" "$base/busybox"
  printf 'root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000:dev:/home/dev:/bin/sh\n' >"$base/etc/passwd"
  printf 'root:x:0:\ndev:x:1000:\n' >"$base/etc/group"
  steps_layer "$1" 0
}

# The number makes every build a cold one, for us and for the peer.
steps_layer() { seq -f "RUN : $2-%g" 20 | { echo 'USER root'; cat; } | layer "$1" steps tool; }

in_project() { env SHEAF_ROOT="$work/store" "$sheaf" "$1" -C "$work/project" "${@:2}"; }

# ---- the peer ------------------------------------------------------------------------------------------------------

peer_driver=
peer() { buildah --root "$work/buildah" --runroot "$work/buildah-run" --storage-driver "$peer_driver" "$@"; }

# The peer's base is the same Containerfile on the empty image.
prepare_peer() {
  local log=$work/peer.log base=$work/project/.sheaf/layers/base
  for peer_driver in overlay vfs; do
    if peer bud --isolation chroot --network host --build-arg BASE_IMAGE=scratch -t bench-base "$base" >"$log" 2>&1 &&
      peer from --name bench-run bench-base >>"$log" 2>&1 &&
      peer run --isolation chroot bench-run -- /bin/true >>"$log" 2>&1; then
      say "buildah with storage driver $peer_driver, chroot isolation"
      return 0
    fi
  done
  say "buildah does not work here, so there are no ratios: $(tail -n 1 "$log")"
  with_peer=
}

# ---- cases ---------------------------------------------------------------------------------------------------------

case_plan() {
  row 'plan, nothing to do' 10 "$(times "$runs" env SHEAF_ROOT="$work/store" "$sheaf" plan -C "$work/project")" ''
}

case_up() {
  local peer_times=
  if [ -n "$with_peer" ]; then
    peer_times=$(times "$runs" buildah --root "$work/buildah" --runroot "$work/buildah-run" --storage-driver "$peer_driver" \
      run --isolation chroot bench-run -- /bin/true)
  fi
  row 'up -- /bin/true, nothing to do' 25 \
    "$(times "$runs" env SHEAF_ROOT="$work/store" "$sheaf" up -C "$work/project" -- /bin/true)" "$peer_times"
}

# From one selection of built layers to the other and back. Remembered: both were used before. Planned anew: what was
# remembered of environments is removed before each run. Joined anew: joins, too.
case_switch() {
  local i kind own name steps=0
  for name in one two three; do
    echo "RUN mkdir -p /opt/$name && echo $name >/opt/$name/text" | { echo 'USER root'; cat; } | layer "$work/project" "$name" tool
  done
  in_project build --layers one,two,three >"$work/out" 2>&1 || die "$(tail -n 3 "$work/out")"
  for name in one,two two,three; do in_project up --layers "$name" -- /bin/true >"$work/out" 2>&1; done
  for kind in remembered planned joined; do
    own=''
    for ((i = 0; i < runs; i++)); do
      [ "$((i % 2))" = 0 ] && name=one,two || name=two,three
      [ "$kind" = remembered ] || rm -rf "$work/store/plans"
      [ "$kind" != joined ] || rm -rf "$work/store/joins"
      own+=$(wall_of in_project up --layers "$name" --progress json -- /bin/true 2>"$work/switch")$'\n'
      steps=$((steps + $(grep -c '"event":"step"' "$work/switch" || true)))
    done
    case $kind in
      remembered) row 'switch of selections, remembered' 50 "${own%$'\n'}" '' ;;
      planned) row '  planned anew' 50 "${own%$'\n'}" '' ;;
      joined) row '  joined anew' 50 "${own%$'\n'}" '' ;;
    esac
  done
  figures+=("switch of selections: $steps steps run in $((3 * runs)) switches")
}

# Everything that is written in 2,000 definitions is read and checked before the six of them are planned.
case_catalogue() {
  local project=$work/catalogue
  small_project "$project"
  python3 - "$project/.sheaf/layers" <<'EOF'
import pathlib, sys
for i in range(2000):
    folder = pathlib.Path(sys.argv[1]) / f"part{i}"
    folder.mkdir()
    (folder / "layer.yml").write_text(
        f"summary: part {i} of the benchmark\nkind: {('toolchain', 'tool', 'agent')[i % 3]}\n"
        + (f"needs: [part{i // 2}]\n" if i % 5 == 4 else "")
        + f"args:\n  version: {{type: version, default: \"1.{i}\", description: which one}}\n"
        f"env: {{PART_{i}: \"yes\"}}\ntests:\n  - {{command: part{i} --version, expect: \"1.\"}}\n"
        f"detect:\n  - {{file: part{i}.toml, version: project.version}}\n")
    (folder / "Containerfile").write_text(
        f"ARG BASE_IMAGE\nFROM ${{BASE_IMAGE}}\nARG VERSION\nUSER root\nRUN make part{i} $VERSION\nUSER dev\n")
EOF
  row 'plan with 2,000 definitions' 20 "$(times "$runs" env SHEAF_ROOT="$work/store" "$sheaf" plan -C "$project" \
    --layers part10,part200,part500,part1001,part1500,part1998)" ''
}

# end_ms SUBJECT: the milliseconds of its 'end' event, from the events on standard input, as microseconds.
end_ms() {
  python3 -c '
import json, sys
for line in sys.stdin:
    event = json.loads(line) if line.startswith("{") else {}
    if event.get("event") == "end" and event.get("subject") == sys.argv[1]:
        print(round(event["ms"] * 1000))' "$1"
}

case_steps() {
  local i start stop whole='' wall='' peer_whole='' context=$work/project/.sheaf/layers/steps
  for ((i = 1; i <= runs; i++)); do
    steps_layer "$work/project" "$i"
    start=${EPOCHREALTIME/[.,]/}
    in_project build --layers steps --progress json 2>"$work/events" >"$work/out" || die "$(tail -n 3 "$work/events")"
    stop=${EPOCHREALTIME/[.,]/}
    wall+=$((stop - start))$'\n'
    whole+=$(end_ms 'layer steps' <"$work/events")$'\n'
    if [ -n "$with_peer" ] && [ "$i" -le 3 ]; then
      start=${EPOCHREALTIME/[.,]/}
      peer bud --isolation chroot --network host --layers --build-arg BASE_IMAGE=localhost/bench-base -t bench-steps \
        "$context" >"$work/peer.log" 2>&1 || die "buildah: $(tail -n 3 "$work/peer.log")"
      stop=${EPOCHREALTIME/[.,]/}
      peer_whole+=$((stop - start))$'\n'
    fi
  done
  whole=${whole%$'\n'} peer_whole=${peer_whole%$'\n'} wall=${wall%$'\n'}
  row 'one RUN step of 20, cold' 6 "$(awk '{print int($1 / 20)}' <<<"$whole")" \
    "$([ -z "$peer_whole" ] || awk '{print int($1 / 20)}' <<<"$peer_whole")"
  row '  the layer of 20 steps' - "$whole" ''
  row '  the command, join included' - "$wall" "$peer_whole"
}

join_project() {
  layer "$1" notes tool <<'EOF'
USER root
RUN mkdir -p /opt/notes && echo notes > /opt/notes/text
EOF
  layer "$1" tools tool <<'EOF'
USER root
RUN apt-get update -qq && apt-get install -y --no-install-recommends tree
EOF
}

# Six layers and the base, a different six every time. A join that was made before is forgotten.
case_join() {
  local store=${join_store:-$work/join-store} project=$work/join-project all=(python node go codex opencode notes tools)
  local i left droppable selection ms='' wall='' start stop
  join_project "$project"
  say "building the layers of the case 'join' in '$store' (minutes, unless they are there)"
  env SHEAF_ROOT="$store" "$sheaf" build -C "$project" --layers "$(IFS=,; echo "${all[*]}")" >&2 || {
    say "the layers of the case 'join' cannot be built here: it is left out"
    return 0
  }
  droppable=(python go codex opencode notes tools) # not node: the agents would bring it back
  for ((i = 0; i < runs; i++)); do
    left=${droppable[i % 6]}
    selection=$(printf '%s\n' "${all[@]}" | grep -vx "$left" | paste -sd,)
    rm -rf "${store:?}/joins" "${store:?}/plans"
    start=${EPOCHREALTIME/[.,]/}
    env SHEAF_ROOT="$store" "$sheaf" build -C "$project" --layers "$selection" --progress json 2>"$work/events" >"$work/out" ||
      die "$(tail -n 3 "$work/events")"
    stop=${EPOCHREALTIME/[.,]/}
    ms+=$(end_ms join <"$work/events")$'\n'
    wall+=$((stop - start))$'\n'
  done
  row 'join of 6 built layers, new' 50 "${ms%$'\n'}" ''
  row '  the command' - "${wall%$'\n'}" ''
}

# Layers of one Debian package each, beside the built-in toolchains and agents.
set_packages=(tree less nano zip file jq ripgrep sqlite3 vim-tiny zsh tmux htop rsync strace gdb-minimal redis-server
  openssh-client git patch bc)

# Joins of 2, 6, 10 and 24 layers, each made anew and found again; then what their files take on the disk.
case_sets() {
  local store=${join_store:-$work/join-store} project=$work/sets-project all=(python node go codex opencode) package
  local size i selection fresh again most=${set_sizes[-1]}
  for package in "${set_packages[@]}"; do
    all+=("p-$package")
    layer "$project" "p-$package" tool <<EOF
USER root
RUN apt-get install -y --no-install-recommends $package
EOF
  done
  [ "$most" -le "${#all[@]}" ] || die "--sets: there are ${#all[@]} layers"
  all=("${all[@]:0:most}")
  say "building the $most layers of the case 'sets' in '$store' (minutes, unless they are there)"
  env SHEAF_ROOT="$store" "$sheaf" build -C "$project" --layers "$(IFS=,; echo "${all[*]}")" >&2 || {
    say "the layers of the case 'sets' cannot be built or joined here: it is left out"
    return 0
  }
  for size in "${set_sizes[@]}"; do
    fresh='' again=''
    selection=$(IFS=,; echo "${all[*]:0:size}")
    for ((i = 0; i < runs; i++)); do
      rm -rf "${store:?}/joins" "${store:?}/plans"
      fresh+=$(sets_build "$store" "$project" "$selection" | end_ms join)$'\n'
      again+=$(wall_of sets_build "$store" "$project" "$selection")$'\n'
    done
    row "join of $size layers, new" "$([ "$size" -le 10 ] && echo 50 || echo -)" "${fresh%$'\n'}" ''
    row '  the command, joined before' - "${again%$'\n'}" ''
  done
  disk_of_sets "$store" "${all[@]}"
}

# The events of a build, on standard output.
sets_build() { env SHEAF_ROOT="$1" "$sheaf" build -C "$2" --layers "$3" --progress json 2>&1 >"$work/out"; }

# Microseconds that a command takes.
wall_of() {
  local start=${EPOCHREALTIME/[.,]/}
  "$@" >"$work/events" || die "$(tail -n 3 "$work/events")"
  echo $((${EPOCHREALTIME/[.,]/} - start))
}

# disk_of_sets STORE LAYER...: bytes of the layers as stored, as they would be without sharing, and of one chain. A chain
# has every path once, in the version of the last layer that brought it, so it is counted from the inventories.
disk_of_sets() {
  local store=$1
  shift
  env SHEAF_ROOT="$store" "$sheaf" df --json >"$work/df.json"
  python3 - "$store" "$work/df.json" "$@" <<'EOF'
import json, pathlib, sys
store, usage, names = pathlib.Path(sys.argv[1]), json.load(open(sys.argv[2])), {"base", *sys.argv[3:]}
newest = {}
for record in (json.load(open(path)) for path in store.glob("recipes/*")):
    if record["name"] in names and record["created"] >= newest.get(record["name"], {"created": 0})["created"]:
        newest[record["name"]] = record
chain, layers, inodes, stored = {}, 0, set(), 0
for record in newest.values():
    folder = store / "layers" / record["content_key"].removeprefix("sha256:")
    for line in (folder / "inventory").read_text().splitlines()[1:]:
        kind, _, _, _, _, size, _, target, _, path = line.split("\t")
        if kind == "f" and not target.startswith("="):
            chain[path] = int(size)
            layers += int(size)
            inode = (folder / "tree" / path).lstat().st_ino if "\\" not in path else (folder, path)
            stored += int(size) if inode not in inodes else 0
            inodes.add(inode)
print(f"\ndisk, bytes of files in {len(newest)} layers: {layers / 1e6:.1f} MB one by one, {stored / 1e6:.1f} MB stored "
      f"(equal files once), {sum(chain.values()) / 1e6:.1f} MB as one chain: stored is {stored / sum(chain.values()):.2f} of the chain")
print(f"disk, whole store: {usage['total_bytes'] / 1e6:.1f} MB, sharing saves {usage['saved_bytes'] / 1e6:.1f} MB of blocks")
EOF
}

# as_user COMMAND...: as the test user, in their own home. Needs root.
as_user() { runuser -u "$user" -- env HOME="$work/home" XDG_RUNTIME_DIR="$work/home/run" PATH="$PATH" "$@"; }

case_rootless() {
  if [ "$(id -u)" != 0 ] || ! id "$user" >/dev/null 2>&1; then
    say "'rootless' needs root and the user '$user': it is left out (as an ordinary user every row is rootless)"
    return 0
  fi
  local home=$work/home peer_times='' peer=()
  mkdir -p "$home/run"
  cp -r "$work/project" "$home/project"
  chown -R "$user": "$home"
  as_user "$sheaf" build -C "$home/project" >"$work/out" 2>&1 || die "$(tail -n 3 "$work/out")"
  row 'rootless: plan' 10 "$(as_user bash -c "$timer" timer "$runs" "$sheaf" plan -C "$home/project")" ''
  if [ -n "$with_peer" ]; then
    # vfs: overlay would need /dev/fuse here, and a run in a container that exists copies nothing.
    peer=(buildah --root "$home/buildah" --runroot "$home/buildah-run" --storage-driver vfs)
    if as_user "${peer[@]}" bud --isolation chroot --network host --build-arg BASE_IMAGE=scratch -t bench-base \
      "$home/project/.sheaf/layers/base" >"$work/peer.log" 2>&1 &&
      as_user "${peer[@]}" from --name bench-run bench-base >>"$work/peer.log" 2>&1; then
      peer_times=$(as_user bash -c "$timer" timer "$runs" "${peer[@]}" run --isolation chroot bench-run -- /bin/true || true)
    else
      say "buildah does not work for '$user': $(tail -n 1 "$work/peer.log")"
    fi
  fi
  row 'rootless: up -- /bin/true' 25 \
    "$(as_user bash -c "$timer" timer "$runs" "$sheaf" up -C "$home/project" -- /bin/true)" "$peer_times"
}

# ---- all -----------------------------------------------------------------------------------------------------------

figures=()
small_project "$work/project"
in_project build --layers steps >"$work/out" 2>&1 || die "the small project does not build: $(tail -n 3 "$work/out")"
in_project build >"$work/out" 2>&1 || die "the small project does not build: $(tail -n 3 "$work/out")"
[ -z "$with_peer" ] || prepare_peer
for name in "${cases[@]}"; do
  [[ $name =~ ^(join|sets)$ ]] && [ -z "$with_join" ] && continue
  "case_$name"
done
echo
print_table
[ "${#figures[@]}" = 0 ] || printf '%s\n' '' "${figures[@]}"
