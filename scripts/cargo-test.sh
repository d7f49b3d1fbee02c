#!/usr/bin/env bash
# Runs tests, by cargo-nextest where it is installed: those of the workspace, or those that the arguments choose.
# usage: scripts/cargo-test.sh [--package NAME [FILTER]]
set -euo pipefail
cd "$(dirname "$0")/.."
[[ $# -gt 0 ]] || set -- --workspace

# Tests wait for the disk at every commit of theirs: in memory they need not, where there is plenty of it.
memory=/dev/shm
plenty=$((8 << 20)) # kB
folder=
if [[ -z ${TMPDIR:-} && -d $memory && -w $memory ]] &&
    [[ $(df --output=avail "$memory" | tail -n 1) -ge $plenty ]] &&
    [[ $(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo) -ge $plenty ]]; then
    folder=$(mktemp -d "$memory/metsuke-test.XXXXXX")
    chmod 711 "$folder" # PostgreSQL may have to run as somebody else
    export TMPDIR=$folder
fi
clean() {
    scripts/stop-test-postgres.sh
    [[ -z $folder ]] || rm -rf "$folder"
}
trap clean EXIT

if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked "$@"
else
    cargo test --locked --no-fail-fast "${@/#--cargo-profile/--profile}"
fi
