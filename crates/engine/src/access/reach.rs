//! What one person can do everywhere, put together by what is held and why: for people who reach very much.
//!
//! What somebody holds on an app depends on the app's team and whether it is locked, on their own row and on whether the app is theirs.
//! So it is derived once for each combination that there is, by the same functions as for one app.
//!
//! Invariant: counted out, this is what [`user_access`](super::user_access) tells.

use std::collections::HashMap;
use std::sync::Arc;

use metsuke_model::record::{EnterpriseAccount, Invitation, User};
use metsuke_model::{Grant, HerokuId, Kind, Moment, Principal};
use metsuke_store::{AccessEntry, AccessSelect, Select, Snapshot, Stored, kind_of};

use super::app::reads_config;
use super::credentials::credentials;
use super::effective::{AppFacts, Extent, World};
use super::grants::pending;
use super::layout::{Layout, Layouts, Place};
use super::lookup::find_user;
use super::reasons::{Clause, clauses};
use super::user::{principal, readable, roles};
use super::{Held, ReachedAddOn};
use crate::EngineError;

/// Apps that somebody may reach before it is worth while to read those of all.
const MANY: u64 = 2_000;
/// Apps that somebody may have reached in an earlier version before that is kept: there they are read one by one.
const EARLIER: u64 = 100;

/// Everything that one person holds, by what it is and why.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Who.
    pub principal: Principal,
    /// The name that the person chose.
    pub name: Option<Box<str>>,
    /// Whether a second factor is set up at Heroku; none where nothing says so.
    pub two_factor: Option<bool>,
    /// Whether the person signs in through an identity provider.
    pub federated: Option<bool>,
    /// The last sign-in, where Heroku tells it.
    pub last_login: Option<Moment>,
    /// Roles in teams and permissions on Enterprise accounts.
    pub roles: Vec<Grant>,
    /// What is held on apps, each combination of team, entitlements and reasons at least once.
    pub groups: Vec<ReachedGroup>,
    /// How many add-ons' credentials stand in the config vars that the person can read.
    pub credentials: usize,
    /// The first of them, at most [`Reach::ADDONS`].
    pub addons: Vec<ReachedAddOn>,
    /// Invitations of the same address: announced access, not access.
    pub pending: Vec<Grant>,
    /// The place of each app and its group, by the app's name.
    apps: Vec<(u32, usize)>,
    layout: Arc<Layout>,
}

/// What is held alike on several apps of a team, or of no team.
#[derive(Clone, Debug)]
pub struct ReachedGroup {
    /// The team that owns them; none for personal apps.
    pub team: Option<Box<str>>,
    /// What is held, direct and derived, in order of the entitlements.
    pub entitlements: Vec<Box<str>>,
    /// The same by reason.
    pub clauses: Vec<Clause>,
    /// How many apps it is held on.
    pub apps: usize,
    reads_config: bool,
}

impl ReachedGroup {
    /// Whether this is held.
    #[must_use]
    pub fn holds(&self, entitlement: &str) -> bool {
        self.entitlements.iter().any(|held| &**held == entitlement)
    }
}

/// One app that a person can do something on.
#[derive(Clone, Copy, Debug)]
pub struct ReachedApp<'r> {
    /// Heroku's id.
    pub id: &'r HerokuId,
    /// Its name; its id where it has none.
    pub name: &'r str,
    /// The place of what is held on it among the groups.
    pub group: usize,
}

impl Reach {
    /// Add-ons that are named.
    pub const ADDONS: usize = 50;

    /// Every app that the person can do something on, by name.
    pub fn apps(&self) -> impl Iterator<Item = ReachedApp<'_>> {
        self.apps.iter().filter_map(|(place, group)| {
            let app = self.layout.app(*place)?;
            Some(ReachedApp { id: &app.id, name: &app.name, group: *group })
        })
    }

    /// How many apps these are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.apps.len()
    }

    /// On how many of them this is held.
    #[must_use]
    pub fn able(&self, entitlement: &str) -> usize {
        self.groups.iter().filter(|group| group.holds(entitlement)).map(|group| group.apps).sum()
    }
}

