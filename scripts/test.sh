#!/usr/bin/env bash
# Everything that must pass, in order; stops at the first step that does not.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { # TITLE COMMAND...
    local title=$1 began=$SECONDS
    shift
    printf '\n== %s\n' "$title"
    if "$@"; then
        printf '== %s: ok, %d s\n' "$title" $((SECONDS - began))
    else
        printf '== %s: FAILED after %d s: %s\n' "$title" $((SECONDS - began)) "$*"
        exit 1
    fi
}

step "format" cargo fmt --all --check
step "rules of the house" cargo xtask tidy
step "generated code" cargo run --quiet --locked --package xtask --features codegen -- codegen --check
step "scripts of the pages" scripts/islands.sh
step "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
step "tests" scripts/cargo-test.sh
step "pages in a browser" scripts/browser.sh
step "documentation" env RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --workspace --locked
printf '\nall passed, %d s\n' "$SECONDS"
