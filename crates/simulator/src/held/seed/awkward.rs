//! Rows on purpose that a careless client trips over.
//!
//! Not faults: every one of them is a correct answer.
//!
//! Invariant: after each of these the estate can still be read through every endpoint.

use std::collections::BTreeMap;

use super::things::{attach, blank, collaborate};
use crate::held::{EnterpriseMember, Member, Owner, Person, Team, World};
use crate::value::{EPOCH, Id};

/// What `Mixed` has: things that any large account has somewhere.
pub(crate) fn some(world: &mut World) {
    foreign_team_app(world);
    let standard: Vec<Id> =
        world.teams.values().filter(|team| team.enterprise.is_none()).map(|team| team.id).collect();
    if let Some(team) = standard.first() {
        pending_member(world, *team);
    }
    role_of(world, 0, None);
    own_role_in_last_enterprise_team(world, "member");
    spelling(world, 7);
}

/// What `Awkward` has besides.
pub(crate) fn all(world: &mut World) {
    hostile_names(world);
    spelling(world, 2);
    role_of(world, 1, Some("auditor"));
    role_of(world, 2, Some("owner"));
    unknown_permission(world);
    ownerless_app(world);
    long_names(world);
    archived_app(world);
    null_enterprise_user(world);
    nobody_on_it(world);
    widely_attached(world);
    roleless_collaborator(world);
    empty_team(world);
    let enterprise = world.teams.values().find(|team| team.enterprise.is_some()).map(|team| team.id);
    if let Some(team) = enterprise {
        pending_member(world, team);
    }
}

/// An app of a team that the caller is not in, with the caller on it.
fn foreign_team_app(world: &mut World) {
    let id = world.chance.id();
    let team = Team {
        id,
        name: "agency-outside".to_owned(),
        enterprise: None,
        wants_invitations: world.manners.standard_teams_invite,
        members: BTreeMap::new(),
        invitations: BTreeMap::new(),
        created: EPOCH,
        updated: EPOCH,
    };
    world.teams.insert(id, team);
    let mut app = blank(world, "agency-campaign".to_owned(), Owner::Team(id));
    collaborate(world, &mut app, world.caller, Some("collaborator".to_owned()), Vec::new());
    let other = world.people.keys().copied().find(|person| *person != world.caller);
    if let Some(other) = other {
        collaborate(world, &mut app, other, None, Vec::new());
    }
    world.apps.insert(app.id, app);
}

/// A member row without a person.
fn pending_member(world: &mut World, team: Id) {
    let id = world.chance.id();
    let email = format!("pending.{}@newcomer.example", world.chance.below(1_000));
    let member =
        Member { id, user: None, email, role: Some("member".to_owned()), created: EPOCH, updated: EPOCH };
    if let Some(team) = world.teams.get_mut(&team) {
        team.members.insert(id, member);
    }
}

/// Gives one member of the nth inside team this role.
fn role_of(world: &mut World, nth: usize, role: Option<&str>) {
    let caller = world.caller;
    let inside: Vec<Id> = world.own_teams().filter(|team| world.inside(team)).map(|team| team.id).collect();
    let Some(team) = inside.get(nth % inside.len().max(1)).and_then(|id| world.teams.get_mut(id)) else {
        return;
    };
    let member = team.members.values_mut().find(|row| row.user.is_some_and(|id| id != caller));
    if let Some(member) = member {
        member.role = role.map(ToOwned::to_owned);
    }
}

fn own_role_in_last_enterprise_team(world: &mut World, role: &str) {
    let caller = world.caller;
    let last = world.own_teams().filter(|team| team.enterprise.is_some()).last().map(|team| team.id);
    let Some(team) = last.and_then(|id| world.teams.get_mut(&id)) else { return };
    for member in team.members.values_mut() {
        if member.user == Some(caller) {
            member.role = Some(role.to_owned());
        }
    }
}

