#!/usr/bin/env bash
# Points Heroku's own command line at the simulator and compares what both say, then what Metsuke writes.
# usage: scripts/conformance.sh PATH-OF-METSUKE
set -euo pipefail
metsuke=$(realpath -- "${1:?usage: scripts/conformance.sh PATH-OF-METSUKE}")
cd "$(dirname "$0")/.."

version=11.10.0
folder=$PWD/.build/conformance
mkdir -p "$folder"

installed=$(sed -n 's/^  "version": "\([^"]*\)".*$/\1/p' "$folder/node_modules/heroku/package.json" 2>/dev/null || true)
if [[ $installed != "$version" ]]; then
    echo "installing the npm package heroku $version into .build/conformance" >&2
    npm install --prefix "$folder" --no-audit --no-fund --no-save --ignore-scripts --loglevel=error "heroku@$version" >&2
fi

said=$folder/simulator.out
: >"$said"
"$metsuke" --quiet simulate --size company --seed 7 --listen 127.0.0.1:0 >"$said" &
simulator=$!
trap 'kill "$simulator" 2>/dev/null || true' EXIT

for _ in {1..300}; do
    url=$(sed -n 's/^listening on \(http[^ ]*\).*$/\1/p' "$said" | head -n 1)
    token=$(sed -n 's/^token \([^ ]*\).*$/\1/p' "$said" | head -n 1)
    [[ -n $url && -n $token ]] && break
    kill -0 "$simulator" 2>/dev/null || { echo "the simulator ended before it listened" >&2; exit 1; }
    sleep 0.1
done
[[ -n $url && -n $token ]] || { echo "the simulator did not say where it listens" >&2; exit 1; }

# The token goes by the environment: arguments can be read by every user of the machine.
SIMULATOR_URL=$url SIMULATOR_TOKEN=$token METSUKE=$metsuke PYTHONDONTWRITEBYTECODE=1 python3 scripts/conformance.py "$folder"
