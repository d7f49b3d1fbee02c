#!/usr/bin/env bash
# Installs what this machine lacks for one purpose, and says so; silent and quick when nothing is missing.
# usage: scripts/setup.sh build | test | browser | conformance | api
set -euo pipefail
cd "$(dirname "$0")/.."

oldest_postgres=15
packages=()
reasons=()

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

want() { # PACKAGE REASON
    packages+=("$1")
    reasons+=("$1 ($2)")
}

# Whether some folder has a whole server that is new enough. The service need not run.
has_postgres() {
    local folder version
    local -a folders
    IFS=: read -r -a folders <<<"$PATH"
    for folder in "${folders[@]}" /usr/lib/postgresql/*/bin; do
        [[ -x $folder/initdb && -x $folder/postgres && -x $folder/pg_ctl && -x $folder/psql ]] || continue
        version=$("$folder/postgres" --version 2>/dev/null | sed -n 's/^.*(PostgreSQL) \([0-9]*\).*$/\1/p')
        [[ -n $version && $version -ge $oldest_postgres ]] && return 0
    done
    return 1
}

need_rust() {
    has cargo || fail "cargo is missing: install Rust as https://rustup.rs describes, then try again"
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    found=$(rustc --version | cut -d ' ' -f 2)
    printf '%s\n%s\n' "$wanted" "$found" | sort --check=quiet --version-sort ||
        fail "Rust $wanted or newer is needed and this is $found: run \`rustup update\`, then try again"
}

need_component() { # SUBCOMMAND COMPONENT
    cargo "$1" --version >/dev/null 2>&1 && return
    has rustup || fail "\`cargo $1\` is missing: install the Rust component $2, then try again"
    say "installing the Rust component $2"
    rustup --quiet component add "$2"
}

need_build() {
    need_rust
    has cc || want build-essential "a C compiler, for SQLite and for TLS"
}

need_test() {
    need_build
    need_component fmt rustfmt
    need_component clippy clippy
    has node && has npm || fail "Node 20 with npm is missing: install it, then try again"
    has git || want git "tidy asks it for the list of files"
    has_postgres || want postgresql "the store is tested on PostgreSQL $oldest_postgres or newer"
    need_browser
}

need_browser() {
    has node && has npm || fail "Node 20 with npm is missing: install it, then try again"
    has chromium || want chromium "the pages are tested in it"
    [[ -d /usr/share/fonts/opentype/inter ]] || want fonts-inter "the pages are written in it"
    [[ -d /usr/share/fonts/truetype/dejavu ]] || want fonts-dejavu-core "code in the pages is written in it"
}

need_conformance() {
    need_build
    has python3 || want python3 "compares the answers"
    has node && has npm || fail "Node 20 with npm is missing: install it, then try again"
}

need_api() {
    need_build
    has curl || want curl "asks the server"
    has python3 || want python3 "runs schemathesis"
    python3 -c 'import ensurepip, venv' 2>/dev/null || want python3-venv "keeps schemathesis apart"
}

install_packages() {
    [[ ${#packages[@]} -gt 0 ]] || return 0
    local missing
    missing=$(printf '%s, ' "${reasons[@]}")
    missing=${missing%, }
    has apt-get || fail "missing: $missing. Install it with this system's own tools, then try again"
    [[ $(id -u) == 0 ]] ||
        fail "missing: $missing. Run as root: apt-get install -y --no-install-recommends ${packages[*]}"
    say "installing $missing"
    export DEBIAN_FRONTEND=noninteractive
    local options=(-qq -o DPkg::Lock::Timeout=300)
    local log
    log=$(mktemp)
    # A source that cannot be reached need not be the one that has the package.
    apt-get "${options[@]}" update >"$log" 2>&1 || say "the lists of packages could not all be refreshed; going on"
    if ! apt-get "${options[@]}" install -y --no-install-recommends "${packages[@]}" >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "apt-get failed, see above"
    fi
    rm -f "$log"
}

case ${1-} in
build) need_build ;;
test) need_test ;;
browser)
    need_build
    need_browser
    ;;
conformance) need_conformance ;;
api) need_api ;;
*)
    echo "usage: scripts/setup.sh build | test | browser | conformance | api" >&2
    exit 2
    ;;
esac
install_packages
if [[ $1 == test ]]; then
    has_postgres || fail "the package postgresql is older than $oldest_postgres: install a newer one, then try again"
fi
