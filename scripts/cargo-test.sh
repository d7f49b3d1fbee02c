#!/usr/bin/env bash
# Runs tests, by cargo-nextest where it is installed: those of the workspace, or those that the arguments choose.
# usage: scripts/cargo-test.sh [--package NAME [FILTER]]
set -euo pipefail
cd "$(dirname "$0")/.."
trap scripts/stop-test-postgres.sh EXIT
[[ $# -gt 0 ]] || set -- --workspace

if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked "$@"
else
    cargo test --locked --no-fail-fast "${@/#--cargo-profile/--profile}"
fi
