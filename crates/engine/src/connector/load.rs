//! Reads a view from one version: all of it, or what one resource needs.
//!
//! Invariant: a row of access stands in a view only where its user and its resource do.

use std::collections::{BTreeSet, HashMap};

use metsuke_model::record::{App, EnterpriseAccount, Space, Team, User};
use metsuke_model::{Record, SyncStatus};
use metsuke_store::{AccessEntry, AccessSelect, Select, Snapshot, Stored};

use super::Target;
use super::view::{Holdings, View, ViewSync};
use crate::EngineError;

/// Objects as they were stored, before they are put in order.
#[derive(Debug, Default)]
struct Found {
    users: Vec<Stored<User>>,
    enterprise_accounts: Vec<Stored<EnterpriseAccount>>,
    teams: Vec<Stored<Team>>,
    apps: Vec<Stored<App>>,
    spaces: Vec<Stored<Space>>,
    access: Vec<AccessEntry>,
}

impl View {
    /// Reads a whole version.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn read(snapshot: &mut Snapshot) -> Result<Self, EngineError> {
        let found = Found {
            users: snapshot.objects(&Select::All).await?,
            enterprise_accounts: snapshot.objects(&Select::All).await?,
            teams: snapshot.objects(&Select::All).await?,
            apps: snapshot.objects(&Select::All).await?,
            spaces: snapshot.objects(&Select::All).await?,
            access: snapshot.access(&AccessSelect::All).await?,
        };
        let sync = view_sync(snapshot).await?;
        Ok(found.into_view(sync))
    }

    /// Reads one object with what belongs to it: the people who hold something on it and, for an app, its team with
    /// its people, so that [`edges`](View::edges) and [`given`](View::given) answer for it as in the whole version.
    ///
    /// None where the version does not have it.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn read_one(snapshot: &mut Snapshot, target: &Target) -> Result<Option<Self>, EngineError> {
        let mut found = Found::default();
        let there = match target {
            Target::User(id) => {
                found.users = snapshot.objects(&Select::Id(id.clone())).await?;
                !found.users.is_empty()
            }
            Target::EnterpriseAccount(id) => {
                found.enterprise_accounts = snapshot.objects(&Select::Id(id.clone())).await?;
                !found.enterprise_accounts.is_empty()
            }
            Target::Team(id) => {
                found.teams = snapshot.objects(&Select::Id(id.clone())).await?;
                !found.teams.is_empty()
            }
            Target::App(id) => {
                found.apps = snapshot.objects(&Select::Id(id.clone())).await?;
                for app in &found.apps {
                    if let Some(team) = &app.record.team {
                        found.teams.extend(snapshot.objects(&Select::Id(team.clone())).await?);
                    }
                    if let Some(space) = &app.record.space {
                        found.spaces.extend(snapshot.objects(&Select::Id(space.clone())).await?);
                    }
                }
                !found.apps.is_empty()
            }
        };
        if !there {
            return Ok(None);
        }
        for team in &found.teams {
            if let Some(account) = &team.record.enterprise_account {
                found.enterprise_accounts.extend(snapshot.objects(&Select::Id(account.clone())).await?);
            }
        }
        found.load_holders(snapshot, target).await?;
        let sync = view_sync(snapshot).await?;
        Ok(Some(found.into_view(sync)))
    }
}

impl Found {
    /// The rows of access to what was found, and their people.
    async fn load_holders(&mut self, snapshot: &mut Snapshot, target: &Target) -> Result<(), EngineError> {
        let mut on: Vec<i64> = self.apps.iter().map(|stored| stored.dense).collect();
        on.extend(self.teams.iter().map(|stored| stored.dense));
        if matches!(target, Target::EnterpriseAccount(_)) {
            on.extend(self.enterprise_accounts.iter().map(|stored| stored.dense));
        }
        self.access = snapshot.access(&AccessSelect::On(on)).await?;
        let people: BTreeSet<i64> = self.access.iter().map(|entry| entry.principal).collect();
        let owners: Vec<_> = self.apps.iter().filter_map(|stored| stored.record.owner.clone()).collect();
        self.users.extend(snapshot.objects(&Select::Dense(people.into_iter().collect())).await?);
        for owner in owners {
            self.users.extend(snapshot.objects(&Select::Id(owner)).await?);
        }
        Ok(())
    }

    fn into_view(self, sync: ViewSync) -> View {
        let (users, user_places) = in_order(self.users);
        let (enterprise_accounts, account_places) = in_order(self.enterprise_accounts);
        let (teams, team_places) = in_order(self.teams);
        let (apps, app_places) = in_order(self.apps);
        let (spaces, _) = in_order(self.spaces);
        let mut on_teams = Rows::default();
        let mut on_accounts = Rows::default();
        let mut on_apps = Rows::default();
        for entry in self.access {
            let Some(user) = user_places.get(&entry.principal) else { continue };
            let rows = [
                (&app_places, &mut on_apps),
                (&team_places, &mut on_teams),
                (&account_places, &mut on_accounts),
            ];
            let found =
                rows.into_iter().find_map(|(places, rows)| Some((places.get(&entry.resource)?, rows)));
            if let Some((resource, rows)) = found {
                rows.take(*resource, *user, entry);
            }
        }
        View {
            sync,
            on_teams: on_teams.sorted(teams.len()),
            on_accounts: on_accounts.sorted(enterprise_accounts.len()),
            on_apps: on_apps.sorted(apps.len()),
            users,
            enterprise_accounts,
            teams,
            apps,
            spaces,
        }
    }
}

/// Rows of access to resources of one type, on their way.
#[derive(Debug, Default)]
struct Rows {
    rows: Vec<(u32, u32, metsuke_model::access::Mask)>,
    other: HashMap<(u32, u32), Vec<Box<str>>>,
}

impl Rows {
    fn take(&mut self, resource: u32, user: u32, entry: AccessEntry) {
        self.rows.push((resource, user, entry.mask));
        if !entry.other.is_empty() {
            self.other.insert((resource, user), entry.other);
        }
    }

    fn sorted(self, resources: usize) -> Holdings {
        Holdings::new(resources, self.rows, self.other)
    }
}

/// The records by Heroku's ids, each once, and where each dense id stands.
fn in_order<T: Record>(mut stored: Vec<Stored<T>>) -> (Vec<T>, HashMap<i64, u32>) {
    stored.sort_unstable_by(|left, right| left.record.id().cmp(right.record.id()));
    stored.dedup_by_key(|stored| stored.dense);
    let places = stored.iter().zip(0..).map(|(stored, place)| (stored.dense, place)).collect();
    let mut records: Vec<T> = stored.into_iter().map(|stored| stored.record).collect();
    records.shrink_to_fit();
    (records, places)
}

/// Which version it is, and what is missing from it.
pub(super) async fn view_sync(snapshot: &mut Snapshot) -> Result<ViewSync, EngineError> {
    let mut gaps = snapshot.scopes().await?;
    gaps.retain(|scope| scope.gap);
    let sync = snapshot.sync();
    Ok(ViewSync {
        version: sync.version,
        started_at: sync.started_at,
        finished_at: sync.finished_at,
        complete: sync.status == SyncStatus::Complete,
        gaps,
    })
}
