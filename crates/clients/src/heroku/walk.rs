//! Walks through one list, page by page.
//!
//! It hands each page out as it comes and keeps none; whoever walks several lists at once drives
//! several walks.
//!
//! Invariant: a walk moves on only when a whole, new page was read. A call that is dropped or fails
//! leaves it where it was, and a list that does not advance is an error, never an end.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use serde::de::DeserializeOwned;

use super::endpoint::{Endpoint, FIRST_RANGE};
use super::wire::Wrapped;
use super::{Heroku, read};
use crate::error::ClientError;
use crate::http::retry::Tries;

/// A row of a list.
pub trait Row: DeserializeOwned + Send + 'static {
    /// The id of the row itself, which is unique in its list.
    fn row_id(&self) -> &str;
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the order of the server.
    pub rows: Vec<T>,
    /// Whether the list ends here.
    pub last: bool,
}

/// A walk through one list.
#[derive(Debug)]
pub struct Walk<T> {
    heroku: Heroku,
    endpoint: Endpoint<T>,
    /// Where the next page starts; none for the first page.
    cursor: Option<String>,
    /// Set when the server did not take the variant or the range.
    without_variant: bool,
    without_range: bool,
    seen: Seen,
    finished: bool,
    pages: u32,
    rows: u64,
    calls: u32,
}

impl<T: Row> Walk<T> {
    pub(super) fn new(heroku: Heroku, endpoint: Endpoint<T>) -> Self {
        Self {
            heroku,
            endpoint,
            cursor: None,
            without_variant: false,
            without_range: false,
            seen: Seen::default(),
            finished: false,
            pages: 0,
            rows: 0,
            calls: 0,
        }
    }

    /// Whether the last page was read.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Pages read.
    #[must_use]
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// Rows read.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Requests sent, repeated ones included.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.calls
    }

    /// Reads one page, trying again as the settings allow; past the end it is an empty last page.
    ///
    /// Dropping the future loses at most the page that was on its way; the next call asks for it again.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when the page could not be read. Calling again starts anew at the same page.
    pub async fn next(&mut self) -> Result<Page<T>, ClientError> {
        if self.finished {
            return Ok(Page { rows: Vec::new(), last: true });
        }
        if self.pages >= self.heroku.inner.max_pages {
            return Err(ClientError::Limit {
                call: Box::new(self.endpoint.ask(None, false, false).call()),
                pages: self.pages,
            });
        }
        let mut tries = Tries::default();
        let before = self.calls;
        loop {
            match self.attempt().await {
                Ok(found) => return Ok(self.advance(found)),
                Err(error) if self.can_ask_simpler(&error) => {}
                Err(error) => {
                    let sent = self.calls - before;
                    self.heroku.clone().again(&mut tries, error.after(sent)).await?;
                }
            }
        }
    }

    /// Asks once for the page at the cursor; the walk does not move.
    async fn attempt(&mut self) -> Result<Found<T>, ClientError> {
        let secret = self.endpoint.secret;
        self.asked().await.map_err(|error| if secret { error.without_content() } else { error })
    }

    async fn asked(&mut self) -> Result<Found<T>, ClientError> {
        let transport = &self.heroku.inner.transport;
        let ask = self.endpoint.ask(self.cursor.as_deref(), self.without_variant, self.without_range);
        let mut reply = transport.send(&ask, self.heroku.share, &mut self.calls).await?;
        let expected = self.endpoint.expected;
        let Wrapped { rows, cursor: in_body } = if self.endpoint.wrapped {
            read::json_aside(&transport.cleaner, &ask, &mut reply, expected).await?
        } else {
            Wrapped::plain(read::json_aside(&transport.cleaner, &ask, &mut reply, expected).await?)
        };
        if reply.next_range.as_deref() == Some("") {
            let what = "the cursor of the next page cannot be read";
            return Err(read::shape(&transport.cleaner, &ask, &reply, expected, what));
        }
        let in_body = in_body.filter(|_| reply.next_range.is_none() && !rows.is_empty());
        let is_in_body = in_body.is_some();
        let next = reply.next_range.or(in_body);
        let marks = if next.is_some() || self.pages > 0 { self.seen.marks(&rows) } else { Vec::new() };
        let repeated = if next.as_deref().is_some_and(|cursor| self.seen.has_cursor(cursor, ask.range)) {
            "its cursor was seen before"
        } else if self.seen.has_any(&marks) {
            "it holds rows of an earlier page"
        } else {
            return Ok(Found { rows, next, is_in_body, marks });
        };
        Err(ClientError::Repeated { call: Box::new(ask.call()), page: self.pages + 1, reason: repeated })
    }

    /// Takes a page into account and moves the walk behind it.
    fn advance(&mut self, found: Found<T>) -> Page<T> {
        self.pages += 1;
        self.rows += u64::try_from(found.rows.len()).unwrap_or(u64::MAX);
        if let Some(next) = found.next {
            self.seen.add(&next, found.marks);
            if found.is_in_body {
                self.endpoint.go_on_at(&next);
            } else {
                self.cursor = Some(next);
            }
        } else {
            self.finished = true;
            self.seen = Seen::default();
        }
        Page { rows: found.rows, last: self.finished }
    }

    /// Drops the variant or the range, once each, where the server took offence at it.
    fn can_ask_simpler(&mut self, error: &ClientError) -> bool {
        match error.status() {
            Some(406) if self.endpoint.variant.is_some() => {
                !std::mem::replace(&mut self.without_variant, true)
            }
            // Behind the first page, asking without the range would start the list anew.
            Some(416) if self.endpoint.ranged && self.cursor.is_none() => {
                !std::mem::replace(&mut self.without_range, true)
            }
            _ => false,
        }
    }
}

/// A page that was read and found new.
struct Found<T> {
    rows: Vec<T>,
    next: Option<String>,
    /// The cursor came with the body, and is no range.
    is_in_body: bool,
    marks: Vec<u128>,
}

/// The cursors and rows of the pages so far; rows only while there is more than one page.
#[derive(Debug, Default)]
struct Seen {
    cursors: HashSet<String>,
    /// Two keyed 64-bit hashes of each row id, in a quarter of the room of the id itself.
    rows: HashSet<u128>,
    keys: (RandomState, RandomState),
}

impl Seen {
    fn marks<T: Row>(&self, rows: &[T]) -> Vec<u128> {
        let (high, low) = &self.keys;
        let mark = |id: &str| u128::from(high.hash_one(id)) << 64 | u128::from(low.hash_one(id));
        rows.iter().map(|row| mark(row.row_id())).collect()
    }

    fn has_cursor(&self, cursor: &str, asked: Option<&str>) -> bool {
        asked == Some(cursor) || cursor == FIRST_RANGE || self.cursors.contains(cursor)
    }

    fn has_any(&self, marks: &[u128]) -> bool {
        !self.rows.is_empty() && marks.iter().any(|mark| self.rows.contains(mark))
    }

    fn add(&mut self, cursor: &str, marks: Vec<u128>) {
        self.cursors.insert(cursor.to_owned());
        self.rows.extend(marks);
    }
}
