//! The change log: what differs between versions, and how a property was before.
//!
//! Invariant: folding the log back from the newest version gives every earlier one.

use std::collections::HashMap;

use metsuke_model::access::Mask;
use metsuke_model::{HerokuId, Kind, Moment, ResourceType, Version};
use serde_json::{Map, Value as Json};

use crate::connection::Connection;
use crate::objects::name_column;
use crate::{Store, StoreError};

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

struct Named {
    kind: Kind,
    id: HerokuId,
    name: String,
}

/// Kinds, ids and names of objects, gone ones included.
async fn named(connection: &mut Connection, mut ids: Vec<i64>) -> Result<HashMap<i64, Named>, StoreError> {
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::new();
    for kind in Kind::ALL {
        let head = format!(
            "SELECT t.id, o.uuid, t.{} FROM {} t JOIN object o ON o.id = t.id WHERE t.id IN (",
            name_column(kind),
            kind.table()
        );
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

impl Store {
    /// The change log of the versions after `since` up to `until`, oldest first.
    ///
    /// The first version of a database has no entries: everything in it came with it.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn changes(&self, since: Version, until: Version) -> Result<Vec<Change>, StoreError> {
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
        let mut objects = Vec::new();
        let sql = "SELECT version, object_id, change, before, after
                     FROM object_change
                    WHERE version > $1 AND version <= $2
                    ORDER BY version, object_id";
        connection
            .each("reading changes", sql, &range, |row| {
                let documents = (read_document(row.text(3)?)?, read_document(row.text(4)?)?);
                objects.push((
                    row.number(0)?,
                    row.number(1)?,
                    ChangeKind::from_number(row.number(2)?),
                    documents,
                ));
                Ok(())
            })
            .await?;
        let mut grants = Vec::new();
        let sql = "SELECT version, resource_id, principal_id, before, after
                     FROM access_change
                    WHERE version > $1 AND version <= $2
                    ORDER BY version, resource_id, principal_id";
        connection
            .each("reading changes", sql, &range, |row| {
                let mask = |index| Ok::<_, StoreError>(Mask(u32::try_from(row.number(index)?).unwrap_or(0)));
                grants.push((row.number(0)?, row.number(1)?, row.number(2)?, mask(3)?, mask(4)?));
                Ok(())
            })
            .await?;
        let mut others = Vec::new();
        let sql = "SELECT version, resource_id, principal_id, slug, added
                     FROM access_other_change
                    WHERE version > $1 AND version <= $2
                    ORDER BY version, resource_id, principal_id";
        connection
            .each("reading changes", sql, &range, |row| {
                let slug = row.text(3)?.unwrap_or_default();
                others.push((row.number(0)?, row.number(1)?, row.number(2)?, slug, row.number(4)? != 0));
                Ok(())
            })
            .await?;
        let ids = objects
            .iter()
            .map(|entry| entry.1)
            .chain(grants.iter().flat_map(|entry| [entry.1, entry.2]))
            .chain(others.iter().flat_map(|entry| [entry.1, entry.2]))
            .collect();
        let names = named(&mut connection, ids).await?;
        let mut changes = Vec::new();
        let at = |version: i64| (Version(version), times.get(&version).copied().unwrap_or(Moment(0)));
        for (version, id, change, (before, after)) in objects {
            let Some(object) = names.get(&id) else { continue };
            let (version, at) = at(version);
            let (kind, id, name) = (object.kind, object.id.clone(), object.name.clone());
            changes.push(Change {
                version,
                at,
                change,
                changed: Changed::Object { kind, id, name, before, after },
            });
        }
        let mut push =
            |version: i64, resource: i64, principal: i64, entitlement: &str, change: ChangeKind| {
                let (Some(resource), Some(principal)) = (names.get(&resource), names.get(&principal)) else {
                    return;
                };
                let Some(resource_type) = ResourceType::of(resource.kind) else { return };
                let (version, at) = at(version);
                let grant = Changed::Grant {
                    resource_type,
                    resource: resource.id.clone(),
                    resource_name: resource.name.clone(),
                    principal: principal.id.clone(),
                    email: principal.name.clone(),
                    entitlement: entitlement.into(),
                };
                changes.push(Change { version, at, change, changed: grant });
            };
        for (version, resource, principal, before, after) in grants {
            let Some(resource_type) = names.get(&resource).and_then(|named| ResourceType::of(named.kind))
            else {
                continue;
            };
            for entitlement in before.without(after).entitlements(resource_type) {
                push(version, resource, principal, entitlement.slug(), ChangeKind::Removed);
            }
            for entitlement in after.without(before).entitlements(resource_type) {
                push(version, resource, principal, entitlement.slug(), ChangeKind::Added);
            }
        }
        for (version, resource, principal, slug, added) in others {
            let change = if added { ChangeKind::Added } else { ChangeKind::Removed };
            push(version, resource, principal, &slug, change);
        }
        changes.sort_by_key(|change| change.version);
        Ok(changes)
    }
}
