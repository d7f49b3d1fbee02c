//! The feed of what differs between versions.
//!
//! Invariant: the log of a version never changes, so a place in it stays one.

use metsuke_model::{Changes, HerokuId, Kind, Moment, ResourceType, Version};
use metsuke_store::{Change, ChangeKind, Changed, SyncRow};

use super::cursor::Log;
use super::{Connector, Event, EventPage, Feed, Happened, Held, Someone, Target};
use crate::EngineError;
use crate::log::is_large;

/// Versions that are looked up at once.
const AT_ONCE: u32 = 256;

impl Connector {
    pub(super) async fn change_events(
        &self,
        cursor: Option<&str>,
        since: Option<Moment>,
        limit: usize,
    ) -> Result<EventPage, EngineError> {
        let (mut from, mut log) = self.place_in_log(cursor, since).await?;
        let mut events = Vec::new();
        loop {
            let runs = self.store.versions(from.0, from.1, AT_ONCE).await?;
            let last = runs.len() < AT_ONCE as usize;
            for run in runs {
                from.0 = Version(run.version.0 + 1);
                let done = if run.version.0 == log.version { log.done } else { 0 };
                log = Log { version: run.version.0, at: run.finished_at, done };
                if !self.take_changes(&run, &mut log, &mut events, limit).await? {
                    return Ok(EventPage { events, cursor: log.text(), more: true });
                }
            }
            if last {
                return Ok(EventPage { events, cursor: log.text(), more: false });
            }
        }
    }

    /// From which version, and from which moment on, the log is read, and how far that was done before.
    async fn place_in_log(
        &self,
        cursor: Option<&str>,
        since: Option<Moment>,
    ) -> Result<((Version, Moment), Log), EngineError> {
        let Some(text) = cursor else {
            let since = since.unwrap_or(Moment(0));
            let log = Log { version: 0, at: Moment(since.0.saturating_sub(1)), done: 0 };
            return Ok(((Version(0), since), log));
        };
        let log = Log::parse(text).ok_or(EngineError::BadCursor { feed: Feed::Changes.as_str() })?;
        let run = self.store.sync(Version(log.version)).await?;
        Ok(match run.filter(|run| run.finished_at == log.at) {
            Some(run) => ((run.version, Moment(i64::MIN)), log),
            // The cursor of another database tells a time, and no place.
            None => ((Version(0), Moment(log.at.0.saturating_add(1))), Log { version: 0, done: 0, ..log }),
        })
    }

    /// Takes the events of one version; false where there are more than may come at once.
    async fn take_changes(
        &self,
        run: &SyncRow,
        log: &mut Log,
        events: &mut Vec<Event>,
        limit: usize,
    ) -> Result<bool, EngineError> {
        let Changes { added, removed, changed } = run.changes;
        if added + removed + changed == 0 {
            return Ok(true);
        }
        // Whoever follows learns of so much by a sync; each part of the feed would read all of the log.
        if is_large(run) {
            return Ok(true);
        }
        let changes = self.store.changes(Version(run.version.0 - 1), run.version).await?;
        for (place, change) in changes.into_iter().enumerate().skip(log.done) {
            if let Some(event) = event(place, change) {
                if events.len() >= limit {
                    return Ok(false);
                }
                events.push(event);
            }
            log.done = place + 1;
        }
        Ok(true)
    }
}

/// An entry of the log as an event; none for what a connector does not show.
fn event(place: usize, change: Change) -> Option<Event> {
    let Change { version, at, change, changed } = change;
    let happened = match changed {
        Changed::Grant { resource_type: ResourceType::Space, .. } => return None,
        Changed::Grant { resource_type, resource, resource_name, principal, email, entitlement } => {
            let user = Someone { id: principal, email: Some(email.into()) };
            let (name, slug) = (resource_name.into(), entitlement.into());
            let held = Held { resource_type, resource, name, slug, user };
            match change {
                ChangeKind::Removed => Happened::Revoked(held),
                ChangeKind::Added | ChangeKind::Changed => Happened::Granted(held),
            }
        }
        Changed::Object { kind, id, .. } => Happened::Changed { target: target(kind, id)?, parent: None },
    };
    let id = format!("{version}-{place}").into();
    Some(Event { id, at, word: change.as_str().into(), actor: None, happened })
}

fn target(kind: Kind, id: HerokuId) -> Option<Target> {
    match kind {
        Kind::User => Some(Target::User(id)),
        Kind::Team => Some(Target::Team(id)),
        Kind::EnterpriseAccount => Some(Target::EnterpriseAccount(id)),
        Kind::App => Some(Target::App(id)),
        _ => None,
    }
}