/// Answers what the person of this e-mail address or id can do, from the layout of this estate's newest version where one is kept or
/// worth keeping.
///
/// # Errors
///
/// As [`user_access`](super::user_access).
pub async fn reach(
    snapshot: &mut Snapshot,
    user: &str,
    kept: Option<(&Layouts, &str)>,
) -> Result<Arc<Reach>, EngineError> {
    let stored = find_user(snapshot, user).await?;
    let version = snapshot.sync().version;
    if let Some(known) = kept.and_then(|(layouts, estate)| layouts.reached(estate, version, stored.dense)) {
        return Ok(known);
    }
    let (mut world, layout) = laid_out(snapshot, &stored, kept).await?;
    // Somebody who holds nothing stands in no row.
    world.principals.insert(stored.dense, principal(&stored));
    let (groups, apps) = grouped(&world, &layout, &stored);
    let reads = apps.iter().filter(|(_, group)| groups.get(*group).is_some_and(|group| group.reads_config));
    let reads: Vec<u32> = reads.map(|(place, _)| *place).collect();
    let known = layout.credentials(reads.iter().copied(), Reach::ADDONS);
    let (credentials, addons) = if let Some(known) = known {
        known
    } else {
        let apps = reads.iter().filter_map(|place| layout.app(*place));
        let apps: Vec<_> = apps.map(|app| readable(app.dense, &app.resource())).collect();
        let mut addons = credentials(snapshot, &apps).await?;
        let count = addons.len();
        addons.truncate(Reach::ADDONS);
        (count, addons)
    };
    let mut invited = Vec::new();
    if let Some(email) = stored.record.email.as_deref() {
        let invitations = snapshot.objects::<Invitation>(&Select::Named(email.into())).await?;
        invited.extend(invitations.into_iter().filter_map(|stored| pending(&world, stored.record)));
    }
    let reach = Arc::new(Reach {
        principal: principal(&stored),
        name: stored.record.name,
        two_factor: stored.record.two_factor,
        federated: stored.record.federated,
        last_login: stored.record.last_login,
        roles: roles(&world),
        groups,
        credentials,
        addons,
        pending: invited,
        apps,
        layout,
    });
    let few = if snapshot.is_newest() { MANY } else { EARLIER };
    if let Some((layouts, estate)) = kept.filter(|_| reach.count() as u64 > few) {
        layouts.keep_reach(estate, version, stored.dense, Arc::clone(&reach));
    }
    Ok(reach)
}

/// A person's own rows, and the apps that they may be about.
async fn laid_out(
    snapshot: &mut Snapshot,
    person: &Stored<User>,
    kept: Option<(&Layouts, &str)>,
) -> Result<(World, Arc<Layout>), EngineError> {
    if let Some((layouts, estate)) = kept {
        let version = snapshot.sync().version;
        let known = layouts.known(estate, version);
        if known.is_some() || snapshot.is_newest() {
            let entries = snapshot.access(&AccessSelect::Of(vec![person.dense])).await?;
            let layout = match known {
                Some(layout) => Some(layout),
                None if many(snapshot, &entries).await? => layouts.of(estate, snapshot).await?,
                None => None,
            };
            if let Some(layout) = layout {
                let mut world = World::of_person(layout.teams.clone(), entries, person);
                let accounts = world.resources().filter(|id| kind_of(*id) == Some(Kind::EnterpriseAccount));
                let accounts = Select::Dense(accounts.collect());
                world.add_accounts(snapshot.objects::<EnterpriseAccount>(&accounts).await?);
                return Ok((world, layout));
            }
        }
    }
    let world = World::load(snapshot, &Extent::User(person.dense), true).await?;
    let layout = Layout::of_world(&world, (person.dense, &person.record.id));
    Ok((world, Arc::new(layout)))
}

/// Whether somebody with these rows may reach very much.
async fn many(snapshot: &mut Snapshot, entries: &[AccessEntry]) -> Result<bool, EngineError> {
    let resources: Vec<i64> = entries.iter().map(|entry| entry.resource).collect();
    let own = u64::try_from(resources.len()).unwrap_or(u64::MAX);
    Ok(own > MANY || own + snapshot.about_apps_of(&resources).await? > MANY)
}

/// What decides of what somebody holds on an app: its team, whether it is locked, their own row, and whether they own it.
#[derive(PartialEq, Eq, Hash)]
struct Ground<'w> {
    team: Option<i64>,
    locked: Option<bool>,
    own: Option<Own<'w>>,
    owns: bool,
}

