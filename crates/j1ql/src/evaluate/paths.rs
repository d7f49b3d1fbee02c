//! Walks the graph and gives every path that a pattern allows.
//!
//! What is returned of the paths is not known here.
//!
//! Invariant: each way through the pattern gives one path, and no path comes back twice by the same way.

use std::cell::Cell;

use super::Refusal;
use super::condition::Condition;
use super::graph::{Entity, Graph};
use super::term::{Bound, Path};
use super::values;
use crate::ast::{Direction, EntityName};

/// So many steps are gone before a query is refused.
const MOST_STEPS: usize = 400_000;

/// What a query looks for: names settled, places numbered in the order of the text.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) root: Place,
    pub(super) chain: Vec<Part>,
    /// The condition over whole paths.
    pub(super) filter: Option<Condition>,
    /// How many places a path has.
    pub(super) places: usize,
}

/// Which entities may stand at one place.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) entities: Vec<EntityName>,
    pub(super) filter: Option<Condition>,
    pub(super) slot: usize,
}

/// One piece of a chain.
#[derive(Debug)]
pub(super) enum Part {
    Hop(Hop),
    /// There must be no way along this.
    Without(Vec<Part>),
    Optional(Optional),
}

/// One step along a relationship.
#[derive(Debug)]
pub(super) struct Hop {
    /// None: any relationship that is not computed.
    pub(super) verbs: Vec<String>,
    pub(super) direction: Direction,
    pub(super) slot: usize,
    pub(super) target: Place,
}

/// What may be left out.
#[derive(Debug)]
pub(super) struct Optional {
    pub(super) chain: Vec<Part>,
    pub(super) filter: Option<Condition>,
    /// The place that tells where the path stands behind it.
    pub(super) slot: Option<usize>,
    /// Nothing comes behind it in its chain: left out only where it cannot be taken.
    pub(super) last: bool,
}

/// Walks one graph.
#[derive(Debug)]
pub(super) struct Walker<'g> {
    pub(super) graph: &'g Graph,
    /// Deleted entities and relationships count as well.
    pub(super) include_deleted: bool,
    /// The steps gone so far, in all queries and subqueries.
    pub(super) steps: &'g Cell<usize>,
}

/// A path that is being made, and where it stands.
#[derive(Clone, Debug)]
struct Way {
    path: Path,
    at: usize,
}

impl Walker<'_> {
    /// All paths of a pattern.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooMuch`] when there is too much to walk.
    pub(super) fn paths(&self, pattern: &Pattern) -> Result<Vec<Path>, Refusal> {
        let mut paths = Vec::new();
        for start in 0..self.graph.entities().len() {
            let empty = Way { path: vec![None; pattern.places], at: start };
            if let Some(way) = self.stand(&pattern.root, empty, start)? {
                paths.extend(self.along(&pattern.chain, way)?.into_iter().map(|way| way.path));
            }
        }
        paths.retain(|path| pattern.filter.as_ref().is_none_or(|filter| filter.holds(self.graph, &[path])));
        Ok(paths)
    }

    /// All ways on from here.
    fn along(&self, chain: &[Part], start: Way) -> Result<Vec<Way>, Refusal> {
        let mut ways = vec![start];
        for part in chain {
            let mut next = Vec::new();
            for way in ways {
                match part {
                    Part::Hop(hop) => self.hop(hop, &way, &mut next)?,
                    Part::Without(chain) => {
                        if self.along(chain, way.clone())?.is_empty() {
                            next.push(way);
                        }
                    }
                    Part::Optional(optional) => self.optional(optional, way, &mut next)?,
                }
            }
            ways = next;
        }
        Ok(ways)
    }

    fn hop(&self, hop: &Hop, way: &Way, next: &mut Vec<Way>) -> Result<(), Refusal> {
        for (edge, target) in self.graph.hops(way.at, hop.direction) {
            let relationship = &self.graph.relationships()[edge];
            let fits = if hop.verbs.is_empty() {
                !relationship.computed
            } else {
                hop.verbs.contains(&relationship.verb)
            };
            if !fits || (relationship.is_deleted() && !self.include_deleted) {
                continue;
            }
            let mut taken = way.clone();
            taken.path[hop.slot] = Some(Bound::Relationship(edge));
            next.extend(self.stand(&hop.target, taken, target)?);
        }
        Ok(())
    }

    fn optional(&self, optional: &Optional, way: Way, next: &mut Vec<Way>) -> Result<(), Refusal> {
        let mut ways = self.along(&optional.chain, way.clone())?;
        ways.retain(|taken| {
            optional.filter.as_ref().is_none_or(|filter| filter.holds(self.graph, &[&taken.path]))
        });
        if ways.is_empty() || !optional.last {
            ways.push(way);
        }
        for mut way in ways {
            if let Some(slot) = optional.slot {
                way.path[slot] = Some(Bound::Entity(way.at));
            }
            next.push(way);
        }
        Ok(())
    }

    /// The way with this entity at the place, if it may stand there.
    fn stand(&self, place: &Place, mut way: Way, entity: usize) -> Result<Option<Way>, Refusal> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MOST_STEPS {
            return Err(Refusal::TooMuch);
        }
        let found = &self.graph.entities()[entity];
        if found.is_deleted() && !self.include_deleted {
            return Ok(None);
        }
        way.path[place.slot] = Some(Bound::Entity(entity));
        way.at = entity;
        let fits = place.entities.iter().any(|name| is_one(found, name))
            && place.filter.as_ref().is_none_or(|filter| filter.holds(self.graph, &[&way.path]));
        Ok(fits.then_some(way))
    }
}

/// Whether an entity is what an alternative of a selector names.
fn is_one(entity: &Entity, name: &EntityName) -> bool {
    match name {
        EntityName::Any => true,
        EntityName::Named(name) if name.starts_with(char::is_uppercase) => entity.classes.contains(name),
        EntityName::Named(name) => entity.entity_type == *name,
        EntityName::Text(text) => values::holds_words(text, &entity.properties.values().collect::<Vec<_>>()),
        EntityName::Smart { name, of } => {
            let tags = entity.property("tags");
            let tagged = values::elements(&tags).contains(&name.as_str().into())
                || values::elements(&entity.property(&format!("tag.{name}"))).contains(&true.into());
            tagged && of.as_ref().is_none_or(|of| is_one(entity, &of.node))
        }
    }
}
