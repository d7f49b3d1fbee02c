//! Answers the writes: what their bodies may say, and who answers which.
//!
//! Not what is checked against the estate, nor the change itself, which `edit` makes.
//!
//! Invariant: a refused write has changed nothing.

use serde_json::{Map, Value};

use super::World;
use super::write_apps::{add_collaborator, change_app, change_collaborator, remove_collaborator};
use super::write_enterprises::{put_enterprise_member, remove_enterprise_member};
use super::write_teams::{Joining, put_invitation, put_member, remove_invitation, remove_member};
use crate::call::Call;
use crate::page::Answer;
use crate::refusal::Refusal;
use crate::routes::Route;

pub(super) type Body = Map<String, Value>;

/// The answer to a call that changes something.
pub(crate) fn write(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    let body = call.json()?;
    let (first, second) = (call.param(0), call.param(1));
    match call.route {
        Route::PutMember | Route::AddMember | Route::ChangeMember => {
            known(&body, &["email", "role", "federated"])?;
            let (email, role) = (address(&body, "email")?, text(&body, "role")?);
            let federated = flag(&body, "federated")?;
            put_member(world, call.route, first, &Joining { email, role, federated })
        }
        Route::RemoveMember => remove_member(world, first, second),
        Route::PutInvitation => {
            known(&body, &["email", "role"])?;
            put_invitation(world, first, address(&body, "email")?, text(&body, "role")?)
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
            flag(&body, "silent")?;
            add_collaborator(world, first, text(&body, "user")?, None)
        }
        Route::AddTeamAppCollaborator => {
            known(&body, &["user", "silent", "permissions"])?;
            flag(&body, "silent")?;
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
        Route::AddWebhook => world.add_webhook(first, &body),
        Route::RemoveWebhook => world.remove_webhook(first, second),
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

pub(super) fn text<'a>(body: &'a Body, key: &str) -> Result<&'a str, Refusal> {
    body.get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Refusal::invalid(format!("Require params: {key}.")))
}

/// A person named by address, as somebody who need not be known yet must be.
fn address<'a>(body: &'a Body, key: &str) -> Result<&'a str, Refusal> {
    let text = text(body, key)?;
    let complete = text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    if complete { Ok(text) } else { Err(Refusal::invalid(format!("Invalid email `{text}`."))) }
}

/// A choice that may be left out, and then is `false`.
fn flag(body: &Body, key: &str) -> Result<bool, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Refusal::invalid(format!("Require boolean: {key}."))),
    }
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