/// Spells the address of one person in `every` with capitals in team lists, and leaves it elsewhere.
fn spelling(world: &mut World, every: usize) {
    for team in world.teams.values_mut() {
        for member in team.members.values_mut().step_by(every) {
            member.email = member.email.to_uppercase();
        }
    }
    for app in world.apps.values_mut().step_by(every + 1) {
        for row in app.collaborators.values_mut() {
            if let Some((user, host)) = row.email.split_once('@') {
                row.email = format!("{}@{host}", capital(user));
            }
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn hostile_names(world: &mut World) {
    const NAMES: [&str; 9] = [
        "<script>alert('hello')</script>",
        "\u{202e}nimda toor\u{202c}",
        "Zoë 🦊 Ñandú-Łukasiewicz",
        "Robert'); DROP TABLE users;--",
        "{{7*7}} ${7*7} %s %n",
        "\u{200b}",
        "../../etc/passwd",
        "=HYPERLINK(\"http://evil.example\",\"click\")",
        "line\nbreak\u{1b}[31mred\u{7}",
    ];
    let caller = world.caller;
    for (person, name) in world.people.values_mut().filter(|person| person.id != caller).zip(NAMES) {
        person.name = Some(name.to_owned());
    }
    let long = world.people.values_mut().filter(|person| person.id != caller).nth(NAMES.len());
    if let Some(person) = long {
        person.name = Some("x".repeat(4_000));
    }
}

/// A permission that nobody has heard of, on every ninth app.
fn unknown_permission(world: &mut World) {
    for app in world.apps.values_mut().filter(|app| app.team().is_some()).step_by(9) {
        if let Some(row) = app.collaborators.values_mut().next() {
            row.permissions.push("debug".to_owned());
        }
    }
}

fn ownerless_app(world: &mut World) {
    let found = world.apps.values_mut().find(|app| matches!(app.owner, Owner::Team(_)));
    if let Some(app) = found
        && let Some(team) = app.team()
    {
        app.owner = Owner::Nobody(team);
    }
}

/// An app name of the greatest length.
fn long_names(world: &mut World) {
    let seen = world.seen_apps().nth(3).map(|app| app.id);
    if let Some(app) = seen.and_then(|id| world.apps.get_mut(&id)) {
        app.name = format!("a{}z", "-long-name".repeat(3).chars().take(28).collect::<String>());
    }
}

fn archived_app(world: &mut World) {
    let seen = world.seen_apps().nth(4).map(|app| app.id);
    if let Some(app) = seen.and_then(|id| world.apps.get_mut(&id)) {
        app.archived = Some(EPOCH);
    }
}

fn null_enterprise_user(world: &mut World) {
    let id = world.chance.id();
    if let Some(enterprise) = world.enterprises.values_mut().next() {
        let permissions = vec!["view".to_owned()];
        let row = EnterpriseMember { id, user: None, email: String::new(), permissions };
        enterprise.members.insert(id, row);
    }
}

/// A person in no team and no account, known from one personal app only; and one on no app at all.
fn nobody_on_it(world: &mut World) {
    let id = world.chance.id();
    let person = Person {
        id,
        email: "Freelance+Heroku@Contractor.Example".to_owned(),
        name: None,
        federated: false,
        two_factor: false,
        last_login: None,
        created: EPOCH,
    };
    world.people.insert(id, person);
    let own = world.apps.values().find(|app| app.owner == Owner::Person(world.caller)).cloned();
    if let Some(mut app) = own {
        collaborate(world, &mut app, id, None, vec!["view".to_owned(), "deploy".to_owned()]);
        world.apps.insert(app.id, app);
    }
}

/// One add-on on a dozen apps.
fn widely_attached(world: &mut World) {
    let addon = world.addons.values().find(|addon| world.sees_app(addon.app)).map(|addon| addon.id);
    let apps: Vec<Id> = world.apps.keys().copied().take(12).collect();
    if let Some(addon) = addon {
        for app in apps {
            attach(world, addon, app, "EVERYWHERE");
        }
    }
}

/// A collaborator without role and without permissions.
fn roleless_collaborator(world: &mut World) {
    for app in world.apps.values_mut().step_by(13) {
        if let Some(row) = app.collaborators.values_mut().last() {
            row.role = None;
            row.permissions.clear();
        }
    }
}

/// A team with nobody but the caller and nothing in it.
fn empty_team(world: &mut World) {
    let (id, row) = (world.chance.id(), world.chance.id());
    let email = world.people.get(&world.caller).map(|person| person.email.clone()).unwrap_or_default();
    let role = Some("admin".to_owned());
    let own = Member { id: row, user: Some(world.caller), email, role, created: EPOCH, updated: EPOCH };
    let enterprise = world.enterprises.keys().next().copied();
    let team = Team {
        id,
        name: "empty-nest".to_owned(),
        enterprise,
        wants_invitations: enterprise.is_none() && world.manners.standard_teams_invite,
        members: BTreeMap::from([(row, own)]),
        invitations: BTreeMap::new(),
        created: EPOCH,
        updated: EPOCH,
    };
    world.teams.insert(id, team);
}

/// An enterprise team with 1 050 members and 1 120 apps.
pub(crate) fn large_team(world: &mut World) {
    empty_team(world);
    let Some(id) = world.teams.values().find(|team| team.name == "empty-nest").map(|team| team.id) else {
        return;
    };
    let mut newcomers = Vec::new();
    for at in 1..1_050 {
        let user = world.chance.id();
        let person = Person {
            id: user,
            email: format!("temp.{at}@northwind.example"),
            name: Some(format!("Temp {at}")),
            federated: false,
            two_factor: at % 3 == 0,
            last_login: None,
            created: EPOCH,
        };
        world.people.insert(user, person);
        let row = world.chance.id();
        let member = Member {
            id: row,
            user: Some(user),
            email: format!("temp.{at}@northwind.example"),
            role: Some(if at % 5 == 0 { "viewer" } else { "member" }.to_owned()),
            created: EPOCH,
            updated: EPOCH,
        };
        newcomers.push(user);
        if let Some(team) = world.teams.get_mut(&id) {
            team.members.insert(row, member);
        }
    }
    if let Some(team) = world.teams.get_mut(&id) {
        "northwind-everything".clone_into(&mut team.name);
    }
    for at in 0..1_120 {
        let mut app = blank(world, format!("everything-{at}"), Owner::Team(id));
        for user in newcomers.iter().copied().skip(at % 900).take(at % 4) {
            let permissions = vec!["view".to_owned(), "deploy".to_owned()];
            collaborate(world, &mut app, user, Some("member".to_owned()), permissions);
        }
        world.apps.insert(app.id, app);
    }
}
