#!/bin/sh
# Stops the test server in folder $1 when no test has come, and none is connected, for ten minutes.
# $2 is the psql to ask with. Ends by itself when the server has gone or was replaced.
folder=$1
psql=$2
pid=$(head -n 1 "$folder/data/postmaster.pid") || exit 0

served() {
    [ "$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null)" = "$pid" ] && kill -0 "$pid" 2>/dev/null
}

idle() {
    [ -n "$(find "$folder/lock" -mmin +10 2>/dev/null)" ] &&
        [ "$("$psql" -X -At -h "$folder/s" -p 5432 -U postgres -d postgres -c \
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")" = 1 ]
}

while sleep 5 && served; do
    if idle; then
        # Under the lock no test can join; whoever came while we waited for it has made the folder busy.
        exec 9>>"$folder/lock"
        command -v flock >/dev/null && { flock -n 9 || continue; }
        if idle && kill -INT "$pid"; then
            while served; do sleep 1; done
            exit 0
        fi
        exec 9>&-
    fi
done
