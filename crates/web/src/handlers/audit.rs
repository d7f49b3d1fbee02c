//! The audit trail.

use metsuke_engine::audit::EventSelect;
use metsuke_engine::desk::Events;
use metsuke_model::{AsOf, Moment};
use serde::Deserialize;

use super::estate::{list, version};
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsOf {
    connector: Option<String>,
    code: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn events(call: Call) -> Result<Answer, ApiError> {
    let asked: EventsOf = call.parameters()?;
    let select = EventSelect {
        code: asked.code,
        since: time("since", asked.since)?,
        until: time("until", asked.until)?,
        ..EventSelect::default()
    };
    let paging = Paging { limit: asked.limit, cursor: asked.cursor };
    let trails = call.state.desk.trails(asked.connector.as_deref()).await?;
    list(&call, &Events { select }, trails, &paging, EVENTS).await
}

/// A time or a date.
pub(super) fn time(name: &str, text: Option<String>) -> Result<Option<Moment>, ApiError> {
    match version(name, text)? {
        None => Ok(None),
        Some(AsOf::Time(at)) => Ok(Some(at)),
        Some(AsOf::Version(_)) => Err(ApiError::invalid(name, "it is a time such as 2026-11-21T08:00:00Z")),
    }
}

const EVENTS: Columns = &[
    ("connector", "/connector"),
    ("sequence", "/sequence"),
    ("at", "/at"),
    ("code", "/code"),
    ("actor_kind", "/actor/kind"),
    ("actor", "/actor/name"),
    ("subject", "/subject"),
    ("details", "/details"),
];
