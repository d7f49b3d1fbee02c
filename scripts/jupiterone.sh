#!/usr/bin/env bash
# Holds our export against JupiterOne's own packages: its schemas, its command line, and its Heroku integration.
# usage: scripts/jupiterone.sh PATH-OF-METSUKE
#
# The integration is no npm package: GRAPH_HEROKU may name a folder with it, built, in which `j1-integration collect`
# runs and whose client takes the address of the API from HEROKU_API_URL. Without it that comparison is left out.
set -euo pipefail
metsuke=$(realpath -- "${1:?usage: scripts/jupiterone.sh PATH-OF-METSUKE}")
cd "$(dirname "$0")/.."

folder=$PWD/.build/jupiterone
mkdir -p "$folder"

want() { # PLACE PACKAGE VERSION
    local installed
    installed=$(sed -n 's/^  "version": "\([^"]*\)".*$/\1/p' "$folder/$1/node_modules/$2/package.json" 2>/dev/null || true)
    [[ $installed == "$3" ]] && return
    echo "installing the npm package $2 $3 into .build/jupiterone" >&2
    mkdir -p "$folder/$1"
    npm install --prefix "$folder/$1" --no-audit --no-fund --no-save --ignore-scripts --loglevel=error "$2@$3" >&2
}
want dm39 @jupiterone/data-model 0.39.0
want dm54 @jupiterone/data-model 0.54.0
want dm64 @jupiterone/data-model 0.64.2
want sdk @jupiterone/integration-sdk-cli 8.41.0

work=$(mktemp -d)
said=$work/simulator.out
: >"$said"
simulator=
trap '[[ -z $simulator ]] || kill "$simulator" 2>/dev/null || true; rm -rf "$work"' EXIT

told() { sed -n "s|^$1 \([^ ]*\).*$|\1|p" "$said" | head -n 1; }

# The estates: one believable, one with everything that a client might trip over, one on which the original works.
for size in company awkward small; do
    : >"$said"
    "$metsuke" --quiet simulate --size "$size" --seed 2 --listen 127.0.0.1:0 --jupiterone-listen 127.0.0.1:0 >"$said" &
    simulator=$!
    for _ in {1..300}; do
        [[ -n $(told jupiterone-key) ]] && break
        kill -0 "$simulator" 2>/dev/null || { echo "the simulator ended before it listened" >&2; exit 1; }
        sleep 0.1
    done
    METSUKE_HEROKU_URL=$(told 'listening on') METSUKE_HEROKU_TOKEN=$(told token)
    METSUKE_JUPITERONE_URL=$(told jupiterone) JUPITERONE_ACCOUNT=$(told jupiterone-account)
    JUPITERONE_API_KEY=$(told jupiterone-key)
    METSUKE_DATABASE_URL=sqlite:$work/$size.db
    export METSUKE_HEROKU_URL METSUKE_HEROKU_TOKEN METSUKE_JUPITERONE_URL JUPITERONE_ACCOUNT JUPITERONE_API_KEY
    export METSUKE_DATABASE_URL
    "$metsuke" --quiet sync >/dev/null || [[ $? == 4 ]]
    printf 'name,email\nAnn Example,ann@example.com\nBob,bob@example.com\n' >"$work/people.csv"
    "$metsuke" --quiet people import "$work/people.csv" >/dev/null

    out=$work/$size/.j1-integration
    echo "the estate $size:"
    "$metsuke" --quiet export jupiterone --out "$out" --tag-account-name --account-name Conformance >/dev/null
    node scripts/jupiterone.js schemas "$out" "$folder/dm39" "$folder/dm54"
    "$metsuke" --quiet export jupiterone --out "$work/$size-current" --profile current >/dev/null
    node scripts/jupiterone.js schemas "$work/$size-current" "$folder/dm64"

    # The real command line uploads our folder, and ours the same version: nothing may differ for the stand-in.
    (cd "$work/$size" && "$folder/sdk/node_modules/.bin/j1-integration" sync --integrationInstanceId "conformance-$size" \
        --api-base-url "$METSUKE_JUPITERONE_URL" --account "$JUPITERONE_ACCOUNT" >"$work/sync.out" 2>&1) || {
        tail -n 20 "$work/sync.out" >&2
        echo "j1-integration sync failed on the estate $size" >&2
        exit 1
    }
    "$metsuke" --quiet --format json jupiterone upload --integration-instance-id "conformance-$size" \
        --tag-account-name --account-name Conformance >"$work/upload.json"
    node scripts/jupiterone.js unchanged "$work/upload.json"

    if [[ $size == small && -n ${GRAPH_HEROKU-} ]]; then
        "$metsuke" --quiet export jupiterone --out "$work/original" --only-original >/dev/null
        (cd "$GRAPH_HEROKU" && HEROKU_API_URL=$METSUKE_HEROKU_URL API_KEY=$METSUKE_HEROKU_TOKEN \
            JUPITERONE_INTEGRATION_STORAGE_DIRECTORY=$work/theirs node_modules/.bin/j1-integration collect >"$work/collect.out" 2>&1)
        [[ -d $work/theirs ]] || cp -r "$GRAPH_HEROKU/.j1-integration" "$work/theirs"
        node scripts/jupiterone.js original "$work/theirs" "$work/original"
    elif [[ $size == small ]]; then
        echo "not run: the comparison with the original integration, because GRAPH_HEROKU names no folder" >&2
    fi
    kill "$simulator"
    wait "$simulator" 2>/dev/null || true
    simulator=
done
