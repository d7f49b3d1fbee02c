//! The rules of the language that can be seen on data: a sentence, a query and its answer over one small company.
//!
//! The company is [`graph`] in memory; a test that has the same company in a database can ask it the same questions.
//!
//! Invariant: the answers were written by hand from the rules; no program made them.

mod company;
mod conditions;
mod returns;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use metsuke_model::graph::Value;

use super::{Answer, Cell, Surroundings};

pub use company::graph;

/// What `date.now` is: 2024-07-01 at noon, UTC.
pub const NOW_MS: f64 = 1_719_835_200_000.0;

/// When the company was read, which is the `_createdOn` of everything: an hour earlier.
pub const SYNCED_MS: f64 = NOW_MS - 3_600_000.0;

/// One rule, seen on data.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The rule's number in the list of rules of the language.
    pub rule: u8,
    /// What the case shows.
    pub sentence: &'static str,
    /// The query's text.
    pub query: &'static str,
    /// Its answer.
    pub expected: Expected,
}

/// What a query answers. A row is written with ` | ` between its cells: texts as they are, `-` for nothing, a whole
/// entity as its key in round brackets, lists as JSON.
#[derive(Clone, Copy, Debug)]
pub enum Expected {
    /// These entities, in any order.
    Keys(&'static [&'static str]),
    /// These entities, in this order.
    Ordered(&'static [&'static str]),
    /// These columns and these rows, in any order.
    Rows(&'static [&'static str], &'static [&'static str]),
    /// These columns and these rows, in this order.
    OrderedRows(&'static [&'static str], &'static [&'static str]),
    /// These entities and so many relationships.
    Tree(&'static [&'static str], usize),
    /// No answer: the query means nothing.
    Refused,
}

const fn case(rule: u8, sentence: &'static str, query: &'static str, expected: Expected) -> Case {
    Case { rule, sentence, query, expected }
}

/// All cases, in the order of their rules.
pub fn cases() -> impl Iterator<Item = Case> {
    let all = conditions::CASES.iter().chain(steps::CASES).chain(returns::CASES).copied();
    let mut all: Vec<Case> = all.collect();
    all.sort_by_key(|case| case.rule);
    all.into_iter()
}

/// What the queries are asked in.
#[must_use]
pub fn surroundings() -> Surroundings {
    let names = Value::List(vec!["api".into(), "blog".into()]);
    let variables = BTreeMap::from([("app".to_owned(), "web".into()), ("apps".to_owned(), names)]);
    Surroundings { now_ms: NOW_MS, variables, include_deleted: false }
}

impl Case {
    /// Whether an answer (or that there is none) is the expected one.
    ///
    /// # Errors
    ///
    /// A sentence that tells what differs.
    pub fn check(&self, answer: Option<&Answer>) -> Result<(), String> {
        let sorted = |mut lines: Vec<String>| {
            lines.sort_unstable();
            lines
        };
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let right = match (&self.expected, answer) {
            (Expected::Refused, None) => true,
            (Expected::Keys(expected), Some(Answer::List(keys))) => {
                sorted(owned(expected)) == sorted(keys.clone())
            }
            (Expected::Ordered(expected), Some(Answer::List(keys))) => owned(expected) == *keys,
            (Expected::Rows(names, expected), Some(Answer::Table { columns, rows })) => {
                owned(names) == *columns && sorted(owned(expected)) == sorted(written(rows))
            }
            (Expected::OrderedRows(names, expected), Some(Answer::Table { columns, rows })) => {
                owned(names) == *columns && owned(expected) == written(rows)
            }
            (Expected::Tree(expected, count), Some(Answer::Tree { vertices, edges })) => {
                owned(expected).into_iter().collect::<BTreeSet<_>>() == *vertices && edges.len() == *count
            }
            _ => false,
        };
        if right {
            return Ok(());
        }
        let Self { rule, sentence, query, expected } = self;
        Err(format!("rule {rule}: {sentence}\n  {query}\n  expected {expected:?}\n  came {answer:?}"))
    }
}

fn written(rows: &[Vec<Cell>]) -> Vec<String> {
    let cell = |cell: &Cell| match cell {
        Cell::Value(Value::Absent) => "-".to_owned(),
        Cell::Value(Value::Text(text)) => text.to_string(),
        Cell::Value(value) => value.to_json().to_string(),
        Cell::Entity(key) | Cell::Relationship(key) => {
            key.as_ref().map_or_else(|| "-".to_owned(), |key| format!("({key})"))
        }
    };
    rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" | ")).collect()
}
