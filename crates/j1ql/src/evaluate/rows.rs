//! Turns the paths of a query into what is returned of them, each with its sort keys.
//!
//! Sorting and cutting is [`ranked`](super::ranked)'s business.
//!
//! Invariant: where a row stands for several paths, its cells and keys are the same on all of them.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_model::graph::Value;

use super::Cell;
use super::graph::Graph;
use super::ranked::{Kind, Row};
use super::read::{Column, Meaning, Shape};
use super::term::{Bound, Path, Term};
use super::values::Ordered;

/// What kind of answer it is, and its rows in no order.
pub(super) fn rows(meaning: &Meaning, graph: &Graph, paths: &[Path]) -> (Kind, Vec<(Row, Vec<SortKey>)>) {
    let keys = |paths: &[&Path]| -> Vec<SortKey> {
        let key = |(term, descending): &(Term, bool)| (term.value(graph, paths), *descending);
        meaning.order.iter().map(key).collect()
    };
    match &meaning.output {
        Shape::List => {
            let first: BTreeMap<_, _> =
                paths.iter().map(|path| (path.first().copied().flatten(), path)).collect();
            let rows = first.into_iter().filter_map(|(start, path)| {
                let Some(Bound::Entity(place)) = start else { return None };
                Some((Row::Key(graph.entities()[place].key.clone()), keys(&[path])))
            });
            (Kind::List, rows.collect())
        }
        Shape::Tree => {
            let distinct: BTreeSet<&Path> = paths.iter().collect();
            (Kind::Tree, distinct.into_iter().map(|path| (passed(graph, path), keys(&[path]))).collect())
        }
        Shape::Columns(columns) => {
            let mut groups = groups(meaning, graph, paths, columns);
            let having = meaning.having.as_ref();
            groups.retain(|group| having.is_none_or(|having| having.holds(graph, group)));
            if meaning.unique {
                let mut seen = BTreeSet::new();
                groups.retain(|group| {
                    let values = columns.iter().map(|column| Ordered(column.term.value(graph, group)));
                    seen.insert(values.collect::<Vec<_>>())
                });
            }
            let row = |group: &Vec<&Path>| {
                let cells = columns.iter().map(|column| cell(meaning, graph, &column.term, group));
                (Row::Cells(cells.collect()), keys(group))
            };
            let names = columns.iter().map(|column| column.name.clone()).collect();
            (Kind::Table(names), groups.iter().map(row).collect())
        }
    }
}

/// A value to sort by, and whether the greatest comes first.
pub(super) type SortKey = (Value, bool);

/// The paths that each row stands for.
fn groups<'p>(meaning: &Meaning, graph: &Graph, paths: &'p [Path], columns: &[Column]) -> Vec<Vec<&'p Path>> {
    if !meaning.grouped {
        return paths.iter().map(|path| vec![path]).collect();
    }
    let mut by = Vec::new();
    for column in columns {
        if column.term.aggregates() {
            column.term.plain(&mut by);
        } else {
            by.push(&column.term);
        }
    }
    if by.is_empty() {
        // Nothing but aggregates: one row, even over no paths at all.
        return vec![paths.iter().collect()];
    }
    let mut groups: BTreeMap<Vec<Ordered>, Vec<&Path>> = BTreeMap::new();
    for path in paths {
        let key = by.iter().map(|term| Ordered(term.value(graph, &[path]))).collect();
        groups.entry(key).or_default().push(path);
    }
    groups.into_values().collect()
}

fn cell(meaning: &Meaning, graph: &Graph, term: &Term, group: &[&Path]) -> Cell {
    let value = term.value(graph, group);
    let (Term::Whole(slot) | Term::Every(slot)) = term else { return Cell::Value(value) };
    let key = if let Value::Text(key) = value { Some(key.into()) } else { None };
    if meaning.scope.is_relationship(*slot) { Cell::Relationship(key) } else { Cell::Entity(key) }
}

/// The keys of all that a path passes.
fn passed(graph: &Graph, path: &Path) -> Row {
    let (mut vertices, mut edges) = (BTreeSet::new(), BTreeSet::new());
    for bound in path.iter().flatten() {
        match bound {
            Bound::Entity(place) => vertices.insert(graph.entities()[*place].key.clone()),
            Bound::Relationship(place) => edges.insert(graph.relationships()[*place].key.clone()),
        };
    }
    Row::Path { vertices, edges }
}
