//! The steps that lead from what Heroku holds to what is wished.
//!
//! Invariant: nothing is read here; the same state and the same wish always give the same call.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use metsuke_clients::ClientError;
use metsuke_clients::heroku::{AppPermission, TeamRole, WriteCall};
use metsuke_model::access::Access;
use metsuke_model::plan::{Person, PlannedCall, State, Step};
use metsuke_model::{ResourceRef, ResourceType};

use super::Refusal;
use super::fresh::{FreshApp, FreshTeam};
use crate::access::effects::{Turn, TurnOf};

/// Steps on their way, or why there are none.
pub(super) enum Drafted {
    Steps(Vec<Step>),
    Unchanged(String),
    Refused(Refusal),
}

/// What a step leaves of a person's row.
pub(super) fn turn(step: &Step) -> Turn {
    let resource_type = step.resource.resource_type;
    let after = match &step.wished {
        State::Absent | State::Invited { .. } => Access::default(),
        State::Member { role } => Access::from_slugs(ResourceType::Team, [&**role]),
        State::Collaborator { permissions } => {
            let slugs = permissions.iter().flatten().map(|slug| &**slug);
            Access::from_slugs(ResourceType::App, slugs.chain(["collaborator"]))
        }
    };
    let principal = match &step.person.id {
        Some(id) => TurnOf::Known(id.clone()),
        None => TurnOf::New { email: step.person.email.clone() },
    };
    Turn { principal, resource_type, resource: step.resource.id.clone(), after }
}

fn step(
    (resource, team): (&ResourceRef, Option<&ResourceRef>),
    person: &Person,
    (expected, row, wished): (State, Option<Box<str>>, State),
    call: &WriteCall,
) -> Step {
    let had = |slug: &str| matches!(&expected, State::Collaborator { permissions: Some(held) } if held.contains(slug));
    let elevates = match &wished {
        State::Member { role } | State::Invited { role } => {
            &**role == "admin" && !matches!(&expected, State::Member { role } if &**role == "admin")
        }
        State::Collaborator { permissions: Some(wanted) } => wanted.contains("manage") && !had("manage"),
        _ => false,
    };
    let removes = match (&expected, &wished) {
        (State::Invited { .. }, _) => false,
        (_, State::Absent) => true,
        (State::Collaborator { permissions: Some(had) }, State::Collaborator { permissions: Some(left) }) => {
            !had.is_subset(left)
        }
        _ => false,
    };
    Step {
        ordinal: 0,
        resource: resource.clone(),
        team: team.cloned(),
        person: person.clone(),
        expected,
        row,
        wished,
        call: PlannedCall {
            method: call.method().into(),
            path: call.path().into(),
            body: call.body().and_then(|body| serde_json::from_str(&body).ok()),
        },
        removes,
        elevates,
    }
}

/// A role that can be given or taken, or why this one cannot.
fn team_role(team: &FreshTeam, role: &str) -> Result<TeamRole, Refusal> {
    match role {
        "collaborator" => Err(Refusal::plain(
            "nobody is made a collaborator of a team: it follows from being named on one of its apps",
        )
        .hint("use --app NAME --collaborator, or --app NAME --permission view")),
        "owner" => Err(Refusal::plain("the owner of a team is not changed through roles")
            .hint("transfer the team at Heroku")),
        "viewer" if !team.enterprise => Err(Refusal::plain(format!(
            "team {} is no Enterprise team, and only those have viewers",
            team.resource.name
        ))
        .hint("use member")),
        other => TeamRole::from_str(other)
            .map_err(|_| Refusal::plain(format!("`{other}` is no role; there are admin, member and viewer"))),
    }
}

pub(super) fn grant_role(team: &FreshTeam, person: &Person, role: &str) -> Result<Drafted, ClientError> {
    let wanted = match team_role(team, role) {
        Ok(wanted) => wanted,
        Err(refusal) => return Ok(Drafted::Refused(refusal)),
    };
    let state = team.roster.state(person);
    let (id, name) = (team.resource.id.to_string(), &team.resource.name);
    let at = (&team.resource, Some(&team.resource));
    let member = State::Member { role: role.into() };
    let invited = State::Invited { role: role.into() };
    if state == member {
        return Ok(Drafted::Unchanged(format!("{} is {role} of team {name} already", person.email)));
    }
    if state == invited {
        return Ok(Drafted::Unchanged(format!(
            "{} is invited to team {name} as {role} already",
            person.email
        )));
    }
    let (wished, call) = if team.invites && !matches!(state, State::Member { .. }) {
        (invited, WriteCall::invite(&id, &person.email, wanted)?)
    } else {
        (member, WriteCall::set_member(&id, &person.email, wanted)?)
    };
    Ok(Drafted::Steps(vec![step(at, person, (state, team.roster.row(person), wished), &call)]))
}

pub(super) fn revoke_role(team: &FreshTeam, person: &Person, role: &str) -> Result<Drafted, ClientError> {
    if let Err(refusal) = team_role(team, role)
        && role != "viewer"
    {
        return Ok(Drafted::Refused(refusal));
    }
    let state = team.roster.state(person);
    match &state {
        State::Member { role: held } | State::Invited { role: held } if &**held == role => {
            Ok(Drafted::Steps(vec![leave(team, person, &state)?]))
        }
        held => Ok(Drafted::Unchanged(format!(
            "{} is not {role} of team {}, but {}",
            person.email,
            team.resource.name,
            held.words()
        ))),
    }
}

