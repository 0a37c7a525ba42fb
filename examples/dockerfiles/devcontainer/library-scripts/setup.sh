#!/usr/bin/env bash
# Makes the folders that the named user works in.
set -euo pipefail
user=$1
install -d -o "$user" -g "$user" -m 0755 /workspaces /commandhistory
touch /commandhistory/.bash_history
chown "$user" /commandhistory/.bash_history
