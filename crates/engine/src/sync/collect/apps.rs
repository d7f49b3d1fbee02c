//! Apps, from whichever list they come, and their collaborators.

use metsuke_clients::heroku::wire;
use metsuke_model::record::{App, Team};
use metsuke_model::{HerokuId, ResourceType};
use serde_json::json;

use super::Gather;
use super::teams::app_access;
use crate::sync::listing::Listing;
use crate::sync::people::{Facts, Source, is_manager};
use crate::sync::texts::{named, number, reference, text, time};

impl Gather {
    pub(super) fn take_apps(&mut self, listing: &Listing, rows: Vec<wire::App>) -> Vec<Listing> {
        for row in rows {
            let app = self.app(listing, row);
            self.apps.put(app);
        }
        Vec::new()
    }

    fn app(&mut self, listing: &Listing, row: wire::App) -> App {
        let id = HerokuId::new(&row.id);
        let owner = row.owner.as_ref();
        let owner_email = owner.and_then(|owner| owner.email.as_deref());
        let owner_id = owner.and_then(|owner| reference(owner.id.as_deref()));
        let team = self.team_of(listing, &row, owner_email, owner_id.as_ref());
        let owner = match (&team, owner_id) {
            (None, Some(owner_id)) => {
                self.people.see_bare(&owner_id.to_string(), owner_email, Source::Other).map(|_| owner_id)
            }
            _ => None,
        };
        let git_url = row.git_url.as_deref().filter(|url| !is_standard_git_url(url, row.name.as_deref()));
        let mut rest = row.rest;
        // Heroku: both repeat what the columns `team` and `owner` hold.
        for repeated in ["organization", "legacy_id"] {
            rest.remove(repeated);
        }
        rest.insert("git_url".into(), json!(git_url));
        rest.insert("region".into(), named(row.region.as_ref()));
        rest.insert("stack".into(), named(row.stack.as_ref()));
        rest.insert("build_stack".into(), named(row.build_stack.as_ref()));
        rest.insert("joined".into(), json!(row.joined));
        rest.insert("buildpack_provided_description".into(), json!(row.buildpack_provided_description));
        App {
            id,
            name: text(row.name.as_deref()),
            team,
            owner,
            space: row.space.as_ref().and_then(|space| reference(space.id.as_deref())),
            locked: row.locked,
            maintenance: row.maintenance,
            archived_at: time(row.archived_at.as_deref()),
            created_at: time(row.created_at.as_deref()),
            released_at: time(row.released_at.as_deref()),
            updated_at: time(row.updated_at.as_deref()),
            repo_size: number(row.repo_size.as_ref()),
            slug_size: number(row.slug_size.as_ref()),
            web_url: text(row.web_url.as_deref()),
            properties: self.texts.properties(rest),
        }
    }

    /// The team that owns an app. Some rows name it by name only, or only through its pseudo-user.
    fn team_of(
        &mut self,
        listing: &Listing,
        row: &wire::App,
        owner_email: Option<&str>,
        owner_id: Option<&HerokuId>,
    ) -> Option<HerokuId> {
        let named = row.team.as_ref();
        let name = named.and_then(|team| team.name.as_deref());
        let pseudo = is_manager(owner_email);
        let id = named
            .and_then(|team| reference(team.id.as_deref()))
            .or_else(|| if let Listing::TeamApps(team) = listing { Some(team.clone()) } else { None })
            .or_else(|| owner_id.filter(|_| pseudo).cloned())
            .or_else(|| {
                let team = self.teams.values().find(|team| name.is_some() && team.name.as_deref() == name);
                team.map(|team| team.id.clone())
            })?;
        if !self.teams.contains_key(&id) {
            let mut team = Team::new(id.clone());
            let from_owner = owner_email.filter(|_| pseudo).and_then(|email| email.split('@').next());
            team.name = text(name.or(from_owner));
            team.listed = Some(false);
            self.teams.insert(id.clone(), team);
        }
        Some(id)
    }

    pub(super) fn take_collaborators(
        &mut self,
        listing: &Listing,
        rows: Vec<wire::Collaborator>,
    ) -> Vec<Listing> {
        let Some(app) = listing.parent() else { return Vec::new() };
        for row in rows {
            let place = self.people.see(row.user.as_ref(), Source::Collaborator, Facts::default());
            if row.role.as_deref() == Some("owner") {
                continue;
            }
            let Some(principal) = place else { continue };
            if matches!(listing, Listing::Settling { .. }) {
                self.settled.entry(app.clone()).or_default().insert(principal);
                continue;
            }
            let access = app_access(row.permissions.iter().map(|slug| &**slug));
            self.access.grant(ResourceType::App, app, principal, access);
        }
        if matches!(listing, Listing::Settling { .. }) {
            self.settled.entry(app.clone()).or_default();
        }
        Vec::new()
    }
}

/// Whether the address is the one that follows from the app's name, as it always is on Heroku.
fn is_standard_git_url(url: &str, name: Option<&str>) -> bool {
    url.strip_prefix("https://git.heroku.com/").and_then(|rest| rest.strip_suffix(".git")) == name
}
