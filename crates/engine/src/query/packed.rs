//! A large table of values in little room: each value of a column once, and for each row which one it is.
//!
//! Invariant: unpacked, it is the table that was packed, row for row.

use std::collections::HashMap;

use metsuke_model::graph::Value;

use super::pieces::without;
use super::{Cell, Data};

/// Tables of fewer rows stay as they are.
const FEWEST: usize = 500;
/// So many times the values that are in use may be kept before a column is packed anew.
const MOST_UNUSED: usize = 2;

/// A packed table.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    columns: Vec<Column>,
    rows: usize,
}

#[derive(Clone, Debug, Default)]
struct Column {
    values: Vec<Value>,
    /// For each row the place of its value.
    places: Vec<u32>,
}

impl Packed {
    /// Packs a table; `None` where it is small, or holds more than values.
    pub(crate) fn of(data: &Data) -> Option<Self> {
        let Data::Table { headings, rows } = data else { return None };
        let plain = |row: &Vec<Cell>| row.iter().all(|cell| matches!(cell, Cell::Value(_)));
        if rows.len() < FEWEST || !rows.iter().all(plain) {
            return None;
        }
        let mut packed = Self { columns: vec![Column::default(); headings.len()], rows: 0 };
        packed.extend(rows);
        Some(packed)
    }

    /// How many rows there are.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// A row.
    pub(crate) fn row(&self, at: usize) -> Vec<Cell> {
        self.columns.iter().map(|column| Cell::Value(column.value(at).cloned().unwrap_or_default())).collect()
    }

    /// The table without the rows in these places, which are in order, with others behind it, and no more rows than
    /// `most`; `None` where these others hold more than values.
    pub(crate) fn with(&self, gone: &[usize], rows: &[Vec<Cell>], most: usize) -> Option<Self> {
        let plain = |row: &Vec<Cell>| {
            row.len() == self.columns.len() && row.iter().all(|cell| matches!(cell, Cell::Value(_)))
        };
        if !rows.iter().all(plain) {
            return None;
        }
        let less = |column: &Column| Column {
            values: column.values.clone(),
            places: without(&column.places, 1, gone),
        };
        let columns = self.columns.iter().map(less).collect();
        let mut packed = Self { columns, rows: self.rows.saturating_sub(gone.len()) };
        packed.extend(rows);
        packed.rows = packed.rows.min(most);
        packed.columns.iter_mut().for_each(|column| {
            column.places.truncate(most);
            column.tidy();
        });
        Some(packed)
    }

    /// The bytes that it takes, about.
    pub(crate) fn bytes(&self, held: impl Fn(&Value) -> usize) -> usize {
        let column = |column: &Column| {
            let values: usize = column.values.iter().map(|value| size_of::<Value>() + held(value)).sum();
            values + column.places.len() * size_of::<u32>()
        };
        self.columns.iter().map(column).sum()
    }

    fn extend(&mut self, rows: &[Vec<Cell>]) {
        for (at, column) in self.columns.iter_mut().enumerate() {
            column.extend(rows.iter().filter_map(|row| match row.get(at) {
                Some(Cell::Value(value)) => Some(value),
                _ => None,
            }));
        }
        self.rows += rows.len();
    }
}

impl Column {
    fn value(&self, row: usize) -> Option<&Value> {
        let place = usize::try_from(*self.places.get(row)?).ok()?;
        self.values.get(place)
    }

    fn extend<'v>(&mut self, values: impl Iterator<Item = &'v Value>) {
        let mut known: HashMap<String, u32> = HashMap::with_capacity(self.values.len());
        for (place, value) in (0..).zip(&self.values) {
            known.insert(key(value), place);
        }
        for value in values {
            let next = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
            let place = *known.entry(key(value)).or_insert(next);
            if place == next {
                self.values.push(value.clone());
            }
            self.places.push(place);
        }
    }

    /// Leaves out values that no row has any more, once they are many.
    fn tidy(&mut self) {
        let mut used = vec![false; self.values.len()];
        for place in &self.places {
            if let Some(used) = usize::try_from(*place).ok().and_then(|place| used.get_mut(place)) {
                *used = true;
            }
        }
        let count = used.iter().filter(|used| **used).count();
        if self.values.len() <= MOST_UNUSED * count.max(FEWEST) {
            return;
        }
        let rows: Vec<Value> =
            (0..self.places.len()).map(|row| self.value(row).cloned().unwrap_or_default()).collect();
        *self = Self::default();
        self.extend(rows.iter());
    }
}

/// What tells a value from every other.
fn key(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("t{text}"),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Heading;
    use super::*;

    fn row(number: usize) -> Vec<Cell> {
        let value = match number % 4 {
            0 => Value::Absent,
            1 => Value::Number(f64::from(u32::try_from(number % 9).unwrap())),
            2 => Value::text("Flag(true)"),
            _ => Value::Flag(true),
        };
        vec![Cell::Value(Value::text(&format!("name {}", number % 50))), Cell::Value(value)]
    }

    #[test]
    fn what_is_packed_comes_out_again_and_grows_and_shrinks() {
        let heading = |name: &str| Heading { name: name.into(), all: false, names: None, time: false };
        let headings = vec![heading("one"), heading("two")];
        let mut rows: Vec<Vec<Cell>> = (0..2_000).map(row).collect();
        let few = Data::Table { headings: headings.clone(), rows: rows[..10].to_vec() };
        assert!(Packed::of(&few).is_none());
        let mut packed = Packed::of(&Data::Table { headings, rows: rows.clone() }).unwrap();
        for round in 0..20 {
            let gone: Vec<usize> = (0..rows.len()).filter(|at| at % 7 == round % 7).collect();
            let more: Vec<Vec<Cell>> = (0..100).map(|number| row(round * 1_000 + number * 13)).collect();
            packed = packed.with(&gone, &more, 2_000).unwrap();
            rows = without(&rows, 1, &gone);
            rows.extend(more);
            rows.truncate(2_000);
            assert_eq!(packed.rows(), rows.len());
            assert!(rows.iter().enumerate().all(|(at, row)| packed.row(at) == *row));
        }
        assert!(packed.with(&[], &[vec![Cell::Entity(None)]], 9_000).is_none());
    }
}
