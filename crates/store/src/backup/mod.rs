//! A copy of a whole installation in a form of its own, which both engines write and both read.
//!
//! It says nothing of files, ciphers and compression: pieces of bytes leave here in their order, and frames come back.
//!
//! Invariant: a copy shows each store as it was at one moment, and is complete only with its manifest at the end.

mod copy;
mod form;
mod load;
mod shape;
mod target;

use metsuke_model::{ConnectorId, Moment};
use serde::{Deserialize, Serialize};

pub use copy::Copying;
#[cfg(test)]
pub(crate) use copy::sums;
pub use form::Frame;
pub use load::{Loaded, Restoring};

/// The number of the form that is written here, and the newest that can be read.
pub const FORMAT: u32 = 1;

/// One store of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Part {
    /// The main store.
    Main,
    /// A connector's.
    Connector(ConnectorId),
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Main => f.write_str("main"),
            Self::Connector(id) => id.fmt(f),
        }
    }
}

impl From<Part> for String {
    fn from(part: Part) -> Self {
        part.to_string()
    }
}

impl TryFrom<String> for Part {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "main" {
            Ok(Self::Main)
        } else {
            text.parse().map(Self::Connector).map_err(|error| format!("{error}"))
        }
    }
}

/// What a copy says of itself before its first row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The form's number.
    pub format: u32,
    /// The schema of all stores in it.
    pub schema: i64,
    /// The version of the program that wrote it.
    pub program: String,
    /// When it was begun.
    pub made_at: Moment,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// Whole numbers.
    Int,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

/// A table whose rows follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableHead {
    /// In which store.
    pub part: Part,
    /// Its name.
    pub table: String,
    /// Its columns, in the order of the values.
    pub columns: Vec<(String, Holds)>,
}

/// What came of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// In which store.
    pub part: Part,
    /// Its name.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// A hash (BLAKE3, hexadecimal) of all rows in the order of their keys; the same on both engines.
    pub digest: String,
}

/// What a copy must hold to be whole; the last thing in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What was said at the beginning.
    pub head: Head,
    /// Every table of every store.
    pub tables: Vec<TableSum>,
}

impl Manifest {
    /// The stores, in the order in which they were copied.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = self.tables.iter().map(|table| table.part).collect();
        parts.dedup();
        parts
    }

    /// All rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// A running sum over the rows of a table.
#[derive(Debug, Default)]
struct Sum {
    rows: u64,
    hasher: blake3::Hasher,
}

impl Sum {
    fn of(self, part: Part, table: &str) -> TableSum {
        let digest = self.hasher.finalize().to_hex().to_string();
        TableSum { part, table: table.to_owned(), rows: self.rows, digest }
    }
}
