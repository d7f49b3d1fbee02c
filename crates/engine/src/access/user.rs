//! What one person can do everywhere, and why.

use metsuke_model::record::{App, Invitation, User};
use metsuke_model::{Grant, Moment, Principal, ResourceRef};
use metsuke_store::{Select, Snapshot, Stored};
use serde::{Deserialize, Serialize};

use super::app::reads_config;
use super::credentials::credentials;
use super::effective::{AppFacts, Extent, World};
use super::grants::{direct_lines, pending};
use super::lookup::find_user;
use super::{Held, ReachedAddOn};
use crate::EngineError;

/// Everything that one person holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserAccess {
    /// Who.
    pub principal: Principal,
    /// The name that the person chose.
    pub name: Option<Box<str>>,
    /// Whether a second factor is set up at Heroku; null where nothing says so.
    pub two_factor: Option<bool>,
    /// Whether the person signs in through an identity provider.
    pub federated: Option<bool>,
    /// The last sign-in, where Heroku tells it.
    pub last_login: Option<Moment>,
    /// Roles in teams and permissions on Enterprise accounts.
    pub roles: Vec<Grant>,
    /// Every app that the person can do something on, by name.
    pub apps: Vec<AppOfUser>,
    /// What the config vars of those apps give access to, where the person can read them.
    pub addons: Vec<ReachedAddOn>,
    /// Invitations of the same address: announced access, not access.
    pub pending: Vec<Grant>,
}

/// One app that a person can do something on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppOfUser {
    /// The app.
    pub app: ResourceRef,
    /// The team that owns it; null for a personal app.
    pub team: Option<Box<str>>,
    /// Whether it is locked; null where Heroku did not say.
    pub locked: Option<bool>,
    /// What the person holds on it.
    pub held: Vec<Held>,
}

/// Answers what the person of this e-mail address or id can do.
///
/// # Errors
///
/// [`EngineError::NotFound`], [`EngineError::Ambiguous`], and what the database said.
pub async fn user_access(snapshot: &mut Snapshot, user: &str) -> Result<UserAccess, EngineError> {
    let stored = find_user(snapshot, user).await?;
    let mut world = World::load(snapshot, &Extent::User(stored.dense), true).await?;
    let version = snapshot.sync().version.0;
    // Somebody who holds nothing stands in no row.
    let principal = principal(&stored);
    world.principals.insert(stored.dense, principal.clone());
    let roles = roles(&world);
    world.apps.sort_by(|left, right| left.resource.name.cmp(&right.resource.name));
    let mut apps = Vec::new();
    let mut reads = Vec::new();
    for app in &world.apps {
        let Some(line) = app_line(&world, app, stored.dense) else { continue };
        if reads_config(&line.held) {
            reads.push(readable(app.dense, &app.resource));
        }
        apps.push(line);
    }
    let addons = credentials(snapshot, &reads).await?;
    let mut invited = Vec::new();
    if let Some(email) = stored.record.email.as_deref() {
        let invitations = snapshot.objects::<Invitation>(&Select::Named(email.into())).await?;
        invited.extend(invitations.into_iter().filter_map(|stored| pending(&world, stored.record)));
    }
    tracing::debug!(version, apps = apps.len(), "answered what a person can do");
    Ok(UserAccess {
        principal,
        name: stored.record.name,
        two_factor: stored.record.two_factor,
        federated: stored.record.federated,
        last_login: stored.record.last_login,
        roles,
        apps,
        addons,
        pending: invited,
    })
}

/// What a person of this e-mail address or id holds on these apps, and the person's roles everywhere: the lines that
/// [`user_access`] has of them, without reading everything else that the person reaches.
///
/// # Errors
///
/// As [`user_access`].
pub(crate) async fn user_access_on(
    snapshot: &mut Snapshot,
    user: &str,
    apps: Vec<i64>,
) -> Result<(Vec<Grant>, Vec<AppOfUser>), EngineError> {
    let stored = find_user(snapshot, user).await?;
    let extent = Extent::UserOn { user: stored.dense, apps };
    let mut world = World::load(snapshot, &extent, true).await?;
    world.principals.insert(stored.dense, principal(&stored));
    world.apps.sort_by(|left, right| left.resource.name.cmp(&right.resource.name));
    let apps = world.apps.iter().filter_map(|app| app_line(&world, app, stored.dense)).collect();
    Ok((roles(&world), apps))
}

pub(super) fn principal(stored: &Stored<User>) -> Principal {
    Principal {
        kind: metsuke_model::grant::PrincipalKind::User,
        id: stored.record.id.clone(),
        email: stored.record.email.clone(),
    }
}

/// An app whose config vars are looked into, as far as that takes.
pub(super) fn readable(dense: i64, resource: &ResourceRef) -> (i64, App) {
    let mut app = App::new(resource.id.clone());
    app.name = Some(resource.name.clone());
    (dense, app)
}

/// The roles in teams and on Enterprise accounts among the loaded rows, by resource.
pub(super) fn roles(world: &World) -> Vec<Grant> {
    let teams = world.teams.iter().map(|(dense, team)| (*dense, &team.resource));
    let accounts = world.enterprise_accounts.iter().map(|(dense, account)| (*dense, account));
    let mut roles: Vec<Grant> = teams
        .chain(accounts)
        .flat_map(|(dense, resource)| {
            world.entries(dense).iter().flat_map(move |entry| direct_lines(world, entry, resource))
        })
        .collect();
    roles.sort_by(|left, right| left.resource.cmp(&right.resource));
    roles
}

/// What a person holds on an app; none where that is nothing.
fn app_line(world: &World, app: &AppFacts, person: i64) -> Option<AppOfUser> {
    let held = world.held(app, person);
    let team = app.team.and_then(|team| world.teams.get(&team)).map(|team| team.resource.name.clone());
    (!held.is_empty()).then(|| AppOfUser { app: app.resource.clone(), team, locked: app.locked, held })
}
