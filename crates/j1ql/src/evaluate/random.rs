//! Queries by chance, most of which mean something and find something in a given graph.
//!
//! They are made as texts, so that what asks them goes the way that a person's query goes; where chance comes from is the
//! caller's to say, so that a seed or a fuzzer's bytes will do.
//!
//! Invariant: every text is J1QL; a few in a hundred mean nothing (an unknown name, a count in a condition) and must be
//! refused by everybody.

mod chain;
mod conditions;
mod literals;
mod returns;

use std::collections::BTreeMap;

use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::{EntityType, RelationshipType, Value, ValueType};

use super::Graph;

/// The text of a query. `roll` gives a number from 0 to one less than what it is given, which is at least 1.
pub fn query(graph: &Graph, roll: &mut dyn FnMut(usize) -> usize) -> String {
    Maker { graph, roll, names: Vec::new(), given: 0, deep: 0 }.query()
}

/// The variables that the queries name: a text, a number, a flag and a list, drawn from the graph where it has any.
pub fn variables(graph: &Graph, roll: &mut dyn FnMut(usize) -> usize) -> BTreeMap<String, Value> {
    let mut maker = Maker { graph, roll, names: Vec::new(), given: 0, deep: 0 };
    let names = [maker.met("name"), maker.met("email"), maker.met("role")];
    let present = names.into_iter().flatten().collect();
    let variables = [
        ("text", maker.met("name").unwrap_or_else(|| "core".into())),
        ("number", maker.met("repoSizeBytes").unwrap_or(Value::Number(7.0))),
        ("flag", Value::Flag(true)),
        ("list", Value::List(present)),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Makes one query.
struct Maker<'a> {
    graph: &'a Graph,
    roll: &'a mut dyn FnMut(usize) -> usize,
    /// What can be named where the text has got to.
    names: Vec<Name>,
    /// How many aliases were given.
    given: usize,
    /// How deep in groups and subqueries the text is.
    deep: usize,
}

/// Something that can be named.
#[derive(Clone, Debug)]
struct Name {
    text: String,
    what: What,
}

/// What stands at a place, as far as the text tells.
#[derive(Clone, Debug)]
enum What {
    /// One of these entities.
    Entities(Types),
    /// One of these relationships.
    Relationships(Vec<&'static RelationshipType>),
}

type Types = Vec<&'static EntityType>;

/// A property that may be asked for.
#[derive(Clone, Copy, Debug)]
struct Known {
    name: &'static str,
    value_type: ValueType,
}

impl Maker<'_> {
    fn below(&mut self, limit: usize) -> usize {
        (self.roll)(limit.max(1)).min(limit.saturating_sub(1))
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len())).cloned()
    }

    /// One of these words.
    fn word(&mut self, from: &[&'static str]) -> &'static str {
        self.pick(from).unwrap_or_default()
    }

    /// A value of this property that some entity or relationship has.
    fn met(&mut self, name: &str) -> Option<Value> {
        let of_entities = self.graph.entities().iter().map(|entity| entity.property(name));
        let of_relationships =
            self.graph.relationships().iter().map(|relationship| relationship.property(name));
        let found: Vec<Value> =
            of_entities.chain(of_relationships).filter(|value| !value.is_absent()).collect();
        self.pick(&found)
    }

    fn query(&mut self) -> String {
        let all: Types = ENTITY_TYPES.iter().collect();
        let (root, types) = self.selector(&all);
        let steps = self.word(&["", "1", "1", "11", "11", "111"]).len();
        let (chain, _) = self.chain(types, steps);
        let mut text = format!("{root}{chain}");
        if !self.names.is_empty() && self.percent(35) {
            text = format!("{text} WHERE {}", self.path_condition(1));
        }
        let returned = self.returned();
        let find = if returned.unique { "FIND UNIQUE" } else { self.word(&["FIND", "FIND", "find"]) };
        format!("{find} {text}{}", returned.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Refusal, Surroundings, cases, ranked};
    use crate::parse::parse;

    /// A repeatable sequence of numbers.
    fn rolls(seed: u64) -> impl FnMut(usize) -> usize {
        let mut state = seed;
        move |limit| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let high = usize::try_from(state >> 33).unwrap();
            high % limit
        }
    }

    #[test]
    fn every_text_is_a_query_and_most_find_something() {
        let graph = cases::graph();
        let (mut refused, mut found, mut walked) = (0, 0, 0);
        let mut reasons = BTreeMap::new();
        for seed in 0..4_000 {
            let mut roll = rolls(seed);
            let variables = variables(&graph, &mut roll);
            let text = query(&graph, &mut roll);
            let query = parse(&text).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
            let surroundings = Surroundings { now_ms: cases::NOW_MS, variables, include_deleted: false };
            match ranked(&query, &graph, &surroundings) {
                Ok(ranked) => {
                    walked += 1;
                    found += usize::from(ranked.total() > 0);
                    ranked.admits(&ranked.answer()).unwrap_or_else(|wrong| panic!("{text}\n{wrong}"));
                }
                Err(Refusal::Meaning { message, .. }) => {
                    refused += 1;
                    *reasons.entry(message).or_insert(0) += 1;
                }
                Err(Refusal::TooMuch) => {}
            }
        }
        assert!(refused > 40 && refused < 800, "{refused} were refused: {reasons:#?}");
        assert!(found * 5 > walked * 2, "{found} of {walked} found something");
    }

    #[test]
    fn the_same_numbers_give_the_same_query() {
        let graph = cases::graph();
        assert_eq!(query(&graph, &mut rolls(7)), query(&graph, &mut rolls(7)));
    }
}
