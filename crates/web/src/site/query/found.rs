//! What a question came to, as rows, as a tree, and as one flat sheet.
//!
//! Invariant: whatever names a person, a team, an app or an Enterprise account leads to its page.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_engine::query::{Answer, Cell as Found, Data, Entity, Heading, Relationship};
use metsuke_model::Moment;
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::{Value, ValueType};
use serde_json::{Map, Value as Json};

use crate::site::cell::{Cell, Head, Table};
use crate::site::frame::Frame;
use crate::site::words::{Name, When};

/// How deep a tree goes.
const DEEP: usize = 6;
/// Steps of a tree that are shown.
const STEPS: usize = 400;

/// A step of a tree as it is written.
pub(crate) enum Step {
    /// Something with things below it, which are open from the start or not.
    Open(Cell, String, bool),
    /// The end of what is below.
    Close,
    /// Something without anything below.
    Leaf(Cell, String),
    /// A property.
    Fact(String, Cell),
    /// There is more than is shown.
    More,
}

/// The list in which entities of a type have their pages; empty where they have none.
fn list_of(entity_type: &str) -> &'static str {
    match entity_type {
        "heroku_account" => "enterprise-accounts",
        "heroku_account_member" => "people",
        "heroku_team" => "teams",
        "heroku_application" => "apps",
        _ => "",
    }
}

struct Shower<'a> {
    frame: &'a Frame,
    connector: Option<&'a str>,
}

impl Shower<'_> {
    fn href(&self, entity_type: &str, id: &str) -> String {
        match list_of(entity_type) {
            "" => String::new(),
            list => self.frame.object(list, &id, self.connector),
        }
    }

    fn value(&self, value: &Value, names: Option<&str>, time: bool) -> Cell {
        match value {
            Value::Absent => Cell::Nothing,
            Value::Flag(so) => Cell::Mark(*so),
            Value::Number(_) if time => match value.to_json().as_i64().and_then(|ms| ms.checked_mul(1_000)) {
                Some(at) => Cell::When(When::new(Moment(at), self.frame.now)),
                None => Cell::Nothing,
            },
            Value::Number(_) => Cell::Number(value.to_json().to_string()),
            Value::Text(text) => match names {
                Some(entity_type) => Cell::Link(Name::new(text), self.href(entity_type, text), None),
                None => Cell::Text(Name::new(text)),
            },
            Value::List(values) => {
                let texts: Vec<String> = values.iter().map(plain).collect();
                Cell::Text(Name::new(&texts.join(", ")))
            }
        }
    }

    fn entity(&self, entity: &Entity) -> Cell {
        let entity_type = type_of(entity);
        let below = Some(Name::new(word(&entity_type)));
        Cell::Link(Name::new(&name_of(entity)), self.href(&entity_type, &entity.key), below)
    }

    fn cell(&self, found: &Found, heading: &Heading) -> Cell {
        match found {
            Found::Value(value) => self.value(value, heading.names, heading.time),
            Found::Entity(Some(entity)) => self.entity(entity),
            Found::Relationship(Some(edge)) => Cell::Text(Name::new(&verb(edge))),
            Found::Entity(None) | Found::Relationship(None) => Cell::Nothing,
        }
    }

    fn property(&self, name: &str, value: &Value) -> Cell {
        self.value(value, None, is_time(name))
    }

    fn facts(&self, entity: &Entity, steps: &mut Vec<Step>) {
        for (name, value) in entity.properties.iter().filter(|(_, value)| !value.is_absent()) {
            steps.push(Step::Fact((*name).to_owned(), self.property(name, value)));
        }
    }
}

fn is_time(property: &str) -> bool {
    let is = |(known, value_type): (&str, ValueType)| known == property && value_type == ValueType::Time;
    let own = ENTITY_TYPES.iter().flat_map(|known| known.properties);
    let metadata = metsuke_model::graph::Metadata::ALL.iter();
    own.map(|known| (known.name, known.value_type)).any(is)
        || metadata.map(|(name, _, value)| (*name, *value)).any(is)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        other => other.to_json().to_string(),
    }
}

pub(crate) fn type_of(entity: &Entity) -> String {
    match entity.property("_type") {
        Some(Value::List(types)) => types.first().map(plain).unwrap_or_default(),
        Some(value) => plain(value),
        None => String::new(),
    }
}

