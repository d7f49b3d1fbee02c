//! Completes what a statement found: ids become entities and relationships.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use metsuke_j1ql::sql::details::{self, Details};
use metsuke_j1ql::sql::{EDGE_COLUMNS, Shape as ColumnShape};
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::{EntityType, Table, Value};
use metsuke_store::{Datum, Store};

use super::answer::Shape;
use super::{Cell, Data, Entity, Heading, Prepared, Relationship, Settings, dialect, read_query, rows};
use crate::EngineError;

/// Ids that go into one statement.
const CHUNK: usize = 10_000;

/// What tells a relationship from every other: type and way, both ends, the row between.
type EdgeId = (i64, i64, i64, i64);

/// Everything that the rows name, read whole.
#[derive(Default)]
struct Known {
    entities: HashMap<i64, Arc<Entity>>,
    relationships: HashMap<EdgeId, Arc<Relationship>>,
}

/// Makes an answer of rows.
pub(super) async fn complete(
    store: &Store,
    prepared: &Prepared,
    settings: &Settings,
    found: Vec<Vec<Datum>>,
) -> Result<Data, EngineError> {
    let mut ids = BTreeSet::new();
    let mut edges: BTreeSet<EdgeId> = BTreeSet::new();
    let whole = |shape| matches!(shape, ColumnShape::Entity { .. } | ColumnShape::Relationship { .. });
    let named =
        if prepared.statement.columns.iter().any(|column| whole(column.shape)) { &found[..] } else { &[] };
    for row in named {
        each_place(prepared, row, |place| match place {
            Place::Entity(Some(id)) => _ = ids.insert(id),
            Place::Edge(Some(edge)) => {
                edges.insert(edge);
                ids.extend([edge.1, edge.2]);
            }
            Place::Entity(None) | Place::Edge(None) | Place::Value => {}
        });
    }
    let mut known = Known::default();
    known.read_entities(store, prepared, settings, &ids).await?;
    known.read_relationships(store, prepared, settings, &edges).await?;
    Ok(match prepared.shape {
        Shape::List => {
            let mut list = Vec::with_capacity(found.len());
            for row in &found {
                each_place(prepared, row, |place| {
                    if let Place::Entity(Some(id)) = place {
                        list.extend(known.entities.get(&id).cloned());
                    }
                });
            }
            Data::List(list)
        }
        Shape::Tree => {
            let vertices = ids.iter().filter_map(|id| known.entities.get(id).cloned()).collect();
            let edges = edges.iter().filter_map(|edge| known.relationships.get(edge).cloned()).collect();
            Data::Tree { vertices, edges }
        }
        Shape::Table => known.table(prepared, found),
    })
}

/// The dense ids of the entities that rows tell of unseen, row by row; they stand behind what is shown.
pub(super) fn beside(prepared: &Prepared, found: &[Vec<Datum>]) -> Vec<i64> {
    let columns = &prepared.statement.columns;
    let shown = columns.len().saturating_sub(prepared.beside.len());
    let first: usize = columns.iter().take(shown).map(|column| width(column.shape)).sum();
    let ids = |row: &'_ Vec<Datum>| {
        row.iter().skip(first).take(prepared.beside.len()).filter_map(rows::id).collect::<Vec<_>>()
    };
    found.iter().flat_map(ids).collect()
}

const fn width(shape: ColumnShape) -> usize {
    match shape {
        ColumnShape::Relationship { .. } => EDGE_COLUMNS,
        ColumnShape::Entity { .. }
        | ColumnShape::Value(_)
        | ColumnShape::Entitlements(_)
        | ColumnShape::Hidden => 1,
    }
}

/// One shown place of a row.
enum Place {
    Entity(Option<i64>),
    Edge(Option<EdgeId>),
    Value,
}

fn each_place(prepared: &Prepared, row: &[Datum], mut take: impl FnMut(Place)) {
    let mut at = 0;
    let cell = |place: usize| row.get(place).and_then(rows::id);
    for column in &prepared.statement.columns {
        match column.shape {
            ColumnShape::Entity { .. } => take(Place::Entity(cell(at))),
            ColumnShape::Relationship { .. } => {
                let edge = (|| Some((cell(at)?, cell(at + 1)?, cell(at + 2)?, cell(at + 4)?)))();
                take(Place::Edge(edge));
            }
            ColumnShape::Value(_) | ColumnShape::Entitlements(_) => take(Place::Value),
            ColumnShape::Hidden => {}
        }
        at += width(column.shape);
    }
}

impl Known {
    async fn read_entities(
        &mut self,
        store: &Store,
        prepared: &Prepared,
        settings: &Settings,
        ids: &BTreeSet<i64>,
    ) -> Result<(), EngineError> {
        let mut by_type: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for id in ids {
            by_type.entry(id & Table::NUMBER_BITS).or_default().push(*id);
        }
        for (number, ids) in by_type {
            let Some(entity_type) = type_of(number) else { continue };
            let details = details::entities(entity_type, &prepared.surroundings, dialect(store));
            for chunk in ids.chunks(CHUNK) {
                for row in detail_rows(store, &details, settings, chunk).await? {
                    let Some(id) = row.first().and_then(rows::id) else { continue };
                    let (metadata, properties) = properties_of(&details, row);
                    let key = key_of(&metadata);
                    self.entities.insert(id, Arc::new(Entity { key, metadata, properties }));
                }
            }
        }
        Ok(())
    }

