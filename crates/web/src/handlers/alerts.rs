//! Alerts: what is to be told, and how far it has come.

use metsuke_engine::desk::Alerts;
use metsuke_model::finding::DeliveryState;
use serde::Deserialize;
use serde_json::json;

use super::changes::newest_first;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertsOf {
    connector: Option<String>,
    channel: Option<String>,
    state: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let AlertsOf { connector, channel, state, limit, cursor } = call.parameters()?;
    let read = |state: &str| {
        let words: Vec<&str> = DeliveryState::ALL.iter().map(|state| state.as_str()).collect();
        let wrong = || ApiError::invalid("state", format!("it is one of: {}", words.join(", ")));
        DeliveryState::parse(state).ok_or_else(wrong)
    };
    let state = state.as_deref().map(read).transpose()?;
    let estates = call.state.desk.estates(connector.as_deref()).await?;
    newest_first(&call, &Alerts { channel, state }, estates, &Paging { limit, cursor }, ALERTS).await
}

pub(super) async fn retry(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id");
    call.state.desk.retry_alert(call.caller()?, id).await?;
    Answer::ok(&json!({ "id": id, "retried": true }))
}

const ALERTS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("channel", "/channel"),
    ("subject", "/subject"),
    ("rule", "/rule"),
    ("version", "/version"),
    ("state", "/state"),
    ("attempts", "/attempts"),
    ("created_at", "/created_at"),
    ("due_at", "/due_at"),
    ("sent_at", "/sent_at"),
    ("told", "/told"),
];
