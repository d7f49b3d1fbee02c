//! About the server itself: alive, ready, figures, the API's description, and who the caller is.

use axum::http::StatusCode;
use metsuke_engine::identity::Credential;
use serde_json::json;

use crate::answer::Answer;
use crate::call::Call;
use crate::description::document;
use crate::error::ApiError;

pub(super) fn health() -> Result<Answer, ApiError> {
    Answer::ok(&json!({ "status": "alive" }))
}

pub(super) async fn ready(call: Call) -> Result<Answer, ApiError> {
    if call.state.stopping.is_cancelled() {
        return Err(ApiError::unavailable("stopping", "the server is about to stop"));
    }
    if let Err(error) = call.state.desk.ready().await {
        tracing::warn!(%error, "not ready");
        return Err(ApiError::unavailable("not_ready", "the database does not answer"));
    }
    Answer::ok(&json!({ "status": "ready" }))
}

pub(super) async fn metrics(call: Call) -> Result<Answer, ApiError> {
    match call.state.desk.installation().connectors().await {
        Ok(connectors) => call.state.metrics.connectors(connectors.iter().map(|one| one.state.as_str())),
        // The other figures are worth more than none.
        Err(error) => tracing::warn!(%error, "connectors cannot be counted"),
    }
    match call.state.desk.count_jobs().await {
        Ok(counted) => {
            call.state.metrics.jobs(counted.into_iter().map(|(state, count)| (state.as_str(), count)));
        }
        Err(error) => tracing::warn!(%error, "jobs cannot be counted"),
    }
    let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(Answer::typed(StatusCode::OK, media, call.state.metrics.text()))
}

pub(super) fn description() -> Result<Answer, ApiError> {
    Answer::ok(&document())
}

pub(super) fn installation(call: &Call) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.installed)
}

pub(super) fn who(call: &Call) -> Result<Answer, ApiError> {
    let caller = call.caller()?;
    let scopes: Vec<String> = caller.scopes.iter().map(ToString::to_string).collect();
    Answer::ok(&json!({
        "token_id": (caller.credential == Credential::Token).then_some(&caller.token),
        "account_id": (caller.credential == Credential::Session).then_some(&caller.token),
        "name": caller.name,
        "role": caller.role,
        "scopes": scopes,
        "person": caller.person,
    }))
}
