//! Webhooks of Heroku apps, and the deliveries that they send.
//!
//! Invariant: a delivery is judged by its signature over the bytes of its body as they came, before anything in it is read.

use axum::http::{StatusCode, header};
use metsuke_engine::changes::webhooks::{Delivery, Received, SIGNATURE};
use metsuke_engine::desk::Hooks;
use serde::Deserialize;
use serde_json::json;

use super::estate::list as list_of;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

/// Whom a delivery is for; both were put into the address that Heroku was given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct For {
    #[serde(default)]
    connector: String,
    #[serde(default)]
    hook: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HooksOf {
    connector: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    connector: Option<String>,
    app: String,
    url: Option<String>,
}

pub(super) async fn receive(call: Call) -> Result<Answer, ApiError> {
    let For { connector, hook } = call.parameters()?;
    // Of two signatures, nobody could say which one was looked at.
    let mut told = call.headers.get_all(SIGNATURE).iter();
    let signature = match (told.next(), told.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    };
    let delivery = Delivery { hook: &hook, signature, body: &call.body };
    let outcome = match call.state.desk.deliver(&connector, &delivery).await? {
        Received::Taken => {
            return Answer::json(StatusCode::ACCEPTED, &json!({ "outcome": "taken" }));
        }
        Received::Forged => {
            let told = "the delivery is not signed with the secret of a webhook of this connector";
            return Err(ApiError::new(StatusCode::UNAUTHORIZED, "signature", told));
        }
        Received::Again => "again",
        Received::Stale => "stale",
        Received::Unreadable => "unreadable",
    };
    Answer::ok(&json!({ "outcome": outcome }))
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let HooksOf { connector, limit, cursor } = call.parameters()?;
    let estates = call.state.desk.estates(connector.as_deref()).await?;
    list_of(&call, &Hooks::default(), estates, &Paging { limit, cursor }, HOOKS).await
}

pub(super) async fn add(call: Call) -> Result<Answer, ApiError> {
    let Wish { connector, app, url } = call.json()?;
    let own = || call.state.place.origin().to_owned();
    let server = url.unwrap_or_else(own);
    let desk = &call.state.desk;
    let hook = desk.add_webhook(call.caller()?, connector.as_deref(), &app, &server).await?;
    let place = format!("/api/v1/webhooks/{}", hook.row.id);
    Ok(Answer::json(StatusCode::CREATED, &hook)?.with(header::LOCATION, &place))
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.desk.webhook(call.segment("id")).await?)
}

pub(super) async fn remove(call: Call) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.desk.remove_webhook(call.caller()?, call.segment("id")).await?)
}

const HOOKS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("app", "/app"),
    ("app_name", "/app_name"),
    ("state", "/state"),
    ("created_at", "/created_at"),
    ("heard_at", "/heard_at"),
    ("url", "/url"),
];
