//! How effective access on apps differs between two versions, where something touched it.
//!
//! What touched it is the caller's to say; direct access to teams, Enterprise accounts and spaces is in the change log.
//!
//! Invariant: for what is touched, the shifts are exactly the difference between the effective lines of both versions.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_model::record::{App, User};
use metsuke_model::{AsOf, HerokuId, Kind, ResourceType, Version};
use metsuke_store::{AccessSelect, Select, Snapshot, Store, Stored, kind_of};

use super::Held;
use super::effective::{Extent, World};
use crate::EngineError;

/// What may have shifted access, in dense ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    /// Rows on apps: app and person.
    pub(crate) app_rows: BTreeSet<(i64, i64)>,
    /// Rows on teams: team and person.
    pub(crate) team_rows: BTreeSet<(i64, i64)>,
    /// Apps whose owner or lock changed, or that came or went.
    pub(crate) apps: BTreeSet<i64>,
    /// Teams whose kind changed, or that came or went.
    pub(crate) teams: BTreeSet<i64>,
    /// People who came or went.
    pub(crate) people: BTreeSet<i64>,
}

/// One entitlement on an app that a person gained or lost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shift {
    /// The app, by dense id.
    pub(crate) app: i64,
    /// The team that the app is in, after or else before.
    pub(crate) teams: [Option<i64>; 2],
    /// The person, by dense id.
    pub(crate) person: i64,
    /// It is held now; else it was.
    pub(crate) gained: bool,
    /// By which way: `direct`, `team` and the role there, or what else it follows from.
    pub(crate) via: Box<str>,
    /// Which entitlement.
    pub(crate) entitlement: Box<str>,
}

impl Touched {
    fn is_empty(&self) -> bool {
        self.app_rows.is_empty()
            && self.team_rows.is_empty()
            && self.apps.is_empty()
            && self.teams.is_empty()
            && self.people.is_empty()
    }
}

/// What differs between two versions, in order of apps and people.
///
/// # Errors
///
/// What the database said.
pub(crate) async fn shifts(
    store: &Store,
    (before, after): (Version, Version),
    touched: &Touched,
) -> Result<Vec<Shift>, EngineError> {
    if touched.is_empty() {
        return Ok(Vec::new());
    }
    let mut touched = touched.clone();
    // An app that is in a team in one version may be in another team in the other.
    let mut near_rows = BTreeSet::new();
    for version in [before, after] {
        let mut snapshot = open(store, version).await?;
        widen(&mut snapshot, &mut touched).await?;
        let teams: BTreeSet<i64> = touched.team_rows.iter().map(|(team, _)| *team).collect();
        let within = Select::Within(teams.iter().copied().collect());
        near_rows.extend(snapshot.objects::<App>(&within).await?.into_iter().map(|app| app.dense));
        near_rows.extend(teams);
    }
    let mut shifts = Vec::new();
    let mut apps: BTreeSet<i64> = touched.apps.clone();
    apps.extend(touched.app_rows.iter().map(|(app, _)| *app));
    if !apps.is_empty() {
        let worlds = worlds(store, before, after, &Extent::Resources(apps.into_iter().collect())).await?;
        let mut pairs = touched.app_rows.clone();
        for world in [&worlds.0, &worlds.1] {
            for app in world.apps.iter().filter(|app| touched.apps.contains(&app.dense)) {
                pairs.extend(world.people_of(app).into_iter().map(|person| (app.dense, person)));
            }
        }
        compare(&worlds, &pairs, &mut shifts);
    }
    if !touched.team_rows.is_empty() {
        let people: BTreeSet<i64> = touched.team_rows.iter().map(|(_, person)| *person).collect();
        let (users, resources) = (people.into_iter().collect(), near_rows.into_iter().collect());
        let worlds = worlds(store, before, after, &Extent::Rows { users, resources }).await?;
        compare(&worlds, &on_apps_of_teams(&worlds, &touched), &mut shifts);
    }
    shifts.sort();
    shifts.dedup();
    Ok(shifts)
}

