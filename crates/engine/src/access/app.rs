//! Who can do what on one app, and why.

use metsuke_model::derive::READS_CONFIG;
use metsuke_model::record::Invitation;
use metsuke_model::{Grant, Principal, ResourceRef, ResourceType};
use metsuke_store::{Select, Snapshot};
use serde::{Deserialize, Serialize};

use super::credentials::credentials;
use super::effective::{AppFacts, Extent, World};
use super::grants::pending;
use super::lookup::find_app;
use super::{Held, ReachedAddOn};
use crate::EngineError;

/// Everybody's access to one app.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppAccess {
    /// The app.
    pub app: ResourceRef,
    /// The team that owns it; null for a personal app.
    pub team: Option<ResourceRef>,
    /// `enterprise` or `team`; null where no list of teams holds the team.
    pub team_type: Option<Box<str>>,
    /// The person who owns it, on a personal app.
    pub owner: Option<Principal>,
    /// Locked apps give plain members nothing; null where Heroku did not say.
    pub locked: Option<bool>,
    /// Everybody who holds something on it, by e-mail address.
    pub people: Vec<PersonOnApp>,
    /// What its config vars give access to.
    pub addons: Vec<ReachedAddOn>,
    /// Invitations to the team: announced access, not access.
    pub pending: Vec<Grant>,
}

/// One person's access to an app.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PersonOnApp {
    /// Who.
    pub principal: Principal,
    /// The name that the person chose.
    pub name: Option<Box<str>>,
    /// What they hold, in order: collaborator, view, deploy, operate, manage, then others.
    pub held: Vec<Held>,
}

impl PersonOnApp {
    /// Whether config vars, and so the add-ons' credentials, can be read.
    #[must_use]
    pub fn reads_config(&self) -> bool {
        reads_config(&self.held)
    }
}

/// Whether one of the entitlements reads config vars.
pub(super) fn reads_config(held: &[Held]) -> bool {
    held.iter().any(|held| {
        let known = ResourceType::App.entitlement(&held.entitlement);
        known.is_some_and(|entitlement| READS_CONFIG.contains(entitlement.mask()))
    })
}

/// Answers who can do what on the app of this name or id.
///
/// # Errors
///
/// [`EngineError::NotFound`], and what the database said.
pub async fn app_access(snapshot: &mut Snapshot, app: &str) -> Result<AppAccess, EngineError> {
    let stored = find_app(snapshot, app).await?;
    let world = World::load(snapshot, &Extent::Resources(vec![stored.dense]), true).await?;
    let version = snapshot.sync().version.0;
    let facts = world.apps.first().ok_or_else(|| EngineError::NotFound {
        what: "app",
        asked: app.into(),
        version,
    })?;
    let team = facts.team.and_then(|team| world.teams.get(&team));
    let people = people_on(&world, facts);
    let mut invited = Vec::new();
    if let Some(team) = facts.team {
        let invitations = snapshot.objects::<Invitation>(&Select::Within(vec![team])).await?;
        invited.extend(invitations.into_iter().filter_map(|stored| pending(&world, stored.record)));
    }
    let owner = facts.owner.as_ref().filter(|_| facts.team.is_none());
    let owner = owner.and_then(|owner| world.principals.values().find(|principal| principal.id == *owner));
    let app = [(stored.dense, stored.record.clone())];
    Ok(AppAccess {
        app: facts.resource.clone(),
        team: team.map(|team| team.resource.clone()),
        team_type: team.and_then(|team| team.team_type.clone()),
        owner: owner.cloned(),
        locked: facts.locked,
        people,
        addons: credentials(snapshot, &app).await?,
        pending: invited,
    })
}

/// Everybody who holds something on an app, by e-mail address.
pub(super) fn people_on(world: &World, facts: &AppFacts) -> Vec<PersonOnApp> {
    let mut people: Vec<PersonOnApp> = Vec::new();
    for person in world.people_of(facts) {
        let (held, principal) = (world.held(facts, person), world.principals.get(&person));
        if let (Some(principal), false) = (principal, held.is_empty()) {
            let name = world.names.get(&person).cloned().flatten();
            people.push(PersonOnApp { principal: principal.clone(), name, held });
        }
    }
    people.sort_by(|left, right| {
        (&left.principal.email, &left.principal.id).cmp(&(&right.principal.email, &right.principal.id))
    });
    people
}
