//! Entities and hops: which types of the catalogue a query's words mean.

use metsuke_model::graph::EntityType;
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;

use super::{Checker, MOST_HOPS};
use crate::ast::{self, EntityName};
use crate::plan::{Candidate, EdgeSlot, Link, Mark, Place, Slot};
use crate::suggest::nearest;

impl Checker<'_> {
    /// Makes a slot of a selector, with its names and its condition.
    pub(super) fn selector(&mut self, selector: &ast::Selector) -> usize {
        let slot = self.slots.len();
        self.slots.push(Slot::default());
        let mut candidates: Vec<Candidate> = Vec::new();
        for entity in &selector.entities {
            self.candidates(&entity.node, &mut candidates, None);
            if let Some(name) = written(&entity.node) {
                self.names.selector(name, Place::Entity(slot));
            }
        }
        if let Some(alias) = &selector.alias
            && !self.names.alias(&alias.node, Place::Entity(slot))
        {
            let message = format!("The name `{}` is given twice.", alias.node);
            self.refuse(alias.span, message, "each AS needs a name of its own");
        }
        if let Some(place) = self.slots.get_mut(slot) {
            place.candidates = candidates;
        }
        let filter = selector.filter.as_ref().and_then(|filter| self.own_filter(filter, (slot, selector)));
        if let Some(place) = self.slots.get_mut(slot) {
            place.filter = filter;
        }
        slot
    }

    fn candidates(&mut self, name: &EntityName, found: &mut Vec<Candidate>, mark: Option<Mark>) {
        match name {
            EntityName::Any => add(found, ENTITY_TYPES.iter(), mark.as_ref()),
            EntityName::Text(text) => {
                let mut mark = mark.unwrap_or_default();
                mark.words.extend(text.split_whitespace().map(str::to_owned));
                add(found, ENTITY_TYPES.iter(), Some(&mark));
            }
            EntityName::Named(name) => {
                let class = name.starts_with(char::is_uppercase);
                let is =
                    |entity: &&EntityType| if class { entity.class == name } else { entity.name == name };
                let matching: Vec<&'static EntityType> = ENTITY_TYPES.iter().filter(is).collect();
                if matching.is_empty() {
                    self.warn_of_entity(name);
                }
                add(found, matching, mark.as_ref());
            }
            EntityName::Smart { name, of } => {
                let mut mark = mark.unwrap_or_default();
                mark.tags.push(name.clone());
                match of {
                    Some(of) => self.candidates(&of.node, found, Some(mark)),
                    None => add(found, ENTITY_TYPES.iter(), Some(&mark)),
                }
            }
        }
    }

    fn warn_of_entity(&mut self, name: &str) {
        let known = ENTITY_TYPES.iter().flat_map(|entity| [entity.name, entity.class]);
        let hint = match nearest(name, known) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        let sort = if name.starts_with(char::is_uppercase) { "class" } else { "type" };
        self.warn(format!("nothing here is of the {sort} `{name}`{hint}"));
    }

    /// Makes links of a chain.
    pub(super) fn chain(&mut self, chain: &[ast::Link]) -> Vec<Link> {
        let mut links = Vec::new();
        for (place, link) in chain.iter().enumerate() {
            match link {
                ast::Link::Step(step) if step.negated => {
                    let mark = self.names.mark();
                    let (edge, target) = self.step(step);
                    let rest = self.chain(chain.get(place + 1..).unwrap_or_default());
                    self.names.hide_since(mark);
                    links.push(Link::Not { edge, target, chain: rest });
                    break;
                }
                ast::Link::Step(step) => {
                    let (edge, target) = self.step(step);
                    links.push(Link::Step { edge, target });
                }
                ast::Link::Optional(optional) => {
                    let inner = self.chain(&optional.chain);
                    let filter = optional.filter.as_ref().and_then(|filter| self.path_filter(filter));
                    let alias = optional.alias.as_ref().map(|alias| {
                        let slot = self.slots.len();
                        self.slots.push(Slot { stands_for_another: true, ..Slot::default() });
                        if !self.names.alias(&alias.node, Place::Entity(slot)) {
                            let message = format!("The name `{}` is given twice.", alias.node);
                            self.refuse(alias.span, message, "each AS needs a name of its own");
                        }
                        slot
                    });
                    links.push(Link::Optional { chain: inner, filter, alias });
                }
            }
        }
        links
    }

    fn step(&mut self, step: &ast::Step) -> (usize, usize) {
        *self.hops += 1;
        if *self.hops == MOST_HOPS + 1 {
            let message = format!("The query has more than {MOST_HOPS} hops.");
            self.refuse(step.span, message, "ask for fewer steps at once; each THAT is a hop");
        }
        let edge = self.edges.len();
        let types = if step.verbs.is_empty() {
            RELATIONSHIP_TYPES.iter().filter(|known| !known.computed).collect()
        } else {
            let named = |verb: &str| step.verbs.iter().any(|named| named.node == verb);
            RELATIONSHIP_TYPES.iter().filter(|known| named(known.verb)).collect()
        };
        for verb in &step.verbs {
            if !RELATIONSHIP_TYPES.iter().any(|known| known.verb == verb.node) {
                let hint = match nearest(&verb.node, RELATIONSHIP_TYPES.iter().map(|known| known.verb)) {
                    Some(near) => format!("; did you mean {near}?"),
                    None => String::new(),
                };
                self.warn(format!("no relationship here is called {}{hint}", verb.node));
            }
            self.names.verb(&verb.node, Place::Edge(edge));
        }
        self.edges.push(EdgeSlot { types, direction: step.direction });
        if let Some(alias) = &step.alias
            && !self.names.alias(&alias.node, Place::Edge(edge))
        {
            let message = format!("The name `{}` is given twice.", alias.node);
            self.refuse(alias.span, message, "each AS needs a name of its own");
        }
        (edge, self.selector(&step.target))
    }
}

/// The class or type that an entity is asked for by, as written.
pub(super) fn written(name: &EntityName) -> Option<&str> {
    match name {
        EntityName::Named(name) => Some(name),
        EntityName::Smart { of: Some(of), .. } => written(&of.node),
        EntityName::Any | EntityName::Text(_) | EntityName::Smart { of: None, .. } => None,
    }
}

/// Adds types to the candidates: one that is there without a mark needs none, others may bear either.
fn add(
    found: &mut Vec<Candidate>,
    types: impl IntoIterator<Item = &'static EntityType>,
    mark: Option<&Mark>,
) {
    for entity_type in types {
        let known = found.iter_mut().find(|known| std::ptr::eq(known.entity_type, entity_type));
        match (known, mark) {
            (Some(known), None) => known.marks.clear(),
            (Some(known), Some(mark)) if !known.marks.is_empty() => known.marks.push(mark.clone()),
            (Some(_), Some(_)) => {}
            (None, mark) => found.push(Candidate { entity_type, marks: mark.cloned().into_iter().collect() }),
        }
    }
}
