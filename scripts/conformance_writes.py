"""Lets Metsuke grant and revoke on the simulator, and looks by Heroku's own command line what came of it.

Each listing is read once by the official command line before anything is written. From then on the whole listing is
expected to be as it was, but for what each operation asked for.
"""

import json
import os
import subprocess

from conformance_ask import FOLDER, TOKEN, URL, absent, api, difference, heroku

GUEST = "conformance-guest@example.com"
PERSONAL = ("deploy", "operate", "view")  # what a collaborator of a personal app holds


def metsuke(*args):
    """What Metsuke answers: its exit code, and the document on stdout."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(FOLDER),
        "METSUKE_DATABASE_URL": f"sqlite:{FOLDER / 'conformance.db'}",
        "METSUKE_HEROKU_URL": URL,
        "METSUKE_HEROKU_TOKEN": TOKEN,
        "METSUKE_PROVISIONING": "true",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        [os.environ["METSUKE"], "--quiet", "--format", "json", *args],
        env=environment, cwd=FOLDER, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
    )
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        first = (done.stderr.strip() or "nothing on stderr").splitlines()[0]
        raise RuntimeError(f"metsuke {args[0]} ended with {done.returncode}: {first}") from None


def written(*args):
    """The outcome of an operation; a plan over a cap is released with its number."""
    code, told = metsuke(*args, "--yes")
    if told["outcome"] == "frozen":
        plan = told["plan"]
        code, told = metsuke("apply", plan["id"], "--confirm-count", str(plan["confirm_count"]))
    return told["outcome"], code, told.get("reason")


class Listing:
    """What one command of the official command line should print."""

    def __init__(self, *args):
        self.args = args
        self.rows = self.read()

    def read(self):
        """The rows that it prints: who, and what they hold."""
        rows = {}
        for row in json.loads(heroku(*self.args, "--json")):
            email = row.get("email") or row["user"]["email"]
            names = sorted(each["name"] for each in row.get("permissions") or [])
            held = (row.get("role") or "", row.get("status") or "", *names)
            if rows.setdefault(email, held) != held:
                raise ValueError(f"{email} is listed as {rows[email]} and as {held}")
        return rows

    def check(self, changes):
        """Applies the changes to the rows expected, and compares."""
        for email, held in changes.items():
            self.rows.pop(email, None)
            if held is not None:
                self.rows[email] = held
        trouble = difference(self.rows.items(), self.read().items())
        table = heroku(*self.args)
        there = [email for email, held in changes.items() if held is not None]
        gone = [email for email, held in changes.items() if held is None and email in table]
        return len(self.rows), trouble or absent(table, there) or (f"the printed table has {gone}" if gone else None)


class Changes:
    """Operations of Metsuke, and the listings that show them."""

    def __init__(self, tally):
        self.tally = tally
        self.listings = {}

    def watch(self, *args):
        """Reads a listing for the first time."""
        self.listings[args] = Listing(*args)
        return args

    def do(self, operation, wished, outcome=("applied", 0)):
        """Does something, and looks whether each listing shows what was wished, one line each."""
        try:
            ended = written(*operation)
            trouble = None if ended[:2] == outcome else f"it ended with {ended}"
        except (RuntimeError, OSError, KeyError, subprocess.TimeoutExpired) as error:
            trouble = f"{type(error).__name__}: {error}"
        for listing, changes in wished.items():
            title = f"after {' '.join(operation)}: {' '.join(listing)}"
            self.tally.check(title, lambda: (0, trouble) if trouble else self.listings[listing].check(changes))


class Cast:
    """Who and what the operations are about."""

    def __init__(self):
        teams, apps = api("/teams"), api("/apps")
        enterprise = [team for team in teams if team["type"] == "enterprise" and team["role"] == "admin"]
        standard = [team for team in teams if team["type"] == "team" and team["role"] == "admin" and invites(team)]
        self.own = api("/account")["email"]
        self.team, self.members = readable(enterprise, apps)
        self.standard, self.standard_members = readable(standard, apps)
        self.app = app_of(self.team, apps)
        self.standard_app = app_of(self.standard, apps)
        self.personal_app = next(app["name"] for app in apps if owned_by(app, self.own))
        insiders = {member["email"] for member in self.members + self.standard_members}
        others = {
            member["email"]
            for team in enterprise[1:6]
            for member in api(f"/teams/{team['name']}/members")
            if member["email"]
        }
        self.outsider = min(others - insiders - {self.own} - self.on_apps())
        self.member = self.somebody(self.members)
        self.standard_member = self.somebody(self.standard_members)

    def on_apps(self):
        """Everybody with a row on one of the apps."""
        apps = (self.app, self.standard_app, self.personal_app)
        return {row["user"]["email"] for app in apps for row in api(f"/apps/{app}/collaborators")}

    def somebody(self, members):
        """A plain member without rows on the apps."""
        plain = (each["email"] for each in members if each["role"] == "member")
        return min(set(plain) - self.on_apps() - {self.own})


def invites(team):
    """Whether new members of a team are invited."""
    features = api(f"/teams/{team['name']}/features")
    return any(each["name"] == "team-invite-acceptance" and each["enabled"] for each in features)


def readable(teams, apps):
    """The first team with an app whose members the official command line can show, and those."""
    for team in teams:
        members = api(f"/teams/{team['name']}/members")
        plain = any(member["role"] == "member" for member in members)
        if plain and all(member["email"] for member in members) and app_of(team["name"], apps):
            return team["name"], members
    raise ValueError("no team fits")


def app_of(team, apps):
    """The first app of a team whose access the official command line can show."""
    for app in apps:
        if (app["team"] or {}).get("name") == team and not app.get("locked"):
            if all(row["user"] for row in api(f"/apps/{app['name']}/collaborators")):
                return app["name"]
    return None


def owned_by(app, own):
    """Whether it is a personal app of the caller."""
    return not app["team"] and app["owner"]["email"] == own


def writes(tally):
    """Every kind of grant and revoke, and after each what the official command line shows."""
    cast = Cast()
    (FOLDER / "conformance.db").unlink(missing_ok=True)
    metsuke("sync")
    changes = Changes(tally)
    teams = changes.watch("members", "--team", cast.team), changes.watch("members", "--team", cast.standard)
    apps = [changes.watch("access", "--app", app) for app in (cast.app, cast.standard_app, cast.personal_app)]
    own_teams = sorted((team["name"], team["role"]) for team in json.loads(heroku("teams", "--json")))
    team_roles(changes, cast, teams[0], apps[0])
    app_permissions(changes, cast, apps[0])
    collaborators(changes, cast, apps[1:])
    standard_team(changes, cast, teams[1], apps[1])
    refusals(changes, cast, teams[0])
    one_person(changes, cast, teams, apps)

    def same():
        found = sorted((team["name"], team["role"]) for team in json.loads(heroku("teams", "--json")))
        return len(found), difference(own_teams, found)

    tally.check("after everything: teams", same)


def role_of(who, team, role):
    """The flags that name a team role."""
    return "--user", who, "--team", team, "--role", role


def everything():
    """What the official command line says an admin holds on each app."""
    return sorted(each["name"] for each in api("/teams/permissions"))


def team_roles(changes, cast, team, app):
    """A role is granted, replaced twice, and taken; an admin also shows on the apps."""
    who, name = cast.outsider, cast.team
    changes.do(("grant", *role_of(who, name, "member")), {team: {who: ("member", "")}})
    changes.do(("grant", *role_of(who, name, "viewer")), {team: {who: ("viewer", "")}})
    admin = {team: {who: ("admin", "")}, app: {who: ("admin", "", *everything())}}
    changes.do(("grant", *role_of(who, name, "admin")), admin)
    changes.do(("revoke", *role_of(who, name, "member")), {team: {}}, ("unchanged", 0))
    changes.do(("revoke", *role_of(who, name, "admin")), {team: {who: None}, app: {who: None}})


def app_permissions(changes, cast, app):
    """Permissions are merged into one row, taken singly, and end with `view`."""
    who, name = cast.member, cast.app

    def ask(verb, *permissions):
        return verb, "--user", who, "--app", name, *(word for each in permissions for word in ("--permission", each))

    changes.do(ask("grant", "deploy"), {app: {who: ("member", "", "deploy", "view")}})
    changes.do(ask("grant", "operate", "manage"), {app: {who: ("member", "", "deploy", "manage", "operate", "view")}})
    changes.do(ask("grant", "deploy"), {app: {}}, ("unchanged", 0))
    changes.do(ask("revoke", "deploy", "manage"), {app: {who: ("member", "", "operate", "view")}})
    changes.do(ask("revoke", "view"), {app: {who: None}})


def collaborators(changes, cast, apps):
    """A plain collaborator comes and goes, on an app of a standard team and on a personal one."""
    for app, held in zip(apps, ((), PERSONAL)):
        ask = "--user", cast.outsider, "--app", app[-1], "--collaborator"
        changes.do(("grant", *ask), {app: {cast.outsider: ("collaborator", "", *held)}})
        changes.do(("revoke", *ask), {app: {cast.outsider: None}})


def standard_team(changes, cast, team, app):
    """An invitation is sent, and taken back; a member's role is replaced, and back."""
    name, who = cast.standard, cast.standard_member
    changes.do(("grant", *role_of(GUEST, name, "member")), {team: {GUEST: ("member", "pending")}})
    changes.do(("revoke", *role_of(GUEST, name, "member")), {team: {GUEST: None}})
    admin = {team: {who: ("admin", "")}, app: {who: ("admin", "", *everything())}}
    changes.do(("grant", *role_of(who, name, "admin")), admin)
    changes.do(("grant", *role_of(who, name, "member")), {team: {who: ("member", "")}, app: {who: None}})


def refusals(changes, cast, team):
    """What a rule refuses leaves everything as it was."""
    changes.do(("revoke", *role_of(cast.own, cast.team, "admin")), {team: {}}, ("refused", 5))


def one_person(changes, cast, teams, apps):
    """Everything that one person holds goes at once."""
    who = cast.outsider
    changes.do(("grant", *role_of(who, cast.team, "member")), {teams[0]: {who: ("member", "")}})
    deploy = "grant", "--user", who, "--app", cast.app, "--permission", "deploy"
    changes.do(deploy, {apps[0]: {who: ("member", "", "deploy", "view")}})
    changes.do(("grant", *role_of(who, cast.standard, "member")), {teams[1]: {who: ("member", "pending")}})
    collaborator = "grant", "--user", who, "--app", cast.personal_app, "--collaborator"
    changes.do(collaborator, {apps[2]: {who: ("collaborator", "", *PERSONAL)}})
    collaborator = "grant", "--user", who, "--app", cast.standard_app, "--collaborator"
    changes.do(collaborator, {apps[1]: {who: ("collaborator", "")}})
    changes.do(("remove-person", who), {listing: {who: None} for listing in (*teams, *apps)})
