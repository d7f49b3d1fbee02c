//! Jobs: what is done in the background, what was given up, and uploads that somebody asks for.
//!
//! Invariant: a job is put back or struck only where it was given up.

use axum::http::{StatusCode, header};
use metsuke_engine::desk::{JobLine, Jobs, Placed};
use metsuke_engine::jobs::JobStatus;
use metsuke_model::JobId;
use serde::Deserialize;

use super::changes::newest_first;
use super::connectors::id as connector_id;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobsOf {
    connector: Option<String>,
    state: Option<String>,
    kind: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    connector: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let JobsOf { connector, state, kind, limit, cursor } = call.parameters()?;
    let read = |state: &str| {
        let words = JobStatus::ALL.map(JobStatus::as_str);
        let wrong = || ApiError::invalid("state", format!("it is one of: {}", words.join(", ")));
        JobStatus::parse(state).ok_or_else(wrong)
    };
    let state = state.as_deref().map(read).transpose()?;
    let queues = call.state.desk.queues(connector.as_deref()).await?;
    newest_first(&call, &Jobs { state, kind }, queues, &Paging { limit, cursor }, JOBS).await
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    let (id, of): (_, Of) = (id(&call)?, call.parameters()?);
    Answer::ok(&call.state.desk.job(of.connector.as_deref(), id).await?)
}

pub(super) async fn retry(call: Call) -> Result<Answer, ApiError> {
    let (id, of): (_, Of) = (id(&call)?, call.parameters()?);
    let by = call.caller()?.actor();
    Answer::ok(&call.state.desk.retry_job(&by, of.connector.as_deref(), id).await?)
}

pub(super) async fn strike(call: Call) -> Result<Answer, ApiError> {
    let (id, of): (_, Of) = (id(&call)?, call.parameters()?);
    let by = call.caller()?.actor();
    Answer::ok(&call.state.desk.drop_job(&by, of.connector.as_deref(), id).await?)
}

/// Asks for an upload of a connector's newest version.
pub(super) async fn upload(call: Call) -> Result<Answer, ApiError> {
    let connector = connector_id(&call)?;
    let desk = &call.state.desk;
    let (job, _) = desk.installation().upload_now(&call.caller()?.actor(), connector).await?;
    let told: Placed<JobLine> = desk.job(Some(&connector.to_string()), job).await?;
    let place = format!("/api/v1/jobs/{job}?connector={connector}");
    Ok(Answer::json(StatusCode::ACCEPTED, &told)?.with(header::LOCATION, &place))
}

fn id(call: &Call) -> Result<JobId, ApiError> {
    let asked = call.segment("id");
    asked.parse().map_err(|_| ApiError::not_found(format!("there is no job `{asked}`")))
}

const JOBS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("kind", "/kind"),
    ("what", "/what"),
    ("state", "/state"),
    ("version", "/version"),
    ("attempts", "/attempts"),
    ("created_at", "/created_at"),
    ("due_at", "/due_at"),
    ("finished_at", "/finished_at"),
    ("why", "/why"),
];
