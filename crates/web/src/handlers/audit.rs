//! The audit trail.

use metsuke_engine::audit::EventSelect;
use metsuke_engine::desk::Events;
use metsuke_model::audit::EventOutcome;
use metsuke_model::{AsOf, Moment};
use serde::Deserialize;

use super::changes::newest_first;
use super::estate::version;
use super::export::download;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsOf {
    connector: Option<String>,
    code: Option<String>,
    actor: Option<String>,
    subject: Option<String>,
    outcome: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verification {
    connector: Option<String>,
    public_key: Option<String>,
    #[serde(default)]
    checkpoints: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    connector: Option<String>,
}

pub(super) async fn events(call: Call) -> Result<Answer, ApiError> {
    let asked: EventsOf = call.parameters()?;
    let select = EventSelect {
        code: asked.code,
        actor: asked.actor,
        subject: asked.subject,
        outcome: asked.outcome.as_deref().map(outcome).transpose()?,
        since: time("since", asked.since)?,
        until: time("until", asked.until)?,
        ..EventSelect::default()
    };
    let paging = Paging { limit: asked.limit, cursor: asked.cursor };
    let trails = call.state.desk.trails(asked.connector.as_deref()).await?;
    newest_first(&call, &Events { select }, trails, &paging, EVENTS).await
}

pub(super) async fn verify(call: Call) -> Result<Answer, ApiError> {
    let Verification { connector, public_key, checkpoints } = call.json_or_default()?;
    let desk = &call.state.desk;
    Answer::ok(&desk.verify_trail(connector.as_deref(), public_key.as_deref(), checkpoints).await?)
}

pub(super) async fn sign(call: Call) -> Result<Answer, ApiError> {
    let Of { connector } = call.json_or_default()?;
    Answer::ok(&call.state.desk.sign_trail(call.caller()?, connector.as_deref()).await?)
}

pub(super) async fn export(call: Call) -> Result<Answer, ApiError> {
    let Of { connector } = call.parameters()?;
    let file = call.state.desk.export_trail(call.caller()?, connector.as_deref()).await?;
    download(file, "application/jsonl", "audit.jsonl")
}

/// What is to have come of an event.
pub(crate) fn outcome(word: &str) -> Result<EventOutcome, ApiError> {
    word.parse().map_err(|told: String| ApiError::invalid("outcome", told))
}

/// A time or a date.
pub(super) fn time(name: &str, text: Option<String>) -> Result<Option<Moment>, ApiError> {
    match version(name, text)? {
        None => Ok(None),
        Some(AsOf::Time(at)) => Ok(Some(at)),
        Some(AsOf::Version(_)) => Err(ApiError::invalid(name, "it is a time such as 2026-11-21T08:00:00Z")),
    }
}

pub(crate) const EVENTS: Columns = &[
    ("connector", "/connector"),
    ("sequence", "/sequence"),
    ("at", "/at"),
    ("code", "/code"),
    ("outcome", "/outcome"),
    ("actor_kind", "/actor/kind"),
    ("actor", "/actor/name"),
    ("subject", "/subject"),
    ("details", "/details"),
];
