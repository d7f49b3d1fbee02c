//! Conditions on a path, or on a group of paths.
//!
//! Names, regular expressions and subqueries are settled already ([`read`](super::read)).
//!
//! Invariant: a negated comparison is the exact complement of the positive one, whatever is absent.

use metsuke_model::graph::Value;
use regex_lite::Regex;

use super::graph::Graph;
use super::term::{Path, Term};
use super::values::{self, Test};

/// A condition that is true or false, never anything between.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare { left: Term, test: Test, right: Side },
}

/// The right side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Side {
    /// The word `undefined`.
    Undefined,
    Term(Term),
    /// A regular expression, already bound to the start or the end where the operator asks for it.
    Regex(Regex),
    AnyOf(Vec<Side>),
    AllOf(Vec<Side>),
}

impl Condition {
    /// Whether it holds on a group of paths.
    pub(super) fn holds(&self, graph: &Graph, paths: &[&Path]) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(graph, paths)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(graph, paths)),
            Self::Not(condition) => !condition.holds(graph, paths),
            Self::Compare { left, test, right } => {
                right.passes(&left.value(graph, paths), *test, graph, paths)
            }
        }
    }

    /// The terms that stand in it.
    pub(super) fn terms<'c>(&'c self, found: &mut Vec<&'c Term>) {
        match self {
            Self::All(conditions) | Self::Any(conditions) => {
                for condition in conditions {
                    condition.terms(found);
                }
            }
            Self::Not(condition) => condition.terms(found),
            Self::Compare { left, right, .. } => {
                found.push(left);
                right.terms(found);
            }
        }
    }
}

impl Side {
    fn passes(&self, left: &Value, test: Test, graph: &Graph, paths: &[&Path]) -> bool {
        match self {
            Self::Undefined => test == Test::Equal && left.is_absent(),
            Self::Term(term) => values::any_pair(left, test, &term.value(graph, paths)),
            Self::Regex(regex) => values::elements(left).iter().any(|value| match value {
                Value::Text(found) => regex.is_match(found),
                _ => false,
            }),
            Self::AnyOf(sides) => sides.iter().any(|side| side.passes(left, test, graph, paths)),
            Self::AllOf(sides) => sides.iter().all(|side| side.passes(left, test, graph, paths)),
        }
    }

    fn terms<'c>(&'c self, found: &mut Vec<&'c Term>) {
        match self {
            Self::Undefined | Self::Regex(_) => {}
            Self::Term(term) => found.push(term),
            Self::AnyOf(sides) | Self::AllOf(sides) => sides.iter().for_each(|side| side.terms(found)),
        }
    }
}
