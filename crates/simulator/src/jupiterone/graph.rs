//! What finalized jobs have left: entities and relationships by their keys, with their versions.
//!
//! Invariant: a relationship is there only while both its ends are.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::text;

/// One object, as it was last uploaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its properties, those that begin with an underscore left out but for the ones that the API knows.
    pub object: Map<String, Value>,
    /// From 1, one more for each change of its properties.
    pub version: u64,
    /// It was not uploaded again.
    pub deleted: bool,
}

/// All that belongs to one integration instance or scope.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    entities: BTreeMap<String, Held>,
    relationships: BTreeMap<String, Held>,
}

/// How many objects a finalized job changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) deleted: u64,
    pub(super) errors: u64,
}

/// Properties with an underscore that are kept.
const KNOWN: [&str; 7] =
    ["_key", "_type", "_class", "_fromEntityKey", "_toEntityKey", "_rawData", "_mapping"];

impl Graph {
    /// Every live entity, by its key.
    pub fn entities(&self) -> impl Iterator<Item = (&str, &Held)> {
        self.entities.iter().filter(|(_, held)| !held.deleted).map(|(key, held)| (&**key, held))
    }

    /// Every live relationship, by its key.
    pub fn relationships(&self) -> impl Iterator<Item = (&str, &Held)> {
        self.relationships.iter().filter(|(_, held)| !held.deleted).map(|(key, held)| (&**key, held))
    }

    /// The live entities of a type.
    #[must_use]
    pub fn count(&self, entity_type: &str) -> usize {
        let of = |held: &Held| held.object.get("_type").and_then(Value::as_str) == Some(entity_type);
        self.entities().chain(self.relationships()).filter(|(_, held)| of(held)).count()
    }

    /// Whether an object of this key was there and is deleted.
    #[must_use]
    pub fn is_deleted(&self, key: &str) -> bool {
        self.entities.get(key).or_else(|| self.relationships.get(key)).is_some_and(|held| held.deleted)
    }

    /// Takes what a job brought: entities first. What it did not bring goes, but for the partial types.
    pub(super) fn take(
        &mut self,
        entities: Vec<Value>,
        relationships: Vec<Value>,
        partial: &[String],
        whole: bool,
    ) -> (Changed, Changed) {
        let entities = merge(&mut self.entities, entities, partial, whole, |_| true);
        let there = &self.entities;
        let has = |relationship: &Value| {
            ["_fromEntityKey", "_toEntityKey"].iter().all(|end| {
                let end = text(relationship, end).and_then(|key| there.get(key));
                end.is_some_and(|held| !held.deleted)
            })
        };
        let mut changed = merge(&mut self.relationships, relationships, partial, whole, has);
        for held in self.relationships.values_mut().filter(|held| !held.deleted) {
            if !has(&Value::Object(held.object.clone())) {
                held.deleted = true;
                changed.deleted += 1;
            }
        }
        (entities, changed)
    }
}

fn merge(
    held: &mut BTreeMap<String, Held>,
    uploaded: Vec<Value>,
    partial: &[String],
    whole: bool,
    may: impl Fn(&Value) -> bool,
) -> Changed {
    let mut changed = Changed::default();
    let mut seen = std::collections::BTreeSet::new();
    for object in uploaded {
        let Some(key) = text(&object, "_key").map(ToOwned::to_owned) else { continue };
        if !may(&object) {
            changed.errors += 1;
            continue;
        }
        seen.insert(key.clone());
        let Value::Object(mut object) = object else { continue };
        object.retain(|name, _| !name.starts_with('_') || KNOWN.contains(&name.as_str()));
        match held.get_mut(&key) {
            Some(known) if !known.deleted && known.object == object => {}
            Some(known) => {
                let version = known.version + 1;
                if known.deleted {
                    changed.created += 1;
                } else {
                    changed.updated += 1;
                }
                *known = Held { object, version, deleted: false };
            }
            None => {
                changed.created += 1;
                held.insert(key, Held { object, version: 1, deleted: false });
            }
        }
    }
    if whole {
        let gone = held.iter_mut().filter(|(key, held)| !held.deleted && !seen.contains(*key));
        for (_, held) in gone {
            let kind = held.object.get("_type").and_then(Value::as_str).unwrap_or_default();
            if !partial.iter().any(|partial| partial == kind) {
                held.deleted = true;
                changed.deleted += 1;
            }
        }
    }
    changed
}
