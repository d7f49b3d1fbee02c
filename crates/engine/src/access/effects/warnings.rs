//! What a person should think about before rows are turned.
//!
//! Nothing is refused here: the binding rules are evaluated on a fresh read when a plan is applied.
//!
//! Invariant: somebody who would have to accept first does not count as holding anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use metsuke_model::access::{Entitlement, Mask};
use metsuke_model::{HerokuId, Principal, ResourceRef, ResourceType};
use metsuke_store::Snapshot;
use serde::Serialize;

use super::super::effective::{AppFacts, Extent, World};
use super::sentences::{called_all, counted, person};
use super::turn::Turned;
use super::{Effects, Turn};
use crate::EngineError;

/// Something to think about; its display is one sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Warning {
    /// The last admin of a team goes.
    LastAdmin {
        /// The team.
        team: ResourceRef,
    },
    /// The last person who can manage these apps, or deploy to them, goes.
    LastHolder {
        /// `manage` or `deploy`.
        entitlement: Box<str>,
        /// The apps, by name.
        apps: Vec<ResourceRef>,
    },
    /// A row of a personal app's owner is turned, which changes nothing of what the owner holds.
    AppOwner {
        /// The owner.
        principal: Principal,
        /// The app.
        app: ResourceRef,
    },
    /// Somebody comes to read config vars that hold credentials of add-ons.
    ConfigGained {
        /// Who.
        principal: Principal,
        /// How many apps.
        apps: usize,
        /// How many add-ons.
        addons: usize,
    },
    /// Somebody no longer reads config vars that hold credentials of add-ons, and may know them still.
    ConfigLost {
        /// Who.
        principal: Principal,
        /// How many apps.
        apps: usize,
        /// How many add-ons.
        addons: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LastAdmin { team } => write!(f, "nobody known is left as admin of team {}", team.name),
            Self::LastHolder { entitlement, apps } => {
                write!(f, "nobody known is left with {entitlement} on {}", called_all(apps))
            }
            Self::AppOwner { principal, app } => {
                let (who, app) = (person(principal), &app.name);
                write!(f, "{who} owns app {app} and holds everything on it, whatever its rows say")
            }
            Self::ConfigGained { principal, apps, addons } => {
                let (apps, addons) = (counted(*apps, "app"), counted(*addons, "add-on"));
                let who = person(principal);
                write!(f, "{who} comes to read the config vars of {apps}, with the credentials of {addons}")
            }
            Self::ConfigLost { principal, apps, addons } => {
                let (apps, addons) = (counted(*apps, "app"), counted(*addons, "add-on"));
                let who = person(principal);
                write!(
                    f,
                    "{who} no longer reads the config vars of {apps}, but may know the credentials of {addons}"
                )
            }
        }
    }
}

/// Says what to think about, of turns and of the effects that they have on the same version.
///
/// Rows of others are read on teams that lose an admin or whose apps lose a holder, and on apps that no admin holds.
///
/// # Errors
///
/// [`EngineError::NotFound`] where a turn names what the version does not hold, and what the database said.
pub async fn warnings(
    snapshot: &mut Snapshot,
    turns: &[Turn],
    effects: &Effects,
) -> Result<Vec<Warning>, EngineError> {
    let turned = Turned::resolve(snapshot, turns).await?;
    let world = turned.world(snapshot).await?;
    let mut warnings = last_ones(snapshot, &turned, &world, effects).await?;
    let mut seen = BTreeSet::new();
    for row in turned.rows() {
        let app = world.apps.iter().find(|app| app.dense == row.resource && app.team.is_none());
        if let (Some(app), Some(owner)) = (app, world.principals.get(&row.person))
            && app.owner.as_ref() == Some(&owner.id)
            && seen.insert(app.dense)
        {
            let (principal, app) = (owner.clone(), app.resource.clone());
            warnings.push(Warning::AppOwner { principal, app });
        }
    }
    for reach in effects.config.iter().filter(|reach| reach.addons > 0) {
        let (principal, apps, addons) = (reach.principal.clone(), reach.apps.len(), reach.addons);
        warnings.push(if reach.reads {
            Warning::ConfigGained { principal, apps, addons }
        } else {
            Warning::ConfigLost { principal, apps, addons }
        });
    }
    Ok(warnings)
}

