//! Changes between versions: listed, or followed as they are recorded.
//!
//! Invariant: whoever comes back with the id of the last event that they have misses none.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use futures::stream;
use metsuke_engine::changes::{ChangeKind, EventFilter};
use metsuke_engine::desk::{ChangeFeed, ChangeLine, Changes, Merged, Place, Placed, Timed, merged};
use metsuke_engine::identity::Operation;
use metsuke_model::AsOf;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::estate::version;
use super::runs::LAST_SEEN;
use crate::answer::{Answer, Body};
use crate::call::{Call, Paging};
use crate::cursor;
use crate::error::ApiError;
use crate::streams::StreamPlace;
use crate::table::Columns;

/// After how long of silence a follower is told that the way is still open.
const STILL_HERE: Duration = Duration::from_secs(15);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangesOf {
    connector: Option<String>,
    since: Option<String>,
    until: Option<String>,
    kind: Option<String>,
    change: Option<String>,
    resource: Option<String>,
    principal: Option<String>,
    by: Option<String>,
    text: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let mut asked: ChangesOf = call.parameters()?;
    let connector = asked.connector.take();
    let paging = Paging { limit: asked.limit, cursor: asked.cursor.take() };
    let filter = filter(asked)?;
    let desk = &call.state.desk;
    if call.accepts("text/event-stream") {
        let seen = call.headers.get(LAST_SEEN).map(|seen| {
            let read = |seen: &str| cursor::read::<BTreeMap<String, u64>>(call.operation, seen);
            seen.to_str()
                .ok()
                .and_then(|seen| read(seen).ok())
                .ok_or_else(|| ApiError::invalid("Last-Event-ID", "this stream has not given it out"))
        });
        let place = call.state.streams.open(call.caller()?)?;
        let feed = desk.follow_changes(connector.as_deref(), filter, seen.transpose()?).await?;
        return Ok(followed(call.operation, feed, call.state.stopping.clone(), place));
    }
    let estates = desk.recorded(connector.as_deref()).await?;
    newest_first(&call, &Changes { filter }, estates, &paging, CHANGES).await
}

/// A page of a list of all these estates as one, the newest rows first.
pub(super) async fn newest_first<L: Timed>(
    call: &Call,
    listing: &L,
    estates: Vec<metsuke_engine::desk::Estate>,
    paging: &Paging,
    columns: Columns,
) -> Result<Answer, ApiError>
where
    L::Key: Serialize + DeserializeOwned,
{
    let (count, after) = call.paging::<Vec<Place<L::Key>>>(paging)?;
    let Merged { rows, next } = merged(listing, estates, after.unwrap_or_default(), count).await?;
    call.page(&rows, next.as_ref(), columns)
}

fn filter(asked: ChangesOf) -> Result<EventFilter, ApiError> {
    let ChangesOf { since, until, kind, change, resource, principal, by, text, .. } = asked;
    let words = |list: Option<String>| -> Vec<String> {
        list.iter().flat_map(|list| list.split(',')).map(|word| word.trim().to_owned()).collect()
    };
    let mut filter =
        EventFilter { kinds: words(kind), resource, principal, actor: by, text, ..EventFilter::default() };
    for word in words(change) {
        filter.changes.push(match word.as_str() {
            "added" => ChangeKind::Added,
            "removed" => ChangeKind::Removed,
            "changed" => ChangeKind::Changed,
            _ => return Err(ApiError::invalid("change", "it is added, removed or changed")),
        });
    }
    match version("since", since)? {
        None => {}
        Some(AsOf::Version(version)) => filter.after = Some(version),
        Some(AsOf::Time(at)) => filter.since = Some(at),
    }
    match version("until", until)? {
        None => {}
        Some(AsOf::Version(version)) => filter.up_to = Some(version),
        Some(AsOf::Time(at)) => filter.until = Some(at),
    }
    Ok(filter)
}

/// Changes as server-sent events, as they are recorded.
fn followed(
    operation: Operation,
    feed: ChangeFeed,
    stopping: CancellationToken,
    place: StreamPlace,
) -> Answer {
    let events = stream::unfold((feed, stopping, place), move |(mut feed, stopping, place)| async move {
        let event = tokio::select! {
            line = feed.next() => event(operation, &feed, &line),
            () = tokio::time::sleep(STILL_HERE) => Bytes::from_static(b": still here\n\n"),
            () = stopping.cancelled() => return None,
        };
        Some((event, (feed, stopping, place)))
    });
    let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))];
    Answer { status: StatusCode::OK, headers, body: Body::Events(Box::pin(events)) }
}

fn event(operation: Operation, feed: &ChangeFeed, line: &Placed<ChangeLine>) -> Bytes {
    let id = cursor::write(operation, feed.turns()).unwrap_or_default();
    format!("id: {id}\nevent: change\ndata: {}\n\n", json!(line)).into()
}

const CHANGES: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("version", "/version"),
    ("at", "/at"),
    ("since", "/since"),
    ("change", "/change"),
    ("kind", "/kind"),
    ("subject_type", "/subject/type"),
    ("subject_id", "/subject/id"),
    ("subject_name", "/subject/name"),
    ("principal_id", "/principal/id"),
    ("principal_email", "/principal/email"),
    ("entitlement", "/entitlement"),
    ("before", "/before"),
    ("after", "/after"),
    ("gained", "/gained"),
    ("lost", "/lost"),
    ("by", "/by/actor"),
    ("by_how", "/by/how"),
    ("by_ip", "/by/ip"),
    ("by_plan", "/by/plan"),
];
