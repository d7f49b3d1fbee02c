//! The estate as entities and relationships, in memory: one type at a time, as the catalogue says.
//!
//! What a type is made of stands in `metsuke_model::graph`; this module only interprets it on one version. Exports take
//! from here what they print, and queries are tested against it.
//!
//! Invariant: a relationship comes only where the entities at both its ends do, and no two of one type share a key.

mod edges;
mod life;
mod lookup;
mod nodes;
mod row;
mod staff;
mod ways;

use metsuke_model::Version;
use metsuke_model::graph::{EntityType, RelationshipType, Value};
use metsuke_store::{People, Snapshot};
use serde_json::{Map, Value as Json};

use crate::EngineError;
use lookup::Lookup;

/// One entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The dense id of its row.
    pub dense: i64,
    /// Its `_key`: Heroku's id.
    pub key: String,
    /// The version that it first came with.
    pub since: Version,
    /// Its properties in the order of the catalogue, absent ones left out.
    pub properties: Vec<(&'static str, Value)>,
    /// What Heroku sent for it, rebuilt; only where the reader was asked for it.
    pub row: Option<Map<String, Json>>,
}

impl Node {
    /// The property of this name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.properties.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// One relationship.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The dense id of the entity that it points from.
    pub from: i64,
    /// The dense id of the entity that it points to.
    pub to: i64,
    /// The key of the entity that it points from.
    pub from_key: String,
    /// The key of the entity that it points to.
    pub to_key: String,
    /// Its `_key`: `<from>|<verb in lower case>|<to>`.
    ///
    /// Where there may be several between the same two, a further part tells them apart, on each of them: the
    /// attachment's name, or the way by which access came about.
    pub key: String,
    /// Its properties in the order of the catalogue, absent ones left out.
    pub properties: Vec<(&'static str, Value)>,
}

impl Edge {
    /// The property of this name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.properties.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// The entities of one type, in order of their dense ids.
pub type Nodes<'r> = Box<dyn Iterator<Item = Node> + Send + 'r>;

/// The relationships of one type, in an order that depends on the version alone.
pub type Edges<'r> = Box<dyn Iterator<Item = Edge> + Send + 'r>;

/// Reads a version as a graph. What one type needs of others is read once and kept: ids and names, not whole objects.
#[derive(Debug)]
pub struct Reader<'s> {
    snapshot: &'s mut Snapshot,
    lookup: Lookup,
    people: Option<&'s People>,
    rows: bool,
}

impl<'s> Reader<'s> {
    /// A reader of this version.
    #[must_use]
    pub fn new(snapshot: &'s mut Snapshot) -> Self {
        Self { snapshot, lookup: Lookup::default(), people: None, rows: false }
    }

    /// Also knows these people, who are no part of a version; without them there are no employees.
    #[must_use]
    pub fn with_people(mut self, people: &'s People) -> Self {
        self.people = Some(people);
        self
    }

    /// Also rebuilds what Heroku sent for each entity.
    #[must_use]
    pub fn with_rows(mut self) -> Self {
        self.rows = true;
        self
    }

    /// The run that made the version.
    #[must_use]
    pub fn sync(&self) -> &metsuke_store::SyncRow {
        self.snapshot.sync()
    }

    /// Every entity of a type. The records are read at once; entities are made of them one by one.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn nodes(&mut self, entity_type: &'static EntityType) -> Result<Nodes<'_>, EngineError> {
        nodes::read(self, entity_type).await
    }

    /// Every relationship of a type. The records are read at once; relationships are made of them one by one.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn edges(&mut self, relationship: &'static RelationshipType) -> Result<Edges<'_>, EngineError> {
        edges::read(self, relationship).await
    }
}
