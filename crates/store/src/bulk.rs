//! Many rows in one statement: their values, and the text around them.
//!
//! Invariant: the only text that is composed here is placeholders; every value is bound.

use std::iter::Peekable;

use sqlx::{Arguments as _, SqlStr};

use crate::composed::composed;
use crate::connection::Bind;

/// Values in one insert: enough that a statement's own cost does not show, few enough that its program stays in
/// the processor's cache.
const INSERT_BINDS: usize = 4_096;

/// The values of as many rows as go into one statement, and how many rows they are; `None` when there are no more.
pub(crate) fn arguments<D: sqlx::Database, R: IntoIterator<Item = Bind>, I: Iterator<Item = R>>(
    rows: &mut Peekable<I>,
    most: usize,
) -> Option<(usize, Result<D::Arguments, sqlx::Error>)>
where
    Option<i64>: sqlx::Type<D> + for<'q> sqlx::Encode<'q, D>,
    Option<String>: sqlx::Type<D> + for<'q> sqlx::Encode<'q, D>,
    Option<Vec<u8>>: sqlx::Type<D> + for<'q> sqlx::Encode<'q, D>,
{
    rows.peek()?;
    let mut arguments = D::Arguments::default();
    arguments.reserve(INSERT_BINDS, INSERT_BINDS * 8);
    let mut count = 0;
    for bind in rows.by_ref().take(most).inspect(|_| count += 1).flatten() {
        let added = match bind {
            Bind::Int(value) => arguments.add(value),
            Bind::Text(value) => arguments.add(value),
            Bind::Bytes(value) => arguments.add(Some(value)),
            Bind::NoBytes => arguments.add(None::<Vec<u8>>),
        };
        if let Err(error) = added {
            return Some((count, Err(sqlx::Error::Encode(error))));
        }
    }
    Some((count, Ok(arguments)))
}

/// The text of a statement over rows of values, written once for all full ones.
#[derive(Debug)]
pub(crate) struct RowsText<'t> {
    ends: (&'t str, &'t str),
    width: usize,
    numbered: bool,
    /// How many rows a full statement has.
    pub(crate) full: usize,
    text: Option<SqlStr>,
}

impl<'t> RowsText<'t> {
    pub(crate) fn new(ends: (&'t str, &'t str), width: usize, numbered: bool) -> Self {
        Self { ends, width, numbered, full: (INSERT_BINDS / width.max(1)).max(1), text: None }
    }

    /// `HEAD VALUES (…), (…) TAIL` for so many rows.
    pub(crate) fn of(&mut self, rows: usize) -> SqlStr {
        match &self.text {
            Some(text) if rows == self.full => text.clone(),
            _ => {
                let text = self.write(rows);
                if rows == self.full {
                    self.text = Some(text.clone());
                }
                text
            }
        }
    }

    fn write(&self, rows: usize) -> SqlStr {
        let mut text = format!("{}VALUES ", self.ends.0);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for place in 0..self.width {
                text.push_str(if place == 0 { "" } else { ", " });
                if self.numbered {
                    text.push('$');
                    text.push_str(&(row * self.width + place + 1).to_string());
                } else {
                    text.push('?');
                }
            }
            text.push(')');
        }
        text.push_str(self.ends.1);
        // The two ends are literals or the catalogue's words; all that is added here are placeholders.
        composed(text)
    }
}
