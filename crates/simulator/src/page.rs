//! Cuts one page out of a list, and the answer that carries it.
//!
//! Not the header's grammar, which is `range`.
//!
//! Invariant: keys are compared as Heroku shows them, so a page boundary is something a client has seen.

use serde::Serialize;

use crate::range::{Field, Range};
use crate::refusal::Refusal;
use crate::value::Stamp;
use crate::wire::Row;

/// A success, before the server adds what every answer carries.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    One { status: u16, body: Vec<u8>, modified: Option<Stamp> },
    Page(Page),
}

/// Part of a list, or all of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) body: Vec<u8>,
    pub(crate) modified: Option<Stamp>,
    /// First and last key; `None` on an empty list and on lists that are not paged.
    pub(crate) span: Option<(String, String)>,
    /// What to send for the next page.
    pub(crate) next: Option<String>,
}

impl Answer {
    /// One object.
    pub(crate) fn one<T: Serialize>(status: u16, row: &T, modified: Option<Stamp>) -> Result<Self, Refusal> {
        let body = serde_json::to_vec(row).map_err(|_| Refusal::server_error())?;
        Ok(Self::One { status, body, modified })
    }

    /// One row of a list.
    pub(crate) fn row<T: Row>(row: &T) -> Result<Self, Refusal> {
        Self::one(200, row, row.updated())
    }

    /// A list that is not paged and ignores `Range`.
    pub(crate) fn whole<T: Serialize>(rows: &[T]) -> Result<Self, Refusal> {
        let body = serde_json::to_vec(rows).map_err(|_| Refusal::server_error())?;
        Ok(Self::Page(Page { body, ..Page::default() }))
    }

    /// The page of `rows` that `range` asks for.
    pub(crate) fn page<T: Row>(rows: Vec<T>, range: &Range) -> Result<Self, Refusal> {
        let mut keyed: Vec<(String, T)> = rows
            .into_iter()
            .map(|row| (row.key(range.field), row))
            .filter(|(key, _)| range.admits_start(key) && range.admits_end(key))
            .collect();
        keyed.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.id().cmp(&b.1.id())));
        if range.descending {
            keyed.reverse();
        }
        let more = keyed.len() > range.max;
        keyed.truncate(range.max);
        let mut sheet = Sheet::new(range.field);
        for (_, row) in &keyed {
            sheet.push(row)?;
        }
        Ok(Self::Page(sheet.finish(range, more)))
    }
}

/// A page being written, row by row, straight into its buffer.
#[derive(Debug)]
pub(crate) struct Sheet {
    field: Field,
    body: Vec<u8>,
    modified: Option<Stamp>,
    first: Option<String>,
    last: Option<String>,
}

impl Sheet {
    pub(crate) fn new(field: Field) -> Self {
        Self { field, body: vec![b'['], modified: None, first: None, last: None }
    }

    /// A page with room for `bytes`, so that a large one is not copied while it grows.
    pub(crate) fn with_room(field: Field, bytes: usize) -> Self {
        let mut sheet = Self::new(field);
        sheet.body.reserve(bytes);
        sheet
    }

    pub(crate) fn push<T: Row>(&mut self, row: &T) -> Result<(), Refusal> {
        if self.body.len() > 1 {
            self.body.push(b',');
        }
        serde_json::to_writer(&mut self.body, row).map_err(|_| Refusal::server_error())?;
        self.modified = self.modified.max(row.updated());
        let key = row.key(self.field);
        if self.first.is_none() {
            self.first = Some(key.clone());
        }
        self.last = Some(key);
        Ok(())
    }

    pub(crate) fn finish(mut self, range: &Range, more: bool) -> Page {
        self.body.push(b']');
        let next = self.last.as_deref().filter(|_| more).map(|last| range.after(last));
        Page { body: self.body, modified: self.modified, span: self.first.zip(self.last), next }
    }
}
