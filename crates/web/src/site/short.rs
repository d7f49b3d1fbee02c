//! A list whose rows are all at hand: found by words, sorted and narrowed as lists of an estate's objects are, in one piece.
//!
//! Invariant: the page, the part of it that is asked for while somebody types, and the CSV file hold the same rows.

use std::cmp::Ordering;

use axum::http::{StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

use super::cell::{Cell, Head, Table};
use super::frame::{Choice, Frame};
use super::list::{Facet, Listed};
use super::words::{Name, number};
use crate::answer::Answer;
use crate::table::{Columns, csv};

/// What a short list is.
pub(super) struct Short<R: 'static> {
    pub(super) title: &'static str,
    /// What stands in the empty field for words.
    pub(super) seek: &'static str,
    /// The first names the row and is always shown.
    pub(super) columns: &'static [Column<R>],
    /// What it can be narrowed to, and the name of that.
    pub(super) facets: &'static [(&'static str, &'static str)],
    /// Whether a row is of a facet.
    pub(super) fits: fn(&R, &str) -> bool,
    /// The text in which words are looked for.
    pub(super) words: fn(&R) -> String,
    pub(super) csv: Columns,
    /// What an empty list says.
    pub(super) empty: &'static str,
}

/// One column.
pub(super) struct Column<R> {
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) number: bool,
    /// Whether the largest comes first where somebody sorts by it.
    pub(super) falling: bool,
    /// Whether it is shown where nobody has chosen.
    pub(super) usual: bool,
    /// In which order rows stand by it; none where they cannot be sorted so.
    pub(super) order: Option<fn(&R, &R) -> Ordering>,
    pub(super) cell: fn(&R, &Frame) -> Cell,
}

impl<R> Short<R> {
    /// The rows that are asked for, in the order that is asked for; as they came where nobody asks.
    pub(super) fn chosen(&self, frame: &Frame, mut rows: Vec<R>) -> Vec<R> {
        let asked = &frame.asked;
        let wanted: Vec<String> = asked
            .get("q")
            .unwrap_or_default()
            .to_lowercase()
            .split_whitespace()
            .map(ToOwned::to_owned)
            .collect();
        let only = asked.get("only").unwrap_or_default();
        let has = |row: &R| {
            let text = (self.words)(row).to_lowercase();
            wanted.iter().all(|word| text.contains(word))
        };
        rows.retain(|row| (only.is_empty() || (self.fits)(row, only)) && has(row));
        let (falling, by) = sorting(frame);
        let order = self.columns.iter().find(|column| column.key == by).and_then(|column| column.order);
        if let Some(order) = order {
            rows.sort_by(|one, other| if falling { order(other, one) } else { order(one, other) });
        }
        rows
    }

    /// What the templates show of the rows that were chosen of `all`.
    pub(super) fn listed(&self, frame: &Frame, rows: &[R], all: usize) -> Listed {
        let (asked, path) = (&frame.asked, frame.path.clone());
        let shown_of: Vec<&str> = asked.all("cols").collect();
        let is_shown = |column: &&Column<R>| {
            if shown_of.is_empty() { column.usual } else { shown_of.contains(&column.key) }
        };
        let first = self.columns.iter().take(1);
        let columns: Vec<&Column<R>> = first.chain(self.columns.iter().skip(1).filter(is_shown)).collect();
        let only = asked.get("only").unwrap_or_default();
        let facet = |(value, name): &(&'static str, &'static str)| Facet {
            name,
            href: asked.with("only", value).at(&path),
            current: *value == only,
        };
        let choice = |column: &Column<R>| Choice {
            value: column.key.to_owned(),
            name: Name::new(column.label),
            chosen: is_shown(&column),
        };
        let narrowed = asked.get("q").is_some() || asked.get("only").is_some();
        Listed {
            seek: self.seek,
            text: asked.get("q").unwrap_or_default().to_owned(),
            kept: asked.without(&["q"]).pairs(),
            facets: self.facets.iter().map(facet).collect(),
            choices: self.columns.iter().skip(1).map(choice).collect(),
            beside_columns: asked.without(&["cols"]).pairs(),
            tally: if rows.len() == all {
                number(all as u64)
            } else {
                format!("{} of {}", number(rows.len() as u64), number(all as u64))
            },
            table: Table {
                caption: self.title.to_owned(),
                heads: columns.iter().map(|column| head(column, frame)).collect(),
                rows: rows
                    .iter()
                    .map(|row| columns.iter().map(|column| (column.cell)(row, frame)).collect())
                    .collect(),
            },
            csv: asked.with("format", "csv").at(&path),
            next: String::new(),
            first: String::new(),
            empty: self.empty,
            read: Vec::new(),
            all: if narrowed { asked.without(&["q", "only"]).at(&path) } else { String::new() },
            path,
        }
    }
}

/// The rows as a file.
pub(super) fn file<R: Serialize>(columns: Columns, name: &str, rows: &[R]) -> Answer {
    let rows: Vec<Value> = rows.iter().map(|row| json!(row)).collect();
    Answer::typed(StatusCode::OK, "text/csv; charset=utf-8", csv(columns, &rows))
        .with(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}.csv\""))
}

/// Whether the last comes first, and by which column.
fn sorting(frame: &Frame) -> (bool, &str) {
    let sort = frame.asked.get("sort").unwrap_or_default();
    sort.strip_prefix('-').map_or((false, sort), |sort| (true, sort))
}

fn head<R>(column: &Column<R>, frame: &Frame) -> Head {
    let (falling, by) = sorting(frame);
    let sorted = match (by == column.key && column.order.is_some(), falling) {
        (false, _) => "",
        (true, false) => "ascending",
        (true, true) => "descending",
    };
    let next = if sorted.is_empty() { column.falling } else { !falling };
    let sort = format!("{}{}", if next { "-" } else { "" }, column.key);
    let href = column.order.is_some().then(|| frame.asked.with("sort", &sort).at(&frame.path));
    Head { label: column.label.into(), href, sorted, number: column.number }
}
