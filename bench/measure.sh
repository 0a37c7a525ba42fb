# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the benchmark scripts share: messages, the clock, and the table. They set `runs`, the number of runs, and
# may set `peer_name`, what the table calls the peer.
: "${runs:=}" "${peer_name:=buildah}"

die() { printf 'bench: %s\n' "$*" >&2; exit 1; }
say() { printf 'bench: %s\n' "$*" >&2; }

# Runs a command N times and prints the microseconds of each run. A text, so that runuser(1) can start it too: its own
# start is then outside of what is measured.
# shellcheck disable=SC2016
timer='
n=$1; shift
"$@" >/dev/null 2>&1 || { echo "failed: $*" >&2; "$@" >&2; exit 1; }
for ((i = 0; i < n; i++)); do
  a=${EPOCHREALTIME/[.,]/}
  "$@" >/dev/null 2>&1
  b=${EPOCHREALTIME/[.,]/}
  echo $((b - a))
done'

times() { bash -c "$timer" timer "$@"; }
median() { sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : int((v[NR / 2] + v[NR / 2 + 1]) / 2)}'; }
least() { sort -n | head -n 1; }

table=()
# row NAME TARGET OWN_TIMES PEER_TIMES, the times in microseconds, one a line. The target is in milliseconds, or the least
# ratio to the peer ("3x"), or "-".
row() {
  local name=$1 target=$2 own=$3 peer=$4 middle low
  middle=$(median <<<"$own")
  low=$(least <<<"$own")
  local peer_text=- ratio=-
  if [ -n "$peer" ]; then
    peer=$(median <<<"$peer")
    peer_text=$(awk -v p="$peer" 'BEGIN {printf "%.1f", p / 1000}')
    ratio=$(awk -v p="$peer" -v o="$middle" 'BEGIN {printf "%.1fx", p / (o > 0 ? o : 1)}')
  fi
  table+=("$(awk -v n="$name" -v m="$middle" -v l="$low" -v t="$target" -v p="$peer_text" -v r="$ratio" 'BEGIN {
    good = t ~ /x$/ ? r + 0 >= t + 0 : m / 1000 <= t + 0
    v = t == "-" || (t ~ /x$/ && r == "-") ? "" : good ? "met" : "missed"
    printf "%-34s %9.1f %9.1f %9s %10s %8s  %s", n, m / 1000, l / 1000, t, p, r, v}')")
  say "${table[-1]}"
}

print_table() {
  printf '%-34s %9s %9s %9s %10s %8s\n' 'ms, of '"$runs"' runs' median min target "$peer_name" ratio
  printf '%s\n' "${table[@]}"
}
