//! Says whether a database holds a whole version, and of what.
//!
//! It does not know what happened to the database.
//!
//! Invariant: the files that it is given stay as they are.

use std::collections::BTreeSet;
use std::path::Path;

use metsuke_engine::access::{GrantFilter, grants};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::record::{AddOn, App, EnterpriseAccount, Invitation, Team, User};
use metsuke_model::{Counts, Grant, Record, Version};
use metsuke_simulator::Truth;
use metsuke_store::{OpenMode, Select, Snapshot, Store};
use metsuke_testkit::sqlite;
use tokio::sync::OnceCell;

/// What an estate comes down to: who has what, and the ids of its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    grants: BTreeSet<[String; 4]>,
    invitations: BTreeSet<String>,
    users: BTreeSet<String>,
    teams: BTreeSet<String>,
    enterprise_accounts: BTreeSet<String>,
    apps: BTreeSet<String>,
    addons: BTreeSet<String>,
}

/// A version that was found whole.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) version: Version,
    pub(super) state: State,
}

impl State {
    /// What the simulated Heroku has.
    pub(super) fn of_heroku(truth: &Truth) -> Self {
        let grants = truth.grants().map(|grant| {
            [grant.resource_type.to_owned(), grant.resource_id, grant.entitlement, grant.principal_id]
        });
        Self {
            grants: grants.collect(),
            invitations: truth.invitations().map(|invitation| invitation.invitation_id).collect(),
            users: truth.users().collect(),
            teams: truth.teams().collect(),
            enterprise_accounts: truth.enterprise_accounts().collect(),
            apps: truth.apps().collect(),
            addons: truth.addons().collect(),
        }
    }

    /// What the newest version has.
    async fn of_version(snapshot: &mut Snapshot) -> Result<Self, String> {
        let mut lines = BTreeSet::new();
        let mut doubled = None;
        let mut take = |grant: &Grant| {
            let resource = &grant.resource;
            let line = [
                resource.resource_type.as_str().to_owned(),
                resource.id.to_string(),
                grant.entitlement.to_string(),
                grant.principal.id.to_string(),
            ];
            if grant.principal.kind == PrincipalKind::User && !lines.insert(line) {
                doubled = Some(grant.clone());
            }
            Ok(())
        };
        let streamed = grants(snapshot, &GrantFilter::default(), &mut take).await;
        streamed.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        if let Some(grant) = doubled {
            return Err(format!("a grant stands twice: {grant:?}"));
        }
        let teams = snapshot.objects::<Team>(&Select::All).await.map_err(|error| error.to_string())?;
        let listed = teams.iter().filter(|team| team.record.listed == Some(true));
        Ok(Self {
            grants: lines,
            invitations: ids::<Invitation>(snapshot).await?,
            users: ids::<User>(snapshot).await?,
            teams: listed.map(|team| team.record.id.to_string()).collect(),
            enterprise_accounts: ids::<EnterpriseAccount>(snapshot).await?,
            apps: ids::<App>(snapshot).await?,
            addons: ids::<AddOn>(snapshot).await?,
        })
    }

    fn counts(&self) -> Counts {
        Counts {
            users: self.users.len() as u64,
            teams: self.teams.len() as u64,
            enterprise_accounts: self.enterprise_accounts.len() as u64,
            apps: self.apps.len() as u64,
            addons: self.addons.len() as u64,
            invitations: self.invitations.len() as u64,
            grants: self.grants.len() as u64,
        }
    }

    /// The first few things in which two states differ.
    fn differences(&self, other: &Self) -> String {
        let sets = |state: &Self| {
            let objects = [&state.invitations, &state.users, &state.teams, &state.apps, &state.addons];
            let grants = state.grants.iter().map(|grant| grant.join(" "));
            grants.chain(objects.into_iter().flatten().cloned()).collect::<BTreeSet<String>>()
        };
        let (left, right) = (sets(self), sets(other));
        let missing: Vec<_> = right.difference(&left).take(4).collect();
        let extra: Vec<_> = left.difference(&right).take(4).collect();
        format!("missing {missing:?}, extra {extra:?}")
    }
}

async fn ids<T: Record>(snapshot: &mut Snapshot) -> Result<BTreeSet<String>, String> {
    let objects = snapshot.objects::<T>(&Select::All).await.map_err(|error| error.to_string())?;
    Ok(objects.iter().map(|stored| stored.record.id().to_string()).collect())
}

