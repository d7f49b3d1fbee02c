//! Every grant of a version, one after the other: direct ones, pending invitations, and derived ones if asked.
//!
//! Invariant: exactly one line for a principal, a resource and an entitlement.

use std::io;

use metsuke_model::access::Entitlement;
use metsuke_model::grant::PrincipalKind;
use metsuke_model::record::Invitation;
use metsuke_model::{Grant, Principal, ResourceRef, ResourceType};
use metsuke_store::{AccessEntry, Select, Snapshot};

use super::effective::{AppFacts, Extent, World};
use super::lookup::{find_app, find_enterprise_account, find_team, find_user};
use crate::EngineError;

/// Which grants are meant. Resources are alternatives; user and entitlement narrow them down.
#[derive(Clone, Debug, Default)]
pub struct GrantFilter {
    /// E-mail address or id of the holder; an invitation of that address counts as held by it.
    pub user: Option<String>,
    /// Name or id of a team: the grants on the team itself.
    pub team: Option<String>,
    /// Name or id of an app.
    pub app: Option<String>,
    /// Name or id of an Enterprise account.
    pub enterprise_account: Option<String>,
    /// The entitlement as Heroku spells it.
    pub entitlement: Option<String>,
    /// Derived grants too.
    pub effective: bool,
}

/// Takes one grant; an error of its writer ends the stream.
pub type Sink<'a> = &'a mut (dyn FnMut(&Grant) -> io::Result<()> + Send);

/// Hands over all grants that are meant: teams first, then Enterprise accounts, then apps, each by name.
///
/// # Errors
///
/// [`EngineError::NotFound`] where a filter names nothing, and what the database said. The inner error is the sink's own, most often
/// a closed pipe.
pub async fn grants(
    snapshot: &mut Snapshot,
    filter: &GrantFilter,
    each: Sink<'_>,
) -> Result<io::Result<()>, EngineError> {
    let asked = Asked::resolve(snapshot, filter).await?;
    let mut world = World::load(snapshot, &asked.extent, filter.effective).await?;
    let invitations = asked.invitations(snapshot, &world, filter).await?;
    world.enterprise_accounts.sort_by(|left, right| left.1.name.cmp(&right.1.name));
    world.apps.sort_by(|left, right| left.resource.name.cmp(&right.resource.name));
    Ok(stream(&world, &asked, filter, &invitations, each))
}

/// All grants on these teams, Enterprise accounts and apps, by dense ids; of a filter only what narrows them down.
pub(super) async fn grants_on(
    snapshot: &mut Snapshot,
    resources: Vec<i64>,
    filter: &GrantFilter,
) -> Result<Vec<Grant>, EngineError> {
    let extent = Extent::Resources(resources.clone());
    let asked = Asked { extent, user: None, resources: Some(resources), only_invitations: false };
    let world = World::load(snapshot, &asked.extent, filter.effective).await?;
    let invitations = asked.invitations(snapshot, &world, filter).await?;
    let mut found = Vec::new();
    let mut keep = |grant: &Grant| {
        found.push(grant.clone());
        Ok(())
    };
    // Keeping a line in memory does not fail.
    drop(stream(&world, &asked, filter, &invitations, &mut keep));
    Ok(found)
}

/// The filter's names as dense ids.
struct Asked {
    extent: Extent,
    user: Option<i64>,
    resources: Option<Vec<i64>>,
    only_invitations: bool,
}

impl Asked {
    async fn resolve(snapshot: &mut Snapshot, filter: &GrantFilter) -> Result<Self, EngineError> {
        let mut resources = Vec::new();
        if let Some(team) = &filter.team {
            resources.push(find_team(snapshot, team).await?.dense);
        }
        if let Some(app) = &filter.app {
            resources.push(find_app(snapshot, app).await?.dense);
        }
        if let Some(account) = &filter.enterprise_account {
            resources.push(find_enterprise_account(snapshot, account).await?.dense);
        }
        let resources = Some(resources).filter(|resources| !resources.is_empty());
        let mut only_invitations = false;
        let user = match &filter.user {
            None => None,
            Some(user) => match find_user(snapshot, user).await {
                Ok(stored) => Some(stored.dense),
                Err(EngineError::NotFound { what, asked, version }) => {
                    let invited = snapshot.objects::<Invitation>(&Select::Named(user.clone())).await?;
                    if invited.is_empty() {
                        return Err(EngineError::NotFound { what, asked, version });
                    }
                    only_invitations = true;
                    None
                }
                Err(error) => return Err(error),
            },
        };
        let extent = match (&user, &resources) {
            (_, Some(resources)) => Extent::Resources(resources.clone()),
            (Some(user), None) => Extent::User(*user),
            (None, None) if only_invitations => Extent::Teams,
            (None, None) => Extent::All,
        };
        Ok(Self { extent, user, resources, only_invitations })
    }

    fn wants(&self, resource: i64) -> bool {
        self.resources.as_ref().is_none_or(|resources| resources.contains(&resource))
    }

