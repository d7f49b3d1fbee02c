#!/usr/bin/env bash
# Looks at every page in a real browser: a demonstration and a simulated Heroku with hostile names are started on free ports.
# usage: scripts/browser.sh [ARGUMENTS OF PLAYWRIGHT]
#
# The program is what `cargo build` has made last, or METSUKE. With METSUKE_SHOTS=1 the pictures of the documentation are made anew;
# with METSUKE_PAINT=1 nothing is tested, but told how soon each page is painted: those of the server at METSUKE_URL where that is said.
set -euo pipefail
cd "$(dirname "$0")/.."
metsuke=$(realpath -- "${METSUKE:-${CARGO_TARGET_DIR:-target}/debug/metsuke}")
[[ -x $metsuke ]] || { echo "$metsuke is missing: run cargo build --package metsuke-cli" >&2; exit 1; }

source=crates/web/browser
folder=$PWD/.build/browser
METSUKE_CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    { echo "chromium is missing: run scripts/setup.sh test" >&2; exit 1; }
export METSUKE_CHROMIUM METSUKE_PICTURES=$PWD/docs/screenshots
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 NO_UPDATE_NOTIFIER=1

mkdir -p "$folder"
if ! cmp --silent "$source/package-lock.json" "$folder/installed.json"; then
    echo "installing the npm packages of $source into .build/browser" >&2
    cp "$source"/package*.json "$folder/"
    npm ci --prefix "$folder" --no-audit --no-fund --ignore-scripts --loglevel=error >&2
    cp "$source/package-lock.json" "$folder/installed.json"
fi
rm -f "$folder"/*.ts
cp "$source"/*.ts "$source/tsconfig.json" "$folder/"
"$folder/node_modules/.bin/tsc" --project "$folder/tsconfig.json"

work=$(mktemp -d)
running=()
stop() {
    [[ ${#running[@]} -eq 0 ]] || kill "${running[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT

start() { # NAME ARGUMENTS...
    : >"$work/$1"
    "$metsuke" --quiet "${@:2}" >"$work/$1" 2>"$work/$1.err" &
    running+=($!)
}
told() { # NAME PATTERN
    local found
    for _ in {1..900}; do
        found=$(sed -n "s|^.*$2.*\$|\1|p" "$work/$1" | head -n 1)
        [[ -z $found ]] || { printf '%s' "$found"; return; }
        kill -0 "${running[@]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "$1 did not say where it listens" >&2
    cat "$work/$1.err" >&2
    return 1
}

if [[ -n ${METSUKE_PAINT:-} && -n ${METSUKE_URL:-} ]]; then
    cd "$folder"
    node_modules/.bin/playwright test "$@"
    exit
fi

start demo demo --listen 127.0.0.1:0
start simulator simulate --size hostile --listen 127.0.0.1:0
METSUKE_URL=$(told demo '\(http://127[^ ]*\) until')
METSUKE_SIMULATOR=$(told simulator 'listening on \(http[^ ]*\)')
METSUKE_SIMULATOR_TOKEN=$(told simulator 'token \([^ ]*\)')
METSUKE_PROGRAM=$metsuke
export METSUKE_URL METSUKE_SIMULATOR METSUKE_SIMULATOR_TOKEN METSUKE_PROGRAM

cd "$folder"
node_modules/.bin/playwright test "$@"
