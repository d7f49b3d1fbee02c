//! What rows are to become, and the part of the estate of which they tell.
//!
//! Whether a row may be written so is not asked here.
//!
//! Invariant: a person is one principal, however many turns speak of them; of several turns of one row the last holds.

use std::collections::{BTreeSet, HashMap};

use metsuke_model::access::{Access, ResourceType};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::record::{App, EnterpriseAccount, Space, Team, User};
use metsuke_model::{HerokuId, Principal, Record};
use metsuke_store::{Select, Snapshot};

use super::super::effective::{Extent, World};
use crate::EngineError;

/// What a person's direct access to one resource is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whose.
    pub principal: TurnOf,
    /// What the resource is: a team or an app. Nothing follows from rows on Enterprise accounts, and rows on spaces
    /// have no lines.
    pub resource_type: ResourceType,
    /// On what.
    pub resource: HerokuId,
    /// All that the row then says; empty where there is no row.
    pub after: Access,
}

/// Whose row a [`Turn`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnOf {
    /// A user of the version, by Heroku's id.
    Known(HerokuId),
    /// Somebody with no account known here. What they gain is announced, not held, until they accept.
    New {
        /// The e-mail address; the same person whatever its case.
        email: Box<str>,
    },
}

/// Turns in dense ids.
pub(super) struct Turned<'t> {
    rows: Vec<Row<'t>>,
    newcomers: Vec<(i64, Principal)>,
}

/// One turn in dense ids.
pub(super) struct Row<'t> {
    pub(super) resource: i64,
    /// Below zero for somebody new.
    pub(super) person: i64,
    pub(super) after: &'t Access,
}

/// Where somebody can hold something: by dense id, or by place among the world's apps or accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Team(i64),
    Account(usize),
    App(usize),
}

impl<'t> Turned<'t> {
    /// Finds everything that the turns name.
    pub(super) async fn resolve(snapshot: &mut Snapshot, turns: &'t [Turn]) -> Result<Self, EngineError> {
        let mut turned = Self { rows: Vec::new(), newcomers: Vec::new() };
        let mut users: HashMap<&HerokuId, i64> = HashMap::new();
        let mut resources: HashMap<(ResourceType, &HerokuId), i64> = HashMap::new();
        for turn in turns {
            let person = match &turn.principal {
                TurnOf::New { email } => turned.newcomer(email),
                TurnOf::Known(id) => match users.get(id) {
                    Some(dense) => *dense,
                    None => dense::<User>(snapshot, "user", id).await?,
                },
            };
            if let TurnOf::Known(id) = &turn.principal {
                users.insert(id, person);
            }
            let (what, id) = (turn.resource_type, &turn.resource);
            let resource = match (resources.get(&(what, id)), what) {
                (Some(dense), _) => *dense,
                (None, ResourceType::Team) => dense::<Team>(snapshot, "team", id).await?,
                (None, ResourceType::App) => dense::<App>(snapshot, "app", id).await?,
                (None, ResourceType::EnterpriseAccount) => {
                    dense::<EnterpriseAccount>(snapshot, "enterprise-account", id).await?
                }
                (None, ResourceType::Space) => dense::<Space>(snapshot, "space", id).await?,
            };
            resources.insert((what, id), resource);
            turned.rows.push(Row { resource, person, after: &turn.after });
        }
        Ok(turned)
    }

    /// The dense id, below zero, that stands for an unknown address.
    fn newcomer(&mut self, email: &str) -> i64 {
        let same = |principal: &Principal| {
            principal.email.as_deref().is_some_and(|known| known.to_lowercase() == email.to_lowercase())
        };
        if let Some((dense, _)) = self.newcomers.iter().find(|(_, principal)| same(principal)) {
            return *dense;
        }
        let dense = self.newcomers.last().map_or(-1, |(last, _)| last - 1);
        let (kind, id) = (PrincipalKind::Invitation, HerokuId::new(""));
        self.newcomers.push((dense, Principal { kind, id, email: Some(email.into()) }));
        dense
    }

    /// The rows of the persons concerned, and everything on which the turns may tell.
    pub(super) async fn world(&self, snapshot: &mut Snapshot) -> Result<World, EngineError> {
        let users: BTreeSet<i64> = self.rows.iter().map(|row| row.person).filter(|id| *id > 0).collect();
        let resources: BTreeSet<i64> = self.rows.iter().map(|row| row.resource).collect();
        let extent =
            Extent::Rows { users: users.into_iter().collect(), resources: resources.into_iter().collect() };
        let mut world = World::load(snapshot, &extent, true).await?;
        world.principals.extend(self.newcomers.iter().cloned());
        Ok(world)
    }

    /// Makes the rows what they are to become.
    pub(super) fn apply(&self, world: &mut World) {
        for row in &self.rows {
            world.set_entry(row.resource, row.person, row.after);
        }
    }

    /// The same without those who would have to accept first.
    pub(super) fn apply_known(&self, world: &mut World) {
        for row in self.rows().filter(|row| row.person > 0) {
            world.set_entry(row.resource, row.person, row.after);
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row<'t>> {
        self.rows.iter()
    }

    /// Who may hold something else afterwards, and where: teams first, then accounts, then apps, each by name.
    pub(super) fn places(&self, world: &World) -> Vec<(i64, Place)> {
        let mut told: HashMap<i64, Vec<Place>> = HashMap::new();
        for team in world.teams.keys() {
            told.entry(*team).or_default().push(Place::Team(*team));
        }
        for (at, (account, _)) in world.enterprise_accounts.iter().enumerate() {
            told.entry(*account).or_default().push(Place::Account(at));
        }
        for (at, app) in world.apps.iter().enumerate() {
            for resource in app.team.into_iter().chain([app.dense]) {
                told.entry(resource).or_default().push(Place::App(at));
            }
        }
        let mut places: BTreeSet<(i64, Place)> = BTreeSet::new();
        for row in &self.rows {
            places.extend(told.get(&row.resource).into_iter().flatten().map(|place| (row.person, *place)));
        }
        let mut places: Vec<(i64, Place)> = places.into_iter().collect();
        let key = |(person, place): &(i64, Place)| {
            let resource = super::resource_at(world, *place);
            let principal = world.principals.get(person);
            (
                resource.map(|resource| (resource.resource_type, &resource.name, &resource.id)),
                principal.map(|principal| (&principal.email, &principal.id)),
            )
        };
        places.sort_by(|left, right| key(left).cmp(&key(right)));
        places
    }
}

/// The dense id of an object that must be there.
async fn dense<T: Record>(
    snapshot: &mut Snapshot,
    what: &'static str,
    id: &HerokuId,
) -> Result<i64, EngineError> {
    let found = snapshot.objects::<T>(&Select::Id(id.clone())).await?;
    let version = snapshot.sync().version.0;
    let asked = || EngineError::NotFound { what, asked: id.to_string(), version };
    found.first().map(|stored| stored.dense).ok_or_else(asked)
}