pub(crate) fn name_of(entity: &Entity) -> String {
    entity.property("displayName").filter(|name| !name.is_absent()).map_or_else(|| entity.key.clone(), plain)
}

pub(crate) fn verb(edge: &Relationship) -> String {
    let class = edge.metadata.iter().find(|(name, _)| *name == "_class").map(|(_, value)| value);
    match class {
        Some(Value::List(classes)) => classes.first().map(plain).unwrap_or_default(),
        Some(value) => plain(value),
        None => String::new(),
    }
    .to_lowercase()
}

/// A type of entity in a word.
pub(crate) fn word(entity_type: &str) -> &str {
    match entity_type {
        "heroku_account" => "Enterprise account",
        "heroku_account_member" => "person",
        "heroku_application" => "app",
        other => other.strip_prefix("heroku_").unwrap_or(other),
    }
}

/// Rows from a place on.
pub(super) fn table(
    frame: &Frame,
    connector: Option<&str>,
    found: &Answer,
    from: usize,
    most: usize,
) -> Table {
    let shower = Shower { frame, connector };
    let part = |rows: &mut dyn Iterator<Item = Vec<Cell>>| rows.skip(from).take(most).collect();
    let (heads, rows): (Vec<String>, Vec<Vec<Cell>>) = match &found.data {
        Data::Table { rows, .. } if found.headings().iter().any(|heading| heading.all) => {
            let (columns, sheet) = flat(found);
            let row = |row: &Json| columns.iter().map(|name| json_cell(row.get(name))).collect();
            (columns.clone(), sheet.iter().skip(from).take(most.min(rows.len())).map(row).collect())
        }
        Data::Table { rows, .. } => {
            let headings = found.headings();
            let row = |row: &Vec<Found>| {
                row.iter().zip(&headings).map(|(cell, heading)| shower.cell(cell, heading)).collect()
            };
            (headings.iter().map(|heading| heading.name.clone()).collect(), part(&mut rows.iter().map(row)))
        }
        Data::List(entities) | Data::Tree { vertices: entities, .. } => {
            let shown: BTreeSet<&str> =
                entities.iter().flat_map(|entity| &entity.properties).map(|(name, _)| *name).collect();
            let columns: Vec<&str> =
                shown.into_iter().filter(|name| !HIDDEN.contains(name)).take(COLUMNS).collect();
            let row = |entity: &std::sync::Arc<Entity>| {
                let value = |name: &&str| {
                    entity.property(name).map_or(Cell::Nothing, |value| shower.property(name, value))
                };
                std::iter::once(shower.entity(entity)).chain(columns.iter().map(value)).collect()
            };
            let heads = std::iter::once("entity").chain(columns.iter().copied()).map(ToOwned::to_owned);
            (heads.collect(), part(&mut entities.iter().map(row)))
        }
    };
    let is_number = |place: usize| rows.iter().any(|row| row.get(place).is_some_and(Cell::is_number));
    let head = |(place, name): (usize, String)| Head {
        label: name.into(),
        href: None,
        sorted: "",
        number: is_number(place),
    };
    let heads = heads.into_iter().enumerate().map(head).collect();
    Table { caption: "The answer".to_owned(), heads, rows }
}

/// The first rows, each as what it is and what is said of it first.
pub(crate) fn lines(
    frame: &Frame,
    connector: Option<&str>,
    found: &Answer,
    most: usize,
) -> Vec<(Cell, Cell)> {
    let line = |row: Vec<Cell>| {
        let mut cells = row.into_iter();
        (cells.next().unwrap_or(Cell::Nothing), cells.next().unwrap_or(Cell::Nothing))
    };
    table(frame, connector, found, 0, most).rows.into_iter().map(line).collect()
}

/// Properties that say again what the first column says.
const HIDDEN: [&str; 3] = ["displayName", "name", "id"];
/// Columns of a list of entities.
const COLUMNS: usize = 10;

fn json_cell(value: Option<&Json>) -> Cell {
    match value {
        None | Some(Json::Null) => Cell::Nothing,
        Some(Json::Bool(so)) => Cell::Mark(*so),
        Some(Json::Number(number)) => Cell::Number(number.to_string()),
        Some(Json::String(text)) => Cell::Text(Name::new(text)),
        Some(other) => Cell::Text(Name::new(&other.to_string())),
    }
}

