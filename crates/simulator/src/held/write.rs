//! Answers the writes: who may, what is checked, and the row that comes back.
//!
//! Not the change itself, which `edit` makes.
//!
//! Invariant: a refused write has changed nothing.

use serde_json::{Map, Value};

use super::write_apps::{add_collaborator, change_app, change_collaborator, remove_collaborator};
use super::{Enterprise, Team, World, find};
use crate::call::Call;
use crate::page::Answer;
use crate::refusal::Refusal;
use crate::routes::Route;
use crate::value::Id;
use crate::wire::Row;

pub(super) type Body = Map<String, Value>;

/// The answer to a call that changes something.
pub(crate) fn write(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    let body = call.json()?;
    let (first, second) = (call.param(0), call.param(1));
    match call.route {
        Route::PutMember | Route::AddMember | Route::ChangeMember => {
            known(&body, &["email", "role", "federated"])?;
            put_member(world, call.route, first, text(&body, "email")?, text(&body, "role")?)
        }
        Route::RemoveMember => remove_member(world, first, second),
        Route::PutInvitation => {
            known(&body, &["email", "role"])?;
            put_invitation(world, first, text(&body, "email")?, text(&body, "role")?)
        }
        Route::RemoveInvitation => remove_invitation(world, first, second),
        Route::AddEnterpriseMember => {
            known(&body, &["user", "permissions", "federated"])?;
            let permissions = permissions(&body, &["view", "create", "manage", "billing"])?;
            put_enterprise_member(world, true, first, text(&body, "user")?, &permissions)
        }
        Route::ChangeEnterpriseMember => {
            known(&body, &["permissions"])?;
            let permissions = permissions(&body, &["view", "create", "manage", "billing"])?;
            put_enterprise_member(world, false, first, second, &permissions)
        }
        Route::RemoveEnterpriseMember => remove_enterprise_member(world, first, second),
        Route::AddCollaborator => {
            known(&body, &["user", "silent"])?;
            add_collaborator(world, first, text(&body, "user")?, None)
        }
        Route::AddTeamAppCollaborator => {
            known(&body, &["user", "silent", "permissions"])?;
            let app = world.open_app(first)?;
            if app.team().is_none() {
                return Err(Refusal::not_found("app"));
            }
            let named = body.contains_key("permissions");
            let asked = if named { Some(permissions(&body, &APP_PERMISSIONS)?) } else { None };
            add_collaborator(world, first, text(&body, "user")?, asked)
        }
        Route::ChangeTeamAppCollaborator => {
            known(&body, &["permissions"])?;
            change_collaborator(world, first, second, &permissions(&body, &APP_PERMISSIONS)?)
        }
        Route::RemoveCollaborator | Route::RemoveTeamAppCollaborator => {
            remove_collaborator(world, first, second)
        }
        Route::ChangeTeamApp => change_app(world, call, &body),
        _ => Err(Refusal::no_such_route()),
    }
}

const APP_PERMISSIONS: [&str; 4] = ["view", "deploy", "operate", "manage"];

pub(super) fn known(body: &Body, allowed: &[&str]) -> Result<(), Refusal> {
    let unknown: Vec<&str> = body.keys().map(String::as_str).filter(|key| !allowed.contains(key)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(format!("Unknown params: {}.", unknown.join(", "))))
}

fn text<'a>(body: &'a Body, key: &str) -> Result<&'a str, Refusal> {
    body.get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Refusal::invalid(format!("Require params: {key}.")))
}

/// The permissions asked for, with the `view` that every other implies.
fn permissions(body: &Body, allowed: &[&'static str]) -> Result<Vec<&'static str>, Refusal> {
    let listed = body.get("permissions").and_then(Value::as_array);
    let listed = listed.ok_or_else(|| Refusal::invalid("Require array: permissions."))?;
    let mut asked = vec!["view"];
    for one in listed {
        let found = allowed.iter().find(|name| one.as_str() == Some(**name));
        let found = found.ok_or_else(|| Refusal::invalid(format!("Invalid permission {one}.")))?;
        if !asked.contains(found) {
            asked.push(found);
        }
    }
    Ok(asked)
}

fn admins(team: &Team) -> usize {
    team.members.values().filter(|member| member.role.as_deref() == Some("admin")).count()
}

fn governed<'a>(world: &'a World, key: &str) -> Result<&'a Team, Refusal> {
    let team = world.open_team(key)?;
    if world.own_role(team) == Some("admin") { Ok(team) } else { Err(Refusal::no_access("team", &team.name)) }
}

fn member_answer(world: &World, status: u16, team: Id, member: Id) -> Result<Answer, Refusal> {
    let found = world.teams.get(&team).and_then(|team| Some((team, team.members.get(&member)?)));
    let (team, member) = found.ok_or(Refusal::not_found("member"))?;
    let row = world.member_row(team, member);
    Answer::one(status, &row, row.updated())
}

fn put_member(
    world: &mut World,
    route: Route,
    team: &str,
    email: &str,
    role: &str,
) -> Result<Answer, Refusal> {
    let team = governed(world, team)?;
    let enterprise = team.enterprise.is_some();
    let fits = matches!(role, "admin" | "member" | "collaborator") || (role == "viewer" && enterprise);
    if !fits {
        return Err(Refusal::invalid(format!("Invalid role `{role}`.")));
    }
    let existing = find::member(team, email);
    match (existing, route) {
        (None, Route::ChangeMember) => return Err(Refusal::not_found("member")),
        (Some(_), Route::AddMember) => {
            return Err(Refusal::invalid(format!("{email} is already a member of {}.", team.name)));
        }
        (None, _) if !enterprise => {
            return Err(Refusal::invalid("Members of this team must be invited."));
        }
        (Some(member), _)
            if member.role.as_deref() == Some("admin") && role != "admin" && admins(team) == 1 =>
        {
            return Err(Refusal::invalid("A team must have at least one admin."));
        }
        _ => {}
    }
    let (id, status) = (team.id, if existing.is_some() { 200 } else { 201 });
    let email = existing.map_or_else(|| email.to_owned(), |member| member.email.clone());
    let row = world.set_member(&id.to_string(), &email, Some(role)).ok_or(Refusal::not_found("member"))?;
    member_answer(world, status, id, row)
}

