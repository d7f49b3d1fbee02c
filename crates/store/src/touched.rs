//! What two versions differ in, by kinds and properties: enough to tell which answers still hold.
//!
//! What differs of which object is the change log's to say (`history`); this is its summary.
//!
//! Invariant: what is not named here is the same in both versions.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_model::access::Mask;
use metsuke_model::{Kind, ResourceType, Version};

use crate::connection::Connection;
use crate::history::{ChangeKind, read_document};
use crate::{Store, StoreError, dense};

const READING: &str = "reading what changed";

/// What two versions differ in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    kinds: BTreeMap<Kind, Objects>,
    /// What rows of access held before and after, each pair once.
    access: BTreeSet<(ResourceType, Mask, Mask)>,
    /// Where rows gained or lost entitlements that have no bit.
    unknown: BTreeSet<ResourceType>,
}

/// What the objects of one kind differ in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Objects {
    /// Some came, came back, or went.
    presence: bool,
    /// Some differ in more than their properties tell.
    any: bool,
    properties: BTreeSet<String>,
}

impl Touched {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty() && self.access.is_empty() && self.unknown.is_empty()
    }

    /// Whether objects of a kind came, came back, or went.
    #[must_use]
    pub fn presence(&self, kind: Kind) -> bool {
        self.kinds.get(&kind).is_some_and(|objects| objects.presence)
    }

    /// Whether objects of a kind may differ in a property: a column, or a first name in the document of all else.
    #[must_use]
    pub fn property(&self, kind: Kind, name: &str) -> bool {
        self.kinds.get(&kind).is_some_and(|objects| objects.any || objects.properties.contains(name))
    }

    /// Whether objects of a kind differ in anything.
    #[must_use]
    pub fn kind(&self, kind: Kind) -> bool {
        self.kinds.contains_key(&kind)
    }

    /// Whether a row of direct access differs that holds any of these before or after.
    #[must_use]
    pub fn access(&self, resource: ResourceType, held: Mask) -> bool {
        let holds = |(of, before, after): &(ResourceType, Mask, Mask)| {
            *of == resource && before.with(*after).intersects(held)
        };
        self.unknown.contains(&resource) || self.access.iter().any(holds)
    }
}

impl Store {
    /// What the version `until` differs in from the earlier version `since`.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn touched(&self, since: Version, until: Version) -> Result<Touched, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut touched = Touched::default();
        touched.read_objects(&mut connection, (since, until)).await?;
        touched.read_access(&mut connection, (since, until)).await?;
        Ok(touched)
    }
}

impl Touched {
    async fn read_objects(
        &mut self,
        connection: &mut Connection,
        (since, until): (Version, Version),
    ) -> Result<(), StoreError> {
        let sql = "SELECT object_id, change, before, after
                     FROM object_change
                    WHERE version > $1 AND version <= $2";
        connection
            .each(READING, sql, &[since.0.into(), until.0.into()], |row| {
                let Some(kind) = dense::kind(row.number(0)?) else { return Ok(()) };
                let objects = self.kinds.entry(kind).or_default();
                match ChangeKind::from_number(row.number(1)?) {
                    // What was only referred to had no properties, and what is back may have others.
                    ChangeKind::Added => (objects.presence, objects.any) = (true, true),
                    // It keeps its properties: what refers to it still shows them.
                    ChangeKind::Removed => objects.presence = true,
                    ChangeKind::Changed => {
                        let before = read_document(row.text(2)?)?;
                        let after = read_document(row.text(3)?)?;
                        objects.any |= before.is_empty() && after.is_empty();
                        let names = before.into_iter().chain(after).map(|(name, _)| name);
                        objects.properties.extend(names);
                    }
                }
                Ok(())
            })
            .await
    }

    async fn read_access(
        &mut self,
        connection: &mut Connection,
        (since, until): (Version, Version),
    ) -> Result<(), StoreError> {
        let range = [since.0.into(), until.0.into()];
        let resource_type = |id: i64| dense::kind(id).and_then(ResourceType::of);
        let sql = "SELECT resource_id & 63, before, after
                     FROM access_change
                    WHERE version > $1 AND version <= $2
                    GROUP BY resource_id & 63, before, after";
        connection
            .each(READING, sql, &range, |row| {
                let mask = |index| Ok::<_, StoreError>(Mask(u32::try_from(row.number(index)?).unwrap_or(0)));
                let (before, after) = (mask(1)?, mask(2)?);
                self.access.extend(resource_type(row.number(0)?).map(|resource| (resource, before, after)));
                Ok(())
            })
            .await?;
        let sql = "SELECT DISTINCT resource_id & 63
                     FROM access_other_change
                    WHERE version > $1 AND version <= $2";
        connection
            .each(READING, sql, &range, |row| {
                self.unknown.extend(resource_type(row.number(0)?));
                Ok(())
            })
            .await
    }
}