/// The answer as a tree: along the relationships, or each row with what it says.
pub(super) fn tree(
    frame: &Frame,
    connector: Option<&str>,
    found: &Answer,
    from: usize,
    most: usize,
) -> Vec<Step> {
    let shower = Shower { frame, connector };
    let mut steps = Vec::new();
    match &found.data {
        Data::Tree { vertices, edges } => {
            let known: BTreeMap<&str, &Entity> =
                vertices.iter().map(|entity| (entity.key.as_str(), &**entity)).collect();
            let mut below: BTreeMap<&str, Vec<&Relationship>> = BTreeMap::new();
            for edge in edges {
                below.entry(&edge.from).or_default().push(edge);
            }
            let pointed: BTreeSet<&str> = edges.iter().map(|edge| edge.to.as_str()).collect();
            let mut roots: Vec<&Entity> =
                known.values().copied().filter(|one| !pointed.contains(one.key.as_str())).collect();
            if roots.is_empty() {
                roots.extend(known.values().copied().take(1));
            }
            let walk = Walk { shower: &shower, known: &known, below: &below };
            for root in roots.into_iter().skip(from).take(most) {
                walk.step(root, "", &mut Vec::new(), &mut steps);
            }
        }
        Data::List(entities) => {
            for entity in entities.iter().skip(from).take(most) {
                steps.push(Step::Open(shower.entity(entity), String::new(), false));
                shower.facts(entity, &mut steps);
                steps.push(Step::Close);
            }
        }
        Data::Table { rows, .. } => {
            let headings = found.headings();
            for row in rows.iter().skip(from).take(most) {
                let mut cells = row.iter().zip(&headings);
                let first = cells.next().map_or(Cell::Nothing, |(cell, heading)| shower.cell(cell, heading));
                steps.push(Step::Open(first, String::new(), rows.len() < 20));
                steps.extend(
                    cells.map(|(cell, heading)| Step::Fact(heading.name.clone(), shower.cell(cell, heading))),
                );
                steps.push(Step::Close);
            }
        }
    }
    steps
}

struct Walk<'a> {
    shower: &'a Shower<'a>,
    known: &'a BTreeMap<&'a str, &'a Entity>,
    below: &'a BTreeMap<&'a str, Vec<&'a Relationship>>,
}

impl<'a> Walk<'a> {
    fn step(&self, entity: &'a Entity, how: &str, way: &mut Vec<&'a str>, steps: &mut Vec<Step>) {
        if steps.len() >= STEPS {
            if !matches!(steps.last(), Some(Step::More)) {
                steps.push(Step::More);
            }
            return;
        }
        let next = self.below.get(entity.key.as_str()).map_or(&[][..], Vec::as_slice);
        if next.is_empty() || way.len() >= DEEP || way.contains(&entity.key.as_str()) {
            steps.push(Step::Leaf(self.shower.entity(entity), how.to_owned()));
            return;
        }
        steps.push(Step::Open(self.shower.entity(entity), how.to_owned(), way.is_empty()));
        way.push(&entity.key);
        for edge in next {
            if let Some(end) = self.known.get(edge.to.as_str()) {
                self.step(end, &verb(edge), way, steps);
            }
        }
        way.pop();
        steps.push(Step::Close);
    }
}

/// Columns and rows of one flat sheet, whatever the answer is.
pub(super) fn flat(found: &Answer) -> (Vec<String>, Vec<Json>) {
    match &found.data {
        Data::Table { .. } => (found.column_names(), found.objects().into_iter().map(Json::Object).collect()),
        Data::List(entities) | Data::Tree { vertices: entities, .. } => {
            let members = |entity: &Entity| -> Map<String, Json> {
                let own = entity.metadata.iter().chain(&entity.properties);
                own.map(|(name, value)| ((*name).to_owned(), value.to_json())).collect()
            };
            let rows: Vec<Map<String, Json>> = entities.iter().map(|entity| members(entity)).collect();
            let columns: BTreeSet<&String> = rows.iter().flat_map(Map::keys).collect();
            (columns.into_iter().cloned().collect(), rows.into_iter().map(Json::Object).collect())
        }
    }
}