    async fn invitations(
        &self,
        snapshot: &mut Snapshot,
        world: &World,
        filter: &GrantFilter,
    ) -> Result<Vec<Grant>, EngineError> {
        let select = match &self.resources {
            Some(resources) => Select::Within(resources.clone()),
            None => Select::All,
        };
        let stored = snapshot.objects::<Invitation>(&select).await?;
        let mut grants: Vec<Grant> =
            stored.into_iter().filter_map(|stored| pending(world, stored.record)).collect();
        if let Some(asked) = &filter.user {
            let asked = asked.to_lowercase();
            let emails: Vec<String> = world
                .principals
                .get(&self.user.unwrap_or_default())
                .and_then(|principal| principal.email.as_deref())
                .map(str::to_lowercase)
                .into_iter()
                .chain([asked])
                .collect();
            grants.retain(|grant| {
                let email = grant.principal.email.as_deref().map(str::to_lowercase);
                email.is_some_and(|email| emails.contains(&email))
            });
        }
        grants.sort_by(|left, right| {
            (&left.resource.name, &left.principal.email).cmp(&(&right.resource.name, &right.principal.email))
        });
        Ok(grants)
    }
}

/// An invitation as a line; `None` where its team is not known.
pub(super) fn pending(world: &World, invitation: Invitation) -> Option<Grant> {
    let team_id = invitation.team?;
    let resource = world.teams.values().find(|team| team.resource.id == team_id)?.resource.clone();
    let role = invitation.role.unwrap_or_else(|| Entitlement::UNKNOWN.slug().into());
    let principal = Principal { kind: PrincipalKind::Invitation, id: invitation.id, email: invitation.email };
    Some(Grant { principal, resource, entitlement: role, direct: true, path: Vec::new() })
}

fn stream(
    world: &World,
    asked: &Asked,
    filter: &GrantFilter,
    invitations: &[Grant],
    each: Sink<'_>,
) -> io::Result<()> {
    let mut line = |grant: &Grant| {
        if filter.entitlement.as_deref().is_none_or(|wanted| wanted == &*grant.entitlement) {
            each(grant)?;
        }
        Ok(())
    };
    if !asked.only_invitations {
        let mut teams: Vec<_> = world.teams.iter().filter(|(dense, _)| asked.wants(**dense)).collect();
        teams.sort_by(|left, right| left.1.resource.name.cmp(&right.1.resource.name));
        for (dense, team) in teams {
            direct(world, asked, *dense, &team.resource, &mut line)?;
        }
    }
    for grant in invitations {
        line(grant)?;
    }
    if asked.only_invitations {
        return Ok(());
    }
    for (dense, account) in &world.enterprise_accounts {
        direct(world, asked, *dense, account, &mut line)?;
    }
    for app in world.apps.iter().filter(|app| asked.wants(app.dense)) {
        if filter.effective {
            effective(world, asked, app, &mut line)?;
        } else {
            direct(world, asked, app.dense, &app.resource, &mut line)?;
        }
    }
    Ok(())
}

/// The rows of one resource, one line for each entitlement.
fn direct(
    world: &World,
    asked: &Asked,
    dense: i64,
    resource: &ResourceRef,
    line: &mut dyn FnMut(&Grant) -> io::Result<()>,
) -> io::Result<()> {
    for entry in world.entries(dense) {
        for grant in lines(world, asked, entry, resource) {
            line(&grant)?;
        }
    }
    Ok(())
}

/// The lines of one row of access.
pub(super) fn direct_lines(world: &World, entry: &AccessEntry, resource: &ResourceRef) -> Vec<Grant> {
    let Some(principal) = world.principals.get(&entry.principal) else { return Vec::new() };
    let known = entry.mask.entitlements(resource.resource_type).map(|entitlement| entitlement.slug().into());
    known
        .chain(entry.other.iter().cloned())
        .map(|entitlement| Grant {
            principal: principal.clone(),
            resource: resource.clone(),
            entitlement,
            direct: true,
            path: Vec::new(),
        })
        .collect()
}

fn lines(world: &World, asked: &Asked, entry: &AccessEntry, resource: &ResourceRef) -> Vec<Grant> {
    if asked.user.is_some_and(|user| user != entry.principal) || resource.resource_type == ResourceType::Space
    {
        return Vec::new();
    }
    direct_lines(world, entry, resource)
}

fn effective(
    world: &World,
    asked: &Asked,
    app: &AppFacts,
    line: &mut dyn FnMut(&Grant) -> io::Result<()>,
) -> io::Result<()> {
    for person in world.people_of(app) {
        if asked.user.is_some_and(|user| user != person) {
            continue;
        }
        let Some(principal) = world.principals.get(&person) else { continue };
        for held in world.held(app, person) {
            let (principal, resource) = (principal.clone(), app.resource.clone());
            let grant = Grant {
                principal,
                resource,
                entitlement: held.entitlement,
                direct: held.direct,
                path: held.path,
            };
            line(&grant)?;
        }
    }
    Ok(())
}
