//! Every byte that stays: one store of the estate's versions, on SQLite or PostgreSQL.
//!
//! It decides nothing about access and reads nothing from Heroku; it takes what a sync read and compares it with
//! the last version, keeps the difference, and gives back any version.
//!
//! Invariant: a version is committed whole, in one transaction, or not at all.

mod bulk;
mod checkpoint;
mod commit;
mod connection;
mod dense;
mod dialect;
mod error;
mod history;
mod indexes;
mod migrate;
mod objects;
mod open;
mod packed;
mod reads;
mod syncs;

pub use commit::Committed;
pub use error::StoreError;
pub use history::{Change, ChangeKind, Changed};
pub use objects::{Select, Stored};
pub use open::OpenMode;
pub use reads::{AccessEntry, AccessSelect, Snapshot};
pub use syncs::SyncRow;

/// A database of estates. Cheap to clone; all clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    pool: dialect::Pool,
    url: String,
}

impl Store {
    /// The database's address, without a password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The schema's number.
    #[must_use]
    pub fn schema() -> i64 {
        migrate::known()
    }
}
