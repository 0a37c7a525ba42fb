#!/bin/sh
# Runs the scripts of /docker-entrypoint.d before nginx starts.
set -e
if [ "$1" = nginx ]; then
    find /docker-entrypoint.d/ -follow -type f -name '*.sh' | sort | while read -r script; do
        if [ -x "$script" ]; then
            echo "$0: running $script"
            "$script"
        fi
    done
fi
exec "$@"
