//! Writes the changes of versions as events, each version once.
//!
//! What is derived is worked out for what the change log touches, and for nothing else of the estate.
//!
//! Invariant: versions are recorded in their order, and a version's events with the mark that it is recorded; a crash
//! leaves a version wholly recorded or not begun.

use metsuke_model::{Changes, Clock, Moment, Version};
use metsuke_store::{ChangeKind, Changed, Logged, NewChangeEvent, Store, SyncRow};
use serde_json::{Value as Json, json};

use super::about;
use super::author::{Deeds, Facts};
use super::cause::Causes;
use super::stale::{read_all_once_more, read_once_more};
use crate::EngineError;
use crate::access::shift::shifts;
use crate::log::is_large;
use crate::rules::change_row;

/// Versions that are looked up at once.
const AT_ONCE: u32 = 64;
/// Events of one version after which the database is tidied up.
const UNTIDY: u64 = 1_000;

/// What recording came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Versions recorded now.
    pub versions: u32,
    /// Their events.
    pub events: u64,
    /// Up to which version everything is recorded.
    pub up_to: Version,
    /// When that was so.
    pub at: Moment,
}

/// Records the changes of every version up to this one that is not recorded yet. Repeating it records nothing.
///
/// The first version of a database has no changes: everything in it came with it. Of a version with more than [`MOST_ENTRIES`](crate::MOST_ENTRIES)
/// entries one event says how many there are.
///
/// # Errors
///
/// What the database said; the versions before are recorded then.
pub async fn record(store: &Store, version: Version, clock: &dyn Clock) -> Result<Recorded, EngineError> {
    let (mut versions, mut written) = (0, 0);
    let mut up_to = store.recorded_up_to().await?;
    'all: loop {
        let runs = store.versions(Version(up_to.0 + 1), Moment(i64::MIN), AT_ONCE).await?;
        if runs.first().is_none_or(|run| run.version > version) {
            break;
        }
        for run in runs {
            if run.version > version {
                break 'all;
            }
            let events = events(store, &run, clock).await?;
            let count = events.len() as u64;
            if !store.record_changes(up_to, run.version, events).await? {
                // Somebody else records too: go on where they are.
                up_to = store.recorded_up_to().await?;
                continue 'all;
            }
            (versions, written, up_to) = (versions + 1, written + count, run.version);
            if count > UNTIDY {
                store.settle().await;
            }
        }
    }
    Ok(Recorded { versions, events: written, up_to, at: clock.now() })
}

/// The events of one version.
async fn events(store: &Store, run: &SyncRow, clock: &dyn Clock) -> Result<Vec<NewChangeEvent>, EngineError> {
    let Some(before) = store.version_before(run.version).await? else { return Ok(Vec::new()) };
    let whole = store.whole_before(run.version).await?;
    let since = whole.as_ref().unwrap_or(&before).started_at.min(run.started_at);
    if is_large(run) {
        tracing::warn!(version = run.version.0, "a version changed too much to tell of each change");
        read_all_once_more(store, run, clock).await?;
        return Ok(vec![event_of_many(run, since)]);
    }
    let log = store.logged(before.version, run.version).await?;
    if log.is_empty() {
        return Ok(Vec::new());
    }
    read_once_more(store, run, &log, clock).await?;
    let (causes, touched) = Causes::of(&log);
    let versions = (before.version, run.version);
    let mut effects = causes.effects(&log, &shifts(store, versions, &touched).await?);
    let words = about::words(store, &log, [versions.0, versions.1]).await?;
    let deeds = Deeds::read(store, since, run.finished_at).await?;
    let mut events = Vec::with_capacity(log.len());
    for (place, logged) in (0..).zip(&log) {
        let about: Vec<String> = words.get(&logged.object).into_iter().flatten().cloned().collect();
        let mut event = event(place, logged, since, about);
        let facts = Facts {
            kind: &event.kind,
            change: event.change,
            document: &event.document,
            about: event.about.iter().map(String::as_str).collect(),
            since,
            at: event.at,
        };
        event.author = deeds.author(&facts).map(|by| by.stored());
        event.effects = effects.remove(&place).unwrap_or_default();
        events.push(event);
    }
    Ok(events)
}

fn event(place: u32, logged: &Logged, since: Moment, about: Vec<String>) -> NewChangeEvent {
    let change = &logged.change;
    let mut document = change_row(change);
    if let Json::Object(members) = &mut document {
        // These are columns of their own.
        for name in ["version", "at", "change", "kind"] {
            members.remove(name);
        }
    }
    let (kind, words) = match &change.changed {
        Changed::Object { kind, id, name, before, after } => {
            let values = before.values().chain(after.values()).map(value);
            let values: Vec<String> = values.chain(before.keys().chain(after.keys()).cloned()).collect();
            (kind.as_str(), format!("{name} {id} {}", values.join(" ")))
        }
        Changed::Grant { resource, resource_name, principal, email, entitlement, .. } => {
            ("grant", format!("{email} {principal} {entitlement} {resource_name} {resource}"))
        }
    };
    NewChangeEvent {
        place,
        at: change.at,
        since,
        kind: kind.into(),
        change: change.change,
        object: logged.object,
        principal: logged.principal,
        document,
        about,
        words,
        author: None,
        effects: Vec::new(),
    }
}

/// The one event of a version with too many entries to tell of each.
fn event_of_many(run: &SyncRow, since: Moment) -> NewChangeEvent {
    let Changes { added, removed, changed } = run.changes;
    let name = format!("version {}", run.version);
    NewChangeEvent {
        place: 0,
        at: run.finished_at,
        since,
        kind: "version".into(),
        change: ChangeKind::Changed,
        object: 0,
        principal: None,
        words: name.clone(),
        document: json!({
            "id": run.version.to_string(), "name": name, "before": {},
            "after": { "added": added, "removed": removed, "changed": changed },
        }),
        about: Vec::new(),
        author: None,
        effects: Vec::new(),
    }
}

fn value(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}
