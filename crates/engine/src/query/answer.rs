//! What a question came to.

use std::sync::Arc;
use std::time::Duration;

use metsuke_j1ql::plan::{ColumnValue, Expr, Output, OutputColumn, Place, Plan, PropertyName};
use metsuke_model::Version;
use metsuke_model::graph::{Metadata, Value, ValueType};

/// The properties by which people, teams and apps are found.
const NAMES: [&str; 5] = ["id", "name", "displayName", "email", "username"];

/// What a question came to.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was found.
    pub data: Data,
    /// The version that was asked.
    pub version: Version,
    /// There were more rows than the limit allows.
    pub truncated: bool,
    /// What is odd about the question.
    pub warnings: Vec<String>,
    /// How long the database took.
    pub took: Duration,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Starting entities.
    List(Vec<Arc<Entity>>),
    /// Rows of columns.
    Table {
        /// The columns.
        headings: Vec<Heading>,
        /// The rows, one cell for each column.
        rows: Vec<Vec<Cell>>,
    },
    /// Everything on the paths.
    Tree {
        /// Entities, each once.
        vertices: Vec<Arc<Entity>>,
        /// Relationships, each once.
        edges: Vec<Arc<Relationship>>,
    },
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// What it is called.
    pub name: String,
    /// Its entities are to be shown as all their properties, a column each.
    pub all: bool,
    /// The type of the entities that its texts name: by name, e-mail address or id; none where they name nothing.
    pub names: Option<&'static str>,
    /// Its numbers are points in time, milliseconds since 1970.
    pub time: bool,
}

impl Heading {
    /// What is known of each returned column of a plan, without its name.
    pub(super) fn known(plan: &Plan) -> Vec<(Option<&'static str>, bool)> {
        let Output::Table(columns) = &plan.output else { return Vec::new() };
        let known = |column: &OutputColumn| match &column.value {
            ColumnValue::Scalar(value) => {
                (named(plan, value), matches!(value.value_type(), Some(ValueType::Time)))
            }
            ColumnValue::Whole(_) | ColumnValue::All(_) => (None, false),
        };
        columns.iter().map(known).collect()
    }
}

/// The one type of entities that the values of an expression name.
fn named(plan: &Plan, value: &Expr) -> Option<&'static str> {
    let Expr::Property(Place::Entity(slot), property) = value else { return None };
    let is_name = match property {
        PropertyName::Own(name, _) => NAMES.contains(name),
        PropertyName::Metadata(metadata, _) => *metadata == Metadata::Key,
        PropertyName::Tag(_) | PropertyName::Unknown(_) => false,
    };
    let candidates = &plan.slots.get(*slot)?.candidates;
    let first = candidates.first().filter(|_| is_name)?.entity_type.name;
    candidates.iter().all(|candidate| candidate.entity_type.name == first).then_some(first)
}

/// One cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A value.
    Value(Value),
    /// An entity; none where that part of the path was left out.
    Entity(Option<Arc<Entity>>),
    /// A relationship; none where that part of the path was left out.
    Relationship(Option<Arc<Relationship>>),
}

/// An entity that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    /// Its `_key`.
    pub key: String,
    /// Metadata by name, absent ones left out.
    pub metadata: Vec<(&'static str, Value)>,
    /// Properties by name, absent ones left out.
    pub properties: Vec<(&'static str, Value)>,
}

/// A relationship that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Relationship {
    /// Its `_key`.
    pub key: String,
    /// The key of the entity that it points from.
    pub from: String,
    /// The key of the entity that it points to.
    pub to: String,
    /// Metadata by name, absent ones left out.
    pub metadata: Vec<(&'static str, Value)>,
    /// Properties by name, absent ones left out.
    pub properties: Vec<(&'static str, Value)>,
}

impl Entity {
    /// A property or metadata by name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Value> {
        let all = self.properties.iter().chain(&self.metadata);
        all.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// What sort of answer a question has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    List,
    Table,
    Tree,
}

impl Shape {
    pub(super) const fn of(plan: &Plan) -> Self {
        match plan.output {
            Output::List => Self::List,
            Output::Table(_) => Self::Table,
            Output::Tree => Self::Tree,
        }
    }
}

impl Answer {
    /// How many entities, rows or vertices there are.
    #[must_use]
    pub fn total(&self) -> usize {
        match &self.data {
            Data::List(entities) => entities.len(),
            Data::Table { rows, .. } => rows.len(),
            Data::Tree { vertices, .. } => vertices.len(),
        }
    }
}
