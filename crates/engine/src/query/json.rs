//! An answer as JupiterOne's API gives it: list, table or tree.
//!
//! Source: the rows and trees that `queryV1` of JupiterOne's API returns.

use std::collections::{BTreeSet, HashMap};

use metsuke_model::graph::Value;
use serde_json::{Map, Value as Json, json};

use super::packed::Packed;
use super::{Answer, Cell, Data, Entity, Heading, Relationship};

impl Answer {
    /// The whole answer: `type`, `data`, `totalCount`, and what is ours: `version`, `truncated`, `warnings`, `durationMs`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "type": self.kind(),
            "data": self.data_json(),
            "totalCount": self.total(),
            "version": self.version.0,
            "truncated": self.truncated,
            "warnings": self.warnings,
            "durationMs": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// `list`, `table` or `tree`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.data {
            Data::List(_) => "list",
            Data::Table { .. } => "table",
            Data::Tree { .. } => "tree",
        }
    }

    fn data_json(&self) -> Json {
        match &self.data {
            Data::List(entities) => entities.iter().map(|entity| entity.to_json()).collect(),
            Data::Table { .. } => self.objects().into_iter().map(Json::Object).collect(),
            Data::Tree { vertices, edges } => json!({
                "vertices": vertices.iter().map(|entity| entity.to_json()).collect::<Vec<_>>(),
                "edges": edges.iter().map(|edge| edge.to_json()).collect::<Vec<_>>(),
            }),
        }
    }

    /// The rows of a table as objects; what is absent has no member. Empty for lists and trees.
    #[must_use]
    pub fn objects(&self) -> Vec<Map<String, Json>> {
        let Data::Table { rows, .. } = &self.data else { return Vec::new() };
        let headings = self.headings();
        rows.iter().map(|row| object(&headings, row)).collect()
    }

    /// Its rows one by one: entities of a list, objects of a table, the entities of a tree; `packed`: where its rows
    /// are kept instead.
    pub(crate) fn each_row<'a>(&'a self, packed: Option<&'a Packed>) -> Rows<'a> {
        Rows { data: &self.data, packed, headings: self.headings() }
    }

    /// The columns, of which no two have one name: a second `name` is `name (2)`. Empty for lists and trees.
    #[must_use]
    pub fn headings(&self) -> Vec<Heading> {
        let Data::Table { headings, .. } = &self.data else { return Vec::new() };
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let alone = |heading: &'_ Heading, count: usize| match count {
            1 => heading.clone(),
            count => Heading { name: format!("{} ({count})", heading.name), ..heading.clone() },
        };
        headings
            .iter()
            .map(|heading| {
                let count = seen.entry(&heading.name).or_default();
                *count += 1;
                alone(heading, *count)
            })
            .collect()
    }

    /// The names of a table's columns as they are shown: those of `name.*` one by one.
    #[must_use]
    pub fn column_names(&self) -> Vec<String> {
        let Data::Table { rows, .. } = &self.data else { return Vec::new() };
        let mut names = Vec::new();
        for (place, heading) in self.headings().iter().enumerate() {
            if !heading.all {
                names.push(heading.name.clone());
                continue;
            }
            let mut found = BTreeSet::new();
            for cell in rows.iter().filter_map(|row| row.get(place)) {
                match cell {
                    Cell::Entity(Some(entity)) => {
                        found.extend(entity.metadata.iter().chain(&entity.properties).map(|(name, _)| *name));
                    }
                    Cell::Relationship(Some(edge)) => {
                        found.extend(edge.metadata.iter().chain(&edge.properties).map(|(name, _)| *name));
                    }
                    _ => {}
                }
            }
            names.extend(found.into_iter().map(|name| format!("{}.{name}", heading.name)));
        }
        names
    }
}

/// The rows of an answer, each made when it is asked for.
pub(crate) struct Rows<'a> {
    data: &'a Data,
    packed: Option<&'a Packed>,
    headings: Vec<Heading>,
}

impl Rows<'_> {
    /// The row in this place; null where there is none.
    pub(crate) fn at(&self, place: usize) -> Json {
        if let Some(packed) = self.packed {
            return Json::Object(object(&self.headings, &packed.row(place)));
        }
        match self.data {
            Data::List(entities) => entities.get(place).map(|entity| entity.to_json()),
            Data::Tree { vertices, .. } => vertices.get(place).map(|entity| entity.to_json()),
            Data::Table { rows, .. } => rows.get(place).map(|row| Json::Object(object(&self.headings, row))),
        }
        .unwrap_or_default()
    }
}

/// A row of a table; what is absent has no member.
fn object(headings: &[Heading], row: &[Cell]) -> Map<String, Json> {
    let mut object = Map::new();
    for (heading, cell) in headings.iter().zip(row) {
        match cell {
            Cell::Value(Value::Absent) | Cell::Entity(None) | Cell::Relationship(None) => {}
            Cell::Value(value) => _ = object.insert(heading.name.clone(), value.to_json()),
            Cell::Entity(Some(entity)) if heading.all => {
                flatten(&mut object, &heading.name, entity.metadata.iter().chain(&entity.properties));
            }
            Cell::Relationship(Some(edge)) if heading.all => {
                flatten(&mut object, &heading.name, edge.metadata.iter().chain(&edge.properties));
            }
            Cell::Entity(Some(entity)) => {
                object.insert(heading.name.clone(), entity.to_json());
            }
            Cell::Relationship(Some(edge)) => {
                object.insert(heading.name.clone(), edge.to_json());
            }
        }
    }
    object
}

fn flatten<'a>(
    object: &mut Map<String, Json>,
    name: &str,
    properties: impl Iterator<Item = &'a (&'static str, Value)>,
) {
    object.extend(properties.map(|(property, value)| (format!("{name}.{property}"), value.to_json())));
}

fn members(properties: &[(&'static str, Value)]) -> Map<String, Json> {
    properties.iter().map(|(name, value)| ((*name).to_owned(), value.to_json())).collect()
}

impl Entity {
    /// `{id, entity, properties}`: metadata in `entity`, everything else in `properties`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut entity = members(&self.metadata);
        if let Some(name) = self.property("displayName") {
            entity.insert("displayName".into(), name.to_json());
        }
        json!({ "id": self.key, "entity": entity, "properties": members(&self.properties) })
    }
}

impl Relationship {
    /// `{id, fromVertexId, toVertexId, relationship, properties}`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut relationship = members(&self.metadata);
        let class = match relationship.get("_class") {
            Some(Json::Array(classes)) => classes.first().cloned(),
            _ => None,
        };
        relationship.extend(class.map(|class| ("displayName".to_owned(), class)));
        json!({
            "id": self.key,
            "fromVertexId": self.from,
            "toVertexId": self.to,
            "relationship": relationship,
            "properties": members(&self.properties),
        })
    }
}
