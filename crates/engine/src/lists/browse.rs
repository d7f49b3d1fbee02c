//! What a list can be browsed by: its columns' ranks, its words, and what it can be narrowed to.
//!
//! Keeping and searching lines is the desk's business.
//!
//! Invariant: a rank says everything that a column shows, so that rows of equal rank look alike in it.

use std::collections::{HashMap, HashSet};

use metsuke_model::access::Entitlement;
use metsuke_model::record::{EnterpriseAccount, Team};
use metsuke_model::{HerokuId, Moment};
use metsuke_store::{AccessSelect, Select, Snapshot, Stored};
use serde::{Deserialize, Serialize};

use super::{AppLine, EnterpriseAccountLine, TeamLine, UserLine, apps, enterprise_accounts, teams, users};
use crate::EngineError;

/// Where a row stands in a column. What is absent stands last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rank {
    /// By a number or a moment.
    Number(i64),
    /// By a text, whatever its case.
    Text(Box<str>),
    /// There is nothing.
    Absent,
}

impl Rank {
    fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Absent, |text| Self::Text(text.to_lowercase().into()))
    }

    fn moment(moment: Option<Moment>) -> Self {
        moment.map_or(Self::Absent, |moment| Self::Number(moment.0))
    }

    fn count(count: u64) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }

    fn flag(flag: Option<bool>) -> Self {
        flag.map_or(Self::Absent, |flag| Self::Number(i64::from(flag)))
    }
}

/// What a list is narrowed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowing {
    /// The filter's name.
    pub filter: String,
    /// Its value.
    pub value: String,
    /// The value as an id, for filters that take one.
    id: HerokuId,
}

impl Narrowing {
    /// A filter with its value.
    #[must_use]
    pub fn new(filter: &str, value: &str) -> Self {
        Self { filter: filter.to_owned(), value: value.to_owned(), id: HerokuId::new(value) }
    }

    fn is(&self, id: Option<&HerokuId>) -> bool {
        id == Some(&self.id)
    }
}

/// A line of a list that can be browsed.
pub trait BrowsedLine: Serialize + Clone + Send + Sync + 'static {
    /// The columns that it can be sorted by, the usual one first.
    const COLUMNS: &'static [&'static str];

    /// Heroku's id of the object.
    fn id(&self) -> &HerokuId;

    /// Every line of a version.
    fn all(snapshot: &mut Snapshot) -> impl Future<Output = Result<Vec<Self>, EngineError>> + Send;

    /// Where the line stands in a column.
    fn rank(&self, column: &str) -> Rank;

    /// The texts by which it is found.
    fn words(&self) -> Vec<&str>;

    /// Whether it is one of those that a filter leaves over; a filter that it does not know leaves none.
    fn fits(&self, narrowing: &Narrowing) -> bool;
}

/// A person, with the roles that are held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonLine {
    /// The person.
    #[serde(flatten)]
    pub user: UserLine,
    /// Teams with a role of the person.
    pub teams: u64,
    /// Teams that the person administers.
    pub admin_of: u64,
    /// Enterprise accounts with a permission of the person.
    pub enterprise_accounts: u64,
    /// Enterprise accounts that the person manages.
    pub manages: u64,
}

impl BrowsedLine for PersonLine {
    const COLUMNS: &'static [&'static str] = &[
        "email",
        "name",
        "teams",
        "admin_of",
        "enterprise_accounts",
        "two_factor",
        "federated",
        "last_login",
    ];

    fn id(&self) -> &HerokuId {
        &self.user.id
    }

    async fn all(snapshot: &mut Snapshot) -> Result<Vec<Self>, EngineError> {
        let dense: HashMap<i64, HerokuId> =
            snapshot.slim_people(None).await?.into_iter().map(|person| (person.dense, person.id)).collect();
        let teams: HashSet<i64> =
            snapshot.columns::<Team>(&Select::All).await?.into_iter().map(|team| team.dense).collect();
        let accounts: Vec<Stored<EnterpriseAccount>> = snapshot.columns(&Select::All).await?;
        let places = teams.iter().copied().chain(accounts.iter().map(|account| account.dense)).collect();
        let mut held: HashMap<HerokuId, [u64; 4]> = HashMap::new();
        for entry in snapshot.access(&AccessSelect::On(places)).await? {
            let Some(id) = dense.get(&entry.principal) else { continue };
            let [in_teams, admin, in_accounts, manages] = held.entry(id.clone()).or_default();
            if teams.contains(&entry.resource) {
                *in_teams += 1;
                *admin += u64::from(entry.mask.contains(Entitlement::ADMIN.mask()));
            } else {
                *in_accounts += 1;
                *manages += u64::from(entry.mask.contains(Entitlement::ENTERPRISE_MANAGE.mask()));
            }
        }
        let line = |user: UserLine| {
            let [teams, admin_of, enterprise_accounts, manages] =
                held.get(&user.id).copied().unwrap_or_default();
            Self { user, teams, admin_of, enterprise_accounts, manages }
        };
        Ok(users(snapshot).await?.into_iter().map(line).collect())
    }

    fn rank(&self, column: &str) -> Rank {
        match column {
            "name" => Rank::text(self.user.name.as_deref()),
            "teams" => Rank::count(self.teams),
            "admin_of" => Rank::count(self.admin_of),
            "enterprise_accounts" => Rank::count(self.enterprise_accounts),
            "two_factor" => Rank::flag(self.user.two_factor),
            "federated" => Rank::flag(self.user.federated),
            "last_login" => Rank::moment(self.user.last_login),
            _ => Rank::text(self.user.email.as_deref()),
        }
    }

    fn words(&self) -> Vec<&str> {
        [&self.user.email, &self.user.name].into_iter().filter_map(|text| text.as_deref()).collect()
    }

    fn fits(&self, narrowing: &Narrowing) -> bool {
        narrowing.filter == "only"
            && match &*narrowing.value {
                "admins" => self.admin_of > 0 || self.manages > 0,
                "no-second-factor" => {
                    self.user.two_factor == Some(false) && self.user.federated != Some(true)
                }
                "federated" => self.user.federated == Some(true),
                "not-federated" => self.user.federated == Some(false),
                "in-no-team" => self.teams == 0,
                _ => false,
            }
    }
}

