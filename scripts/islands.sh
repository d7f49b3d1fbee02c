#!/usr/bin/env bash
# Checks the types of the pages' scripts, compiles them, and compares the result with what is checked in.
# usage: scripts/islands.sh [--write]
set -euo pipefail
cd "$(dirname "$0")/.."

source=crates/web/islands
assets=crates/web/assets
folder=$PWD/.build/islands

version() { sed -n "s/^ *\"$1\": \"\([^\"]*\)\".*\$/\1/p" "$source/package.json"; }
installed() { sed -n 's/^[[:space:]]*"version": "\([^"]*\)".*$/\1/p' "$folder/node_modules/$1/package.json" 2>/dev/null | head -n 1 || true; }

for package in esbuild typescript; do
    if [[ $(installed "$package") != $(version "$package") ]]; then
        echo "installing the npm packages esbuild and typescript into .build/islands" >&2
        mkdir -p "$folder"
        npm install --prefix "$folder" --no-audit --no-fund --no-save --ignore-scripts --loglevel=error \
            "esbuild@$(version esbuild)" "typescript@$(version typescript)" >&2
        break
    fi
done

"$folder/node_modules/.bin/tsc" --project "$source/tsconfig.json"

out=$folder/out
rm -rf "$out"
"$folder/node_modules/.bin/esbuild" "$source"/metsuke.ts --bundle --format=esm --target=es2022 \
    --minify-syntax --minify-whitespace --charset=utf8 --legal-comments=none --log-level=warning --outdir="$out"

if [[ ${1-} == --write ]]; then
    cp "$out"/*.js "$assets/"
    exit
fi
for file in "$out"/*.js; do
    if ! cmp --silent "$file" "$assets/$(basename "$file")"; then
        echo "$assets/$(basename "$file") is not what $source compiles to: run scripts/islands.sh --write" >&2
        exit 1
    fi
done
