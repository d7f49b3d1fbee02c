//! Makes entities of records, property by property, as the catalogue's sources say.
//!
//! Invariant: a property holds what its type in the catalogue says, or is absent.

use metsuke_model::graph::{EntityType, Property, Source, Table, Value, ValueType};
use metsuke_model::{Cell, ColumnType, Kind, Record};
use metsuke_store::{Select, Snapshot, Stored};
use serde_json::{Map, Value as Json};

use super::lookup::{Lookup, of_kind};
use super::{Node, Nodes, Reader, row, staff};
use crate::EngineError;
use metsuke_model::record::{
    AddOn, App, Attachment, Authorization, Coupling, EnterpriseAccount, Invitation, Key, Pipeline, Space,
    Team, UnresolvedMember, User,
};

/// Reads the entities of a type.
pub(super) async fn read<'r>(
    reader: &'r mut Reader<'_>,
    entity_type: &'static EntityType,
) -> Result<Nodes<'r>, EngineError> {
    let Table::Objects(kind) = entity_type.table else {
        return Ok(match reader.people {
            Some(people) => staff::nodes(people, entity_type),
            None => Box::new(std::iter::empty()),
        });
    };
    for property in entity_type.properties {
        for need in needs(&property.source) {
            need.load(&mut reader.lookup, reader.snapshot).await?;
        }
    }
    if reader.rows {
        row::load(kind, &mut reader.lookup, reader.snapshot).await?;
    }
    let (snapshot, lookup, rows) = (&mut *reader.snapshot, &reader.lookup, reader.rows);
    of_kind!(kind, T => {
        let mut records = snapshot.objects::<T>(&Select::All).await?;
        records.sort_by_key(|stored| stored.dense);
        Ok(Box::new(records.into_iter().map(move |stored| node(&stored, entity_type, lookup, rows))))
    })
}

fn node<T: Record>(stored: &Stored<T>, entity_type: &EntityType, lookup: &Lookup, rows: bool) -> Node {
    let thing = Thing::new(stored, lookup);
    let properties = entity_type
        .properties
        .iter()
        .map(|property| (property.name, thing.property(property)))
        .filter(|(_, value)| !value.is_absent())
        .collect();
    Node {
        dense: stored.dense,
        key: stored.record.id().to_string(),
        since: stored.since,
        properties,
        row: rows.then(|| row::rebuilt(&thing)),
    }
}

/// A record, ready to be asked for its properties.
pub(super) struct Thing<'a> {
    pub(super) kind: Kind,
    pub(super) dense: i64,
    pub(super) id: String,
    pub(super) cells: Vec<Cell<'a>>,
    pub(super) document: Map<String, Json>,
    pub(super) lookup: &'a Lookup,
}

impl<'a> Thing<'a> {
    fn new<T: Record>(stored: &'a Stored<T>, lookup: &'a Lookup) -> Self {
        Self {
            kind: T::KIND,
            dense: stored.dense,
            id: stored.record.id().to_string(),
            cells: stored.record.cells(),
            document: serde_json::from_str(stored.record.properties()).unwrap_or_default(),
            lookup,
        }
    }

    fn property(&self, property: &Property) -> Value {
        let value = self.value(&property.source);
        if fits(&value, property.value_type) { value } else { Value::Absent }
    }

    fn value(&self, source: &Source) -> Value {
        match source {
            Source::Id => Value::text(&self.id),
            Source::Column(name) | Source::Reference(name, _) => column(self.kind, &self.cells, name),
            Source::Referred(name, kind, referred) => match cell(self.kind, &self.cells, name) {
                Some((_, Cell::Reference(id))) => {
                    self.lookup.value(*kind, referred, id).cloned().unwrap_or_default()
                }
                _ => Value::Absent,
            },
            Source::Document(path) => {
                let mut steps = path.iter();
                let first = steps.next().and_then(|name| self.document.get(*name));
                let found = steps.fold(first, |json, name| json.and_then(|json| json.get(*name)));
                found.map(Value::from_json).unwrap_or_default()
            }
            // Only employees have lists in a column, and they are no records.
            Source::JsonList(_) => Value::Absent,
            Source::Suffixed(source, ending) => match self.value(source) {
                Value::Text(text) => Value::text(&format!("{text}{ending}")),
                _ => Value::Absent,
            },
            Source::FirstOf(sources) => {
                let mut values = sources.iter().map(|source| self.value(source));
                values.find(|value| !value.is_absent()).unwrap_or_default()
            }
            Source::One(source) => match self.value(source) {
                Value::Absent => Value::Absent,
                value => Value::List(vec![value]),
            },
            Source::Text(text) => Value::text(text),
            Source::Texts(texts) => Value::List(texts.iter().map(|text| Value::text(text)).collect()),
            Source::EnterpriseAccount => {
                let membership = self.lookup.membership(self.dense);
                membership.map(|held| Value::text(&held.account.to_string())).unwrap_or_default()
            }
        }
    }
}

/// Something to be loaded before a source can be asked.
enum Need {
    Column(Kind, &'static str),
    Memberships,
}

impl Need {
    async fn load(self, lookup: &mut Lookup, snapshot: &mut Snapshot) -> Result<(), EngineError> {
        match self {
            Self::Column(kind, name) => lookup.load_column(snapshot, kind, name).await,
            Self::Memberships => lookup.load_memberships(snapshot).await,
        }
    }
}

fn needs(source: &Source) -> Vec<Need> {
    match source {
        Source::Referred(_, kind, name) => vec![Need::Column(*kind, name)],
        Source::EnterpriseAccount => vec![Need::Memberships],
        Source::Suffixed(source, _) | Source::One(source) => needs(source),
        Source::FirstOf(sources) => sources.iter().flat_map(needs).collect(),
        _ => Vec::new(),
    }
}

/// A cell by its column's name.
pub(super) fn cell<'a>(kind: Kind, cells: &[Cell<'a>], name: &str) -> Option<(ColumnType, Cell<'a>)> {
    let place = kind.columns().iter().position(|column| column.name == name)?;
    Some((kind.columns().get(place)?.column_type, *cells.get(place)?))
}

/// A column's value as the graph has it.
pub(super) fn column(kind: Kind, cells: &[Cell<'_>], name: &str) -> Value {
    match cell(kind, cells, name) {
        Some((column_type, Cell::Int(number))) => match column_type {
            ColumnType::Flag => Value::Flag(number != 0),
            ColumnType::Time => Value::Number(float(number.div_euclid(1_000))),
            _ => Value::Number(float(number)),
        },
        Some((_, Cell::Text(text))) => Value::text(text),
        Some((_, Cell::Reference(id))) => Value::text(&id.to_string()),
        Some((_, Cell::Null)) | None => Value::Absent,
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes and times of this world are far below the exact range")]
fn float(number: i64) -> f64 {
    number as f64
}

fn fits(value: &Value, value_type: ValueType) -> bool {
    match value {
        Value::Absent => true,
        Value::Flag(_) => value_type == ValueType::Flag,
        Value::Number(_) => matches!(value_type, ValueType::Number | ValueType::Time),
        Value::Text(_) => value_type == ValueType::Text,
        Value::List(_) => value_type == ValueType::Texts,
    }
}
