//! One version of the estate as a connector shows it: resources, entitlements, and who directly holds what.
//!
//! How it is read stands in `load`; what follows from direct access in `derived`.
//!
//! Invariant: every list is in the order of Heroku's ids, and a place is an index of one of them.

use std::collections::{BTreeSet, HashMap};

use metsuke_model::access::Mask;
use metsuke_model::record::{App, EnterpriseAccount, Space, Team, User};
use metsuke_model::{Entitlement, HerokuId, Moment, Outcome, Record, ResourceType, ScopeReport, Version};
use serde_json::{Map, Value as Json};

/// One version of the estate, or one resource of it with all that it needs, owned and compact.
#[derive(Debug)]
pub struct View {
    pub(super) sync: ViewSync,
    pub(super) users: Vec<User>,
    pub(super) enterprise_accounts: Vec<EnterpriseAccount>,
    pub(super) teams: Vec<Team>,
    pub(super) apps: Vec<App>,
    pub(super) spaces: Vec<Space>,
    pub(super) on_teams: Holdings,
    pub(super) on_accounts: Holdings,
    pub(super) on_apps: Holdings,
}

/// Which version a view shows, and what is missing from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewSync {
    /// The version.
    pub version: Version,
    /// When its sync began.
    pub started_at: Moment,
    /// When its sync ended.
    pub finished_at: Moment,
    /// Everything was read.
    pub complete: bool,
    /// What was not, and why; empty where the version is complete.
    pub gaps: Vec<ScopeReport>,
}

impl ViewSync {
    /// The listings that failed, in words; none where nothing did.
    ///
    /// What Heroku refuses to show is a gap like any other; a listing that failed may work the next time, and until
    /// then its rows would look as if they were gone.
    #[must_use]
    pub fn failed(&self) -> Option<String> {
        let mut failed = self.gaps.iter().filter(|gap| gap.outcome == Outcome::Failed);
        let first = failed.next()?;
        let why = first.reason.as_deref().unwrap_or("no reason is known");
        let told = format!("{} could not be read: {why}", first.scope);
        Some(match failed.count() {
            0 => told,
            more => format!("{told} (and {more} more listings)"),
        })
    }
}

/// A resource, by its place in the list of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// In [`View::teams`].
    Team(usize),
    /// In [`View::enterprise_accounts`].
    EnterpriseAccount(usize),
    /// In [`View::apps`].
    App(usize),
}

impl At {
    /// The resource's type.
    #[must_use]
    pub const fn resource_type(self) -> ResourceType {
        match self {
            Self::Team(_) => ResourceType::Team,
            Self::EnterpriseAccount(_) => ResourceType::EnterpriseAccount,
            Self::App(_) => ResourceType::App,
        }
    }

    /// The place in the list of its type.
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::Team(place) | Self::EnterpriseAccount(place) | Self::App(place) => place,
        }
    }
}

/// Every property of an object under Heroku's name: its columns, and what Heroku sent beyond them.
#[must_use]
pub fn document<T: Record>(record: &T) -> Map<String, Json> {
    metsuke_store::document(record)
}

impl View {
    /// Which version it is, and what is missing from it.
    #[must_use]
    pub const fn sync(&self) -> &ViewSync {
        &self.sync
    }

    /// The people.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// The teams; one that is not [`listed`](Team::listed) is known only from an app that belongs to it.
    #[must_use]
    pub fn teams(&self) -> &[Team] {
        &self.teams
    }

    /// The Enterprise accounts.
    #[must_use]
    pub fn enterprise_accounts(&self) -> &[EnterpriseAccount] {
        &self.enterprise_accounts
    }

    /// The apps, of teams and of people.
    #[must_use]
    pub fn apps(&self) -> &[App] {
        &self.apps
    }

    /// The private spaces that apps run in.
    #[must_use]
    pub fn spaces(&self) -> &[Space] {
        &self.spaces
    }

    /// The place of a user.
    #[must_use]
    pub fn user(&self, id: &HerokuId) -> Option<usize> {
        place(&self.users, id)
    }

    /// The places of the users with this e-mail address, whatever its case; it goes through the whole list.
    pub fn users_named(&self, email: &str) -> impl Iterator<Item = usize> {
        let wanted = email.to_lowercase();
        let users = self.users.iter().enumerate();
        users.filter_map(move |(place, user)| {
            (user.email.as_deref()?.to_lowercase() == wanted).then_some(place)
        })
    }

    /// Where the resource is; none for one that is not there and for a space.
    #[must_use]
    pub fn find(&self, resource_type: ResourceType, id: &HerokuId) -> Option<At> {
        match resource_type {
            ResourceType::Team => place(&self.teams, id).map(At::Team),
            ResourceType::EnterpriseAccount => {
                place(&self.enterprise_accounts, id).map(At::EnterpriseAccount)
            }
            ResourceType::App => place(&self.apps, id).map(At::App),
            ResourceType::Space => None,
        }
    }

    /// Heroku's id of a resource; none for a place that is not in its list.
    #[must_use]
    pub fn id(&self, at: At) -> Option<&HerokuId> {
        match at {
            At::Team(place) => self.teams.get(place).map(|team| &team.id),
            At::EnterpriseAccount(place) => self.enterprise_accounts.get(place).map(|account| &account.id),
            At::App(place) => self.apps.get(place).map(|app| &app.id),
        }
    }

    /// Every resource: teams, Enterprise accounts, apps.
    pub fn resources(&self) -> impl Iterator<Item = At> {
        let teams = (0..self.teams.len()).map(At::Team);
        let accounts = (0..self.enterprise_accounts.len()).map(At::EnterpriseAccount);
        teams.chain(accounts).chain((0..self.apps.len()).map(At::App))
    }

