//! Lists recorded changes, the newest first, page by page.
//!
//! Invariant: read on from the cursor of each page, a list gives no event twice, whatever is recorded meanwhile.

use metsuke_model::Version;
use metsuke_store::Store;
pub use metsuke_store::{ChangeKind, EventFilter};
use serde::Serialize;

use super::Event;
use crate::EngineError;

/// A part of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventPage {
    /// The events, newest first.
    pub events: Vec<Event>,
    /// Where the next page begins; none at the end.
    pub next: Option<Box<str>>,
}

/// The newest events that are meant, from a cursor on that an earlier page gave.
///
/// # Errors
///
/// [`EngineError::BadCursor`], and what the database said.
pub async fn events(
    store: &Store,
    filter: &EventFilter,
    cursor: Option<&str>,
    limit: u32,
) -> Result<EventPage, EngineError> {
    let before = cursor.map(key).transpose()?;
    let limit = limit.clamp(1, 1_000);
    let mut stored = store.change_events(filter, before, limit + 1).await?;
    let more = stored.len() > limit as usize;
    stored.truncate(limit as usize);
    let next = stored.last().filter(|_| more).map(|last| format!("{}-{}", last.version, last.place).into());
    Ok(EventPage { events: stored.into_iter().map(Event::of).collect(), next })
}

/// The newest events that are meant, with what they gave and took in short: what somebody has alike on many resources is told of the
/// first few, and how many others there are.
///
/// # Errors
///
/// What the database said.
pub async fn events_in_short(
    store: &Store,
    filter: &EventFilter,
    limit: u32,
) -> Result<Vec<Event>, EngineError> {
    let stored = store.change_events_in_short(filter, None, limit.clamp(1, 1_000)).await?;
    Ok(stored.into_iter().map(Event::of).collect())
}

/// The event with this id; none where there is none.
///
/// # Errors
///
/// [`EngineError::BadCursor`] for what is no id of an event, and what the database said.
pub async fn event(store: &Store, id: &str) -> Result<Option<Event>, EngineError> {
    let (version, place) = key(id)?;
    let only =
        EventFilter { after: Some(Version(version.0 - 1)), up_to: Some(version), ..EventFilter::default() };
    let found = store.change_events(&only, Some((version, place.saturating_add(1))), 1).await?;
    Ok(found.into_iter().find(|event| event.place == place).map(Event::of))
}

/// The version and the place that an id or a cursor names.
fn key(text: &str) -> Result<(Version, u32), EngineError> {
    let parsed = text.split_once('-').and_then(|(version, place)| {
        let version = version.parse().ok().filter(|version| *version > 0)?;
        Some((Version(version), place.parse().ok()?))
    });
    parsed.ok_or(EngineError::BadCursor { feed: "changes" })
}
