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

/// Of more objects and rows than this only kinds and properties are told, and not which they are.
const MOST_TOLD: usize = 100_000;

/// What two versions differ in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    kinds: BTreeMap<Kind, Objects>,
    /// What rows of access held before and after, each pair once.
    access: BTreeSet<(ResourceType, Mask, Mask)>,
    /// Where rows gained or lost entitlements that have no bit.
    unknown: BTreeSet<ResourceType>,
    objects: Vec<Object>,
    rows: Vec<Row>,
    /// There are more objects or rows than are told.
    many: bool,
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

/// What one object differs in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Object {
    id: i64,
    kind: Kind,
    differs: Objects,
}

/// A row of access that differs; `held`: what it held before or holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    resource: i64,
    principal: i64,
    held: Mask,
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
        self.kinds.get(&kind).is_some_and(|objects| objects.has(name))
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

    /// The dense ids of the objects of [`presence`](Self::presence); `None` where they are too many.
    #[must_use]
    pub fn who_came_or_went(&self, kind: Kind) -> Option<Vec<i64>> {
        self.who(kind, |differs| differs.presence)
    }

    /// The dense ids of the objects of [`property`](Self::property); `None` where they are too many.
    #[must_use]
    pub fn who_differs_in(&self, kind: Kind, name: &str) -> Option<Vec<i64>> {
        self.who(kind, |differs| differs.has(name))
    }

    /// The dense ids of the objects of [`kind`](Self::kind); `None` where they are too many.
    #[must_use]
    pub fn who_differs(&self, kind: Kind) -> Option<Vec<i64>> {
        self.who(kind, |_| true)
    }

    fn who(&self, kind: Kind, wanted: impl Fn(&Objects) -> bool) -> Option<Vec<i64>> {
        let found = self.objects.iter().filter(|object| object.kind == kind && wanted(&object.differs));
        (!self.many).then(|| found.map(|object| object.id).collect())
    }

    /// The dense ids of both ends of the rows of [`access`](Self::access); `None` where they are too many.
    #[must_use]
    pub fn who_holds(&self, resource: ResourceType, held: Mask) -> Option<Vec<i64>> {
        let of = |row: &&Row| dense::kind(row.resource) == Some(resource.kind()) && row.held.intersects(held);
        let ends = self.rows.iter().filter(of).flat_map(|row| [row.resource, row.principal]);
        (!self.many).then(|| ends.collect())
    }
}

impl Objects {
    fn has(&self, name: &str) -> bool {
        self.any || self.properties.contains(name)
    }

    fn of(change: ChangeKind, before: Option<String>, after: Option<String>) -> Result<Self, StoreError> {
        let mut differs = Self::default();
        match change {
            // What was only referred to had no properties, and what is back may have others.
            ChangeKind::Added => (differs.presence, differs.any) = (true, true),
            // It keeps its properties: what refers to it still shows them.
            ChangeKind::Removed => differs.presence = true,
            ChangeKind::Changed => {
                let names = read_document(before)?.into_iter().chain(read_document(after)?);
                differs.properties = names.map(|(name, _)| name).collect();
                differs.any = differs.properties.is_empty();
            }
        }
        Ok(differs)
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
                let id = row.number(0)?;
                let Some(kind) = dense::kind(id) else { return Ok(()) };
                let change = ChangeKind::from_number(row.number(1)?);
                let differs = Objects::of(change, row.text(2)?, row.text(3)?)?;
                let all = self.kinds.entry(kind).or_default();
                all.presence |= differs.presence;
                all.any |= differs.any;
                for name in &differs.properties {
                    if !all.properties.contains(name) {
                        all.properties.insert(name.clone());
                    }
                }
                if self.objects.len() < MOST_TOLD {
                    self.objects.push(Object { id, kind, differs });
                } else {
                    self.many = true;
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
        let sql = "SELECT resource_id, principal_id, before, after
                     FROM access_change
                    WHERE version > $1 AND version <= $2";
        connection
            .each(READING, sql, &range, |row| {
                let mask = |index| Ok::<_, StoreError>(Mask(u32::try_from(row.number(index)?).unwrap_or(0)));
                let (resource, before, after) = (row.number(0)?, mask(2)?, mask(3)?);
                let resource_type = dense::kind(resource).and_then(ResourceType::of);
                self.access.extend(resource_type.map(|of| (of, before, after)));
                self.tell(Row { resource, principal: row.number(1)?, held: before.with(after) });
                Ok(())
            })
            .await?;
        let sql = "SELECT resource_id, principal_id
                     FROM access_other_change
                    WHERE version > $1 AND version <= $2";
        connection
            .each(READING, sql, &range, |row| {
                let resource = row.number(0)?;
                self.unknown.extend(dense::kind(resource).and_then(ResourceType::of));
                self.tell(Row { resource, principal: row.number(1)?, held: Mask(u32::MAX) });
                Ok(())
            })
            .await
    }

    fn tell(&mut self, row: Row) {
        if self.rows.len() < MOST_TOLD {
            self.rows.push(row);
        } else {
            self.many = true;
        }
    }
}
