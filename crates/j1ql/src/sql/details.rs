//! Everything about entities and relationships that a query has found: statements over their ids.
//!
//! A query's own statement gives ids, so that rows stay small and equal things are one; what is shown whole is read with
//! these, in the same words as a condition would.

use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;
use metsuke_model::graph::{EntityType, Metadata, RelationshipType, ValueType};

use super::branch::{Branch, Way};
use super::leaves::{Leaf, Leaves, inner};
use super::writer::Writer;
use super::{Bind, Dialect};
use crate::check::Surroundings;
use crate::plan::{Place, PropertyName};

/// A statement whose first value is a JSON list, and what it gives back.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    /// The text; `$1` is the list.
    pub sql: String,
    /// All values; the first is to be replaced by the list.
    pub binds: Vec<Bind>,
    /// How many columns stand before the properties: an entity's id, or a relationship's [`EDGE_COLUMNS`](super::EDGE_COLUMNS).
    pub identity: usize,
    /// The names and types of the columns behind.
    pub properties: Vec<(&'static str, ValueType)>,
}

impl Details {
    /// The values with this list as the first.
    #[must_use]
    pub fn with(&self, list: String) -> Vec<Bind> {
        let rest = self.binds.iter().skip(1).cloned();
        std::iter::once(Bind::Text(list)).chain(rest).collect()
    }
}

/// The statement for entities of one type, by a list of their dense ids.
#[must_use]
pub fn entities(entity_type: &'static EntityType, surroundings: &Surroundings, dialect: Dialect) -> Details {
    let mut leaves = Leaves::default();
    leaves.name(Leaf::Entity(0));
    let place = Place::Entity(0);
    let mut properties = metadata(&mut leaves, place);
    for property in entity_type.properties {
        let name = PropertyName::Own(property.name, property.value_type);
        leaves.name(Leaf::Property(place, name));
        properties.push((property.name, property.value_type));
    }
    if entity_type.table.is_heroku() {
        let tags = [
            ("tag.AccountName", "AccountName", ValueType::Text, surroundings.tag_account_name),
            ("tag.Production", "Production", ValueType::Flag, surroundings.tag_production.is_some()),
        ];
        for (name, tag, value_type, present) in tags {
            if present {
                leaves.name(Leaf::Property(place, PropertyName::Tag(tag.to_owned())));
                properties.push((name, value_type));
            }
        }
    }
    let branch = Branch::of_entity(entity_type);
    write((&branch, &leaves), surroundings, dialect, 1, properties)
}

/// The statement for relationships of one type and way, by a list of the dense ids of what they point from.
///
/// It may give more relationships than are wanted: all that point from there.
#[must_use]
pub fn relationships(
    relationship: &'static RelationshipType,
    way: Way,
    surroundings: &Surroundings,
    dialect: Dialect,
) -> Option<Details> {
    let mut leaves = Leaves::default();
    for column in 0..super::EDGE_COLUMNS {
        leaves.name(Leaf::Edge(0, column));
    }
    let place = Place::Edge(0);
    let mut properties = metadata(&mut leaves, place);
    for property in relationship.properties {
        let name = PropertyName::Own(property.name, property.value_type);
        leaves.name(Leaf::Property(place, name));
        properties.push((property.name, property.value_type));
    }
    let named = |name: &str| ENTITY_TYPES.iter().find(|known| known.name == name);
    let (from, to) = (named(relationship.from)?, named(relationship.to)?);
    let branch = Branch::of_relationship(relationship, way, from, to);
    let identity = super::EDGE_COLUMNS;
    Some(write((&branch, &leaves), surroundings, dialect, identity, properties))
}

/// The type and the way that the first column of a relationship stands for.
#[must_use]
pub fn relationship_of(code: i64) -> Option<(&'static RelationshipType, Way)> {
    let code = usize::try_from(code).ok()?;
    Some((RELATIONSHIP_TYPES.get(code / 8)?, *Way::ALL.get(code % 8)?))
}

fn metadata(leaves: &mut Leaves, place: Place) -> Vec<(&'static str, ValueType)> {
    Metadata::ALL
        .iter()
        .map(|(name, metadata, value_type)| {
            leaves.name(Leaf::Property(place, PropertyName::Metadata(*metadata, *value_type)));
            (*name, *value_type)
        })
        // `_id` and `_key` are one column.
        .filter(|(name, _)| *name != "_id")
        .collect()
}

fn write(
    (branch, leaves): (&Branch<'_>, &Leaves),
    surroundings: &Surroundings,
    dialect: Dialect,
    identity: usize,
    properties: Vec<(&'static str, ValueType)>,
) -> Details {
    let mut writer = Writer { dialect, surroundings, binds: Vec::new(), subquery: |_, _| None };
    let list = writer.text("[]");
    let keys = dialect.each_id(&list);
    let sql = inner(&mut writer, leaves, branch).unwrap_or_else(|| leaves.nothing(&writer));
    let sql = format!("{sql} AND n0.id IN ({keys})");
    Details { sql, binds: writer.binds, identity, properties }
}
