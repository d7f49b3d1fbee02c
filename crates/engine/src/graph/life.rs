//! The metadata of an entity or a relationship: what it bears beside its properties.
//!
//! Times and numbers of versions are not here yet: of the life of a row an entity knows only the version that it came
//! with. They belong into [`of`], from the rows' own columns and the times of the syncs.

use metsuke_model::graph::{EntityType, RelationshipType, Table, Value};

use super::{Edge, Node};

impl Node {
    /// The metadata that is known of it, by name.
    #[must_use]
    pub fn metadata(&self, entity_type: &EntityType) -> Vec<(&'static str, Value)> {
        let roster = matches!(entity_type.table, Table::Employees);
        of(&self.key, entity_type.name, entity_type.class, if roster { "roster" } else { "heroku" })
    }
}

impl Edge {
    /// The metadata that is known of it, by name.
    #[must_use]
    pub fn metadata(&self, relationship: &RelationshipType) -> Vec<(&'static str, Value)> {
        of(&self.key, relationship.name, relationship.verb, "heroku")
    }
}

fn of(key: &str, name: &str, class: &str, integration: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("_id", Value::text(key)),
        ("_key", Value::text(key)),
        ("_type", Value::List(vec![Value::text(name)])),
        ("_class", Value::List(vec![Value::text(class)])),
        ("_deleted", Value::Flag(false)),
        ("_integrationType", Value::text(integration)),
        ("_source", Value::text("integration-managed")),
    ]
}
