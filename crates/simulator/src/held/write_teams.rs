//! Answers the writes on teams: members, their roles, and invitations.
//!
//! Not who is named on a team's apps: `write_apps`.
//!
//! Invariant: a refused write has changed nothing, and a team that had an admin still has one.

use super::{Member, Team, World, find};
use crate::page::Answer;
use crate::refusal::Refusal;
use crate::routes::Route;
use crate::value::Id;
use crate::wire::Row;

/// Who is to be in a team, and as what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joining<'a> {
    pub(super) email: &'a str,
    pub(super) role: &'a str,
    /// A new account is bound to the identity provider.
    pub(super) federated: bool,
}

/// A team that the caller may change.
fn governed<'a>(world: &'a World, key: &str) -> Result<&'a Team, Refusal> {
    let team = world.open_team(key)?;
    if world.own_role(team) == Some("admin") { Ok(team) } else { Err(Refusal::no_access("team", &team.name)) }
}

/// Refuses what would leave a team without an admin who has accepted.
fn keeps_an_admin(team: &Team, member: &Member, role: Option<&str>) -> Result<(), Refusal> {
    let is_admin = |row: &&Member| row.role.as_deref() == Some("admin") && row.user.is_some();
    let others = team.members.values().filter(is_admin).any(|row| row.id != member.id);
    if is_admin(&member) && role != Some("admin") && !others {
        return Err(Refusal::invalid("A team must have at least one admin."));
    }
    Ok(())
}

fn member_answer(world: &World, status: u16, team: Id, member: Id) -> Result<Answer, Refusal> {
    let found = world.teams.get(&team).and_then(|team| Some((team, team.members.get(&member)?)));
    let (team, member) = found.ok_or(Refusal::not_found("member"))?;
    let row = world.member_row(team, member);
    Answer::one(status, &row, row.updated())
}

pub(super) fn put_member(
    world: &mut World,
    route: Route,
    key: &str,
    joining: &Joining<'_>,
) -> Result<Answer, Refusal> {
    let Joining { email, role, federated } = *joining;
    let team = governed(world, key)?;
    let enterprise = team.enterprise.is_some();
    let fits = matches!(role, "admin" | "member" | "collaborator") || (role == "viewer" && enterprise);
    if !fits {
        return Err(Refusal::invalid(format!("Invalid role `{role}`.")));
    }
    let (id, team_key) = (team.id, team.id.to_string());
    if let Some(member) = find::member(team, email) {
        if route == Route::AddMember {
            return Err(Refusal::invalid(format!("{email} is already a member of {}.", team.name)));
        }
        keeps_an_admin(team, member, Some(role))?;
        let row = member.id;
        world.set_role(&team_key, &row.to_string(), Some(role));
        return member_answer(world, 200, id, row);
    }
    if route == Route::ChangeMember {
        return Err(Refusal::not_found("member"));
    }
    if team.wants_invitations {
        return Err(Refusal::invalid("Members of this team must be invited."));
    }
    let stranger = world.person(email).is_none();
    let row = if stranger && world.manners.strangers_pending {
        world.add_pending_member(&team_key, email, role)
    } else {
        let email = world.person(email).map_or(email, |person| &person.email).to_owned();
        let row = world.set_member(&team_key, &email, Some(role));
        if stranger && federated && enterprise {
            world.set_federated(&email, true);
        }
        row
    };
    world.withdraw_invitation(&team_key, email);
    member_answer(world, 201, id, row.ok_or(Refusal::not_found("team"))?)
}

pub(super) fn remove_member(world: &mut World, team: &str, member: &str) -> Result<Answer, Refusal> {
    let team = governed(world, team)?;
    let (id, found) = (team.id, find::member(team, member).ok_or(Refusal::not_found("member"))?);
    keeps_an_admin(team, found, None)?;
    let (row, key) = (found.id, id.to_string());
    let named = found.user.is_some_and(|user| world.on_team_apps(id, user));
    let stays = world.manners.leavers_keep_apps && named && found.role.as_deref() != Some("collaborator");
    let answer = member_answer(world, 200, id, row)?;
    if stays {
        world.set_role(&key, &row.to_string(), Some("collaborator"));
    } else {
        world.remove_member(&key, &row.to_string());
    }
    Ok(answer)
}

pub(super) fn put_invitation(
    world: &mut World,
    team: &str,
    email: &str,
    role: &str,
) -> Result<Answer, Refusal> {
    let team = governed(world, team)?;
    if !team.wants_invitations {
        return Err(Refusal::invalid("This team does not use invitations."));
    }
    if !matches!(role, "admin" | "member" | "collaborator") {
        return Err(Refusal::invalid(format!("Invalid role `{role}`.")));
    }
    // A collaborator is not a member, and can be invited to become one.
    if find::member(team, email).is_some_and(|member| member.role.as_deref() != Some("collaborator")) {
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

pub(super) fn remove_invitation(world: &mut World, team: &str, key: &str) -> Result<Answer, Refusal> {
    let team = governed(world, team)?;
    let found = find::invitation(team, key).ok_or(Refusal::not_found("invitation"))?;
    let (id, answer) = (team.id, invitation_answer(world, team.id, found.id)?);
    world.withdraw_invitation(&id.to_string(), key);
    Ok(answer)
}
