"""Asks the simulator twice, by Heroku's own command line and by plain requests, and compares the answers.

usage: conformance.py FOLDER, where FOLDER/node_modules holds the npm package `heroku`;
SIMULATOR_URL and SIMULATOR_TOKEN say whom to ask.
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
TRIES = 3  # teams of each type, and apps of each kind of owner


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


def team_row(team):
    return team["name"], team["role"] or ""


def member_row(member):
    return member["email"], member["role"] or ""


def addon_row(addon):
    return (addon["app"] or {}).get("name", ""), addon["name"], addon["plan"]["name"]


def collaborator_row(collaborator):
    return collaborator["user"]["email"], collaborator["role"] or ""


def teams():
    expected = [team_row(team) for team in api("/teams")]
    return compare(["teams"], expected, team_row, [name for name, _ in expected])


def members(team):
    rows = [member_row(member) for member in api(f"/teams/{team['name']}/members")]
    pending = invitations(team)
    found = json.loads(heroku("members", "--team", team["name"], "--json"))
    joined = [member_row(member) for member in found if member["status"] != "pending"]
    invited = [member_row(member) for member in found if member["status"] == "pending"]
    shown = [email for email, _ in rows + pending]
    trouble = difference(rows, joined) or difference(pending, invited)
    return len(rows + pending), trouble or absent(heroku("members", "--team", team["name"]), shown)


def invitations(team):
    """The pending invitations that the command line adds to the members of a team with that feature."""
    if team["type"] != "team":
        return []
    features = api(f"/teams/{team['name']}/features")
    if not any(each["name"] == "team-invite-acceptance" and each["enabled"] for each in features):
        return []
    return [(each["user"]["email"], each["role"] or "") for each in api(f"/teams/{team['name']}/invitations")]


def apps(team):
    expected = [app["name"] for app in api(f"/teams/{team['name']}/apps")]
    return compare(["apps", "--team", team["name"]], expected, lambda app: app["name"], expected)


def addons():
    expected = [addon_row(addon) for addon in api("/addons")]
    return compare(["addons", "--all"], expected, addon_row, [name for _, name, _ in expected[:50]])


def access(app):
    expected = [collaborator_row(each) for each in api(f"/apps/{app['name']}/collaborators")]
    if app["team"]:
        admins = [each for each in api(f"/teams/{app['team']['name']}/members") if each["role"] == "admin"]
        expected = [each for each in expected if each[1] != "admin"]
        expected += [(each["email"], "admin") for each in admins]
    people = [email for email, _ in expected if not email.endswith("herokumanager.com")]
    return compare(["access", "--app", app["name"]], expected, collaborator_row, people)


def readable(team):
    """Whether the official command line can show the team: it breaks on a member without an e-mail."""
    return all(member["email"] for member in api(f"/teams/{team['name']}/members"))


def kind(app, all_teams):
    """Which kind of owner an app has."""
    types = {team["id"]: team["type"] for team in all_teams}
    return types.get(app["team"]["id"]) if app["team"] else "personal"


def has_users(app):
    """Whether the official command line can show an app's access: it breaks on a row without a user."""
    return all(each["user"] for each in api(f"/apps/{app['name']}/collaborators"))


def take(rows, good):
    """The first few rows that are good."""
    chosen = []
    for row in rows:
        if len(chosen) == TRIES:
            break
        if good(row):
            chosen.append(row)
    return chosen


def main():
    tally = Tally()
    tally.check("teams", teams)
    all_teams, all_apps = api("/teams"), api("/apps")
    owners = {app["team"]["id"] for app in all_apps if app["team"]}
    for wanted in ("enterprise", "team"):
        fit = [team for team in all_teams if team["type"] == wanted and team["id"] in owners]
        for team in take(fit, readable):
            title = f"--team {team['name']} ({team['type']})"
            tally.check(f"members {title}", lambda: members(team))
            tally.check(f"apps {title}", lambda: apps(team))
    tally.check("addons --all", addons)
    for wanted in ("enterprise", "team", "personal"):
        for app in take([app for app in all_apps if kind(app, all_teams) == wanted], has_users):
            tally.check(f"access --app {app['name']} ({wanted})", lambda: access(app))

    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
