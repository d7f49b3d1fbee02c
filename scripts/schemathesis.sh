#!/usr/bin/env bash
# Holds a running server against its own description: no fault of the server, and no answer that is not described.
# usage: scripts/schemathesis.sh PATH-OF-METSUKE [MORE-OPTIONS-FOR-SCHEMATHESIS…]
set -euo pipefail
metsuke=$(realpath -- "${1:?usage: scripts/schemathesis.sh PATH-OF-METSUKE}")
shift
cd "$(dirname "$0")/.."

version=4.32.5
folder=$PWD/.build/schemathesis
mkdir -p "$folder"

installed=$("$folder/venv/bin/schemathesis" --version 2>/dev/null | sed -n 's/^schemathesis, version //p' || true)
if [[ $installed != "$version" ]]; then
    echo "installing the PyPI package schemathesis $version into .build/schemathesis" >&2
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version" >&2
fi

state=$(mktemp -d)
processes=()
finish() {
    local process
    for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
    wait || true
    rm -rf "$state"
}
trap finish EXIT

# The address that a program says it listens on.
address() { # FILE PROCESS
    local url
    for _ in {1..300}; do
        url=$(sed -n 's/^listening on \(http[^ ]*\).*$/\1/p' "$1" | head -n 1)
        [[ -n $url ]] && { echo "$url"; return 0; }
        kill -0 "$2" 2>/dev/null || break
        sleep 0.1
    done
    echo "a program ended before it listened" >&2
    return 1
}

: >"$state/heroku"
"$metsuke" --quiet simulate --size company --seed 7 --listen 127.0.0.1:0 >"$state/heroku" &
processes+=($!)
heroku=$(address "$state/heroku" $!)
heroku_token=$(sed -n 's/^token \([^ ]*\).*$/\1/p' "$state/heroku" | head -n 1)

export METSUKE_DATABASE_URL=sqlite:$state/metsuke.db

: >"$state/server"
METSUKE_REQUESTS_PER_MINUTE=0 "$metsuke" --quiet serve --listen 127.0.0.1:0 >"$state/server" 2>"$state/log" &
processes+=($!)
server=$(address "$state/server" $!)
token=$("$metsuke" --quiet token create --role admin --name schemathesis | tail -n 1)

echo "asking $server" >&2
# Tokens go by files: arguments can be read by every user of the machine.
umask 077
printf 'header = "Authorization: Bearer %s"\n' "$token" >"$state/curl"
printf '[headers]\nAuthorization = "Bearer %s"\n' "$token" >"$state/schemathesis.toml"
printf '{"name":"northwind","kind":"heroku","owner":"ann@example.com","api_token":"%s","api_url":"%s","polling_interval":"DISABLED","provisioning":true}' \
    "$heroku_token" "$heroku" >"$state/connector"
curl --silent --show-error --fail --config "$state/curl" --header 'Content-Type: application/json' \
    --data "@$state/connector" --output "$state/made" "$server/api/v1/connectors"
for _ in {1..300}; do
    curl --silent --fail --config "$state/curl" --output "$state/connectors" "$server/api/v1/connectors"
    grep -q '"state":"connected"' "$state/connectors" && break
    sleep 0.1
done

"$folder/venv/bin/schemathesis" --config-file "$state/schemathesis.toml" run "$server/api/v1/openapi.json" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method,ignored_auth \
    --max-examples "${EXAMPLES:-50}" --seed 7 --generation-deterministic --suppress-health-check all "$@"
for secret in "$token" "$heroku_token"; do
    if grep -rlF --binary-files=text --exclude=curl --exclude=schemathesis.toml --exclude=connector --exclude=heroku -- "$secret" "$state"; then
        echo "a token stands in a file that the server wrote" >&2
        exit 1
    fi
done
