//! Runs of connectors, and their logs, which can be followed.
//!
//! Invariant: a followed log ends when the server stops or the connector is gone, and whoever comes back with the number of the
//! last line misses none.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use futures::stream;
use metsuke_engine::connectors::{LogFeed, LogLine, LogSelect, RunRow};
use metsuke_model::RunId;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::connectors::id;
use crate::answer::{Answer, Body};
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::streams::StreamPlace;
use crate::table::Columns;

/// After how long of silence a follower is told that the way is still open.
const STILL_HERE: Duration = Duration::from_secs(15);
/// The header with the number of the last line that a follower has.
pub(super) const LAST_SEEN: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogOf {
    run: Option<String>,
    after: Option<i64>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn sync(call: Call) -> Result<Answer, ApiError> {
    let id = id(&call)?;
    let asked = call.state.desk.installation().sync_now(&call.caller()?.actor(), id).await?;
    let place = format!("/api/v1/connectors/{id}/runs/{}", asked.run.id);
    Ok(Answer::json(StatusCode::ACCEPTED, &shown(&asked.run))?.with(header::LOCATION, &place))
}

pub(super) async fn cancel(call: Call) -> Result<Answer, ApiError> {
    let id = id(&call)?;
    let installation = call.state.desk.installation();
    let none = || ApiError::conflict("no_open_run", "no sync of this connector waits or reads");
    let open = installation.connector(id).await?.open_run.ok_or_else(none)?;
    let cancelled = installation.cancel(&call.caller()?.actor(), id, open.id).await?;
    Answer::json(StatusCode::ACCEPTED, &shown(&cancelled))
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let (id, paging): (_, Paging) = (id(&call)?, call.parameters()?);
    let (count, before) = call.paging::<RunId>(&paging)?;
    let most = u32::try_from(count + 1).unwrap_or(u32::MAX);
    let mut runs = call.state.desk.installation().runs(id, before, most).await?;
    let more = runs.len() > count;
    runs.truncate(count);
    let next = runs.last().filter(|_| more).map(|run| run.id);
    let rows: Vec<Value> = runs.iter().map(shown).collect();
    call.page(&rows, next.as_ref(), RUNS)
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    let (id, asked) = (id(&call)?, call.segment("run"));
    let run: RunId = asked.parse().map_err(|_| ApiError::not_found(format!("there is no run `{asked}`")))?;
    let (run, scopes) = call.state.desk.installation().run(id, run).await?;
    let mut told = shown(&run);
    if let Some(members) = told.as_object_mut() {
        members.insert("scopes".into(), json!(scopes));
    }
    Answer::ok(&told)
}

pub(super) async fn logs(call: Call) -> Result<Answer, ApiError> {
    let (id, asked): (_, LogOf) = (id(&call)?, call.parameters()?);
    let run: Option<RunId> = asked
        .run
        .map(|run| run.parse().map_err(|_| ApiError::invalid("run", "it is no id of a run")))
        .transpose()?;
    let paging = Paging { limit: asked.limit, cursor: asked.cursor };
    let (count, place) = call.paging::<i64>(&paging)?;
    let seen = call.headers.get(LAST_SEEN).and_then(|seen| seen.to_str().ok()?.parse().ok());
    let after = place.or(asked.after).or(seen).unwrap_or_default();
    let installation = call.state.desk.installation();
    if call.accepts("text/event-stream") {
        let place = call.state.streams.open(call.caller()?)?;
        let feed = installation.follow(id, run, after).await?;
        return Ok(followed(feed, call.state.stopping.clone(), place));
    }
    let limit = u32::try_from(count + 1).unwrap_or(u32::MAX);
    let mut lines = installation.logs(id, LogSelect { run, after, limit }).await?;
    let more = lines.len() > count;
    lines.truncate(count);
    let next = lines.last().filter(|_| more).map(|line| line.sequence);
    let rows: Vec<Value> = lines.iter().map(line).collect();
    call.page(&rows, next.as_ref(), LOGS)
}

/// Lines as server-sent events, as they come.
fn followed(feed: LogFeed, stopping: CancellationToken, place: StreamPlace) -> Answer {
    let events = stream::unfold((feed, stopping, place), |(mut feed, stopping, place)| async move {
        let event = tokio::select! {
            line = feed.next() => match line {
                Ok(line) => event(&line),
                Err(error) => {
                    tracing::debug!(%error, "a followed log ends");
                    return None;
                }
            },
            () = tokio::time::sleep(STILL_HERE) => Bytes::from_static(b": still here\n\n"),
            () = stopping.cancelled() => return None,
        };
        Some((event, (feed, stopping, place)))
    });
    let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))];
    Answer { status: StatusCode::OK, headers, body: Body::Events(Box::pin(events)) }
}

fn event(told: &LogLine) -> Bytes {
    format!("id: {}\nevent: log\ndata: {}\n\n", told.sequence, line(told)).into()
}

fn line(line: &LogLine) -> Value {
    json!({ "sequence": line.sequence, "run": line.run, "at": line.at, "level": line.level, "text": line.text })
}

/// A run as it is shown.
pub(super) fn shown(run: &RunRow) -> Value {
    json!({
        "id": run.id,
        "status": run.status.as_str(),
        "cause": run.cause,
        "asked_by": run.asked_by,
        "asked_at": run.asked_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "version": run.version,
        "reason": run.reason,
        "summary": run.document,
    })
}

const RUNS: Columns = &[
    ("id", "/id"),
    ("status", "/status"),
    ("cause", "/cause"),
    ("asked_by", "/asked_by"),
    ("asked_at", "/asked_at"),
    ("started_at", "/started_at"),
    ("finished_at", "/finished_at"),
    ("version", "/version"),
    ("reason", "/reason"),
];

const LOGS: Columns =
    &[("sequence", "/sequence"), ("run", "/run"), ("at", "/at"), ("level", "/level"), ("text", "/text")];
