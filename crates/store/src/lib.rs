//! Every byte that stays: one store of the estate's versions, on SQLite or PostgreSQL.
//!
//! It decides nothing about access and reads nothing from Heroku; it takes what a sync read and compares it with
//! the last version, keeps the difference, and gives back any version.
//!
//! Invariant: a version is committed whole, in one transaction, or not at all.

mod accounts;
mod audit;
mod backup;
mod bulk;
mod change_events;
mod channels;
mod checkpoint;
mod commit;
mod composed;
mod connection;
mod connectors;
mod deliveries;
mod dense;
mod dialect;
mod error;
mod estates;
mod findings;
mod fold;
mod history;
mod idempotency;
mod indexes;
mod jobs;
mod migrate;
mod objects;
mod open;
mod packed;
mod people;
mod provision;
mod prune;
mod quarantine;
mod query;
mod questions;
mod reads;
mod restored;
mod rewound;
mod runs;
mod sessions;
mod settings;
mod slim;
mod syncs;
mod tokens;
mod touched;
mod tries;

pub use accounts::{AccountChanged, AccountKept, AccountRow, AccountState, Identity};
pub use audit::{AuditLog, StoredCheckpoint};
pub use backup::{
    Copying, FORMAT, Frame, Head, Holds, Loaded, Manifest, Part, Restoring, TableHead, TableSum,
};
pub use change_events::{
    Author, ChangeEffect, ChangeEvent, EventFilter, NewChangeEvent, NewEffect, TrailEntry, WantedRead,
    Webhook, WebhookState,
};
pub use channels::{ChannelRow, RuleRow};
pub use commit::{Amendment, Committed};
pub use connectors::{ConnectorRow, ConnectorStatus, Credential, ScheduleRow, SettingRow};
pub use deliveries::{
    ChannelHealth, ClaimedMessage, DeliveryFilter, DeliveryRow, MessageClaim, MessageOutcome, NewDelivery,
    Recorded,
};
pub use error::StoreError;
pub use estates::Wiped;
pub use findings::{
    Document, Evaluated, FindingEdit, FindingEventRow, FindingFilter, FindingGround, FindingRow,
    FindingStanding, Happened, OpenFindings, RuleStateRow, Said, WantedFindings,
};
pub use history::{Change, ChangeKind, Changed, Logged};
pub use idempotency::{Attempt, Begun, Kept};
pub use jobs::{Claim, Job, JobSelect, JobStatus, NewJob, Settled};
pub use objects::{Select, Stored, document};
pub use open::OpenMode;
pub use people::{HerokuAccount, Imported, MatchRow, Matching, People, PeopleEdition, RosterRow, Whose};
pub use provision::{
    Approved, CapCounts, KillSwitch, OpenStep, PlanRow, ProvisioningLock, StepMark, StepRow,
};
pub use prune::Pruned;
pub use quarantine::{Brake, Quarantine};
pub use query::{Bound, Datum, ReadQuery, ReadRows};
pub use questions::QuestionRow;
pub use reads::{AccessEntry, AccessSelect, Snapshot};
pub use restored::Restored;
pub use runs::{Ask, Asked, LogLine, LogSelect, NewLogLine, RunEnd, RunRow, RunStatus};
pub use sessions::{Opening, Proof, SessionRow};
pub use slim::{SlimAddOn, SlimApp, SlimAttachment, SlimPerson};
pub use syncs::SyncRow;
pub use tokens::TokenRow;
pub use touched::Touched;
pub use tries::{Admitted, Bucket, Try};

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
    reader: query::Reader,
    url: String,
    actor: Actor,
    brake: Brake,
    /// The first version that can be read; all before it are not kept.
    oldest: Version,
    /// The job for which this store is used: each write is refused once another worker has it.
    held: Option<Claim>,
    /// The kinds of jobs that each new version brings with it, in its own transaction.
    follow_ups: &'static [&'static str],
    /// How many findings there are.
    tally: findings::Tally,
    /// What earlier versions had otherwise.
    folds: fold::Folds,
}

impl Store {
    /// The database's address, without a password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An address as it may be shown: without its password.
    #[must_use]
    pub fn shown(url: &str) -> String {
        open::without_password(url)
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

    /// The same store, each of whose new versions brings a job of each of these kinds with it.
    ///
    /// Such a job's document is `{"version": N}`, and so is its dedup key.
    #[must_use]
    pub fn followed_by(self, kinds: &'static [&'static str]) -> Self {
        Self { follow_ups: kinds, ..self }
    }

    /// The same store in the hands of a worker: its writes are refused once another one has taken over the job.
    #[must_use]
    pub fn held_by(self, claim: Claim) -> Self {
        Self { held: Some(claim), ..self }
    }

    /// The one transaction that may write now, if the job for which it writes is still this worker's.
    pub(crate) async fn begin_write(&self) -> Result<connection::Connection, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        if let Some(claim) = &self.held {
            claim.check(&mut connection).await?;
        }
        Ok(connection)
    }

    /// The schema's number.
    #[must_use]
    pub fn schema() -> i64 {
        migrate::known()
    }
}
