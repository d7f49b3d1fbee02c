//! What would follow if rows of direct access came, went or changed: asked of one version, before anything is written.
//!
//! Which calls make it so, and whether they are allowed, is the plan's to say. Rows that Heroku makes or takes away by
//! itself (a team's `collaborator` for somebody named on an app) are the caller's to name as turns.
//!
//! Invariant: gained, lost and kept are exactly the difference between the effective lines before and after.

mod sentences;
mod turn;
mod warnings;

pub use turn::{Turn, TurnOf};
pub use warnings::{Warning, warnings};

use std::collections::{BTreeMap, BTreeSet};

use metsuke_model::access::{Access, ResourceType};
use metsuke_model::record::App;
use metsuke_model::{Grant, Principal, ResourceRef};
use metsuke_store::Snapshot;
use serde::Serialize;

use self::turn::{Place, Turned};
use super::Held;
use super::app::reads_config;
use super::credentials::credentials;
use super::effective::World;
use crate::EngineError;

/// What turning rows changes for the persons concerned; every list by kind of resource, its name, then the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Effects {
    /// Lines that come. Those of somebody new are announced: their principal is an invitation without an id.
    pub gained: Vec<Grant>,
    /// Lines that go: no path is left.
    pub lost: Vec<Grant>,
    /// Lines that stay for another reason.
    pub kept: Vec<Kept>,
    /// Where somebody leaves a team: their rows on its apps. They count as staying, though Heroku may take them away.
    pub app_rows: Vec<AppRow>,
    /// Whose reading of config vars begins or ends.
    pub config: Vec<ConfigReach>,
}

/// An entitlement that is held before and after, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The line before.
    pub before: Grant,
    /// The line after.
    pub after: Grant,
}

/// A row on an app of a team that its holder leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppRow {
    /// Whose.
    pub principal: Principal,
    /// The team.
    pub team: ResourceRef,
    /// The app.
    pub app: ResourceRef,
    /// What the row says once the turns are made.
    pub entitlements: Vec<Box<str>>,
}

impl AppRow {
    /// The turn that takes the row away, for asking again with it gone.
    #[must_use]
    pub fn gone(&self) -> Turn {
        Turn {
            principal: TurnOf::Known(self.principal.id.clone()),
            resource_type: ResourceType::App,
            resource: self.app.id.clone(),
            after: Access::default(),
        }
    }
}

/// Somebody who begins or ceases to read the config vars of apps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigReach {
    /// Who.
    pub principal: Principal,
    /// Whether it begins; else it ends.
    pub reads: bool,
    /// The apps, by name.
    pub apps: Vec<ResourceRef>,
    /// How many add-ons have their credentials there, each counted once. Another app may hold them, too.
    pub addons: usize,
}

/// Answers what would follow if these rows became what the turns say.
///
/// It loads the teams and apps that the turns name, the apps of those teams, and the rows of the persons concerned.
///
/// # Errors
///
/// [`EngineError::NotFound`] where a turn names a user or a resource that the version does not hold, and what the
/// database said.
pub async fn effects(snapshot: &mut Snapshot, turns: &[Turn]) -> Result<Effects, EngineError> {
    let turned = Turned::resolve(snapshot, turns).await?;
    let mut world = turned.world(snapshot).await?;
    let places = turned.places(&world);
    let before: Vec<Vec<Held>> =
        places.iter().map(|(person, place)| held_at(&world, *place, *person)).collect();
    let left = teams_left(&world, &turned);
    turned.apply(&mut world);
    let mut effects = Effects::default();
    let mut reading: BTreeMap<(i64, bool), Vec<usize>> = BTreeMap::new();
    for ((person, place), before) in places.iter().zip(before) {
        let after = held_at(&world, *place, *person);
        if let Place::App(at) = place {
            let reads = reads_config(&after);
            if reads != reads_config(&before) {
                reading.entry((*person, reads)).or_default().push(*at);
            }
        }
        let names = (world.principals.get(person), resource_at(&world, *place));
        if let (Some(principal), Some(resource)) = names {
            compare(principal, resource, before, after, &mut effects);
        }
    }
    effects.app_rows = app_rows(&world, &left);
    for ((person, reads), apps) in reading {
        effects.config.extend(config_reach(snapshot, &world, person, reads, &apps).await?);
    }
    effects.config.sort_by(|left, right| {
        let key = |reach: &ConfigReach| (reach.principal.email.clone(), reach.principal.id.clone());
        key(left).cmp(&key(right))
    });
    Ok(effects)
}

