//! The change log: what differs between versions, and how a property was before.
//!
//! Invariant: folding the log back from the newest version gives every earlier one.

use std::collections::HashMap;

use metsuke_model::access::Mask;
use metsuke_model::{HerokuId, Kind, Moment, ResourceType, Version};
use serde_json::{Map, Value as Json};

use crate::connection::{Bind, Connection};
use crate::objects::name_column;
use crate::{Store, StoreError, dense};

/// What happened to an object or a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It came, or came back.
    Added,
    /// It went.
    Removed,
    /// It stayed, with other properties.
    Changed,
}

impl ChangeKind {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Added => 1,
            Self::Removed => 2,
            Self::Changed => 3,
        }
    }

    pub(crate) const fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Added,
            2 => Self::Removed,
            _ => Self::Changed,
        }
    }

    /// The word that the command line prints.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// One entry of the change log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The version that it came with.
    pub version: Version,
    /// When that version's sync ended.
    pub at: Moment,
    /// What happened.
    pub change: ChangeKind,
    /// To what.
    pub changed: Changed,
}

/// An entry of the change log with the dense ids of what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The entry.
    pub change: Change,
    /// The object, or what the grant is on.
    pub object: i64,
    /// Whose grant it is; none for an object.
    pub principal: Option<i64>,
}

/// What a change happened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// An object, with the properties that differ.
    Object {
        /// Its kind.
        kind: Kind,
        /// Heroku's id.
        id: HerokuId,
        /// Its name or e-mail address, as it is now.
        name: String,
        /// The properties as they were.
        before: Map<String, Json>,
        /// The same properties after the change.
        after: Map<String, Json>,
    },
    /// A direct grant.
    Grant {
        /// The resource's type.
        resource_type: ResourceType,
        /// The resource's id.
        resource: HerokuId,
        /// The resource's name, as it is now.
        resource_name: String,
        /// The user's id.
        principal: HerokuId,
        /// The user's e-mail address, as it is now.
        email: String,
        /// Which entitlement.
        entitlement: String,
    },
}

/// The properties in which two documents differ, as two JSON objects.
pub(crate) fn differing(before: &Map<String, Json>, after: &Map<String, Json>) -> (String, String) {
    let mut was = Map::new();
    let mut is = Map::new();
    for name in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
        let (old, new) = (before.get(name), after.get(name));
        if old != new {
            was.insert(name.clone(), old.cloned().unwrap_or_default());
            is.insert(name.clone(), new.cloned().unwrap_or_default());
        }
    }
    (Json::Object(was).to_string(), Json::Object(is).to_string())
}

/// Reads a JSON object that this crate wrote.
pub(crate) fn read_document(text: Option<String>) -> Result<Map<String, Json>, StoreError> {
    let text = text.unwrap_or_default();
    if text.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(&text)
        .map_err(|source| StoreError::Damaged { what: format!("a change's properties: {source}") })
}

#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) kind: Kind,
    pub(crate) id: HerokuId,
    pub(crate) name: String,
}

/// Kinds, ids and names of objects, gone ones included.
pub(crate) async fn named(
    connection: &mut Connection,
    mut ids: Vec<i64>,
) -> Result<HashMap<i64, Named>, StoreError> {
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::new();
    for kind in Kind::ALL {
        let head = format!("SELECT id, uuid, {} FROM {} WHERE id IN (", name_column(kind), kind.table());
        let ids: Vec<i64> = ids.iter().copied().filter(|id| dense::kind(*id) == Some(kind)).collect();
        connection
            .each_in("looking up names", (&head, ")"), &ids, |row| {
                let id = HerokuId::from_bytes(&row.bytes(1)?.unwrap_or_default());
                let name = row.text(2)?.unwrap_or_else(|| id.to_string());
                found.insert(row.number(0)?, Named { kind, id, name });
                Ok(())
            })
            .await?;
    }
    Ok(found)
}

/// One row of the access log in dense ids: version, resource, principal, what was lost, what was gained.
type Shift = (i64, i64, i64, Vec<String>, Vec<String>);

