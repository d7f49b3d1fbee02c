//! Puts a version's rows together for a question, and derives what they imply.
//!
//! Invariant: everything that a question needs is loaded by dense ids, never the whole estate for one app.

use std::collections::{BTreeSet, HashMap, HashSet};

use metsuke_model::access::{Access, Entitlement, Mask};
use metsuke_model::derive::{self, Owner};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::record::{App, EnterpriseAccount, Team, User};
use metsuke_model::{HerokuId, Kind, PathStep, Principal, ResourceRef, ResourceType};
use metsuke_store::{AccessEntry, AccessSelect, Select, SlimPerson, Snapshot, Stored, kind_of};

use super::Held;
use crate::EngineError;

/// Which part of the estate a question is about, in dense ids.
#[derive(Clone, Debug)]
pub(crate) enum Extent {
    /// All of it.
    All,
    /// What one user holds.
    User(i64),
    /// What one user holds on these apps, and the user's roles.
    UserOn { user: i64, apps: Vec<i64> },
    /// These teams, Enterprise accounts and apps, with no other team than theirs.
    Resources(Vec<i64>),
    /// Every team, and nothing that is held.
    Teams,
    /// The own rows of these users, for what rows on these resources tell of: the resources and the teams' apps.
    Rows { users: Vec<i64>, resources: Vec<i64> },
}

/// The rows that answer a question.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) principals: HashMap<i64, Principal>,
    pub(super) names: HashMap<i64, Option<Box<str>>>,
    /// Every team that the extent has to do with, by dense id.
    pub(super) teams: HashMap<i64, TeamFacts>,
    pub(super) enterprise_accounts: Vec<(i64, ResourceRef)>,
    pub(crate) apps: Vec<AppFacts>,
    entries: HashMap<i64, Vec<AccessEntry>>,
    user_places: HashMap<HerokuId, i64>,
}

/// What derived access needs to know of a team.
#[derive(Clone, Debug)]
pub(super) struct TeamFacts {
    pub(super) resource: ResourceRef,
    pub(super) team_type: Option<Box<str>>,
    pub(super) owner: Owner,
}

/// What derived access needs to know of an app.
#[derive(Clone, Debug)]
pub(crate) struct AppFacts {
    pub(crate) dense: i64,
    pub(crate) resource: ResourceRef,
    pub(crate) team: Option<i64>,
    pub(super) owner: Option<HerokuId>,
    pub(super) locked: Option<bool>,
}

impl World {
    /// Loads what the extent covers; `effective` also loads what access may be derived from.
    pub(crate) async fn load(
        snapshot: &mut Snapshot,
        extent: &Extent,
        effective: bool,
    ) -> Result<Self, EngineError> {
        let mut world = Self::default();
        let mut places = HashMap::new();
        let near = match extent {
            // Whatever the number of teams, a question about a few apps reads theirs alone.
            Extent::Resources(ids) => {
                let of_teams = ids.iter().copied().filter(|id| kind_of(*id) == Some(Kind::Team));
                Select::Dense(of_teams.collect())
            }
            Extent::All | Extent::User(_) | Extent::UserOn { .. } | Extent::Rows { .. } | Extent::Teams => {
                Select::All
            }
        };
        world.add_teams(snapshot.columns(&near).await?, &mut places);
        let (select, mut apps) = world.apps_of(snapshot, extent, effective).await?;
        apps.sort_by_key(|app| app.dense);
        apps.dedup_by_key(|app| app.dense);
        if !matches!(near, Select::All) {
            let named: BTreeSet<&HerokuId> = apps.iter().filter_map(|app| app.record.team.as_ref()).collect();
            let named = Select::Ids(named.into_iter().cloned().collect());
            world.add_teams(snapshot.columns(&named).await?, &mut places);
        }
        world.apps = apps.into_iter().map(|stored| app_facts(stored, &places)).collect();
        let select = match select {
            AccessSelect::On(mut resources) if effective => {
                resources.extend(world.apps.iter().filter_map(|app| app.team));
                resources.sort_unstable();
                resources.dedup();
                AccessSelect::On(resources)
            }
            select => select,
        };
        for entry in snapshot.access(&select).await? {
            world.entries.entry(entry.resource).or_default().push(entry);
        }
        let accounts = match extent {
            Extent::Resources(ids) | Extent::Rows { resources: ids, .. } => Select::Dense(ids.clone()),
            Extent::All | Extent::User(_) | Extent::UserOn { .. } => Select::All,
            Extent::Teams => Select::Dense(Vec::new()),
        };
        world.add_accounts(snapshot.columns::<EnterpriseAccount>(&accounts).await?);
        world.load_people(snapshot, extent).await?;
        Ok(world)
    }

