#!/usr/bin/env bash
# Runs the tests of the workspace, by cargo-nextest where it is installed.
# usage: scripts/cargo-test.sh [FILTER]
set -euo pipefail
cd "$(dirname "$0")/.."
trap scripts/stop-test-postgres.sh EXIT

if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --locked "$@"
else
    cargo test --workspace --locked --no-fail-fast "$@"
fi
