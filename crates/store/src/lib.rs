//! Every byte that stays: one store of the estate's versions, on SQLite or PostgreSQL.
//!
//! It decides nothing about access and reads nothing from Heroku; it takes what a sync read and compares it with
//! the last version, keeps the difference, and gives back any version.
//!
//! Invariant: a version is committed whole, in one transaction, or not at all.

mod audit;
mod bulk;
mod change_events;
mod checkpoint;
mod commit;
mod composed;
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
mod people;
mod provision;
mod quarantine;
mod query;
mod reads;
mod rewound;
mod syncs;

pub use audit::{AuditLog, StoredCheckpoint};
pub use change_events::{
    Author, ChangeEffect, ChangeEvent, EventFilter, NewChangeEvent, NewEffect, TrailEntry, WantedRead,
    Webhook, WebhookState,
};
pub use commit::{Amendment, Committed};
pub use error::StoreError;
pub use history::{Change, ChangeKind, Changed, Logged};
pub use objects::{Select, Stored, document};
pub use open::OpenMode;
pub use people::{Imported, MatchRow, Matching, People, RosterRow};
pub use provision::{CapCounts, OpenStep, PlanRow, ProvisioningLock, StepMark, StepRow};
pub use quarantine::{Brake, Quarantine};
pub use query::{Bound, Datum, ReadQuery, ReadRows};
pub use reads::{AccessEntry, AccessSelect, Snapshot};
pub use syncs::SyncRow;

use metsuke_model::audit::Actor;
use metsuke_model::{Kind, Version};

/// The kind of the object with this dense id; `None` for a number that no object has.
#[must_use]
pub fn kind_of(dense: i64) -> Option<Kind> {
    dense::kind(dense)
}

/// A database of estates, who acts through it, and when a sync is held up. Cheap to clone; all clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    pool: dialect::Pool,
    /// Connections that cannot write.
    reader: dialect::Pool,
    url: String,
    actor: Actor,
    brake: Brake,
    /// The first version that can be read; all before it are not kept.
    oldest: Version,
}

impl Store {
    /// The database's address, without a password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The file of an SQLite database; none for one in memory and for PostgreSQL.
    #[must_use]
    pub fn file(&self) -> Option<std::path::PathBuf> {
        match &self.pool {
            dialect::Pool::Sqlite(pool) if !self.url.contains(":memory:") => {
                Some(pool.connect_options().get_filename().to_path_buf())
            }
            _ => None,
        }
    }

    /// The schema's number.
    #[must_use]
    pub fn schema() -> i64 {
        migrate::known()
    }
}