    /// One person's own rows, and every team; no app and no Enterprise account.
    pub(super) fn of_person(
        teams: HashMap<i64, TeamFacts>,
        entries: Vec<AccessEntry>,
        person: &Stored<User>,
    ) -> Self {
        let mut world = Self { teams, ..Self::default() };
        world.user_places.insert(person.record.id.clone(), person.dense);
        for entry in entries {
            world.entries.entry(entry.resource).or_default().push(entry);
        }
        world
    }

    /// Takes teams in, and where each stands.
    fn add_teams(&mut self, teams: Vec<Stored<Team>>, places: &mut HashMap<HerokuId, i64>) {
        for stored in teams {
            places.insert(stored.record.id.clone(), stored.dense);
            self.teams.insert(stored.dense, team_facts(stored));
        }
    }

    /// Takes Enterprise accounts in.
    pub(super) fn add_accounts(&mut self, accounts: Vec<Stored<EnterpriseAccount>>) {
        for stored in accounts {
            let resource =
                resource_ref(ResourceType::EnterpriseAccount, &stored.record.id, stored.record.name);
            self.enterprise_accounts.push((stored.dense, resource));
        }
    }

    /// The resources on which somebody directly holds something.
    pub(super) fn resources(&self) -> impl Iterator<Item = i64> + use<'_> {
        self.entries.keys().copied()
    }

    /// The apps of an extent, and which access rows belong to it.
    async fn apps_of(
        &self,
        snapshot: &mut Snapshot,
        extent: &Extent,
        effective: bool,
    ) -> Result<(AccessSelect, Vec<Stored<App>>), EngineError> {
        Ok(match extent {
            Extent::Teams => (AccessSelect::On(Vec::new()), Vec::new()),
            Extent::All => (AccessSelect::All, snapshot.columns(&Select::All).await?),
            Extent::Resources(ids) => {
                (AccessSelect::On(ids.clone()), snapshot.columns(&Select::Dense(ids.clone())).await?)
            }
            Extent::Rows { users, resources } => {
                let teams = resources.iter().copied().filter(|id| self.teams.contains_key(id)).collect();
                let mut apps: Vec<Stored<App>> = snapshot.columns(&Select::Within(teams)).await?;
                apps.extend(snapshot.columns(&Select::Dense(resources.clone())).await?);
                (AccessSelect::Of(users.clone()), apps)
            }
            Extent::UserOn { user, apps } => {
                let apps = snapshot.columns(&Select::Dense(apps.clone())).await?;
                (AccessSelect::Of(vec![*user]), apps)
            }
            Extent::User(user) => {
                let select = AccessSelect::Of(vec![*user]);
                let held: Vec<i64> =
                    snapshot.access(&select).await?.into_iter().map(|entry| entry.resource).collect();
                let mut apps: Vec<Stored<App>> = Vec::new();
                if effective {
                    let teams = held.iter().copied().filter(|id| self.teams.contains_key(id)).collect();
                    apps.extend(snapshot.columns(&Select::Within(teams)).await?);
                    apps.extend(snapshot.columns(&Select::OwnedBy(vec![*user])).await?);
                }
                apps.extend(snapshot.columns(&Select::Dense(held)).await?);
                (select, apps)
            }
        })
    }

    async fn load_people(&mut self, snapshot: &mut Snapshot, extent: &Extent) -> Result<(), EngineError> {
        let select = if matches!(extent, Extent::All) {
            None
        } else {
            let mut people: BTreeSet<i64> =
                self.entries.values().flatten().map(|entry| entry.principal).collect();
            if let Extent::Rows { users, .. } = extent {
                people.extend(users);
            }
            Some(people.into_iter().collect::<Vec<i64>>())
        };
        let mut people = snapshot.slim_people(select.as_deref()).await?;
        if !matches!(extent, Extent::All) {
            let owners: BTreeSet<&HerokuId> = self.apps.iter().filter_map(|app| app.owner.as_ref()).collect();
            let known: HashSet<&HerokuId> = people.iter().map(|person| &person.id).collect();
            let missing: Vec<HerokuId> =
                owners.into_iter().filter(|owner| !known.contains(owner)).cloned().collect();
            for owner in missing {
                let found = snapshot.columns::<User>(&Select::Id(owner)).await?;
                people.extend(found.into_iter().map(SlimPerson::from));
            }
        }
        for SlimPerson { dense, id, email, name } in people {
            self.user_places.insert(id.clone(), dense);
            self.names.insert(dense, name);
            self.principals.insert(dense, Principal { kind: PrincipalKind::User, id, email });
        }
        Ok(())
    }

    /// The app with this dense id.
    pub(super) fn app(&self, dense: i64) -> Option<&AppFacts> {
        let place = self.apps.binary_search_by_key(&dense, |app| app.dense).ok()?;
        self.apps.get(place)
    }

    /// Direct access to a resource, by principal.
    pub(super) fn entries(&self, resource: i64) -> &[AccessEntry] {
        self.entries.get(&resource).map_or(&[], Vec::as_slice)
    }

    /// Makes `after` all that a principal directly holds on a resource; nothing in it takes the row away.
    pub(super) fn set_entry(&mut self, resource: i64, principal: i64, after: &Access) {
        let entries = self.entries.entry(resource).or_default();
        let place = entries.binary_search_by_key(&principal, |entry| entry.principal);
        if let Ok(at) = place {
            entries.remove(at);
        }
        if !after.mask.is_empty() || !after.other.is_empty() {
            let (mask, other) = (after.mask, after.other.clone());
            entries.insert(place.unwrap_or_else(|at| at), AccessEntry { resource, principal, mask, other });
        }
    }

    /// What one principal directly holds on a resource.
    pub(super) fn entry(&self, resource: i64, principal: i64) -> Option<&AccessEntry> {
        let entries = self.entries(resource);
        entries.binary_search_by_key(&principal, |entry| entry.principal).ok().and_then(|at| entries.get(at))
    }

    /// Everybody who may hold something on the app, in order of their dense ids.
    pub(crate) fn people_of(&self, app: &AppFacts) -> BTreeSet<i64> {
        let named = self.entries(app.dense).iter();
        let members = app.team.map_or(&[][..], |team| self.entries(team)).iter();
        let owner = app.owner.as_ref().and_then(|owner| self.user_places.get(owner)).copied();
        named.chain(members).map(|entry| entry.principal).chain(owner).collect()
    }

    /// What a principal holds on an app, direct and derived, in order of the entitlements.
    pub(super) fn held(&self, app: &AppFacts, principal: i64) -> Vec<Held> {
        let own = self.entry(app.dense, principal);
        let direct = own.map(|entry| entry.mask).unwrap_or_default();
        let sources = self.sources(app, principal, own);
        let mut held = Vec::new();
        for entitlement in ResourceType::App.entitlements() {
            if direct.contains(entitlement.mask()) {
                held.push(Held { entitlement: entitlement.slug().into(), direct: true, path: Vec::new() });
                continue;
            }
            let best = sources
                .iter()
                .filter(|source| source.gives.contains(entitlement.mask()))
                .min_by(|left, right| left.key().cmp(&right.key()));
            if let Some(source) = best {
                let path = vec![
                    PathStep { resource: source.resource.clone(), entitlement: source.entitlement.into() },
                    PathStep { resource: app.resource.clone(), entitlement: entitlement.slug().into() },
                ];
                held.push(Held { entitlement: entitlement.slug().into(), direct: false, path });
            }
        }
        let other = own.map_or(&[][..], |entry| &entry.other);
        held.extend(other.iter().map(|slug| Held {
            entitlement: slug.clone(),
            direct: true,
            path: Vec::new(),
        }));
        held
    }

    /// The ways by which a principal came to hold something on an app, with what each gives.
    pub(crate) fn ways(&self, app: &AppFacts, principal: i64) -> Vec<Way> {
        let own = self.entry(app.dense, principal);
        let mut direct = own.map(|own| Access { mask: own.mask, other: own.other.clone() });
        let mut ways = Vec::new();
        for source in self.sources(app, principal, own) {
            let via = match &mut direct {
                Some(direct) if source.origin == Origin::Own => {
                    direct.mask = direct.mask.with(source.gives);
                    continue;
                }
                _ if source.gives.is_empty() => continue,
                _ if source.origin == Origin::Team => format!("team {}", source.entitlement).into(),
                _ => Box::from(source.entitlement),
            };
            ways.push(Way::new(via, &Access { mask: source.gives, other: Vec::new() }));
        }
        if let Some(direct) = direct {
            ways.insert(0, Way::new("direct".into(), &direct));
        }
        ways
    }

    /// The rows from which a principal's access to an app follows.
    fn sources<'w>(
        &'w self,
        app: &'w AppFacts,
        principal: i64,
        own: Option<&'w AccessEntry>,
    ) -> Vec<Source<'w>> {
        let mut sources = Vec::new();
        let team = app.team.and_then(|dense| Some((dense, self.teams.get(&dense)?)));
        let owner = team.map_or(Owner::Person, |(_, team)| team.owner);
        if let Some((dense, team)) = team {
            let roles = self.entry(dense, principal).map(|entry| entry.mask).unwrap_or_default();
            for role in roles.entitlements(ResourceType::Team) {
                let gives = derive::from_team_role(role, owner, app.locked.unwrap_or(false));
                let (resource, entitlement) = (&team.resource, role.slug());
                sources.push(Source { origin: Origin::Team, resource, entitlement, gives });
            }
        }
        if let Some(own) = own {
            for entitlement in own.mask.entitlements(ResourceType::App) {
                let gives = derive::from_app_entitlement(entitlement, own.mask, owner);
                let (resource, entitlement) = (&app.resource, entitlement.slug());
                sources.push(Source { origin: Origin::Own, resource, entitlement, gives });
            }
            for slug in &own.other {
                let gives = Entitlement::VIEW.mask();
                sources.push(Source {
                    origin: Origin::Own,
                    resource: &app.resource,
                    entitlement: slug,
                    gives,
                });
            }
        }
        let owns = app.owner.as_ref().and_then(|owner| self.user_places.get(owner)) == Some(&principal);
        if app.team.is_none() && owns {
            let (resource, gives) = (&app.resource, derive::from_ownership());
            let entitlement = Entitlement::OWNER.slug();
            sources.push(Source { origin: Origin::Owner, resource, entitlement, gives });
        }
        sources
    }
}

