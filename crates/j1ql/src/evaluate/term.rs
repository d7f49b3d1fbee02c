//! What has a value on a path or on a group of paths, and which value that is.
//!
//! Names are settled already ([`read`](super::read)).
//!
//! Invariant: a number that a term gives is finite, and zero has no sign.

use std::collections::BTreeSet;

use metsuke_model::graph::Value;

use super::dates;
use super::graph::Graph;
use super::values::{self, Ordered};
use crate::ast::{Arithmetic, TimeUnit};

/// What a name stands for on one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bound {
    Entity(usize),
    Relationship(usize),
}

/// What the places of a path hold; `None` where a part was left out.
pub(super) type Path = Vec<Option<Bound>>;

/// Something that has a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Value(Value),
    /// A property of what stands at a place.
    Property(usize, String),
    /// All that stands at a place.
    Whole(usize),
    /// The same, its properties one by one.
    Every(usize),
    Maths(Arithmetic, Box<Term>, Box<Term>),
    Negative(Box<Term>),
    /// A time, so much later, or earlier where the amount is negative.
    Shifted(Box<Term>, f64, TimeUnit),
    Call(Function, Vec<Term>),
    /// Over all paths of a group; without an argument: how many paths there are.
    Aggregate(Aggregate, Option<Box<Term>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Sqrt,
    Ceil,
    Floor,
    Round,
    Coalesce,
    Concat,
    Merge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

impl Term {
    /// The value on a group of paths; what is no aggregate is the same on all of them.
    pub(super) fn value(&self, graph: &Graph, paths: &[&Path]) -> Value {
        let number = |term: &Self| values::number(&term.value(graph, paths));
        match self {
            Self::Value(value) => value.clone(),
            Self::Property(slot, name) => match bound(paths, *slot) {
                Some(Bound::Entity(place)) => graph.entities()[place].property(name),
                Some(Bound::Relationship(place)) => graph.relationships()[place].property(name),
                None => Value::Absent,
            },
            Self::Whole(slot) | Self::Every(slot) => match bound(paths, *slot) {
                Some(Bound::Entity(place)) => Value::text(&graph.entities()[place].key),
                Some(Bound::Relationship(place)) => Value::text(&graph.relationships()[place].key),
                None => Value::Absent,
            },
            Self::Maths(operator, left, right) => {
                let both = number(left).zip(number(right));
                finite(both.and_then(|(left, right)| calculate(*operator, left, right)))
            }
            Self::Negative(term) => finite(number(term).map(|number| -number)),
            Self::Shifted(time, amount, unit) => {
                finite(number(time).and_then(|time| dates::shifted(time, *amount, *unit)))
            }
            Self::Call(function, arguments) => {
                let arguments = arguments.iter().map(|argument| argument.value(graph, paths));
                call(*function, &arguments.collect::<Vec<_>>())
            }
            Self::Aggregate(aggregate, argument) => aggregated(*aggregate, argument.as_deref(), graph, paths),
        }
    }

    /// The terms that it is directly made of.
    pub(super) fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Value(_) | Self::Property(..) | Self::Whole(_) | Self::Every(_) => Vec::new(),
            Self::Maths(_, left, right) => vec![left, right],
            Self::Negative(term) | Self::Shifted(term, ..) => vec![term],
            Self::Call(_, arguments) => arguments.iter().collect(),
            Self::Aggregate(_, argument) => argument.iter().map(|argument| &**argument).collect(),
        }
    }

    /// Whether there is an aggregate in it.
    pub(super) fn aggregates(&self) -> bool {
        matches!(self, Self::Aggregate(..)) || self.parts().into_iter().any(Self::aggregates)
    }

    /// The properties and wholes in it that stand in no aggregate.
    pub(super) fn plain<'t>(&'t self, found: &mut Vec<&'t Self>) {
        match self {
            Self::Property(..) | Self::Whole(_) | Self::Every(_) => found.push(self),
            Self::Aggregate(..) => {}
            _ => self.parts().into_iter().for_each(|part| part.plain(found)),
        }
    }

    /// Whether it is one of these, or made of nothing but these and constants.
    pub(super) fn is_made_of(&self, terms: &[&Self]) -> bool {
        if terms.contains(&self) {
            return true;
        }
        match self {
            Self::Value(_) => true,
            // An entity that is shown whole is the same on all paths of its row, and so are its properties.
            Self::Property(slot, _) | Self::Whole(slot) => terms
                .iter()
                .any(|term| matches!(term, Self::Whole(shown) | Self::Every(shown) if shown == slot)),
            Self::Maths(..) | Self::Negative(_) | Self::Shifted(..) | Self::Call(..) => {
                self.parts().into_iter().all(|part| part.is_made_of(terms))
            }
            _ => false,
        }
    }
}

