//! Answers the writes on enterprise accounts: who is in them, and with which permissions.
//!
//! Not on their teams: `write_teams`.
//!
//! Invariant: a refused write has changed nothing, and somebody always manages the account.

use super::{Enterprise, World};
use crate::page::Answer;
use crate::refusal::Refusal;
use crate::value::Id;

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

pub(super) fn put_enterprise_member(
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

pub(super) fn remove_enterprise_member(
    world: &mut World,
    enterprise: &str,
    user: &str,
) -> Result<Answer, Refusal> {
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