/// Somebody's own row on an app.
#[derive(PartialEq, Eq, Hash)]
struct Own<'w> {
    mask: u32,
    other: &'w [Box<str>],
    /// The app's id comes before its team's, which decides between two ways of the same length.
    first: bool,
}

type Grouped = (Vec<ReachedGroup>, Vec<(u32, usize)>);

/// The apps that somebody can do something on, by name, each with its group.
fn grouped(world: &World, layout: &Layout, person: &Stored<User>) -> Grouped {
    let mut known: HashMap<Ground<'_>, Option<usize>> = HashMap::new();
    let mut groups: Vec<ReachedGroup> = Vec::new();
    let mut apps = Vec::new();
    for place in layout.reachable(person.dense, world.resources()) {
        let Some(app) = layout.app(place) else { continue };
        let owns = app.owner == Some(person.dense);
        let group = *known.entry(ground(world, app, person.dense)).or_insert_with(|| {
            let held = world.held(&as_facts(app, owns.then(|| person.record.id.clone())), person.dense);
            if held.is_empty() {
                return None;
            }
            groups.push(group(world, app, &held));
            Some(groups.len() - 1)
        });
        if let Some(group) = group {
            if let Some(group) = groups.get_mut(group) {
                group.apps += 1;
            }
            apps.push((place, group));
        }
    }
    (groups, apps)
}

fn ground<'w>(world: &'w World, app: &Place, person: i64) -> Ground<'w> {
    let team = app.team.and_then(|team| world.teams.get(&team));
    let own = world.entry(app.dense, person).map(|entry| Own {
        mask: entry.mask.0,
        other: &entry.other,
        first: team.is_some_and(|team| app.id < team.resource.id),
    });
    Ground { team: app.team, locked: app.locked, own, owns: app.owner == Some(person) }
}

fn group(world: &World, app: &Place, held: &[Held]) -> ReachedGroup {
    ReachedGroup {
        team: app.team.and_then(|team| world.teams.get(&team)).map(|team| team.resource.name.clone()),
        entitlements: held.iter().map(|held| held.entitlement.clone()).collect(),
        clauses: clauses(held),
        apps: 0,
        reads_config: reads_config(held),
    }
}

fn as_facts(app: &Place, owner: Option<HerokuId>) -> AppFacts {
    AppFacts { dense: app.dense, resource: app.resource(), team: app.team, owner, locked: app.locked }
}

#[cfg(test)]
mod tests {
    use metsuke_model::Version;
    use metsuke_model::grant::PrincipalKind;

    use super::*;

    fn reach_of(email: &str) -> Arc<Reach> {
        let id = HerokuId::new(email);
        Arc::new(Reach {
            principal: Principal { kind: PrincipalKind::User, id, email: Some(email.into()) },
            name: None,
            two_factor: None,
            federated: None,
            last_login: None,
            roles: Vec::new(),
            groups: Vec::new(),
            credentials: 0,
            addons: Vec::new(),
            pending: Vec::new(),
            apps: Vec::new(),
            layout: Arc::default(),
        })
    }

    #[test]
    fn what_is_kept_is_told_of_the_same_person_in_the_same_version_of_the_same_estate_alone() {
        let layouts = Layouts::default();
        let kept = |estate, version, person| {
            let reach = layouts.reached(estate, Version(version), person);
            reach.and_then(|reach| reach.principal.email.clone())
        };
        assert_eq!(kept("one", 1, 7), None);
        layouts.keep_reach("one", Version(1), 7, reach_of("ann@example.com"));
        assert_eq!(kept("one", 1, 7).as_deref(), Some("ann@example.com"));
        assert_eq!([kept("two", 1, 7), kept("one", 2, 7), kept("one", 1, 8)], [None, None, None]);
    }

    #[test]
    fn what_was_looked_at_least_lately_makes_room() {
        let layouts = Layouts::default();
        for person in 1..=4 {
            layouts.keep_reach("one", Version(1), person, reach_of("ann@example.com"));
        }
        let is_kept = |person| layouts.reached("one", Version(1), person).is_some();
        assert!(is_kept(1));
        layouts.keep_reach("one", Version(1), 5, reach_of("ann@example.com"));
        assert_eq!([1, 2, 3, 4, 5].map(is_kept), [true, false, true, true, true]);
    }
}
