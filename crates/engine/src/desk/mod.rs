//! What is asked of all estates of an installation at once: lists in pages, each row with the connector that it came from.
//!
//! Every list is one that a single estate has as well; here they are laid one behind the other.
//!
//! Invariant: a page goes on where the last one ended, by connector and by the list's own key, whatever was synced meanwhile.

mod access;
mod alerts;
mod apart;
mod changes;
mod channels;
mod directory;
mod download;
mod employees;
mod events;
mod findings;
mod house;
mod jobs;
mod judging;
mod jupiterone;
mod lists;
mod merge;
mod plans;
mod provision;
mod query;
mod questions;
mod ready;
mod replay;
mod rules;
mod shelves;
mod single;
mod standing;
mod switches;
mod syncs;
mod tiles;
mod trail;
mod upkeep;
mod webhooks;

use std::future::Future;

use metsuke_model::approval::Demand;
use metsuke_model::{AsOf, Version};
use metsuke_store::{Snapshot, Store};
use serde::{Deserialize, Serialize};

pub use alerts::{AlertLine, Alerts};
pub use changes::{ChangeFeed, ChangeLine, Changes, Happenings, Holder, Subject};
pub use channels::{ChannelAsk, ChannelShown};
pub use directory::{EmployeeKey, Employees, OpenKey, OpenLine, OpenPeople, Part};
pub use download::{FileCompared, Form, Forms};
pub use employees::{Accounts, RosterSource, RosterTaken};
pub use events::{EventLine, Events};
pub use findings::{FindingLine, FindingShown, FindingTold, Findings, OpenFindings, Saying};
pub use house::Desk;
pub use jobs::{JobLine, Jobs};
pub use judging::{RulesRead, Trial, VersionJudged, run_rules};
pub use jupiterone::{Brought, Destination, Origin, UploadTold};
pub use lists::{Grants, Lines};
pub use merge::{Merged, Timed, merged};
pub use plans::{ApprovalLine, ApprovalShown, PlanKey, PlanLine, PlanShown, Plans, Progress};
pub use ready::Readied;
pub use replay::ReplayOf;
pub use rules::{RuleShown, RulesTaken};
pub use shelves::{Bookmark, Browse, Browsed, Reading};
pub use single::{AppShown, EnterpriseAccountShown, Single, SingleAsk, TeamShown};
pub use standing::RuleWatched;
pub use switches::{ProtectedLine, Switch};
pub use syncs::{Held, SyncLine, SyncShown, Syncs};
pub use tiles::{MOST_TILES, TILE_ROWS, Tile, in_short};
pub use trail::{TrailEntry, TrailSigned, TrailVerified};
pub use upkeep::{Check, Copied, Doctor, Fitness, Patient};
pub use webhooks::{HookKey, Hooks};

pub use query::{Question, ask, explained};

use directory::Directories;

use crate::EngineError;
use crate::connectors::stored_settings;

/// One estate that can be asked.
#[derive(Clone, Debug)]
pub struct Estate {
    /// The connector's id; none for what was synced into the main database by hand.
    pub connector: Option<String>,
    /// What the connector is called.
    pub name: String,
    /// Where it is.
    pub store: Store,
    /// Which of its plans a second person has to approve, where no connector's settings say.
    pub approval: Demand,
    /// What is kept of its people.
    directories: Directories,
}

impl Estate {
    /// Which of its plans a second person has to approve. Settings that are not there ask for all of them.
    async fn demand(&self) -> Result<Demand, EngineError> {
        if self.connector.is_none() {
            return Ok(self.approval);
        }
        let stored = stored_settings(&self.store).await?;
        Ok(stored.map_or(Demand::Every, |(settings, _)| settings.approval))
    }

    fn place(&self) -> &str {
        self.connector.as_deref().unwrap_or_default()
    }

    /// A version of it; none where nothing was ever synced.
    async fn version(&self, as_of: Option<AsOf>) -> Result<Option<Snapshot>, EngineError> {
        Ok(self.store.snapshot(as_of).await?)
    }
}

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place<K> {
    /// The connector; empty for the main database.
    pub connector: String,
    /// The key of the last row that was given.
    pub key: K,
}

/// A row and where it came from.
#[derive(Clone, Debug, Serialize)]
pub struct Placed<R> {
    /// The connector's id; null for what was synced into the main database by hand.
    pub connector: Option<String>,
    /// The version that it stands in, where the list is of a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The row.
    #[serde(flatten)]
    pub row: R,
}

/// Part of a list.
#[derive(Clone, Debug)]
pub struct Page<R, K> {
    /// Its rows.
    pub rows: Vec<Placed<R>>,
    /// Where it goes on; none at its end.
    pub next: Option<Place<K>>,
}

/// A list that each estate has.
pub trait Listing: Sync {
    /// A row.
    type Row: Serialize + Send;
    /// What says where a row stands.
    type Key: Clone + Send + Sync;

    /// At most `count` rows of one estate behind `after`, and the version that they stand in.
    fn read(
        &self,
        estate: &Estate,
        after: Option<&Self::Key>,
        count: usize,
    ) -> impl Future<Output = Result<(Option<Version>, Vec<Self::Row>), EngineError>> + Send;

    /// Where a row stands.
    fn key(&self, row: &Self::Row) -> Self::Key;
}

/// At most `count` rows of all these estates, in their order, behind `after`.
///
/// What a filter names need not be in every estate; it must be in one.
///
/// # Errors
///
/// [`EngineError::NotFound`] where a filter names nothing in any estate, and what the database said.
pub async fn page<L: Listing>(
    listing: &L,
    mut estates: Vec<Estate>,
    after: Option<Place<L::Key>>,
    count: usize,
) -> Result<Page<L::Row, L::Key>, EngineError> {
    estates.sort_by(|one, other| one.place().cmp(other.place()));
    let mut rows: Vec<Placed<L::Row>> = Vec::new();
    let (mut missing, mut found) = (None, false);
    for estate in &estates {
        let key = match &after {
            Some(after) if estate.place() < after.connector.as_str() => continue,
            Some(after) if estate.place() == after.connector => Some(&after.key),
            _ => None,
        };
        // One more than asked for tells whether there is more.
        let left = count.saturating_add(1) - rows.len();
        match listing.read(estate, key, left).await {
            Ok((version, read)) => {
                found = true;
                let from = |row| Placed { connector: estate.connector.clone(), version, row };
                rows.extend(read.into_iter().map(from));
            }
            Err(error) if is_missing(&error) => missing = Some(error),
            Err(error) => return Err(error),
        }
        if rows.len() > count {
            break;
        }
    }
    if let (Some(missing), false, None) = (missing, found, &after) {
        return Err(missing);
    }
    let more = rows.len() > count;
    rows.truncate(count);
    let place = |last: &Placed<L::Row>| Place {
        connector: last.connector.clone().unwrap_or_default(),
        key: listing.key(&last.row),
    };
    let next = if more { rows.last().map(place) } else { None };
    Ok(Page { rows, next })
}

fn is_missing(error: &EngineError) -> bool {
    matches!(error, EngineError::NotFound { .. }) || error.is_missing_version()
}
