//! Accounts of people who sign in, for those who administer.

use axum::http::{StatusCode, header};
use metsuke_engine::identity::{AccountAsk, AccountEdit, Role};
use serde::Deserialize;
use serde_json::json;

use super::session::SecretText;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    email: String,
    name: Option<String>,
    role: String,
    password: Option<SecretText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edited {
    name: Option<String>,
    role: Option<String>,
    disabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    password: SecretText,
}

fn role(word: &str) -> Result<Role, ApiError> {
    word.parse().map_err(|told: String| ApiError::invalid("role", told))
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let paging: Paging = call.parameters()?;
    let (count, after) = call.paging::<String>(&paging)?;
    let most = u32::try_from(count + 1).unwrap_or(u32::MAX);
    let mut accounts = call.state.people.list(&after.unwrap_or_default(), most).await?;
    let more = accounts.len() > count;
    accounts.truncate(count);
    let next = accounts.last().filter(|_| more).map(|account| account.id.clone());
    call.page(&accounts, next.as_ref(), ACCOUNTS)
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let asked: Asked = call.json()?;
    let ask = AccountAsk {
        email: asked.email,
        name: asked.name,
        role: role(&asked.role)?,
        password: asked.password.map(|password| password.0),
    };
    let made = call.state.people.by(call.caller()?).create(ask).await?;
    let place = format!("/api/v1/accounts/{}", made.id);
    Ok(Answer::json(StatusCode::CREATED, &made)?.with(header::LOCATION, &place))
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.people.get(call.segment("id")).await?)
}

pub(super) async fn edit(call: Call) -> Result<Answer, ApiError> {
    let asked: Edited = call.json()?;
    let role = asked.role.as_deref().map(role).transpose()?;
    let edit = AccountEdit { name: asked.name, role, disabled: asked.disabled };
    let people = call.state.people.by(call.caller()?);
    Answer::ok(&people.edit(call.segment("id"), edit).await?)
}

pub(super) async fn reset_password(call: Call) -> Result<Answer, ApiError> {
    let asked: NewPassword = call.json()?;
    let people = call.state.people.by(call.caller()?);
    Answer::ok(&people.reset_password(call.segment("id"), &asked.password.0).await?)
}

pub(super) async fn reset_second_factor(call: Call) -> Result<Answer, ApiError> {
    let people = call.state.people.by(call.caller()?);
    Answer::ok(&people.reset_second_factor(call.segment("id")).await?)
}

pub(super) async fn end_sessions(call: Call) -> Result<Answer, ApiError> {
    let people = call.state.people.by(call.caller()?);
    let ended = people.end_sessions(call.segment("id")).await?;
    Answer::ok(&json!({ "ended": ended }))
}

const ACCOUNTS: Columns = &[
    ("id", "/id"),
    ("email", "/email"),
    ("name", "/name"),
    ("role", "/role"),
    ("source", "/source"),
    ("password", "/password"),
    ("second_factor", "/second_factor"),
    ("created_at", "/created_at"),
    ("created_by", "/created_by"),
    ("disabled_at", "/disabled_at"),
    ("signed_in_at", "/signed_in_at"),
];