    /// The place of the team that an app belongs to; none for a personal app.
    #[must_use]
    pub fn team_of(&self, app: usize) -> Option<usize> {
        place(&self.teams, self.apps.get(app)?.team.as_ref()?)
    }

    /// The place of the person that a personal app belongs to.
    #[must_use]
    pub fn owner_of(&self, app: usize) -> Option<usize> {
        if self.team_of(app).is_some() {
            return None;
        }
        self.user(self.apps.get(app)?.owner.as_ref()?)
    }

    /// The place of the Enterprise account that a team belongs to.
    #[must_use]
    pub fn account_of(&self, team: usize) -> Option<usize> {
        place(&self.enterprise_accounts, self.teams.get(team)?.enterprise_account.as_ref()?)
    }

    /// What the resource offers: all that its type is known to offer, then what is held there beyond that, verbatim.
    ///
    /// `unknown`, which stands for a role that Heroku sent as null, is offered where somebody holds it.
    #[must_use]
    pub fn slugs(&self, at: At) -> Vec<&str> {
        let holdings = self.holdings(at);
        let unknown = Entitlement::UNKNOWN;
        let mut slugs: Vec<&str> = Vec::new();
        for entitlement in at.resource_type().entitlements() {
            let special = at.resource_type() == ResourceType::Team && *entitlement == unknown;
            if !special || holdings.rows(at.place()).iter().any(|row| row.1.contains(unknown.mask())) {
                slugs.push(entitlement.slug());
            }
        }
        slugs.extend(self.unknown_slugs(at));
        slugs
    }

    /// The entitlements that are held on the resource and that its type is not known to offer, each once, sorted.
    pub(super) fn unknown_slugs(&self, at: At) -> BTreeSet<&str> {
        let holdings = self.holdings(at);
        let rows = holdings.rows(at.place()).iter().filter(|row| row.1.contains(Mask::OTHER));
        rows.flat_map(|row| holdings.other(at.place(), row.0)).map(|slug| &**slug).collect()
    }

    /// Who directly holds what on the resource, in the order of users and of slugs.
    ///
    /// These are the lines of `metsuke grants` without invitations.
    pub fn direct(&self, at: At) -> impl Iterator<Item = (usize, &str)> {
        let (holdings, place) = (self.holdings(at), at.place());
        holdings.rows(place).iter().flat_map(move |(user, mask)| {
            let known =
                mask.entitlements(at.resource_type()).map(|entitlement| -> &str { entitlement.slug() });
            let other = holdings.other(place, *user).iter().map(|slug| &**slug);
            let user = *user as usize;
            known.chain(other).map(move |slug| (user, slug))
        })
    }

    /// How many direct grants there are on all resources.
    #[must_use]
    pub fn grants(&self) -> usize {
        [&self.on_teams, &self.on_accounts, &self.on_apps].into_iter().map(Holdings::grants).sum()
    }

    pub(super) const fn holdings(&self, at: At) -> &Holdings {
        match at {
            At::Team(_) => &self.on_teams,
            At::EnterpriseAccount(_) => &self.on_accounts,
            At::App(_) => &self.on_apps,
        }
    }
}

/// The place of an object in a list that is sorted by id.
fn place<T: Record>(list: &[T], id: &HerokuId) -> Option<usize> {
    list.binary_search_by(|record| record.id().cmp(id)).ok()
}

/// Direct access to all resources of one type: eight bytes for a resource and a user.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    /// Where the rows of each resource begin, and behind them all.
    starts: Vec<u32>,
    /// User and known entitlements, sorted by resource and user.
    rows: Vec<(u32, Mask)>,
    /// What has no bit, by resource and user.
    other: HashMap<(u32, u32), Vec<Box<str>>>,
}

impl Holdings {
    /// Sorts rows of resource, user and mask for `resources` resources.
    pub(super) fn new(
        resources: usize,
        mut rows: Vec<(u32, u32, Mask)>,
        other: HashMap<(u32, u32), Vec<Box<str>>>,
    ) -> Self {
        rows.sort_unstable();
        let mut starts = Vec::with_capacity(resources + 1);
        let mut at = 0;
        for resource in 0..=u32::try_from(resources).unwrap_or(u32::MAX) {
            at += rows.get(at..).unwrap_or_default().partition_point(|row| row.0 < resource);
            starts.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        Self { starts, rows: rows.into_iter().map(|(_, user, mask)| (user, mask)).collect(), other }
    }

    /// The rows of a resource, by user.
    pub(super) fn rows(&self, resource: usize) -> &[(u32, Mask)] {
        let bounds = self.starts.get(resource).zip(self.starts.get(resource + 1));
        bounds.and_then(|(start, end)| self.rows.get(*start as usize..*end as usize)).unwrap_or_default()
    }

    /// What one user holds there.
    pub(super) fn mask(&self, resource: usize, user: usize) -> Mask {
        let rows = self.rows(resource);
        let found = rows.binary_search_by_key(&user, |(user, _)| *user as usize);
        found.ok().and_then(|at| rows.get(at)).map(|row| row.1).unwrap_or_default()
    }

    /// What one user holds there that has no bit.
    pub(super) fn other(&self, resource: usize, user: u32) -> &[Box<str>] {
        let key = u32::try_from(resource).ok().map(|resource| (resource, user));
        key.and_then(|key| self.other.get(&key)).map_or(&[], Vec::as_slice)
    }

    fn grants(&self) -> usize {
        let known: usize = self.rows.iter().map(|row| row.1.count() as usize).sum();
        known + self.other.values().map(Vec::len).sum::<usize>()
    }
}
