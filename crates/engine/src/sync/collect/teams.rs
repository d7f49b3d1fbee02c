//! Teams, their members, their permissions listings and their invitations.

use metsuke_clients::heroku::wire;
use metsuke_model::access::{Access, Entitlement, Mask};
use metsuke_model::record::{Invitation, Team, UnresolvedMember};
use metsuke_model::{HerokuId, ResourceType};
use serde_json::json;

use super::{Gather, ListedApp};
use crate::sync::listing::Listing;
use crate::sync::people::{Facts, Source, is_manager};
use crate::sync::texts::{provider, reference, text, time};

/// The type of a team that stands alone and so has invitations.
const STANDARD: &str = "team";

impl Gather {
    pub(super) fn take_teams(&mut self, listing: &Listing, rows: Vec<wire::Team>) -> Vec<Listing> {
        let mut follow = Vec::new();
        for row in rows {
            let id = HerokuId::new(&row.id);
            let known = self.teams.get(&id).is_some_and(|team| team.listed == Some(true));
            if !known {
                follow.push(Listing::TeamPermissions(id.clone()));
                follow.push(Listing::TeamMembers(id.clone()));
                if row.kind.as_deref() == Some(STANDARD) {
                    follow.push(Listing::TeamInvitations(id.clone()));
                }
            }
            // Both lists of teams may hold it; the own list's row is kept, whichever comes first.
            if !known || *listing == Listing::Teams {
                let team = self.team(id.clone(), listing, row);
                self.teams.insert(id, team);
            }
        }
        follow
    }

    fn team(&mut self, id: HerokuId, listing: &Listing, row: wire::Team) -> Team {
        let enterprise_account = match listing {
            Listing::EnterpriseTeams(parent) => Some(parent.clone()),
            _ => row.enterprise_account.as_ref().and_then(|named| reference(named.id.as_deref())),
        };
        let mut rest = row.rest;
        rest.insert("role".into(), json!(row.role));
        rest.insert("membership_limit".into(), json!(row.membership_limit));
        rest.insert("default".into(), json!(row.default));
        rest.insert("identity_provider".into(), provider(row.identity_provider.as_ref()));
        Team {
            id,
            name: text(row.name.as_deref()),
            team_type: text(row.kind.as_deref()),
            enterprise_account,
            listed: Some(true),
            created_at: time(row.created_at.as_deref()),
            updated_at: time(row.updated_at.as_deref()),
            properties: self.texts.properties(rest),
        }
    }

    pub(super) fn take_team_members(
        &mut self,
        listing: &Listing,
        rows: Vec<wire::TeamMember>,
    ) -> Vec<Listing> {
        let Some(team) = listing.parent() else { return Vec::new() };
        for row in rows {
            let email = row.user.as_ref().and_then(|user| user.email.as_deref()).or(row.email.as_deref());
            if is_manager(email) {
                continue;
            }
            let facts = Facts {
                federated: row.federated,
                two_factor: row.two_factor_authentication,
                identity_provider: row.identity_provider.as_ref(),
                ..Facts::default()
            };
            match self.people.see(row.user.as_ref(), Source::TeamMember, facts) {
                Some(principal) => {
                    let role = row.role.as_deref().unwrap_or(Entitlement::UNKNOWN.slug());
                    let access = Access::from_slugs(ResourceType::Team, [role]);
                    self.access.grant(ResourceType::Team, team, principal, access);
                }
                None => self.unresolved_members.push(UnresolvedMember {
                    id: HerokuId::new(&row.id),
                    email: text(email),
                    team: Some(team.clone()),
                    role: text(row.role.as_deref()),
                    properties: self.texts.properties(row.rest),
                }),
            }
        }
        Vec::new()
    }

    pub(super) fn take_permissions(
        &mut self,
        listing: &Listing,
        rows: Vec<wire::PermissionEntity>,
    ) -> Vec<Listing> {
        let Some(team) = listing.parent() else { return Vec::new() };
        let mut listed = self.listed.remove(team).unwrap_or_default();
        for row in rows {
            // Rows of type `space` grant nothing on apps, but they name people.
            let is_app = row.kind.as_deref() != Some("space");
            let id = HerokuId::new(&row.id);
            let resource = if is_app { Some(self.access.resource(ResourceType::App, &id)) } else { None };
            for user in row.users.unwrap_or_default() {
                let Some(id) = user.id.as_deref() else { continue };
                let place = self.people.see_bare(id, user.email.as_deref(), Source::Permission);
                if let (Some(resource), Some(principal)) = (resource, place) {
                    let access = app_access(user.permissions.iter().map(|slug| &**slug));
                    let row = self.access.row(resource, principal, access);
                    listed.rows.push(row);
                }
            }
            if let Some(resource) = resource {
                listed.apps.insert(id, ListedApp { name: text(row.name.as_deref()), resource });
            }
        }
        self.listed.insert(team.clone(), listed);
        Vec::new()
    }

    pub(super) fn take_invitations(
        &mut self,
        listing: &Listing,
        rows: Vec<wire::Invitation>,
    ) -> Vec<Listing> {
        let Some(team) = listing.parent() else { return Vec::new() };
        for row in rows {
            self.people.see(row.user.as_ref(), Source::Other, Facts::default());
            let inviting = row.invited_by.as_ref();
            let invited_by = self.people.see(inviting, Source::Other, Facts::default());
            self.invitations.push(Invitation {
                id: HerokuId::new(&row.id),
                email: text(row.user.as_ref().and_then(|user| user.email.as_deref())),
                team: Some(team.clone()),
                role: text(row.role.as_deref()),
                invited_by: invited_by.and(inviting).and_then(|user| reference(user.id.as_deref())),
                created_at: time(row.created_at.as_deref()),
                updated_at: time(row.updated_at.as_deref()),
                properties: self.texts.properties(row.rest),
            });
        }
        Vec::new()
    }
}

/// What a row of an app's own listing gives: being named, and the permissions that it lists.
pub(super) fn app_access<'a>(permissions: impl Iterator<Item = &'a str>) -> Access {
    let mut access = Access::from_slugs(ResourceType::App, permissions);
    access.mask = Mask::with(access.mask, Entitlement::COLLABORATOR.mask());
    access
}