const INDEXES: &str = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";

/// The indexes of a new database: a first load takes some away while it lasts.
async fn wanted_indexes() -> Result<&'static Vec<String>, String> {
    static WANTED: OnceCell<Vec<String>> = OnceCell::const_new();
    let look = async || {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let file = folder.path().join("new.db");
        let made = Store::open(&format!("sqlite:{}", file.display()), OpenMode::Create).await;
        drop(made.map_err(|error| format!("a new database: {error}"))?);
        sqlite(&file, INDEXES).await
    };
    WANTED.get_or_try_init(look).await
}

/// Opens a copy as the next program would and reads its newest version; `None` where there is none.
///
/// # Errors
///
/// What is wrong with it.
pub(super) async fn check(file: &Path) -> Result<Option<Observed>, String> {
    if !file.exists() {
        return Ok(None);
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let copy = folder.path().join("copy.db");
    // Without the index of the write-ahead log, which nobody who opens the file first would trust.
    for ending in ["", "-wal", "-journal"] {
        let from = format!("{}{ending}", file.display());
        if Path::new(&from).exists() {
            std::fs::copy(&from, format!("{}{ending}", copy.display())).map_err(|error| error.to_string())?;
        }
    }
    let store = Store::open(&format!("sqlite:{}", copy.display()), OpenMode::Existing).await;
    let store = store.map_err(|error| format!("it does not open: {error}"))?;
    let sound = sqlite(&copy, "PRAGMA integrity_check; PRAGMA foreign_key_check").await?;
    if sound != ["ok"] {
        return Err(format!("it is not sound: {sound:?}"));
    }
    let (indexes, wanted) = (sqlite(&copy, INDEXES).await?, wanted_indexes().await?);
    if indexes != *wanted {
        return Err(format!("it has the indexes {indexes:?} and not {wanted:?}"));
    }
    let sql = "SELECT CAST(COUNT(*) AS TEXT) FROM
               (SELECT principal_id, resource_id, mask FROM held
                 EXCEPT SELECT principal_id, resource_id, mask FROM access
                 UNION ALL SELECT * FROM (SELECT principal_id, resource_id, mask FROM access
                   EXCEPT SELECT principal_id, resource_id, mask FROM held))";
    let apart = sqlite(&copy, sql).await?;
    if apart != ["0"] {
        return Err(format!("what is held and what is accessed differ in {apart:?} rows"));
    }
    let Some(mut snapshot) = store.snapshot(None).await.map_err(|error| error.to_string())? else {
        let sql = "SELECT 'person' FROM person UNION SELECT 'access' FROM access UNION SELECT 'held' FROM held UNION SELECT 'heads' FROM heads
             UNION SELECT 'app' FROM app UNION SELECT 'properties' FROM properties UNION SELECT 'scope' FROM scope";
        let left = sqlite(&copy, sql).await?;
        return if left.is_empty() { Ok(None) } else { Err(format!("no version, and rows in {left:?}")) };
    };
    let state = State::of_version(&mut snapshot).await?;
    let row = snapshot.sync();
    if row.counts != state.counts() {
        return Err(format!("version {} says {:?} and holds {:?}", row.version, row.counts, state.counts()));
    }
    Ok(Some(Observed { version: row.version, state }))
}

/// Whether the version is the next one (`true`) or still the last one.
///
/// # Errors
///
/// Where it is neither, or holds anything but the truth of its moment.
pub(super) fn judge(
    observed: Option<&Observed>,
    before: Option<&(Version, State)>,
    truth: &State,
) -> Result<bool, String> {
    let last = before.map_or(0, |(version, _)| version.0);
    let Some(observed) = observed else {
        return if last == 0 { Ok(false) } else { Err(format!("version {last} is lost")) };
    };
    let (committed, expected) = match observed.version.0 - last {
        0 => (false, before.map_or(truth, |(_, state)| state)),
        1 => (true, truth),
        _ => return Err(format!("version {} after version {last}", observed.version)),
    };
    if &observed.state == expected {
        return Ok(committed);
    }
    Err(format!("version {}: {}", observed.version, observed.state.differences(expected)))
}