/// What stands at a place on the first of the paths.
fn bound(paths: &[&Path], slot: usize) -> Option<Bound> {
    paths.first().and_then(|path| path.get(slot).copied().flatten())
}

fn finite(number: Option<f64>) -> Value {
    // Adding zero takes the sign from a negative zero.
    number.filter(|number| number.is_finite()).map_or(Value::Absent, |number| Value::Number(number + 0.0))
}

fn calculate(operator: Arithmetic, left: f64, right: f64) -> Option<f64> {
    match operator {
        Arithmetic::Add => Some(left + right),
        Arithmetic::Subtract => Some(left - right),
        Arithmetic::Multiply => Some(left * right),
        Arithmetic::Divide => (right != 0.0).then(|| left / right),
        Arithmetic::Power => Some(left.powf(right)),
    }
}

fn call(function: Function, arguments: &[Value]) -> Value {
    let first = arguments.first().and_then(values::number);
    match function {
        Function::Abs => finite(first.map(f64::abs)),
        Function::Sqrt => finite(first.map(f64::sqrt)),
        Function::Ceil => finite(first.map(f64::ceil)),
        Function::Floor => finite(first.map(f64::floor)),
        // Halves go away from zero.
        Function::Round => finite(first.map(f64::round)),
        Function::Coalesce => {
            arguments.iter().find(|value| !value.is_absent()).cloned().unwrap_or(Value::Absent)
        }
        Function::Concat => Value::text(&arguments.iter().map(spelled).collect::<String>()),
        Function::Merge => Value::List(arguments.iter().flat_map(values::elements).cloned().collect()),
    }
}

/// The value as `concat` writes it.
fn spelled(value: &Value) -> String {
    match value {
        Value::Absent => String::new(),
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.to_string(),
        Value::List(values) => values.iter().map(spelled).collect::<Vec<_>>().join(","),
    }
}

fn aggregated(aggregate: Aggregate, argument: Option<&Term>, graph: &Graph, paths: &[&Path]) -> Value {
    let number = |count: usize| finite(u32::try_from(count).ok().map(f64::from));
    let Some(argument) = argument else { return number(paths.len()) };
    if let (Aggregate::Count, Term::Whole(slot) | Term::Every(slot)) = (aggregate, argument) {
        let distinct: BTreeSet<Bound> = paths.iter().filter_map(|path| bound(&[path], *slot)).collect();
        return number(distinct.len());
    }
    let all = paths.iter().map(|path| argument.value(graph, &[path])).filter(|value| !value.is_absent());
    if aggregate == Aggregate::Count {
        return number(all.map(Ordered).collect::<BTreeSet<_>>().len());
    }
    let numbers: Vec<f64> = all.filter_map(|value| values::number(&value)).collect();
    let sum: f64 = numbers.iter().sum();
    match aggregate {
        Aggregate::Count => Value::Absent,
        Aggregate::Sum => finite(Some(sum)),
        Aggregate::Avg => finite(u32::try_from(numbers.len()).ok().map(|count| sum / f64::from(count))),
        Aggregate::Min => finite(numbers.into_iter().reduce(f64::min)),
        Aggregate::Max => finite(numbers.into_iter().reduce(f64::max)),
    }
}
