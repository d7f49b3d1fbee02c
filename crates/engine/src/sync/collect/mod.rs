//! Translates Heroku's rows into the house's words, page by page, and says which listings follow from them.
//!
//! The only place that knows both vocabularies. What absence means is decided in [`coverage`](super::coverage).
//!
//! Invariant: taking the same page twice, or pages in another order, gives the same estate.

mod accounts;
mod apps;
mod teams;
mod things;

use std::collections::{BTreeMap, HashMap, HashSet};

use metsuke_model::access::Access;
use metsuke_model::record::{
    AddOn, App, Attachment, Authorization, Coupling, EnterpriseAccount, Invitation, Key, Pipeline, Space,
    Team, UnresolvedMember,
};
use metsuke_model::{AccessRow, HerokuId, Records, Resource, ResourceType};

use super::listing::{Listing, Rows};
use super::people::People;
use super::texts::Texts;

/// Everything read so far.
#[derive(Debug, Default)]
pub(super) struct Gather {
    pub(super) texts: Texts,
    pub(super) people: People,
    pub(super) enterprise_accounts: BTreeMap<HerokuId, EnterpriseAccount>,
    pub(super) teams: BTreeMap<HerokuId, Team>,
    pub(super) apps: Apps,
    pub(super) spaces: BTreeMap<HerokuId, Space>,
    pub(super) addons: Records<AddOn>,
    pub(super) attachments: Vec<Attachment>,
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) couplings: Vec<Coupling>,
    pub(super) invitations: Vec<Invitation>,
    pub(super) unresolved_members: Vec<UnresolvedMember>,
    /// The account whose token reads, once it is known.
    own_account: Option<HerokuId>,
    pub(super) authorizations: Vec<Authorization>,
    pub(super) keys: Vec<Key>,
    pub(super) access: AccessTable,
    /// What each team's permissions listing says of each app, before it is settled what is implicit.
    pub(super) listed: HashMap<HerokuId, TeamListing>,
    /// Who the collaborator listing of an app names, where it was read to settle that.
    pub(super) settled: HashMap<HerokuId, HashSet<u32>>,
}

/// Apps, each once; there may be very many, so they stand in one list with an index beside it.
#[derive(Debug, Default)]
pub(super) struct Apps {
    list: Records<App>,
    places: HashMap<HerokuId, u32>,
}

impl Apps {
    pub(super) fn get(&self, id: &HerokuId) -> Option<&App> {
        self.places.get(id).and_then(|place| self.list.get(*place as usize))
    }