/// Teams whose last admin goes, and apps whose last holder goes, each by name.
async fn last_ones(
    snapshot: &mut Snapshot,
    turned: &Turned<'_>,
    world: &World,
    effects: &Effects,
) -> Result<Vec<Warning>, EngineError> {
    let unadmined = losing(effects, ResourceType::Team, Entitlement::ADMIN);
    let unmanaged = losing(effects, ResourceType::App, Entitlement::MANAGE);
    let undeployed = losing(effects, ResourceType::App, Entitlement::DEPLOY);
    let mut teams: Vec<(i64, &ResourceRef)> =
        world.teams.iter().map(|(dense, team)| (*dense, &team.resource)).collect();
    teams.retain(|(_, team)| unadmined.contains(&team.id));
    teams.sort_by(|left, right| (&left.1.name, &left.1.id).cmp(&(&right.1.name, &right.1.id)));
    let concerned =
        |app: &&AppFacts| [&unmanaged, &undeployed].iter().any(|set| set.contains(&app.resource.id));
    let apps: Vec<&AppFacts> = world.apps.iter().filter(concerned).collect();
    let read: BTreeSet<i64> =
        teams.iter().map(|(dense, _)| *dense).chain(apps.iter().filter_map(|app| app.team)).collect();
    let mut rows = World::load(snapshot, &Extent::Resources(read.into_iter().collect()), false).await?;
    turned.apply_known(&mut rows);
    let has_admin =
        |team: i64| rows.entries(team).iter().any(|entry| entry.mask.contains(Entitlement::ADMIN.mask()));
    teams.retain(|(team, _)| !has_admin(*team));
    let mut warnings: Vec<Warning> =
        teams.into_iter().map(|(_, team)| Warning::LastAdmin { team: team.clone() }).collect();
    // An admin holds everything on all apps of the team, so only the others need to be looked at one by one.
    let bare: Vec<i64> =
        apps.into_iter().filter(|app| !app.team.is_some_and(has_admin)).map(|app| app.dense).collect();
    let mut rows = World::load(snapshot, &Extent::Resources(bare), true).await?;
    turned.apply_known(&mut rows);
    rows.apps.sort_by(|left, right| left.resource.name.cmp(&right.resource.name));
    let ones = one_of_each_role(&rows);
    for (entitlement, lost) in [(Entitlement::MANAGE, unmanaged), (Entitlement::DEPLOY, undeployed)] {
        let bare = rows.apps.iter().filter(|app| lost.contains(&app.resource.id));
        let bare = bare.filter(|app| !somebody_holds(&rows, &ones, app, entitlement));
        let apps: Vec<ResourceRef> = bare.map(|app| app.resource.clone()).collect();
        if !apps.is_empty() {
            warnings.push(Warning::LastHolder { entitlement: entitlement.slug().into(), apps });
        }
    }
    Ok(warnings)
}

/// The resources of a type on which somebody loses an entitlement.
fn losing(effects: &Effects, resource_type: ResourceType, entitlement: Entitlement) -> BTreeSet<&HerokuId> {
    let lines = effects.lost.iter().filter(|grant| grant.resource.resource_type == resource_type);
    lines.filter(|grant| &*grant.entitlement == entitlement.slug()).map(|grant| &grant.resource.id).collect()
}

/// Of everybody on these apps' teams, one for each set of roles: what a team gives follows from the roles alone.
fn one_of_each_role(world: &World) -> BTreeMap<i64, BTreeMap<Mask, i64>> {
    let mut ones: BTreeMap<i64, BTreeMap<Mask, i64>> = BTreeMap::new();
    for team in world.apps.iter().filter_map(|app| app.team).collect::<BTreeSet<_>>() {
        let roles = world.entries(team).iter().map(|entry| (entry.mask, entry.principal));
        ones.insert(team, roles.collect());
    }
    ones
}

fn somebody_holds(
    world: &World,
    ones: &BTreeMap<i64, BTreeMap<Mask, i64>>,
    app: &AppFacts,
    entitlement: Entitlement,
) -> bool {
    let slug = entitlement.slug();
    let holds = |person: i64| world.held(app, person).iter().any(|held| &*held.entitlement == slug);
    match app.team.and_then(|team| ones.get(&team)) {
        None => world.people_of(app).into_iter().any(holds),
        Some(ones) => {
            let named = world.entries(app.dense).iter().map(|entry| entry.principal);
            named.chain(ones.values().copied()).any(holds)
        }
    }
}
