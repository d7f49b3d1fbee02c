#!/usr/bin/env bash
# Talks to Metsuke as assistants do: with the protocol's own clients from npm, of the current revision and of the ones before.
# usage: scripts/mcp.sh PATH-OF-METSUKE
set -euo pipefail
metsuke=$(realpath -- "${1:?usage: scripts/mcp.sh PATH-OF-METSUKE}")
cd "$(dirname "$0")/.."

packages=(@modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0)
folder=$PWD/.build/mcp
if [[ $(cat "$folder/installed" 2>/dev/null || true) != "${packages[*]}" ]]; then
    echo "installing the npm packages ${packages[*]} into .build/mcp" >&2
    mkdir -p "$folder"
    npm install --prefix "$folder" --no-audit --no-fund --no-save --ignore-scripts --loglevel=error "${packages[@]}" >&2
    echo "${packages[*]}" > "$folder/installed"
fi

node scripts/mcp.mjs "$metsuke" "$folder"