/// Takes a person out of a team, or their invitation back.
pub(super) fn leave(team: &FreshTeam, person: &Person, state: &State) -> Result<Step, ClientError> {
    let id = team.resource.id.to_string();
    let call = match (state, team.roster.invitation(person)) {
        (State::Invited { .. }, Some(invitation)) => WriteCall::withdraw_invitation(&id, &invitation.id)?,
        _ => WriteCall::remove_member(&id, &person.email)?,
    };
    let at = (&team.resource, Some(&team.resource));
    Ok(step(at, person, (state.clone(), team.roster.row(person), State::Absent), &call))
}

pub(super) fn change_app(
    app: &FreshApp,
    person: &Person,
    permissions: &[String],
    grant: bool,
) -> Result<Drafted, ClientError> {
    let name = &app.resource.name;
    if app.owned_by(person) {
        return Ok(Drafted::Refused(
            Refusal::plain(format!("{} owns app {name}, and holds everything on it", person.email))
                .hint("transfer the app at Heroku"),
        ));
    }
    let plain = permissions.iter().all(|permission| permission == "collaborator");
    if !app.fine && !plain {
        return Ok(Drafted::Refused(
            Refusal::plain(format!(
                "app {name} does not belong to an Enterprise team, and only those have single permissions"
            ))
            .hint("use --collaborator"),
        ));
    }
    let mut asked = BTreeSet::new();
    for permission in permissions.iter().filter(|permission| *permission != "collaborator") {
        match AppPermission::from_str(permission) {
            Ok(permission) => asked.insert(permission),
            Err(_) => {
                return Ok(Drafted::Refused(Refusal::plain(format!(
                    "`{permission}` is no permission; there are view, deploy, operate and manage"
                ))));
            }
        };
    }
    if grant { grant_app(app, person, &asked) } else { revoke_app(app, person, &asked, plain) }
}

fn slugs(permissions: impl IntoIterator<Item = AppPermission>) -> BTreeSet<Box<str>> {
    permissions.into_iter().map(|permission| permission.as_str().into()).chain(["view".into()]).collect()
}

fn known(held: &BTreeSet<Box<str>>) -> BTreeSet<AppPermission> {
    held.iter().filter_map(|slug| AppPermission::from_str(slug).ok()).collect()
}

fn grant_app(
    app: &FreshApp,
    person: &Person,
    asked: &BTreeSet<AppPermission>,
) -> Result<Drafted, ClientError> {
    let (id, name) = (app.resource.id.to_string(), &app.resource.name);
    let state = app.state(person);
    let at = (&app.resource, app.team.as_ref());
    let (wished, call) = match (&state, app.fine) {
        (State::Collaborator { permissions: Some(held) }, true) => {
            let mut merged = held.clone();
            merged.extend(slugs(asked.iter().copied()));
            if merged == *held {
                let what = state.words();
                return Ok(Drafted::Unchanged(format!("{} is {what} on app {name} already", person.email)));
            }
            let call = WriteCall::set_permissions(&id, &person.email, known(&merged))?;
            (State::Collaborator { permissions: Some(merged) }, call)
        }
        (State::Collaborator { .. }, _) => {
            return Ok(Drafted::Unchanged(format!("{} is collaborator on app {name} already", person.email)));
        }
        (_, true) => {
            let call = WriteCall::add_team_collaborator(&id, &person.email, asked.iter().copied())?;
            (State::Collaborator { permissions: Some(slugs(asked.iter().copied())) }, call)
        }
        (_, false) => {
            let call = WriteCall::add_collaborator(&id, &person.email)?;
            (State::Collaborator { permissions: None }, call)
        }
    };
    Ok(Drafted::Steps(vec![step(at, person, (state, app.row(person), wished), &call)]))
}

fn revoke_app(
    app: &FreshApp,
    person: &Person,
    asked: &BTreeSet<AppPermission>,
    plain: bool,
) -> Result<Drafted, ClientError> {
    if plain || asked.contains(&AppPermission::View) {
        return revoke_all(app, person);
    }
    let state = app.state(person);
    let name = &app.resource.name;
    let State::Collaborator { permissions: Some(held) } = &state else {
        return Ok(Drafted::Unchanged(format!("{} has no row on app {name}", person.email)));
    };
    let mut left = held.clone();
    for permission in asked {
        left.remove(permission.as_str());
    }
    if left == *held {
        let what = state.words();
        return Ok(Drafted::Unchanged(format!(
            "{} is {what} on app {name}: none of what is to go",
            person.email
        )));
    }
    left.insert("view".into());
    let call = WriteCall::set_permissions(&app.resource.id.to_string(), &person.email, known(&left))?;
    let wished = State::Collaborator { permissions: Some(left) };
    Ok(Drafted::Steps(vec![step(
        (&app.resource, app.team.as_ref()),
        person,
        (state, app.row(person), wished),
        &call,
    )]))
}

/// Takes the whole row.
pub(super) fn revoke_all(app: &FreshApp, person: &Person) -> Result<Drafted, ClientError> {
    let state = app.state(person);
    if state == State::Absent {
        return Ok(Drafted::Unchanged(format!("{} has no row on app {}", person.email, app.resource.name)));
    }
    let id = app.resource.id.to_string();
    let call = if app.fine {
        WriteCall::remove_team_collaborator(&id, &person.email)?
    } else {
        WriteCall::remove_collaborator(&id, &person.email)?
    };
    Ok(Drafted::Steps(vec![step(
        (&app.resource, app.team.as_ref()),
        person,
        (state, app.row(person), State::Absent),
        &call,
    )]))
}