impl Store {
    /// The change log of the versions after `since` up to `until`, oldest first.
    ///
    /// The first version of a database has no entries: everything in it came with it.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn changes(&self, since: Version, until: Version) -> Result<Vec<Change>, StoreError> {
        Ok(self.logged(since, until).await?.into_iter().map(|logged| logged.change).collect())
    }

    /// The same entries with the dense ids of what they name. The order of a version's entries never changes.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn logged(&self, since: Version, until: Version) -> Result<Vec<Logged>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let range = [since.0.into(), until.0.into()];
        let mut times = HashMap::new();
        let sql = "SELECT id, finished_at FROM sync WHERE id > $1 AND id <= $2";
        connection
            .each("reading changes", sql, &range, |row| {
                times.insert(row.number(0)?, Moment(row.number(1)?));
                Ok(())
            })
            .await?;
        let at = |version: i64| (Version(version), times.get(&version).copied().unwrap_or(Moment(0)));
        let mut changes = Vec::new();
        for (version, object, named, change, before, after) in object_changes(&mut connection, &range).await?
        {
            let (version, at) = at(version);
            let Named { kind, id, name } = named;
            let what = Changed::Object { kind, id, name, before, after };
            let entry = Change { version, at, change, changed: what };
            changes.push(Logged { change: entry, object, principal: None });
        }
        let shifts = access_changes(&mut connection, &range).await?;
        let ids = shifts.iter().flat_map(|shift| [shift.1, shift.2]).collect();
        let names = named(&mut connection, ids).await?;
        for (version, object, holder, lost, gained) in shifts {
            let (Some(resource), Some(principal)) = (names.get(&object), names.get(&holder)) else {
                continue;
            };
            let Some(resource_type) = ResourceType::of(resource.kind) else { continue };
            let (version, at) = at(version);
            let lost = lost.into_iter().map(|slug| (slug, ChangeKind::Removed));
            for (entitlement, change) in lost.chain(gained.into_iter().map(|slug| (slug, ChangeKind::Added)))
            {
                let grant = Changed::Grant {
                    resource_type,
                    resource: resource.id.clone(),
                    resource_name: resource.name.clone(),
                    principal: principal.id.clone(),
                    email: principal.name.clone(),
                    entitlement,
                };
                let change = Change { version, at, change, changed: grant };
                changes.push(Logged { change, object, principal: Some(holder) });
            }
        }
        changes.sort_by_key(|logged| logged.change.version);
        Ok(changes)
    }
}

impl Store {
    /// The versions after `since` up to `until` that tell what was changed through us, and nothing else.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn amended(&self, since: Version, until: Version) -> Result<Vec<Version>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut versions = Vec::new();
        // A step is marked verified at the moment that its version ends, in one transaction with it.
        let sql = "SELECT id
                     FROM sync
                    WHERE id > $1 AND id <= $2
                      AND started_at = finished_at
                      AND EXISTS (SELECT 1
                                    FROM plan_step
                                   WHERE plan_step.status = 'verified' AND plan_step.finished_at = sync.finished_at)
                    ORDER BY id";
        connection
            .each("reading changes", sql, &[since.0.into(), until.0.into()], |row| {
                versions.push(Version(row.number(0)?));
                Ok(())
            })
            .await?;
        Ok(versions)
    }
}

type Documents = (Map<String, Json>, Map<String, Json>);
/// One row of the object log: version, dense id, what it is, what happened, properties before and after.
type ObjectRow = (i64, i64, Named, ChangeKind, Map<String, Json>, Map<String, Json>);

/// The object log of a range of versions, named.
async fn object_changes(connection: &mut Connection, range: &[Bind]) -> Result<Vec<ObjectRow>, StoreError> {
    let mut rows: Vec<(i64, i64, ChangeKind, Documents)> = Vec::new();
    let sql = "SELECT version, object_id, change, before, after
                 FROM object_change
                WHERE version > $1 AND version <= $2
                ORDER BY version, object_id";
    connection
        .each("reading changes", sql, range, |row| {
            let documents = (read_document(row.text(3)?)?, read_document(row.text(4)?)?);
            rows.push((row.number(0)?, row.number(1)?, ChangeKind::from_number(row.number(2)?), documents));
            Ok(())
        })
        .await?;
    let names = named(connection, rows.iter().map(|row| row.1).collect()).await?;
    let name = |id: i64| names.get(&id).cloned();
    Ok(rows
        .into_iter()
        .filter_map(|(version, id, change, (before, after))| {
            Some((version, id, name(id)?, change, before, after))
        })
        .collect())
}

/// The access log of a range of versions, entitlements that have no bit included.
async fn access_changes(connection: &mut Connection, range: &[Bind]) -> Result<Vec<Shift>, StoreError> {
    let mut shifts: Vec<Shift> = Vec::new();
    let sql = "SELECT version, resource_id, principal_id, before, after
                 FROM access_change
                WHERE version > $1 AND version <= $2
                ORDER BY version, resource_id, principal_id";
    connection
        .each("reading changes", sql, range, |row| {
            let mask = |index| Ok::<_, StoreError>(Mask(u32::try_from(row.number(index)?).unwrap_or(0)));
            let (before, after) = (mask(3)?, mask(4)?);
            if let Some(resource_type) = dense::kind(row.number(1)?).and_then(ResourceType::of) {
                let slugs = |mask: Mask| {
                    mask.entitlements(resource_type).map(|held| held.slug().to_owned()).collect()
                };
                let (lost, gained) = (slugs(before.without(after)), slugs(after.without(before)));
                shifts.push((row.number(0)?, row.number(1)?, row.number(2)?, lost, gained));
            }
            Ok(())
        })
        .await?;
    let sql = "SELECT version, resource_id, principal_id, slug, added
                 FROM access_other_change
                WHERE version > $1 AND version <= $2
                ORDER BY version, resource_id, principal_id, slug";
    connection
        .each("reading changes", sql, range, |row| {
            let slug = vec![row.text(3)?.unwrap_or_default()];
            let (lost, gained) = if row.number(4)? == 0 { (slug, Vec::new()) } else { (Vec::new(), slug) };
            shifts.push((row.number(0)?, row.number(1)?, row.number(2)?, lost, gained));
            Ok(())
        })
        .await?;
    Ok(shifts)
}