/// The resource of a place.
fn resource_at(world: &World, place: Place) -> Option<&ResourceRef> {
    match place {
        Place::Team(team) => world.teams.get(&team).map(|team| &team.resource),
        Place::Account(at) => world.enterprise_accounts.get(at).map(|(_, account)| account),
        Place::App(at) => world.apps.get(at).map(|app| &app.resource),
    }
}

/// What somebody holds at a place, in order of the entitlements.
fn held_at(world: &World, place: Place, person: i64) -> Vec<Held> {
    match place {
        Place::App(at) => world.apps.get(at).map(|app| world.held(app, person)).unwrap_or_default(),
        Place::Team(team) => held_directly(world, ResourceType::Team, team, person),
        Place::Account(at) => world.enterprise_accounts.get(at).map_or_else(Vec::new, |(account, _)| {
            held_directly(world, ResourceType::EnterpriseAccount, *account, person)
        }),
    }
}

fn held_directly(world: &World, resource_type: ResourceType, resource: i64, person: i64) -> Vec<Held> {
    let held = |entitlement| Held { entitlement, direct: true, path: Vec::new() };
    row_says(world, resource_type, resource, person).into_iter().map(held).collect()
}

/// What somebody's own row on a resource says.
fn row_says(world: &World, resource_type: ResourceType, resource: i64, person: i64) -> Vec<Box<str>> {
    let Some(entry) = world.entry(resource, person) else { return Vec::new() };
    let known = entry.mask.entitlements(resource_type).map(|entitlement| entitlement.slug().into());
    known.chain(entry.other.iter().cloned()).collect()
}

/// Sorts what one person holds on one resource before and after into the effects.
fn compare(
    principal: &Principal,
    resource: &ResourceRef,
    mut before: Vec<Held>,
    after: Vec<Held>,
    effects: &mut Effects,
) {
    let line = |held: Held| Grant {
        principal: principal.clone(),
        resource: resource.clone(),
        entitlement: held.entitlement,
        direct: held.direct,
        path: held.path,
    };
    for held in after {
        match before.iter().position(|earlier| earlier.entitlement == held.entitlement) {
            None => effects.gained.push(line(held)),
            Some(at) => {
                let earlier = before.remove(at);
                if earlier != held {
                    effects.kept.push(Kept { before: line(earlier), after: line(held) });
                }
            }
        }
    }
    effects.lost.extend(before.into_iter().map(line));
}

/// Who leaves which team by the turns, of those who are in it.
fn teams_left(world: &World, turned: &Turned<'_>) -> BTreeSet<(i64, i64)> {
    let mut left = BTreeSet::new();
    for row in turned.rows().filter(|row| world.teams.contains_key(&row.resource)) {
        let leaves = row.after.mask.is_empty() && row.after.other.is_empty();
        if leaves && world.entry(row.resource, row.person).is_some() {
            left.insert((row.resource, row.person));
        } else {
            left.remove(&(row.resource, row.person));
        }
    }
    left
}

/// The rows that those who leave a team still have on its apps.
fn app_rows(world: &World, left: &BTreeSet<(i64, i64)>) -> Vec<AppRow> {
    let mut rows = Vec::new();
    for (dense, person) in left {
        let (Some(team), Some(principal)) = (world.teams.get(dense), world.principals.get(person)) else {
            continue;
        };
        for app in world.apps.iter().filter(|app| app.team == Some(*dense)) {
            let entitlements = row_says(world, ResourceType::App, app.dense, *person);
            if !entitlements.is_empty() {
                let (principal, team) = (principal.clone(), team.resource.clone());
                rows.push(AppRow { principal, team, app: app.resource.clone(), entitlements });
            }
        }
    }
    rows.sort_by(|left, right| {
        let key = |row: &AppRow| (row.app.name.clone(), row.app.id.clone(), row.principal.email.clone());
        key(left).cmp(&key(right))
    });
    rows
}

async fn config_reach(
    snapshot: &mut Snapshot,
    world: &World,
    person: i64,
    reads: bool,
    apps: &[usize],
) -> Result<Option<ConfigReach>, EngineError> {
    let Some(principal) = world.principals.get(&person) else { return Ok(None) };
    let apps: Vec<_> = apps.iter().filter_map(|at| world.apps.get(*at)).collect();
    let records: Vec<(i64, App)> =
        apps.iter().map(|app| (app.dense, App::new(app.resource.id.clone()))).collect();
    let reached = credentials(snapshot, &records).await?;
    let addons: BTreeSet<&str> = reached.iter().map(|addon| &*addon.name).collect();
    Ok(Some(ConfigReach {
        principal: principal.clone(),
        reads,
        addons: addons.len(),
        apps: apps.into_iter().map(|app| app.resource.clone()).collect(),
    }))
}
