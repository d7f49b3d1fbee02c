"""Asks the simulator twice, by Heroku's own command line and by plain requests, and compares the answers; then lets
Metsuke write to it, and looks by Heroku's own command line whether what was asked for is there.

usage: conformance.py FOLDER, where FOLDER/node_modules holds the npm package `heroku`;
SIMULATOR_URL and SIMULATOR_TOKEN say whom to ask, METSUKE which program writes.
"""

import json
import sys

from conformance_ask import Tally, absent, api, compare, difference, heroku
from conformance_writes import writes

TRIES = 3  # teams of each type, and apps of each kind of owner


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


def reads(tally):
    """Every listing, as the simulator has it and as the official command line shows it."""
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


def main():
    tally = Tally()
    reads(tally)
    writes(tally)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