    pub(super) fn contains(&self, id: &HerokuId) -> bool {
        self.places.contains_key(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &App> {
        self.list.iter()
    }

    pub(super) fn into_list(self) -> Records<App> {
        self.list
    }

    /// Adds an app, or replaces what was known of it.
    fn put(&mut self, app: App) {
        if let Some(place) = self.places.get(&app.id) {
            self.list.replace(*place as usize, app);
            return;
        }
        let place = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.places.insert(app.id.clone(), place);
        self.list.push(app);
    }
}

/// Rows of access, with the resources that they point at.
#[derive(Debug, Default)]
pub(super) struct AccessTable {
    places: HashMap<Resource, u32>,
    pub(super) resources: Vec<Resource>,
    pub(super) rows: Vec<AccessRow>,
    pub(super) other: Vec<(u32, u32, Box<str>)>,
}

/// One team's permissions listing.
#[derive(Debug, Default)]
pub(super) struct TeamListing {
    /// Every app that it names.
    pub(super) apps: BTreeMap<HerokuId, ListedApp>,
    /// Its rows: resource, principal, permissions.
    pub(super) rows: Vec<AccessRow>,
}

/// An app as a permissions listing names it.
#[derive(Debug)]
pub(super) struct ListedApp {
    pub(super) name: Option<Box<str>>,
    pub(super) resource: u32,
}

impl AccessTable {
    /// The place of a resource.
    pub(super) fn resource(&mut self, resource_type: ResourceType, id: &HerokuId) -> u32 {
        let resource = Resource { resource_type, id: id.clone() };
        if let Some(place) = self.places.get(&resource) {
            return *place;
        }
        let place = u32::try_from(self.resources.len()).unwrap_or(u32::MAX);
        self.places.insert(resource.clone(), place);
        self.resources.push(resource);
        place
    }

    /// The place of a resource that is known already.
    pub(super) fn place(&self, resource_type: ResourceType, id: &HerokuId) -> Option<u32> {
        self.places.get(&Resource { resource_type, id: id.clone() }).copied()
    }

    /// A row of access; entitlements that have no bit go to the side table.
    fn row(&mut self, resource: u32, principal: u32, access: Access) -> AccessRow {
        self.other.extend(access.other.into_iter().map(|slug| (resource, principal, slug)));
        AccessRow { resource, principal, mask: access.mask }
    }

    /// Adds a row of direct access.
    fn grant(&mut self, resource_type: ResourceType, id: &HerokuId, principal: u32, access: Access) {
        let resource = self.resource(resource_type, id);
        let row = self.row(resource, principal, access);
        self.rows.push(row);
    }
}

impl Gather {
    /// Takes one page; returns the listings that its rows call for.
    pub(super) fn take(&mut self, listing: &Listing, rows: Rows) -> Vec<Listing> {
        match rows {
            Rows::EnterpriseAccounts(rows) => self.take_enterprise_accounts(rows),
            Rows::EnterpriseMembers(rows) => self.take_enterprise_members(listing, rows),
            Rows::Teams(rows) => self.take_teams(listing, rows),
            Rows::TeamMembers(rows) => self.take_team_members(listing, rows),
            Rows::Permissions(rows) => self.take_permissions(listing, rows),
            Rows::Invitations(rows) => self.take_invitations(listing, rows),
            Rows::Apps(rows) => self.take_apps(listing, rows),
            Rows::Collaborators(rows) => self.take_collaborators(listing, rows),
            Rows::AddOns(rows) => self.take_addons(rows),
            Rows::Attachments(rows) => self.take_attachments(rows),
            Rows::Pipelines(rows) => self.take_pipelines(rows),
            Rows::Couplings(rows) => self.take_couplings(rows),
            Rows::Spaces(rows) => self.take_spaces(rows),
            Rows::SpaceMembers(rows) => self.take_space_members(listing, rows),
            Rows::Authorizations(rows) => self.take_authorizations(rows),
            Rows::Keys(rows) => self.take_keys(rows),
        }
    }

    /// What people call the parent of a listing.
    pub(super) fn name_of(&self, listing: &Listing) -> String {
        let Some(id) = listing.parent() else { return String::new() };
        let name = match listing {
            Listing::EnterpriseMembers(_) | Listing::EnterpriseTeams(_) => {
                self.enterprise_accounts.get(id).and_then(|account| account.name.as_deref())
            }
            Listing::SpaceMembers(_) => self.spaces.get(id).and_then(|space| space.name.as_deref()),
            Listing::Collaborators(_) | Listing::Settling { .. } => self.app_name(id),
            _ => self.teams.get(id).and_then(|team| team.name.as_deref()),
        };
        name.map_or_else(|| id.to_string(), Into::into)
    }

    /// Sorts the permissions listings for judging, and forgets names that the list of apps has told by now.
    pub(super) fn tidy_listings(&mut self) {
        for listing in self.listed.values_mut() {
            listing.rows.sort_unstable();
            listing.rows.shrink_to_fit();
            for (id, app) in &mut listing.apps {
                if self.apps.contains(id) {
                    app.name = None;
                }
            }
        }
    }

    fn app_name(&self, id: &HerokuId) -> Option<&str> {
        self.apps.get(id).and_then(|app| app.name.as_deref())
    }
}
