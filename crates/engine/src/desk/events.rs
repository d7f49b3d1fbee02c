//! Lists of what happened: changes between versions, and events of the audit trail.

use metsuke_model::audit::{Actor, Event};
use metsuke_model::{AsOf, HerokuId, Moment, Version};
use metsuke_store::{Change, Changed, SyncRow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Estate, Listing};
use crate::EngineError;
use crate::audit::{EventSelect, Listed, events};

/// Changes, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Leave out this version, or those of this time, and everything before.
    pub since: Option<AsOf>,
    /// The last version.
    pub until: Option<AsOf>,
    /// `grant`, or the kind of an object.
    pub kind: Option<String>,
    /// `added`, `removed` or `changed`.
    pub change: Option<String>,
}

/// The place of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeKey {
    version: Version,
    number: usize,
}

/// One change.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeLine {
    #[serde(skip)]
    key: ChangeKey,
    /// The version that it came with.
    pub version: Version,
    /// When that version's sync ended.
    pub at: Moment,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// `grant`, or the kind of the object.
    pub kind: &'static str,
    /// The object, or the resource of the grant.
    pub subject: Subject,
    /// Who holds the grant.
    pub principal: Option<Holder>,
    /// Which entitlement.
    pub entitlement: Option<String>,
    /// The properties that differ, as they were.
    pub before: Map<String, Value>,
    /// The same properties after it.
    pub after: Map<String, Value>,
}

/// What a change happened to.
#[derive(Clone, Debug, Serialize)]
pub struct Subject {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Heroku's id.
    pub id: HerokuId,
    /// Its name or e-mail address.
    pub name: String,
}

/// Who holds a grant.
#[derive(Clone, Debug, Serialize)]
pub struct Holder {
    /// Heroku's id.
    pub id: HerokuId,
    /// The e-mail address.
    pub email: String,
}

impl Changes {
    async fn bounds(&self, estate: &Estate) -> Result<Option<(Version, Version)>, EngineError> {
        let Some(until) = estate.version(self.until).await? else { return Ok(None) };
        let until = until.sync().version;
        let since = match self.since {
            None => Version(0),
            Some(AsOf::Version(version)) if version.0 <= 0 => Version(0),
            Some(as_of) => match estate.version(Some(as_of)).await {
                Ok(Some(snapshot)) => snapshot.sync().version,
                Ok(None) => return Ok(None),
                // A time before the first version means all of them.
                Err(error) if error.is_missing_version() && matches!(as_of, AsOf::Time(_)) => Version(0),
                Err(error) => return Err(error),
            },
        };
        Ok(Some((since, until)))
    }

    fn wants(&self, line: &ChangeLine) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == line.kind)
            && self.change.as_deref().is_none_or(|change| change == line.change)
    }
}

impl Listing for Changes {
    type Row = ChangeLine;
    type Key = ChangeKey;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&ChangeKey>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<ChangeLine>), EngineError> {
        let Some((since, until)) = self.bounds(estate).await? else { return Ok((None, Vec::new())) };
        let mut versions: Vec<SyncRow> = estate.store.syncs(u32::MAX).await?;
        versions.retain(|run| run.status.is_version() && run.version > since && run.version <= until);
        versions.retain(|run| after.is_none_or(|after| run.version >= after.version));
        versions.sort_by_key(|run| run.version);
        let mut lines = Vec::new();
        for run in versions {
            let version = run.version;
            let changes = estate.store.changes(Version(version.0 - 1), version).await?;
            let numbered = changes.into_iter().enumerate();
            let keyed = numbered.map(|(number, change)| line(ChangeKey { version, number }, change));
            let behind = |key: ChangeKey| {
                after.is_none_or(|after| (key.version, key.number) > (after.version, after.number))
            };
            lines.extend(keyed.filter(|line| behind(line.key) && self.wants(line)));
            if lines.len() >= count {
                lines.truncate(count);
                break;
            }
        }
        Ok((None, lines))
    }

    fn key(&self, row: &ChangeLine) -> ChangeKey {
        row.key
    }
}

fn line(key: ChangeKey, change: Change) -> ChangeLine {
    let Change { version, at, change, changed } = change;
    let bare = |kind, subject| ChangeLine {
        key,
        version,
        at,
        change: change.as_str(),
        kind,
        subject,
        principal: None,
        entitlement: None,
        before: Map::new(),
        after: Map::new(),
    };
    match changed {
        Changed::Object { kind, id, name, before, after } => {
            let subject = Subject { kind: kind.as_str(), id, name };
            ChangeLine { before, after, ..bare(kind.as_str(), subject) }
        }
        Changed::Grant { resource_type, resource, resource_name, principal, email, entitlement } => {
            let subject = Subject { kind: resource_type.as_str(), id: resource, name: resource_name };
            let principal = Some(Holder { id: principal, email });
            ChangeLine { principal, entitlement: Some(entitlement), ..bare("grant", subject) }
        }
    }
}

/// Events of the audit trail, newest first.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// Which of them.
    pub select: EventSelect,
}

/// One event.
#[derive(Clone, Debug, Serialize)]
pub struct EventLine {
    /// Its number in its trail.
    pub sequence: u64,
    /// When it was recorded.
    pub at: Option<Moment>,
    /// What happened; null for an event that cannot be read.
    pub code: Option<String>,
    /// Who did it.
    pub actor: Option<Actor>,
    /// What it was done to.
    pub subject: Map<String, Value>,
    /// Everything else.
    pub details: Map<String, Value>,
    /// The text of an event that cannot be read.
    pub text: Option<String>,
}

impl Listing for Events {
    type Row = EventLine;
    type Key = u64;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&u64>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<EventLine>), EngineError> {
        let mut lines = Vec::new();
        let select = EventSelect { before: after.copied(), limit: Some(count as u64), ..self.select.clone() };
        events(&estate.store, &select, |listed| {
            lines.push(event(listed));
            Ok::<(), metsuke_store::StoreError>(())
        })
        .await?;
        Ok((None, lines))
    }

    fn key(&self, row: &EventLine) -> u64 {
        row.sequence
    }
}

fn event(listed: Listed) -> EventLine {
    let Listed { sequence, event } = listed;
    match event {
        Ok(Event { at, code, actor, subject, details, .. }) => EventLine {
            sequence,
            at: Some(at),
            code: Some(code.as_str().to_owned()),
            actor: Some(actor),
            subject: subject.into_iter().map(|(name, id)| (name.into(), Value::from(&*id))).collect(),
            details,
            text: None,
        },
        Err(text) => EventLine {
            sequence,
            at: None,
            code: None,
            actor: None,
            subject: Map::new(),
            details: Map::new(),
            text: Some(text),
        },
    }
}
