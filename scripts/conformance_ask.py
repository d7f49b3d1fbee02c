"""Asks the simulator, by plain requests and by Heroku's own command line, and counts what agrees.

FOLDER, the first argument of the program, holds the npm package `heroku` in `node_modules`; SIMULATOR_URL and
SIMULATOR_TOKEN say whom to ask.
"""

import json
import os
import pathlib
import subprocess
import sys
import urllib.request

FOLDER = pathlib.Path(sys.argv[1])
URL = os.environ["SIMULATOR_URL"].rstrip("/")
TOKEN = os.environ["SIMULATOR_TOKEN"]
# The simulator is on this machine: no proxy between.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def api(path):
    """The whole list, or the one object, behind a path."""
    rows, next_range = [], None
    while True:
        headers = {"Accept": "application/vnd.heroku+json; version=3", "Authorization": f"Bearer {TOKEN}"}
        if next_range:
            headers["Range"] = next_range
        with DIRECT.open(urllib.request.Request(URL + path, headers=headers), timeout=60) as answer:
            body = json.load(answer)
            next_range = answer.headers.get("Next-Range")
        if not isinstance(body, list):
            return body
        rows += body
        if not next_range:
            return rows


def heroku(*args):
    """What the official command line prints on stdout."""
    home = FOLDER / "home"
    home.mkdir(exist_ok=True)
    # A bare environment: no login, no settings of the user, and no word to anybody but the simulator.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HEROKU_HOST": URL,
        "HEROKU_PARTICLEBOARD_URL": URL,
        "HEROKU_API_KEY": TOKEN,
        "DISABLE_TELEMETRY": "true",
        "IS_HEROKU_TEST_ENV": "true",
        "HIDE_HEROKU_RELEASE_NOTES": "true",
        "HEROKU_SKIP_NEW_VERSION_CHECK": "true",
        "NO_COLOR": "1",
        "COLUMNS": "240",
    }
    program = FOLDER / "node_modules/heroku/bin/run.js"
    done = subprocess.run(
        ["node", "--no-deprecation", str(program), *args],
        env=environment, cwd=home, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip() or f"exit code {done.returncode}").splitlines()[0])
    return done.stdout


class Tally:
    """Counts what passed and what failed, one line each."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, title, compare):
        try:
            rows, trouble = compare()
        except (RuntimeError, OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired) as error:
            rows, trouble = 0, f"{type(error).__name__}: {error}"
        if not trouble and not rows:
            trouble = "there was nothing to compare"
        if trouble:
            self.failed += 1
            print(f"FAIL {title}: {trouble}", flush=True)
        else:
            self.passed += 1
            print(f"PASS {title}: {rows} rows", flush=True)


def difference(expected, found):
    """What is missing and what is too much, or nothing."""
    expected, found = sorted(expected), sorted(found)
    if expected == found:
        return None
    missing = [row for row in expected if row not in set(found)]
    extra = [row for row in found if row not in set(expected)]
    return f"{len(expected)} rows expected, {len(found)} found; missing {missing[:3]}, too much {extra[:3]}"


def absent(text, words):
    """The first words that a printed table lacks, or nothing."""
    lacking = [word for word in words if word not in text]
    return f"the printed table lacks {lacking[:3]}" if lacking else None


def compare(args, expected, row, shown):
    """Compares the JSON of a command with the rows expected, and its table with the words to be shown.

    Gives the number of rows, and the trouble or nothing."""
    found = [row(each) for each in json.loads(heroku(*args, "--json"))]
    return len(expected), difference(expected, found) or absent(heroku(*args), shown)
