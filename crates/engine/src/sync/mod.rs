//! Reads an estate from Heroku and commits it as the next version.
//!
//! One loop holds up to as many requests in flight as the client allows, each one page of one listing; a page
//! is folded into the gathered estate and forgotten, so memory holds the estate and a handful of pages.
//!
//! Invariant: what could not be read is named, and never reported as gone.

mod collect;
mod credentials;
mod listing;
mod outcome;
mod people;
mod plan;
mod reader;
mod refresh;
mod settle;
mod texts;

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use metsuke_clients::heroku::Heroku;
use metsuke_model::{Changes, Clock, Counts, SyncReport, SyncStatus, Version};
use metsuke_store::Store;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{EngineError, Progress};
pub(crate) use credentials::Credentials;
use reader::{Reader, Start};
pub use refresh::{Target, refresh};

/// What may be left out of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Skip {
    /// Add-ons and their attachments: no data reach then.
    AddOns,
    /// Pipelines and their couplings.
    Pipelines,
    /// Private spaces and their members.
    Spaces,
    /// Pending invitations.
    Invitations,
}

impl Skip {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::AddOns, Self::Pipelines, Self::Spaces, Self::Invitations];

    /// The word that settings use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddOns => "addons",
            Self::Pipelines => "pipelines",
            Self::Spaces => "spaces",
            Self::Invitations => "invitations",
        }
    }
}

impl FromStr for Skip {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|skip| skip.as_str() == word).ok_or_else(|| {
            format!("`{word}` cannot be skipped; addons, pipelines, spaces and invitations can")
        })
    }
}

/// What a sync reads.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What is left out.
    pub skip: BTreeSet<Skip>,
}

/// A sync that made a version, or one that waits in quarantine to become it.
#[derive(Clone, Debug)]
pub struct SyncSummary {
    /// The version, or what would be its number.
    pub version: Version,
    /// What the sync did, and what it could not read.
    pub report: SyncReport,
    /// What is in the version.
    pub counts: Counts,
    /// What differs from the version before.
    pub changes: Changes,
    /// Why it is not current before somebody accepts it; empty for a version.
    pub quarantine: Vec<String>,
}

/// A sync that made none; the last version is untouched.
#[derive(Debug)]
pub struct SyncFailure {
    /// Why.
    pub error: EngineError,
    /// The number under which the failure is recorded, where that was possible.
    pub version: Option<Version>,
    /// What the sync did until then.
    pub report: SyncReport,
}

/// Reads everything that the token can see, and commits it.
///
/// # Errors
///
/// [`SyncFailure`] where no version came of it: a wrong token, nothing readable, a stop asked for through
/// `cancel`, or a database that does not take it.
pub async fn run(
    heroku: &Heroku,
    store: &Store,
    settings: &Settings,
    clock: &dyn Clock,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<SyncSummary, Box<SyncFailure>> {
    let started_at = clock.now();
    let mut reader = Reader::new(heroku, settings, progress, cancel);
    let read = read_all(&mut reader, store).await;
    let (status, error) = match read {
        Ok(()) if reader.has_gaps() => (SyncStatus::Partial, None),
        Ok(()) => (SyncStatus::Complete, None),
        Err(error) => (SyncStatus::Failed, Some(error)),
    };
    let usage = heroku.usage();
    let mut report = SyncReport {
        status,
        started_at,
        finished_at: clock.now(),
        requests: usage.requests,
        waited_ms: u64::try_from(usage.waited.as_millis()).unwrap_or(u64::MAX),
        error: error.as_ref().map(|error| error.to_string().into()),
        scopes: reader.take_scopes(),
    };
    if let Some(error) = error {
        let version = match error {
            EngineError::Store(_) | EngineError::Cancelled => None,
            _ => store.record_failure(&report).await.ok(),
        };
        return Err(Box::new(SyncFailure { error, version, report }));
    }
    let gaps = report.scopes.iter().any(|scope| scope.gap);
    let (gather, outcomes, manners) = reader.finish();
    let reading = outcome::conclude(gather, &outcomes, &manners, settings, gaps);
    for team in &reading.unsettled {
        report.scopes.push(reader::unsettled(team));
        report.status = SyncStatus::Partial;
    }
    match store.commit(reading.estate, &reading.coverage, &report, clock).await {
        Ok(committed) => {
            if committed.quarantine.is_empty() {
                crate::people::renew(store).await;
                if let Err(error) = store.read_anew(committed.version).await {
                    tracing::warn!(%error, "the version is committed, but a restored store still counts as not read anew");
                }
            } else {
                report.status = SyncStatus::Quarantined;
            }
            store.settle().await;
            Ok(SyncSummary {
                version: committed.version,
                report: SyncReport { finished_at: committed.finished_at, ..report },
                counts: committed.counts,
                changes: committed.changes,
                quarantine: committed.quarantine,
            })
        }
        Err(error) => {
            report.status = SyncStatus::Failed;
            report.error = Some(error.to_string().into());
            Err(Box::new(SyncFailure { error: error.into(), version: None, report }))
        }
    }
}

async fn read_all(reader: &mut Reader<'_>, store: &Store) -> Result<(), EngineError> {
    let manners = match store.snapshot(None).await? {
        Some(mut snapshot) => snapshot.listing_manners().await?,
        None => HashMap::new(),
    };
    reader.remember(manners);
    if reader.read_account().await? == Start::Stopped {
        return Err(EngineError::Cancelled);
    }
    reader.begin();
    loop {
        reader.drain().await?;
        if !reader.plan_more() {
            break;
        }
    }
    reader.require_something()
}