impl BrowsedLine for AppLine {
    const COLUMNS: &'static [&'static str] =
        &["name", "team", "owner", "space", "addons", "locked", "created_at", "released_at"];

    fn id(&self) -> &HerokuId {
        &self.id
    }

    async fn all(snapshot: &mut Snapshot) -> Result<Vec<Self>, EngineError> {
        apps(snapshot).await
    }

    fn rank(&self, column: &str) -> Rank {
        match column {
            "team" => Rank::text(self.team.as_deref()),
            "owner" => Rank::text(self.owner.as_deref()),
            "space" => Rank::text(self.space.as_deref()),
            "addons" => Rank::count(self.addons),
            "locked" => Rank::flag(self.locked),
            "created_at" => Rank::moment(self.created_at),
            "released_at" => Rank::moment(self.released_at),
            _ => Rank::text(self.name.as_deref()),
        }
    }

    fn words(&self) -> Vec<&str> {
        [&self.name, &self.team, &self.owner, &self.space]
            .into_iter()
            .filter_map(|text| text.as_deref())
            .collect()
    }

    fn fits(&self, narrowing: &Narrowing) -> bool {
        match &*narrowing.filter {
            "team" => narrowing.is(self.team_id.as_ref()),
            "only" => match &*narrowing.value {
                "personal" => self.team_id.is_none(),
                "locked" => self.locked == Some(true),
                "with-addons" => self.addons > 0,
                "archived" => self.archived_at.is_some(),
                _ => false,
            },
            _ => false,
        }
    }
}

impl BrowsedLine for TeamLine {
    const COLUMNS: &'static [&'static str] =
        &["name", "type", "enterprise_account", "people", "apps", "created_at"];

    fn id(&self) -> &HerokuId {
        &self.id
    }

    async fn all(snapshot: &mut Snapshot) -> Result<Vec<Self>, EngineError> {
        teams(snapshot).await
    }

    fn rank(&self, column: &str) -> Rank {
        match column {
            "type" => Rank::text(self.team_type.as_deref()),
            "enterprise_account" => Rank::text(self.enterprise_account.as_deref()),
            "people" => Rank::count(self.people),
            "apps" => Rank::count(self.apps),
            "created_at" => Rank::moment(self.created_at),
            _ => Rank::text(self.name.as_deref()),
        }
    }

    fn words(&self) -> Vec<&str> {
        [&self.name, &self.enterprise_account].into_iter().filter_map(|text| text.as_deref()).collect()
    }

    fn fits(&self, narrowing: &Narrowing) -> bool {
        match &*narrowing.filter {
            "enterprise_account" => narrowing.is(self.enterprise_account_id.as_ref()),
            "only" => {
                let wanted = if narrowing.value == "standard" { "team" } else { &narrowing.value };
                self.team_type.as_deref() == Some(wanted)
            }
            _ => false,
        }
    }
}

impl BrowsedLine for EnterpriseAccountLine {
    const COLUMNS: &'static [&'static str] = &["name", "people", "teams", "created_at"];

    fn id(&self) -> &HerokuId {
        &self.id
    }

    async fn all(snapshot: &mut Snapshot) -> Result<Vec<Self>, EngineError> {
        enterprise_accounts(snapshot).await
    }

    fn rank(&self, column: &str) -> Rank {
        match column {
            "people" => Rank::count(self.people),
            "teams" => Rank::count(self.teams),
            "created_at" => Rank::moment(self.created_at),
            _ => Rank::text(self.name.as_deref()),
        }
    }

    fn words(&self) -> Vec<&str> {
        self.name.as_deref().into_iter().collect()
    }

    fn fits(&self, _narrowing: &Narrowing) -> bool {
        false
    }
}
