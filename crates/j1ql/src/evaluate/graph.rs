//! A graph in memory: entities, relationships, and who stands beside whom.
//!
//! It answers no questions but the nearest ones; [`evaluate`](super::evaluate()) asks the others.
//!
//! Invariant: both ends of every relationship are entities of the graph.

use std::collections::BTreeMap;

use metsuke_model::graph::Value;

use crate::ast::Direction;

/// Something that the estate has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entity {
    /// Its `_key`; no two entities share one.
    pub key: String,
    /// Its `_type`.
    pub entity_type: String,
    /// Its `_class`.
    pub classes: Vec<String>,
    /// Its own properties, by name.
    pub properties: BTreeMap<String, Value>,
    /// What every entity bears beside them; key, type and class need not stand here.
    pub metadata: BTreeMap<String, Value>,
}

/// How one entity stands to another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Relationship {
    /// Its `_key`; no two relationships share one.
    pub key: String,
    /// Its `_type`.
    pub relationship_type: String,
    /// Its `_class`, upper-case.
    pub verb: String,
    /// The place of the entity that it points from.
    pub from: usize,
    /// The place of the entity that it points to.
    pub to: usize,
    /// It follows from others: only followed where its verb is named.
    pub computed: bool,
    /// Its own properties, by name.
    pub properties: BTreeMap<String, Value>,
    /// What every relationship bears beside them; key, type and verb need not stand here.
    pub metadata: BTreeMap<String, Value>,
}

/// Entities and relationships with the way from one to the other.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    entities: Vec<Entity>,
    relationships: Vec<Relationship>,
    /// For each entity the relationships that point from it, then those that point to it.
    beside: Vec<(Vec<usize>, Vec<usize>)>,
}

/// A relationship whose end is no entity of the graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("relationship `{0}` has an end that is no entity")]
pub struct Dangling(pub String);

impl Graph {
    /// A graph of these.
    ///
    /// # Errors
    ///
    /// [`Dangling`] when an end of a relationship is not the place of an entity.
    pub fn new(entities: Vec<Entity>, relationships: Vec<Relationship>) -> Result<Self, Dangling> {
        let mut beside = vec![(Vec::new(), Vec::new()); entities.len()];
        for (place, relationship) in relationships.iter().enumerate() {
            let dangling = || Dangling(relationship.key.clone());
            beside.get_mut(relationship.from).ok_or_else(dangling)?.0.push(place);
            beside.get_mut(relationship.to).ok_or_else(dangling)?.1.push(place);
        }
        Ok(Self { entities, relationships, beside })
    }

    /// The entities, each at its place.
    #[must_use]
    pub fn entities(&self) -> &[Entity] {
        &self.entities
    }

    /// The relationships, each at its place.
    #[must_use]
    pub fn relationships(&self) -> &[Relationship] {
        &self.relationships
    }

    /// The hops from an entity: the relationship and the entity at its other end, each once.
    pub(super) fn hops(&self, at: usize, direction: Direction) -> Vec<(usize, usize)> {
        let Some((forward, backward)) = self.beside.get(at) else { return Vec::new() };
        let mut hops = Vec::new();
        if direction != Direction::Backward {
            hops.extend(forward.iter().map(|&place| (place, self.relationships[place].to)));
        }
        if direction != Direction::Forward {
            hops.extend(backward.iter().map(|&place| (place, self.relationships[place].from)));
        }
        if direction == Direction::Either {
            // A relationship from an entity to itself stands in both lists.
            hops.sort_unstable();
            hops.dedup();
        }
        hops
    }
}

impl Entity {
    /// The value of a property: its own first, then metadata.
    #[must_use]
    pub fn property(&self, name: &str) -> Value {
        if let Some(value) = self.properties.get(name).or_else(|| self.metadata.get(name)) {
            return value.clone();
        }
        match name {
            "_id" | "_key" => Value::text(&self.key),
            "_type" => Value::List(vec![Value::text(&self.entity_type)]),
            "_class" => Value::List(self.classes.iter().map(|class| Value::text(class)).collect()),
            _ => Value::Absent,
        }
    }

    /// Whether it is gone and only remembered.
    pub(super) fn is_deleted(&self) -> bool {
        self.metadata.get("_deleted") == Some(&Value::Flag(true))
    }
}

impl Relationship {
    /// The value of a property: its own first, then metadata.
    #[must_use]
    pub fn property(&self, name: &str) -> Value {
        if let Some(value) = self.properties.get(name).or_else(|| self.metadata.get(name)) {
            return value.clone();
        }
        match name {
            "_id" | "_key" => Value::text(&self.key),
            "_type" => Value::List(vec![Value::text(&self.relationship_type)]),
            "_class" => Value::List(vec![Value::text(&self.verb)]),
            _ => Value::Absent,
        }
    }

    /// Whether it is gone and only remembered.
    pub(super) fn is_deleted(&self) -> bool {
        self.metadata.get("_deleted") == Some(&Value::Flag(true))
    }
}
