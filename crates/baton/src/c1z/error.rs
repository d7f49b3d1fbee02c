//! What can go wrong with a file, told so that a person can act on it.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::RowKind;

/// How many offences are named; the others are counted.
const NAMED: usize = 5;

/// An error of a file. The cause is in `source`; the message does not repeat it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum C1zError {
    /// There is no such file.
    #[error("there is no file `{}`", path.display())]
    Missing {
        /// What was asked for.
        path: PathBuf,
    },
    /// It is not a `c1z` file that can be read here.
    #[error("c1z: invalid file `{}`: {found}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What it is instead, or what does not fit.
        found: String,
    },
    /// It takes more than the caller allows.
    #[error("`{}` is refused: {what}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What it exceeds.
        what: String,
    },
    /// A newer program wrote something into it that would be lost.
    #[error("`{}` holds {what}, which is not known here", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The table or column.
        what: String,
    },
    /// It holds no such sync.
    #[error("`{}` holds no {asked}", path.display())]
    NoSync {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        asked: String,
    },
    /// It holds no such row.
    #[error("`{}` holds no {kind} `{id}`", path.display())]
    NoRow {
        /// The file.
        path: PathBuf,
        /// What kind of row.
        kind: RowKind,
        /// Its id.
        id: String,
    },
    /// The rows do not fit together, so that no file was written.
    #[error("the rows do not fit together: {0}")]
    Unfit(Offences),
    /// The source of the rows failed.
    #[error("the rows could not be read")]
    Source(#[source] Box<dyn StdError + Send + Sync>),
    /// The disk or the folder.
    #[error("{doing} `{}` did not work", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The database inside the file.
    #[error("the database in `{}` cannot be read", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl C1zError {
    /// An error of whatever yields rows.
    pub fn source_failed(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Source(source.into())
    }

    /// What to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some("run a sync into it first".into()),
            Self::Invalid { .. } => Some("move it away, or name another file; it was not changed".into()),
            Self::TooLarge { .. } => Some("raise the limit if you trust whoever made the file".into()),
            Self::Newer { .. } => Some("name another file; this one was not changed".into()),
            Self::Unfit(_) => Some("nothing was written; please report this".into()),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("make room and run it again; nothing was changed".into())
            }
            _ => None,
        }
    }

    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    pub(super) fn database(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        move |source| match source.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::invalid(path, "its database is damaged"),
            _ => Self::Database { path: path.to_owned(), source: Box::new(source) },
        }
    }

    pub(super) fn invalid(path: &Path, found: impl Into<String>) -> Self {
        Self::Invalid { path: path.to_owned(), found: found.into() }
    }
}

/// One row that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offence {
    /// Its id is empty, or longer than the ecosystem takes.
    Id(RowKind, String),
    /// Its id was there before.
    Twice(RowKind, String),
    /// It lacks a part that every reader needs.
    Lacks(RowKind, String, &'static str),
    /// It names a row that is not there.
    Dangling {
        /// What kind of row names it.
        kind: RowKind,
        /// Whose id is this.
        id: String,
        /// What kind of row is missing.
        missing: RowKind,
        /// Whose id would be this.
        named: String,
    },
    /// A grant that is passed on from an entitlement of somebody other than its principal.
    Foreign {
        /// The grant.
        grant: String,
        /// The entitlement.
        source: String,
    },
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(kind, id) if id.is_empty() => write!(f, "a {kind} has no id"),
            Self::Id(kind, id) => write!(f, "the id of {kind} `{id}` is too long"),
            Self::Twice(kind, id) => write!(f, "{kind} `{id}` is there twice"),
            Self::Lacks(kind, id, part) => write!(f, "{kind} `{id}` has no {part}"),
            Self::Dangling { kind, id, missing, named } => {
                write!(f, "{kind} `{id}` names {missing} `{named}`, which is not there")
            }
            Self::Foreign { grant, source } => {
                write!(f, "grant `{grant}` is passed on from `{source}`, which its principal does not offer")
            }
        }
    }
}

/// The first rows that do not fit, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offences {
    first: Vec<Offence>,
    count: u64,
}

impl Offences {
    /// The first few.
    #[must_use]
    pub fn first(&self) -> &[Offence] {
        &self.first
    }

    /// All of them.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn add(&mut self, offence: Offence) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(offence);
        }
    }
}

impl fmt::Display for Offences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, offence) in self.first.iter().enumerate() {
            write!(f, "{}{offence}", if place > 0 { "; " } else { "" })?;
        }
        let more = self.count.saturating_sub(self.first.len() as u64);
        if more > 0 { write!(f, "; and {more} more") } else { Ok(()) }
    }
}
