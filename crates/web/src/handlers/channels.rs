//! Channels: where alerts go.
//!
//! Invariant: no answer holds a secret.

use axum::http::{StatusCode, header};
use metsuke_engine::desk::ChannelAsk;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    settings: Value,
    #[serde(default = "on")]
    enabled: bool,
    secret: Option<String>,
}

const fn on() -> bool {
    true
}

impl Written {
    fn ask(self) -> ChannelAsk {
        let Self { name, settings, enabled, secret } = self;
        ChannelAsk { name, settings, enabled, secret: secret.map(Into::into) }
    }
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let paging: Paging = call.parameters()?;
    let (count, after) = call.paging::<(String, String)>(&paging)?;
    let mut channels = call.state.desk.channels().await?;
    channels.retain(|one| after.as_ref().is_none_or(|after| (&one.name, &one.id) > (&after.0, &after.1)));
    let more = channels.len() > count;
    channels.truncate(count);
    let next = channels.last().filter(|_| more).map(|one| (one.name.clone(), one.id.clone()));
    call.page(&channels, next.as_ref(), CHANNELS)
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.desk.channel(call.segment("id")).await?)
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let asked: Written = call.json()?;
    let made = call.state.desk.save_channel(call.caller()?, None, asked.ask()).await?;
    let place = format!("/api/v1/channels/{}", made.id);
    Ok(Answer::json(StatusCode::CREATED, &made)?.with(header::LOCATION, &place))
}

pub(super) async fn replace(call: Call) -> Result<Answer, ApiError> {
    let asked: Written = call.json()?;
    Answer::ok(&call.state.desk.save_channel(call.caller()?, Some(call.segment("id")), asked.ask()).await?)
}

pub(super) async fn remove(call: Call) -> Result<Answer, ApiError> {
    let given_up = call.state.desk.remove_channel(call.caller()?, call.segment("id")).await?;
    Answer::ok(&json!({ "given_up": given_up }))
}

pub(super) async fn test(call: Call) -> Result<Answer, ApiError> {
    let reason = call.state.desk.try_channel(call.segment("id")).await?;
    Answer::ok(&json!({ "ok": reason.is_none(), "reason": reason }))
}

const CHANNELS: Columns = &[
    ("id", "/id"),
    ("name", "/name"),
    ("kind", "/kind"),
    ("enabled", "/enabled"),
    ("to", "/to"),
    ("has_secret", "/has_secret"),
    ("created_at", "/created_at"),
    ("updated_at", "/updated_at"),
    ("waiting", "/waiting"),
    ("last_sent_at", "/last_sent_at"),
    ("failing_since", "/failing_since"),
    ("told", "/told"),
];
