#!/bin/sh
set -e
# An option, a file, or a word that is no program: something for node.
if [ "${1#-}" != "$1" ] || [ -f "$1" ] || ! command -v "$1" >/dev/null; then
  set -- node "$@"
fi
exec "$@"
