#!/usr/bin/env bash
# Signs people in through a real OpenID provider: the npm package oidc-provider, on this machine.
# usage: scripts/oidc.sh PATH-OF-METSUKE
set -euo pipefail
metsuke=$(realpath -- "${1:?usage: scripts/oidc.sh PATH-OF-METSUKE}")
cd "$(dirname "$0")/.."

version=9.13.3
folder=$PWD/.build/oidc
installed=$(sed -n 's/^  "version": "\([^"]*\)".*$/\1/p' "$folder/node_modules/oidc-provider/package.json" 2>/dev/null || true)
if [[ $installed != "$version" ]]; then
    echo "installing the npm package oidc-provider $version into .build/oidc" >&2
    mkdir -p "$folder"
    npm install --prefix "$folder" --no-audit --no-fund --no-save --ignore-scripts --loglevel=error "oidc-provider@$version" >&2
fi

node scripts/oidc.mjs "$metsuke" "$folder"
