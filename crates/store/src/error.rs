//! What can go wrong with the database, told so that a person can act on it.

use std::error::Error as StdError;
use std::time::Duration;

use metsuke_model::Version;
use metsuke_model::audit::AuditError;

/// An error of the store. The cause is in `source`; the message does not repeat it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database's address cannot be used.
    #[error("`{url}` is not a database address")]
    Address {
        /// The address, without a password.
        url: String,
    },
    /// The database cannot be opened.
    #[error("database `{url}` cannot be opened")]
    Open {
        /// The address, without a password.
        url: String,
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A newer Metsuke wrote the database.
    #[error("database `{url}` has schema {found}, and this version of metsuke knows schemas up to {known}")]
    Newer {
        /// The address, without a password.
        url: String,
        /// The schema found.
        found: i64,
        /// The newest schema known here.
        known: i64,
    },
    /// No room is left.
    #[error("the disk of the database is full while {doing}")]
    Full {
        /// What was being done.
        doing: &'static str,
    },
    /// Somebody else holds the database.
    #[error("the database is locked by another writer while {doing}")]
    Busy {
        /// What was being done.
        doing: &'static str,
    },
    /// There is no such version.
    #[error("there is no version {asked} of the estate")]
    NoVersion {
        /// What was asked for, as a person wrote it.
        asked: String,
    },
    /// A run that cannot be made the newest version.
    #[error("sync {version} cannot be accepted: {reason}")]
    NotAcceptable {
        /// Its number.
        version: Version,
        /// Why not.
        reason: &'static str,
    },
    /// What is stored does not fit what was written.
    #[error("the database is damaged: {what}")]
    Damaged {
        /// What does not fit.
        what: String,
    },
    /// What was given is no backup that can be read here.
    #[error("the backup cannot be restored: {reason}")]
    NoBackup {
        /// Why not.
        reason: String,
    },
    /// A restore only goes where nothing is.
    #[error("database `{url}` is not empty: {found}")]
    NotEmpty {
        /// The address, without a password.
        url: String,
        /// What is there.
        found: String,
    },
    /// Nobody takes what is read.
    #[error("what was read for the backup could not be passed on")]
    Unread,
    /// An event of the audit trail that cannot be written down.
    #[error("an event of the audit trail cannot be written down, so what it tells is not done")]
    Unrecorded {
        /// Why.
        #[source]
        source: AuditError,
    },
    /// A newer worker has the turn to change Heroku.
    #[error("another process has taken over changing Heroku; this one has stopped")]
    Fenced,
    /// Another worker has the job for which this one wanted to write.
    #[error("another worker has taken over the job; this one has stopped")]
    LeaseLost,
    /// A query that is not one statement that reads.
    #[error("a query may only be one statement that reads")]
    NotReading,
    /// A query that was ended because it took too long.
    #[error("the query was ended after {limit:?}")]
    TooSlow {
        /// How long it was allowed to take.
        limit: Duration,
    },
    /// Anything else that the database said.
    #[error("the database refused {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl StoreError {
    /// What to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address { .. } => Some("write `sqlite:FILE` or `postgres://USER@HOST/DATABASE`".into()),
            Self::Open { .. } => {
                Some("check that the folder exists and may be written, or that the server runs".into())
            }
            Self::Newer { .. } => {
                Some("run the newer metsuke, or restore a backup made before it; nothing was changed".into())
            }
            Self::Full { .. } => Some("make room and run it again; the last version is untouched".into()),
            Self::Busy { .. } => Some("wait until the other metsuke has finished, and run it again".into()),
            Self::NoVersion { .. } => Some("`metsuke syncs` lists the versions".into()),
            Self::NotAcceptable { .. } => {
                Some("`metsuke syncs` lists the syncs, and `metsuke sync` reads the estate anew".into())
            }
            Self::Damaged { .. } => Some("run `metsuke doctor`, and restore a backup if it agrees".into()),
            Self::Fenced => Some("`metsuke plans` shows what the other one does".into()),
            Self::TooSlow { .. } => Some("ask for less at a time, or allow the query more time".into()),
            Self::NoBackup { .. } => Some("take another backup; nothing was changed".into()),
            Self::NotEmpty { .. } => {
                Some("name a new file or an empty database; --force puts a stopped one aside".into())
            }
            Self::Unread
            | Self::Unrecorded { .. }
            | Self::LeaseLost
            | Self::NotReading
            | Self::Database { .. } => None,
        }
    }

    /// Sorts an error of the driver into the kinds that a person can act on.
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| {
            let code =
                source.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default();
            match code.as_ref() {
                // SQLite: SQLITE_FULL, and SQLITE_IOERR_WRITE, which a full disk gives as well. PostgreSQL: disk_full.
                "13" | "778" | "53100" => Self::Full { doing },
                // SQLite: SQLITE_BUSY with its extended codes. PostgreSQL: lock_not_available.
                "5" | "261" | "517" | "55P03" => Self::Busy { doing },
                _ => Self::Database { doing, source: Box::new(source) },
            }
        }
    }
}
