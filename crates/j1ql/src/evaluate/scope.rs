//! The names by which the later parts of a query call what stands on its paths.
//!
//! It says which place a name means; what is done with the place is not known here.
//!
//! Invariant: the names stand in the order of the text, so the first that fits is the first in the text.

use metsuke_model::graph::catalogue::Metadata;
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;
use metsuke_model::graph::{EntityType, RelationshipType, ValueType};

use super::Refusal;
use crate::ast::{EntityName, Selector, Step};
use crate::span::{Span, Spanned};

/// The names that are known where a query has been read to.
#[derive(Debug, Default)]
pub(super) struct Scope {
    names: Vec<(Name, usize)>,
    places: Vec<Held>,
}

/// What may stand at a place, as far as the catalogue knows.
#[derive(Debug)]
enum Held {
    Entity(Types),
    Relationship(Vec<&'static RelationshipType>),
}

/// Types of the catalogue.
pub(super) type Types = Vec<&'static EntityType>;

#[derive(Debug, PartialEq, Eq)]
enum Name {
    /// Given with `AS`.
    Alias(String),
    /// A class or type of a selector.
    Entity(String),
    /// A verb, upper-case.
    Verb(String),
}

/// How much is known at one point of a query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(usize);

impl Scope {
    /// A new place for an entity, with the names of its selector.
    pub(super) fn entity(&mut self, selector: &Selector) -> Result<usize, Refusal> {
        let slot = self.place(Held::Entity(types(selector)));
        self.alias(selector.alias.as_ref(), slot)?;
        for entity in &selector.entities {
            if let Some(name) = type_name(&entity.node) {
                self.names.push((Name::Entity(name.to_owned()), slot));
            }
        }
        Ok(slot)
    }

    /// A new place for a relationship, with the names of its step.
    pub(super) fn relationship(&mut self, step: &Step) -> Result<usize, Refusal> {
        let named =
            |known: &RelationshipType| step.verbs.iter().any(|verb| verb.node.to_uppercase() == known.verb);
        let meant =
            |known: &&RelationshipType| if step.verbs.is_empty() { !known.computed } else { named(known) };
        let slot = self.place(Held::Relationship(RELATIONSHIP_TYPES.iter().filter(meant).collect()));
        self.alias(step.alias.as_ref(), slot)?;
        self.names.extend(step.verbs.iter().map(|verb| (Name::Verb(verb.node.to_uppercase()), slot)));
        Ok(slot)
    }

    /// A new place for where a path stands behind an optional part.
    pub(super) fn behind(&mut self, alias: &Spanned<String>, types: Types) -> Result<usize, Refusal> {
        let slot = self.place(Held::Entity(types));
        self.alias(Some(alias), slot)?;
        Ok(slot)
    }

    fn place(&mut self, held: Held) -> usize {
        self.places.push(held);
        self.places.len() - 1
    }

    fn alias(&mut self, alias: Option<&Spanned<String>>, slot: usize) -> Result<(), Refusal> {
        let Some(alias) = alias else { return Ok(()) };
        let name = Name::Alias(alias.node.clone());
        if self.names.iter().any(|(known, _)| *known == name) {
            return Err(Refusal::at(alias.span, format!("two things are called `{}`", alias.node)));
        }
        self.names.push((name, slot));
        Ok(())
    }

    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether a relationship stands at a place.
    pub(super) fn is_relationship(&self, slot: usize) -> bool {
        matches!(self.places.get(slot), Some(Held::Relationship(_)))
    }

    /// The type of a property's values at a place, if what may stand there can have it.
    pub(super) fn type_of(&self, slot: usize, name: &str) -> Option<ValueType> {
        let metadata = Metadata::ALL.iter().find(|(known, ..)| *known == name).map(|(.., known)| *known);
        match self.places.get(slot)? {
            Held::Entity(types) => types
                .iter()
                .find_map(|known| metadata.or_else(|| known.property(name).map(|found| found.value_type))),
            Held::Relationship(types) => types
                .iter()
                .find_map(|known| metadata.or_else(|| known.property(name).map(|found| found.value_type))),
        }
    }

    /// What is known now.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.names.len())
    }

    /// Forgets the names that came after the mark; their places stay.
    pub(super) fn forget(&mut self, mark: Mark) {
        self.names.truncate(mark.0);
    }

    /// The place that a name means: an alias before a type before a verb.
    pub(super) fn find(&self, name: &str, span: Span) -> Result<usize, Refusal> {
        let fits =
            |wanted: &Name| self.names.iter().find(|(known, _)| known == wanted).map(|(_, slot)| *slot);
        fits(&Name::Alias(name.to_owned()))
            .or_else(|| fits(&Name::Entity(name.to_owned())))
            .or_else(|| fits(&Name::Verb(name.to_uppercase())))
            .ok_or_else(|| Refusal::at(span, format!("`{name}` names nothing; there are: {self}")))
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.names.iter().map(|(name, _)| match name {
            Name::Alias(name) | Name::Entity(name) | Name::Verb(name) => name.as_str(),
        });
        f.write_str(&names.collect::<Vec<_>>().join(", "))
    }
}

/// The types of the catalogue that a selector may find.
pub(super) fn types(selector: &Selector) -> Types {
    fn fits(entity: &EntityName, known: &EntityType) -> bool {
        match entity {
            EntityName::Named(name) => name == known.name || name == known.class,
            EntityName::Smart { of: Some(of), .. } => fits(&of.node, known),
            EntityName::Any | EntityName::Text(_) | EntityName::Smart { of: None, .. } => true,
        }
    }
    let found = |known: &&EntityType| selector.entities.iter().any(|entity| fits(&entity.node, known));
    ENTITY_TYPES.iter().filter(found).collect()
}

/// The class or type that an alternative is written with.
pub(super) fn type_name(entity: &EntityName) -> Option<&str> {
    match entity {
        EntityName::Named(name) => Some(name),
        EntityName::Smart { of: Some(of), .. } => type_name(&of.node),
        EntityName::Any | EntityName::Text(_) | EntityName::Smart { of: None, .. } => None,
    }
}
