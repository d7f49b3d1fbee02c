//! All that may be answered to one query: its rows in their order, ties left open.
//!
//! Where `ORDER BY` does not decide, several answers are right; this knows them all, so another answer can be judged.
//!
//! Invariant: the rows of one class may change places among each other, and no row may leave its class.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Range;

use metsuke_model::graph::Value;

use super::rows::SortKey;
use super::{Answer, Cell, values};
use crate::span::Spanned;

/// Numbers that differ by less than this part of the greater one count as equal.
const TOLERANCE: f64 = 1e-9;

/// What kind of answer it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Tree,
    /// With the columns' names.
    Table(Vec<String>),
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Row {
    /// An entity.
    Key(String),
    /// All that one path passes.
    Path { vertices: BTreeSet<String>, edges: BTreeSet<String> },
    /// Cells of a table.
    Cells(Vec<Cell>),
}

/// Everything that may be an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    kind: Kind,
    /// All rows before any is cut away: rows that may change places stand in one class.
    classes: Vec<Vec<Row>>,
    /// The rows that the answer shows, counted over all classes.
    window: Range<usize>,
}

/// In what an answer is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Difference(pub String);

impl Ranked {
    pub(super) fn new(
        kind: Kind,
        mut rows: Vec<(Row, Vec<SortKey>)>,
        (skip, limit): (Option<&Spanned<u64>>, Option<&Spanned<u64>>),
    ) -> Self {
        rows.sort_by(|(_, left), (_, right)| order(left, right));
        let number = |number: &Spanned<u64>| usize::try_from(number.node).unwrap_or(usize::MAX);
        let start = skip.map_or(0, number).min(rows.len());
        let end = start.saturating_add(limit.map_or(usize::MAX, number)).min(rows.len());
        let mut classes: Vec<Vec<Row>> = Vec::new();
        let mut last: Option<Vec<SortKey>> = None;
        for (row, keys) in rows {
            if !last.as_ref().is_some_and(|last| tie(last, &keys)) {
                classes.push(Vec::new());
            }
            classes.last_mut().into_iter().for_each(|class| class.push(row.clone()));
            last = Some(keys);
        }
        Self { kind, classes, window: start..end }
    }

    /// One of the right answers.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let rows = self.classes.iter().flatten().skip(self.window.start).take(self.window.len()).cloned();
        match &self.kind {
            Kind::List => Answer::List(
                rows.filter_map(|row| if let Row::Key(key) = row { Some(key) } else { None }).collect(),
            ),
            Kind::Table(columns) => Answer::Table {
                columns: columns.clone(),
                rows: rows
                    .filter_map(|row| if let Row::Cells(cells) = row { Some(cells) } else { None })
                    .collect(),
            },
            Kind::Tree => {
                let (vertices, edges) = together(rows);
                Answer::Tree { vertices, edges }
            }
        }
    }

    /// How many rows there are before any is cut away.
    #[must_use]
    pub fn total(&self) -> usize {
        self.classes.iter().map(Vec::len).sum()
    }

    /// Whether another's answer is right.
    ///
    /// Rows are compared as often as they stand there, in any order where the query asks for none; a whole entity by
    /// its key; numbers up to a billionth of their size.
    ///
    /// # Errors
    ///
    /// [`Difference`] when it is not.
    pub fn admits(&self, answer: &Answer) -> Result<(), Difference> {
        let rows: Vec<Row> = match (&self.kind, answer) {
            (Kind::List, Answer::List(keys)) => keys.iter().cloned().map(Row::Key).collect(),
            (Kind::Table(columns), Answer::Table { columns: found, rows }) if columns == found => {
                rows.iter().cloned().map(Row::Cells).collect()
            }
            (Kind::Tree, Answer::Tree { vertices, edges }) => return self.admits_tree(vertices, edges),
            _ => return Err(Difference(format!("{:?} was expected, but came {answer:?}", self.kind))),
        };
        if rows.len() != self.window.len() {
            let (expected, all) = (self.window.len(), self.total());
            return Err(Difference(format!(
                "{expected} rows (of {all}) were expected, but {} came",
                rows.len()
            )));
        }
        for (class, shown) in self.shown() {
            let came =
                rows.get(shown.start - self.window.start..shown.end - self.window.start).unwrap_or_default();
            if let Some(row) = left_over(came, class) {
                let place = shown.start;
                return Err(Difference(format!("{row:?} is not among those from place {place}: {class:?}")));
            }
        }
        Ok(())
    }

    fn admits_tree(&self, vertices: &BTreeSet<String>, edges: &BTreeSet<String>) -> Result<(), Difference> {
        let whole = self.shown().filter(|(class, shown)| class.len() == shown.len());
        let (least_vertices, least_edges) = together(whole.flat_map(|(class, _)| class.iter().cloned()));
        let (most_vertices, most_edges) = together(self.shown().flat_map(|(class, _)| class.iter().cloned()));
        let between = |least: &BTreeSet<_>, found: &BTreeSet<_>, most: &BTreeSet<_>| {
            least.is_subset(found) && found.is_subset(most)
        };
        if between(&least_vertices, vertices, &most_vertices) && between(&least_edges, edges, &most_edges) {
            return Ok(());
        }
        let expected = (least_vertices, least_edges);
        Err(Difference(format!("{expected:?} was expected, but came {:?}", (vertices, edges))))
    }

    /// The classes of which something is shown, each with the places shown.
    fn shown(&self) -> impl Iterator<Item = (&[Row], Range<usize>)> {
        let mut from = 0;
        self.classes.iter().filter_map(move |class| {
            let start = from.max(self.window.start);
            from += class.len();
            let end = from.min(self.window.end);
            (start < end).then_some((class.as_slice(), start..end))
        })
    }
}

fn together(rows: impl Iterator<Item = Row>) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut all_vertices, mut all_edges) = (BTreeSet::new(), BTreeSet::new());
    for row in rows {
        if let Row::Path { vertices, edges } = row {
            all_vertices.extend(vertices);
            all_edges.extend(edges);
        }
    }
    (all_vertices, all_edges)
}

fn order(left: &[SortKey], right: &[SortKey]) -> Ordering {
    let orders = left.iter().zip(right).map(|((left, descending), (right, _))| {
        let order = values::order(left, right);
        // Absent values come last either way.
        if *descending && !left.is_absent() && !right.is_absent() { order.reverse() } else { order }
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

fn tie(left: &[SortKey], right: &[SortKey]) -> bool {
    left.iter().zip(right).all(|((left, _), (right, _))| same(left, right))
}

/// The first row that does not stand in the class, or stands there less often.
fn left_over<'r>(rows: &'r [Row], class: &[Row]) -> Option<&'r Row> {
    let mut taken = vec![false; class.len()];
    rows.iter().find(|row| {
        let free = |place: &usize| !taken[*place] && same_row(row, &class[*place]);
        // INVARIANT: exact partners first, so that a near one never takes the place of an exact one.
        let exact = (0..class.len()).find(|place| !taken[*place] && class[*place] == **row);
        match exact.or_else(|| (0..class.len()).find(free)) {
            Some(place) => {
                taken[place] = true;
                false
            }
            None => true,
        }
    })
}

fn same_row(left: &Row, right: &Row) -> bool {
    match (left, right) {
        (Row::Cells(left), Row::Cells(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| match (left, right) {
                    (Cell::Value(left), Cell::Value(right)) => same(left, right),
                    _ => left == right,
                })
        }
        _ => left == right,
    }
}

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            (left - right).abs() <= TOLERANCE * left.abs().max(right.abs())
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        _ => left == right,
    }
}