async fn open(store: &Store, version: Version) -> Result<Snapshot, EngineError> {
    store.snapshot(Some(AsOf::Version(version))).await?.ok_or(EngineError::NoVersion)
}

/// The same part of two versions, one after the other: a database in memory has one connection.
async fn worlds(
    store: &Store,
    before: Version,
    after: Version,
    extent: &Extent,
) -> Result<(World, World), EngineError> {
    let was = World::load(&mut open(store, before).await?, extent, true).await?;
    let is = World::load(&mut open(store, after).await?, extent, true).await?;
    Ok((was, is))
}

/// Adds the apps of touched teams, and what touched people hold and own.
async fn widen(snapshot: &mut Snapshot, touched: &mut Touched) -> Result<(), EngineError> {
    let teams: Vec<i64> = touched.teams.iter().copied().collect();
    if !teams.is_empty() {
        let apps: Vec<Stored<App>> = snapshot.objects(&Select::Within(teams)).await?;
        touched.apps.extend(apps.into_iter().map(|app| app.dense));
    }
    let people: Vec<i64> = touched.people.iter().copied().collect();
    if people.is_empty() {
        return Ok(());
    }
    for entry in snapshot.access(&AccessSelect::Of(people.clone())).await? {
        let row = (entry.resource, entry.principal);
        match kind_of(entry.resource) {
            Some(Kind::Team) => touched.team_rows.insert(row),
            Some(Kind::App) => touched.app_rows.insert(row),
            _ => false,
        };
    }
    let apps: Vec<Stored<App>> = snapshot.objects(&Select::OwnedBy(people.clone())).await?;
    let users: Vec<Stored<User>> = snapshot.objects(&Select::Dense(people)).await?;
    let dense: BTreeMap<&HerokuId, i64> = users.iter().map(|user| (&user.record.id, user.dense)).collect();
    touched.app_rows.extend(apps.iter().filter_map(|app| {
        let owner = dense.get(app.record.owner.as_ref()?)?;
        Some((app.dense, *owner))
    }));
    Ok(())
}

/// The people of touched team rows, each with every app that the team has or had.
fn on_apps_of_teams(worlds: &(World, World), touched: &Touched) -> BTreeSet<(i64, i64)> {
    let mut apps: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for app in worlds.0.apps.iter().chain(&worlds.1.apps) {
        if let Some(team) = app.team {
            apps.entry(team).or_default().insert(app.dense);
        }
    }
    let mut pairs = BTreeSet::new();
    for (team, person) in &touched.team_rows {
        pairs.extend(apps.get(team).into_iter().flatten().map(|app| (*app, *person)));
    }
    pairs
}

fn compare(worlds: &(World, World), pairs: &BTreeSet<(i64, i64)>, shifts: &mut Vec<Shift>) {
    let held = |world: &World, app: i64, person: i64| {
        let Some(found) = world.app(app) else { return (Vec::new(), None) };
        // Nobody holds anything who is not there. The app's team is told all the same: a pair may be compared once more in a part
        // of the version that has the person, and is to be the same there.
        let there = world.principals.contains_key(&person);
        (if there { world.held(found, person) } else { Vec::new() }, found.team)
    };
    for (app, person) in pairs {
        let (was, team_before) = held(&worlds.0, *app, *person);
        let (is, team_after) = held(&worlds.1, *app, *person);
        for (gained, these, others) in [(false, &was, &is), (true, &is, &was)] {
            let new = these.iter().filter(|held| others.iter().all(|o| o.entitlement != held.entitlement));
            shifts.extend(new.map(|held| Shift {
                app: *app,
                teams: [team_after, team_before],
                person: *person,
                gained,
                via: via(held),
                entitlement: held.entitlement.clone(),
            }));
        }
    }
}

/// By which way something is held.
fn via(held: &Held) -> Box<str> {
    match held.path.first() {
        _ if held.direct => "direct".into(),
        Some(step) if step.resource.resource_type == ResourceType::Team => {
            format!("team {}", step.entitlement).into()
        }
        Some(step) => step.entitlement.clone(),
        None => "direct".into(),
    }
}