fn remove_member(world: &mut World, team: &str, member: &str) -> Result<Answer, Refusal> {
    let team = governed(world, team)?;
    let (id, found) = (team.id, find::member(team, member).ok_or(Refusal::not_found("member"))?);
    if found.role.as_deref() == Some("admin") && admins(team) == 1 {
        return Err(Refusal::invalid("A team must have at least one admin."));
    }
    let answer = member_answer(world, 200, id, found.id)?;
    world.remove_member(&id.to_string(), member);
    Ok(answer)
}

fn put_invitation(world: &mut World, team: &str, email: &str, role: &str) -> Result<Answer, Refusal> {
    let team = governed(world, team)?;
    if team.enterprise.is_some() {
        return Err(Refusal::invalid("This team does not use invitations."));
    }
    if !matches!(role, "admin" | "member" | "collaborator") {
        return Err(Refusal::invalid(format!("Invalid role `{role}`.")));
    }
    if find::member(team, email).is_some() {
        return Err(Refusal::invalid(format!("{email} is already a member of {}.", team.name)));
    }
    let id = team.id;
    let row = world.invite(&id.to_string(), email, role);
    invitation_answer(world, id, row.ok_or(Refusal::not_found("team"))?)
}

fn invitation_answer(world: &World, team: Id, invitation: Id) -> Result<Answer, Refusal> {
    let found = world.teams.get(&team).and_then(|team| Some((team, team.invitations.get(&invitation)?)));
    let (team, invitation) = found.ok_or(Refusal::not_found("invitation"))?;
    Answer::row(&world.invitation_row(team, invitation))
}

fn remove_invitation(world: &mut World, team: &str, key: &str) -> Result<Answer, Refusal> {
    let team = governed(world, team)?;
    let wanted = Id::parse(key);
    let found = team
        .invitations
        .values()
        .find(|row| Some(row.id) == wanted || row.email.eq_ignore_ascii_case(key))
        .ok_or(Refusal::not_found("invitation"))?;
    let (id, answer) = (team.id, invitation_answer(world, team.id, found.id)?);
    world.withdraw_invitation(&id.to_string(), key);
    Ok(answer)
}

fn managed<'a>(world: &'a World, key: &str) -> Result<&'a Enterprise, Refusal> {
    let enterprise = world.open_enterprise(key)?;
    let own = enterprise.members.values().find(|member| member.user == Some(world.caller));
    if own.is_some_and(|own| own.permissions.iter().any(|name| name == "manage")) {
        return Ok(enterprise);
    }
    Err(Refusal::no_access("enterprise account", &enterprise.name))
}

fn enterprise_answer(world: &World, status: u16, enterprise: Id, user: Id) -> Result<Answer, Refusal> {
    let enterprise = world.enterprises.get(&enterprise).ok_or(Refusal::not_found("enterprise account"))?;
    let member = enterprise.members.values().find(|member| member.user == Some(user));
    let member = member.ok_or(Refusal::not_found("member"))?;
    Answer::one(status, &world.enterprise_member_row(enterprise, member, false), None)
}

fn managers(enterprise: &Enterprise) -> impl Iterator<Item = Id> + '_ {
    let rows = enterprise.members.values().filter(|row| row.permissions.iter().any(|name| name == "manage"));
    rows.filter_map(|row| row.user)
}

fn put_enterprise_member(
    world: &mut World,
    create: bool,
    enterprise: &str,
    user: &str,
    permissions: &[&str],
) -> Result<Answer, Refusal> {
    let enterprise = managed(world, enterprise)?;
    let person = world.person(user).map(|person| person.id);
    let member = person.is_some_and(|id| enterprise.members.values().any(|row| row.user == Some(id)));
    match (create, member) {
        (true, true) => return Err(Refusal::invalid(format!("{user} is already a member."))),
        (false, false) => return Err(Refusal::not_found("member")),
        _ => {}
    }
    if !permissions.contains(&"manage") && managers(enterprise).all(|id| Some(id) == person) {
        return Err(Refusal::invalid("An enterprise account must have somebody who manages it."));
    }
    if person.is_none() && !user.contains('@') {
        return Err(Refusal::not_found("user"));
    }
    let id = enterprise.id;
    let email = person.and_then(|id| world.people.get(&id)).map_or(user, |person| &person.email).to_owned();
    let user = world.add_person(&email);
    world.set_enterprise_member(&id.to_string(), &email, permissions);
    enterprise_answer(world, if create { 201 } else { 200 }, id, user)
}

fn remove_enterprise_member(world: &mut World, enterprise: &str, user: &str) -> Result<Answer, Refusal> {
    let enterprise = managed(world, enterprise)?;
    let person = world.person(user).map(|person| person.id).ok_or(Refusal::not_found("member"))?;
    let id = enterprise.id;
    let answer = enterprise_answer(world, 200, id, person)?;
    if managers(enterprise).all(|id| id == person) {
        return Err(Refusal::invalid("An enterprise account must have somebody who manages it."));
    }
    world.remove_enterprise_member(&id.to_string(), user);
    Ok(answer)
}
