//! Tokens of programs.

use axum::http::{StatusCode, header};
use metsuke_engine::identity::{Role, Scope, TokenAsk};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;

use super::audit::time;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    name: String,
    role: String,
    #[serde(default)]
    scopes: Vec<String>,
    person: Option<String>,
    expires_at: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let paging: Paging = call.parameters()?;
    let (count, after) = call.paging::<String>(&paging)?;
    let most = u32::try_from(count + 1).unwrap_or(u32::MAX);
    let mut tokens = call.state.tokens.list(&after.unwrap_or_default(), most).await?;
    let more = tokens.len() > count;
    tokens.truncate(count);
    let next = tokens.last().filter(|_| more).map(|token| token.id.clone());
    call.page(&tokens, next.as_ref(), TOKENS)
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let asked: Asked = call.json()?;
    let wrong = |field| move |told: String| ApiError::invalid(field, told);
    let role: Role = asked.role.parse().map_err(wrong("role"))?;
    let scopes: Result<Vec<Scope>, String> = asked.scopes.iter().map(|scope| scope.parse()).collect();
    let ask = TokenAsk {
        name: asked.name,
        role,
        scopes: scopes.map_err(wrong("scopes"))?,
        person: asked.person,
        expires_at: time("expires_at", asked.expires_at)?,
    };
    let made = call.state.tokens.by(call.caller()?).create(ask).await?;
    let mut shown = json!(made.kept);
    if let Some(members) = shown.as_object_mut() {
        members.insert("token".into(), made.token.expose_secret().into());
    }
    let place = format!("/api/v1/tokens/{}", made.kept.id);
    Ok(Answer::json(StatusCode::CREATED, &shown)?.with(header::LOCATION, &place))
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.tokens.get(call.segment("id")).await?)
}

pub(super) async fn revoke(call: Call) -> Result<Answer, ApiError> {
    let tokens = call.state.tokens.by(call.caller()?);
    Answer::ok(&tokens.revoke(call.segment("id")).await?)
}

const TOKENS: Columns = &[
    ("id", "/id"),
    ("name", "/name"),
    ("role", "/role"),
    ("scopes", "/scopes"),
    ("person", "/person"),
    ("created_at", "/created_at"),
    ("created_by", "/created_by"),
    ("expires_at", "/expires_at"),
    ("revoked_at", "/revoked_at"),
    ("last_used_at", "/last_used_at"),
];
