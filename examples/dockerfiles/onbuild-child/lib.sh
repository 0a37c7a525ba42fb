say() { printf 'child says %s\n' "$*"; }
