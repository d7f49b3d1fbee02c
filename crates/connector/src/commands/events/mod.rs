//! `--event-feed`: prints what happened, one JSON object a line.
//!
//! What happened is read by the engine.
//!
//! Invariant: an event is printed once, whole, on a line of its own.

mod json;

use metsuke_baton::proto::connector::ListEventsRequest;
use metsuke_baton::time::timestamp;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::estate::Estate;
use crate::output;
use crate::settings::{Events, Settings};

/// Events that are asked for at once.
const PAGE: u32 = 100;

/// Prints all events of a feed from a time or a cursor on.
///
/// # Errors
///
/// What Heroku said, an unknown feed or cursor, and what writing to stdout met.
pub(crate) async fn run(
    estate: &Estate,
    settings: &Settings,
    events: &Events,
    cancel: &CancellationToken,
) -> anyhow::Result<()> {
    let service = estate.service(settings);
    let mut request = ListEventsRequest {
        cursor: events.cursor.clone(),
        start_at: Some(timestamp(events.since(estate.clock.now()))),
        page_size: PAGE,
        event_feed_id: events.feed.clone(),
        ..ListEventsRequest::default()
    };
    while !cancel.is_cancelled() {
        let page = service.list_events(&request).await?;
        let mut lines = String::new();
        for event in &page.events {
            lines.push_str(&json::event(event));
            lines.push('\n');
        }
        output::print(&lines)?;
        request.cursor = page.cursor;
        if !page.has_more {
            break;
        }
    }
    info!(cursor = request.cursor, "the feed is read to its end");
    Ok(())
}