    async fn read_relationships(
        &mut self,
        store: &Store,
        prepared: &Prepared,
        settings: &Settings,
        edges: &BTreeSet<EdgeId>,
    ) -> Result<(), EngineError> {
        let mut by_code: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        for (code, from, ..) in edges {
            by_code.entry(*code).or_default().insert(*from);
        }
        for (code, from) in by_code {
            let Some((relationship, way)) = details::relationship_of(code) else { continue };
            let Some(details) =
                details::relationships(relationship, way, &prepared.surroundings, dialect(store))
            else {
                continue;
            };
            let from: Vec<i64> = from.into_iter().collect();
            for chunk in from.chunks(CHUNK) {
                for row in detail_rows(store, &details, settings, chunk).await? {
                    let cell = |place: usize| row.get(place).and_then(rows::id);
                    let (Some(from), Some(to), Some(between)) = (cell(1), cell(2), cell(4)) else { continue };
                    let edge = (code, from, to, between);
                    if !edges.contains(&edge) {
                        continue;
                    }
                    let (metadata, properties) = properties_of(&details, row);
                    let end = |id| self.entities.get(&id).map(|end| end.key.clone()).unwrap_or_default();
                    let (from, to) = (end(from), end(to));
                    let found = Relationship { key: key_of(&metadata), from, to, metadata, properties };
                    self.relationships.insert(edge, Arc::new(found));
                }
            }
        }
        Ok(())
    }

    fn table(&self, prepared: &Prepared, found: Vec<Vec<Datum>>) -> Data {
        let columns = &prepared.statement.columns;
        let all = |shape| match shape {
            ColumnShape::Entity { all } | ColumnShape::Relationship { all } => all,
            ColumnShape::Value(_) | ColumnShape::Entitlements(_) | ColumnShape::Hidden => false,
        };
        let headings = columns
            .iter()
            .filter(|column| column.shape != ColumnShape::Hidden)
            .enumerate()
            .map(|(place, column)| {
                let (names, time) = prepared.known.get(place).copied().unwrap_or_default();
                Heading { name: column.name.clone(), all: all(column.shape), names, time }
            })
            .collect();
        let table = found.into_iter().map(|row| {
            let mut values = row.into_iter();
            columns.iter().filter_map(|column| self.cell(column.shape, &mut values)).collect()
        });
        Data::Table { headings, rows: table.collect() }
    }

    /// The next cell of a row; none for a column that is not shown.
    fn cell(&self, shape: ColumnShape, values: &mut impl Iterator<Item = Datum>) -> Option<Cell> {
        let mut next = || values.next().unwrap_or(Datum::Null);
        Some(match shape {
            ColumnShape::Value(value_type) => Cell::Value(rows::value(next(), value_type)),
            ColumnShape::Entitlements(resource) => Cell::Value(rows::entitlements(&next(), resource)),
            ColumnShape::Entity { .. } => {
                Cell::Entity(rows::id(&next()).and_then(|id| self.entities.get(&id).cloned()))
            }
            ColumnShape::Relationship { .. } => {
                let [code, from, to, _, between] = [(); EDGE_COLUMNS].map(|()| rows::id(&next()));
                let edge = (|| Some((code?, from?, to?, between?)))();
                Cell::Relationship(edge.and_then(|edge| self.relationships.get(&edge).cloned()))
            }
            ColumnShape::Hidden => {
                next();
                return None;
            }
        })
    }
}

async fn detail_rows(
    store: &Store,
    details: &Details,
    settings: &Settings,
    ids: &[i64],
) -> Result<Vec<Vec<Datum>>, EngineError> {
    let list = serde_json::Value::from(ids).to_string();
    let mut query = read_query(&details.sql, &details.with(list), settings);
    query.most_rows = usize::MAX;
    Ok(store.select(&query).await?.rows)
}

fn type_of(number: i64) -> Option<&'static EntityType> {
    ENTITY_TYPES.iter().find(|entity| entity.table.number() == number)
}

type Named = Vec<(&'static str, Value)>;

/// The metadata and the properties in a row of details.
fn properties_of(details: &Details, row: Vec<Datum>) -> (Named, Named) {
    let values = row.into_iter().skip(details.identity).zip(&details.properties);
    let mut metadata = Vec::new();
    let mut properties = Vec::new();
    for (datum, (name, value_type)) in values {
        let value = rows::value(datum, Some(*value_type));
        if value.is_absent() {
            continue;
        }
        if *name == "_key" {
            metadata.push(("_id", value.clone()));
        }
        let list = if name.starts_with('_') { &mut metadata } else { &mut properties };
        list.push((*name, value));
    }
    (metadata, properties)
}

fn key_of(metadata: &Named) -> String {
    match metadata.iter().find(|(name, _)| *name == "_key") {
        Some((_, Value::Text(key))) => key.to_string(),
        _ => String::new(),
    }
}
