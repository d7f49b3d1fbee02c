//! Answers the writes on apps: who is named on them, and whether they are locked.
//!
//! Not team membership: `write`.
//!
//! Invariant: a refused write has changed nothing.

use serde_json::Value;

use super::write::{Body, known};
use super::{App, Owner, World, find};
use crate::call::Call;
use crate::page::Answer;
use crate::refusal::Refusal;
use crate::value::Id;
use crate::wire::Row;

/// An app that the caller may change: its owner, an admin of its team, or somebody with `manage` on it.
pub(super) fn steered<'a>(world: &'a World, key: &str) -> Result<&'a App, Refusal> {
    let app = world.open_app(key)?;
    let team = app.team().and_then(|team| world.teams.get(&team));
    let admin = team.is_some_and(|team| world.own_role(team) == Some("admin"));
    let manages = app
        .collaborators
        .values()
        .any(|row| row.user == world.caller && row.permissions.iter().any(|name| name == "manage"));
    if app.owner == Owner::Person(world.caller) || admin || manages {
        return Ok(app);
    }
    Err(Refusal::no_access("app", &app.name))
}

fn collaborator_answer(world: &World, status: u16, app: Id, row: Id) -> Result<Answer, Refusal> {
    let found = world.apps.get(&app).and_then(|app| Some((app, app.collaborators.get(&row)?)));
    let (app, row) = found.ok_or(Refusal::not_found("user"))?;
    let row = world.collaborator_row(app, row);
    Answer::one(status, &row, row.updated())
}

pub(super) fn add_collaborator(
    world: &mut World,
    app: &str,
    user: &str,
    permissions: Option<Vec<&'static str>>,
) -> Result<Answer, Refusal> {
    let app = steered(world, app)?;
    let team = app.team().and_then(|team| world.teams.get(&team));
    let fine_grained = team.is_some_and(|team| team.enterprise.is_some());
    if permissions.is_some() && !fine_grained {
        return Err(Refusal::invalid("This team does not use app permissions."));
    }
    let person = world.person(user);
    if person.is_none() && !user.contains('@') {
        return Err(Refusal::not_found("user"));
    }
    let email = person.map_or_else(|| user.to_owned(), |person| person.email.clone());
    let named = |id: Id| {
        let on_it = app.collaborators.values().any(|row| row.user == id);
        on_it || app.owner == Owner::Person(id) || world.leaving.contains(&(app.id, id))
    };
    if person.is_some_and(|person| named(person.id)) {
        return Err(Refusal::invalid(format!("{email} is already a collaborator on app {}.", app.name)));
    }
    let (id, team) = (app.id, team.map(|team| (team.id, find::member(team, &email).is_some())));
    let usual: &[&str] = match (app.team().is_some(), fine_grained) {
        (true, true) => &["view"],
        (true, false) => &[],
        (false, _) => &["view", "deploy", "operate"],
    };
    let permissions = permissions.unwrap_or_else(|| usual.to_vec());
    if let Some((team, false)) = team {
        // Somebody on a team's app who is not in the team appears among its members as a collaborator.
        world.set_member(&team.to_string(), &email, Some("collaborator"));
    }
    let row = world.set_collaborator(&id.to_string(), &email, &permissions);
    collaborator_answer(world, 201, id, row.ok_or(Refusal::not_found("app"))?)
}

pub(super) fn change_collaborator(
    world: &mut World,
    app: &str,
    user: &str,
    permissions: &[&str],
) -> Result<Answer, Refusal> {
    let app = steered(world, app)?;
    let team = app.team().and_then(|team| world.teams.get(&team)).ok_or(Refusal::not_found("app"))?;
    if team.enterprise.is_none() {
        return Err(Refusal::invalid("This team does not use app permissions."));
    }
    let row = find::collaborator(app, user).ok_or(Refusal::not_found("user"))?;
    let (id, email) = (app.id, row.email.clone());
    let row = world.set_collaborator(&id.to_string(), &email, permissions);
    collaborator_answer(world, 200, id, row.ok_or(Refusal::not_found("user"))?)
}

pub(super) fn remove_collaborator(world: &mut World, app: &str, user: &str) -> Result<Answer, Refusal> {
    let app = steered(world, app)?;
    let (id, row) = (app.id, find::collaborator(app, user).ok_or(Refusal::not_found("user"))?.id);
    let (team, person) = (app.team(), app.collaborators.get(&row).map(|row| row.user));
    let answer = collaborator_answer(world, 200, id, row)?;
    world.remove_collaborator(&id.to_string(), &row.to_string());
    if let Some((team, person)) = team.zip(person) {
        leave_with_last_app(world, team, person);
    }
    Ok(answer)
}

/// Takes somebody out of a team who was there only for its apps, and is now on none of them.
fn leave_with_last_app(world: &mut World, team: Id, person: Id) {
    if world.manners.collaborators_linger || world.on_team_apps(team, person) {
        return;
    }
    if let Some(team) = world.teams.get_mut(&team) {
        let stays = |row: &super::Member| row.role.as_deref() != Some("collaborator");
        team.members.retain(|_, row| row.user != Some(person) || stays(row));
    }
}

pub(super) fn change_app(world: &mut World, call: &Call, body: &Body) -> Result<Answer, Refusal> {
    known(body, &["locked", "owner"])?;
    let app = steered(world, call.param(0))?;
    let id = app.id.to_string();
    if app.team().is_none() {
        return Err(Refusal::not_found("app"));
    }
    match (body.get("locked"), body.get("owner")) {
        (Some(Value::Bool(locked)), None) => world.lock_app(&id, *locked),
        (None, Some(Value::String(owner))) => {
            if world.team(owner).is_none() {
                return Err(Refusal::not_found("team"));
            }
            world.move_app(&id, owner)
        }
        _ => return Err(Refusal::invalid("Require params: locked.")),
    };
    let app = world.app(&id).ok_or(Refusal::not_found("app"))?;
    Answer::row(&world.app_row(app, call.sdk()))
}
