#!/usr/bin/env bash
# Stops the PostgreSQL that tests of this target folder have started, and removes its files.
set -euo pipefail
cd "$(dirname "$0")/.."

shopt -s nullglob
folders=("${TMPDIR:-/tmp}"/metsuke-postgres-* /tmp/metsuke-postgres-*)
[[ ${#folders[@]} -gt 0 ]] || exit 0

target=$(cargo metadata --no-deps --offline --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
target=$(realpath -m -- "$target")

serves() { # PID FOLDER: a number left over from before a crash may be another program's by now
    [[ $1 =~ ^[0-9]+$ ]] && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- "$2/data"
}

others() { # FOLDER: how many are connected, us left out
    psql -X -At -h "$1/s" -p 5432 -U postgres -d postgres -c \
        "SELECT count(*) - 1 FROM pg_stat_activity WHERE backend_type = 'client backend'" 2>/dev/null || echo 0
}

for folder in "${folders[@]}"; do
    [[ -d $folder && ! -L $folder && -O $folder && "$(cat "$folder/target" 2>/dev/null)" == "$target" ]] || continue
    # The same lock under which tests join and start.
    exec 9>>"$folder/lock"
    flock 9
    pid=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null || true)
    if serves "$pid" "$folder"; then
        if [[ $(others "$folder") -gt 0 ]]; then
            echo "other tests still use the PostgreSQL in $folder; it will stop by itself" >&2
            continue
        fi
        kill -INT "$pid"
        for _ in {1..100}; do
            serves "$pid" "$folder" || break
            sleep 0.1
        done
    fi
    rm -rf -- "$folder"
done
