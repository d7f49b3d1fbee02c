//! Answers a query over a graph in memory, by the rules of the language and in the plainest way.
//!
//! It is the second opinion for tests: written from the rules alone, it shares nothing with the compiler but the syntax
//! tree. Every path is made and looked at; it is not meant to be fast, and no part of the product.
//!
//! In reading order: [`graph`] → `read` (what a query means) → `paths` → `rows` → [`ranked`] (what may be answered).

pub mod cases;
pub mod graph;
pub mod random;
pub mod ranked;

mod condition;
mod dates;
mod paths;
mod read;
mod rows;
mod scope;
mod term;
#[cfg(test)]
mod tests;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use metsuke_model::graph::Value;

use crate::ast::Query;
use crate::span::Span;

pub use graph::{Dangling, Entity, Graph, Relationship};
pub use ranked::{Difference, Ranked};

/// What a query is asked in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// What `date.now` is, milliseconds since 1970.
    pub now_ms: f64,
    /// What `${name}` stands for; a list stands for any of its values.
    pub variables: BTreeMap<String, Value>,
    /// Deleted entities and relationships count as well.
    pub include_deleted: bool,
}

/// What a query answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The keys of entities.
    List(Vec<String>),
    /// Named columns, and a cell of each row for each of them.
    Table {
        /// The columns' names; `u.*` is one column of this name.
        columns: Vec<String>,
        /// The rows.
        rows: Vec<Vec<Cell>>,
    },
    /// The keys of all that stands on the paths.
    Tree {
        /// Entities.
        vertices: BTreeSet<String>,
        /// Relationships.
        edges: BTreeSet<String>,
    },
}

/// One cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A value.
    Value(Value),
    /// A whole entity (`u` as well as `u.*`), by its key; `None` where its part of the path was left out.
    Entity(Option<String>),
    /// A whole relationship, by its key; `None` where its part of the path was left out.
    Relationship(Option<String>),
}

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It means nothing; every other reader of the query must refuse it, too.
    #[error("{message}")]
    Meaning {
        /// Where.
        span: Span,
        /// Why.
        message: String,
    },
    /// There is too much to walk; this says nothing about the query.
    #[error("the graph has too many paths for this query")]
    TooMuch,
}

impl Refusal {
    fn at(span: Span, message: impl Into<String>) -> Self {
        Self::Meaning { span, message: message.into() }
    }
}

/// An answer of a query: where several are right, one of them.
///
/// `AS OF` is not looked at: the graph is that of the time asked about.
///
/// # Errors
///
/// [`Refusal`] when the query means nothing or there is too much to walk.
pub fn evaluate(query: &Query, graph: &Graph, surroundings: &Surroundings) -> Result<Answer, Refusal> {
    ranked(query, graph, surroundings).map(|ranked| ranked.answer())
}

/// Everything that may be an answer of a query, with the order in which it may stand.
///
/// # Errors
///
/// [`Refusal`] when the query means nothing or there is too much to walk.
pub fn ranked(query: &Query, graph: &Graph, surroundings: &Surroundings) -> Result<Ranked, Refusal> {
    evaluate_within(query, graph, surroundings, &std::cell::Cell::new(0))
}

fn evaluate_within(
    query: &Query,
    graph: &Graph,
    surroundings: &Surroundings,
    steps: &std::cell::Cell<usize>,
) -> Result<Ranked, Refusal> {
    let meaning = read::Reader::new(graph, surroundings, steps).query(query)?;
    let walker = paths::Walker { graph, include_deleted: surroundings.include_deleted, steps };
    let paths = walker.paths(&meaning.pattern)?;
    let (columns, rows) = rows::rows(&meaning, graph, &paths);
    Ok(Ranked::new(columns, rows, (query.skip.as_ref(), query.limit.as_ref())))
}