/// One way by which a principal came to hold something on an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// `direct`, `team` and the role there, or `owner`.
    pub(crate) via: Box<str>,
    /// What this way gives, in order of the entitlements.
    pub(crate) permissions: Vec<Box<str>>,
}

impl Way {
    fn new(via: Box<str>, access: &Access) -> Self {
        Self { via, permissions: access.slugs(ResourceType::App).map(Into::into).collect() }
    }
}

/// What kind of row gives more than itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The principal's own row on the app.
    Own,
    /// A role in the app's team.
    Team,
    /// Owning the app.
    Owner,
}

/// A row that gives more than itself.
struct Source<'w> {
    origin: Origin,
    resource: &'w ResourceRef,
    entitlement: &'w str,
    gives: Mask,
}

impl Source<'_> {
    /// All paths have two steps, so the shortest is told by id, then by entitlement.
    fn key(&self) -> (&HerokuId, &str) {
        (&self.resource.id, self.entitlement)
    }
}

pub(super) fn team_facts(stored: Stored<Team>) -> TeamFacts {
    let team = stored.record;
    let owner = Owner::of_team(&team);
    TeamFacts {
        resource: resource_ref(ResourceType::Team, &team.id, team.name),
        team_type: team.team_type,
        owner,
    }
}

fn app_facts(stored: Stored<App>, teams: &HashMap<HerokuId, i64>) -> AppFacts {
    let app = stored.record;
    AppFacts {
        dense: stored.dense,
        team: app.team.as_ref().and_then(|team| teams.get(team)).copied(),
        resource: resource_ref(ResourceType::App, &app.id, app.name),
        owner: app.owner,
        locked: app.locked,
    }
}

/// A named resource; one without a name goes by its id.
pub(super) fn resource_ref(
    resource_type: ResourceType,
    id: &HerokuId,
    name: Option<Box<str>>,
) -> ResourceRef {
    ResourceRef { resource_type, id: id.clone(), name: name.unwrap_or_else(|| id.to_string().into()) }
}
