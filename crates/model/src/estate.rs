//! All that one sync read, before it is compared with what was known.
//!
//! It holds no opinion on what is missing; [`Coverage`](crate::Coverage) does.
//!
//! Invariant: an [`AccessRow`] points into `resources` and `principals` of the same estate.

use crate::access::Mask;
use crate::record::{
    AddOn, App, Attachment, Authorization, Coupling, EnterpriseAccount, Invitation, Key, Pipeline, Space,
    Team, UnresolvedMember, User,
};
use crate::{HerokuId, Records, ResourceType};

/// A thing on which access is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// What it is.
    pub resource_type: ResourceType,
    /// Heroku's id.
    pub id: HerokuId,
}

/// One principal's direct access to one resource, twelve bytes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessRow {
    /// Place in [`Estate::resources`].
    pub resource: u32,
    /// Place in [`Estate::principals`].
    pub principal: u32,
    /// What is held.
    pub mask: Mask,
}

/// What one sync read. Each object stands once; the order does not matter.
#[derive(Clone, Debug, Default)]
pub struct Estate {
    /// People.
    pub users: Records<User>,
    /// Enterprise accounts.
    pub enterprise_accounts: Records<EnterpriseAccount>,
    /// Teams; an unlisted one, named only by an app, leaves what is known of it as it is.
    pub teams: Records<Team>,
    /// Apps.
    pub apps: Records<App>,
    /// Apps of which only name and team are known: new where unknown, otherwise left as they are.
    pub hinted_apps: Records<App>,
    /// Private spaces.
    pub spaces: Records<Space>,
    /// Add-ons.
    pub addons: Records<AddOn>,
    /// Attachments of add-ons.
    pub attachments: Records<Attachment>,
    /// Pipelines.
    pub pipelines: Records<Pipeline>,
    /// Apps in pipelines.
    pub couplings: Records<Coupling>,
    /// Pending invitations.
    pub invitations: Records<Invitation>,
    /// Member rows without a user.
    pub unresolved_members: Records<UnresolvedMember>,
    /// Authorizations of the account whose token reads.
    pub authorizations: Records<Authorization>,
    /// SSH keys of the account whose token reads.
    pub keys: Records<Key>,
    /// The resources that access rows point at.
    pub resources: Vec<Resource>,
    /// The user ids that access rows point at.
    pub principals: Vec<HerokuId>,
    /// Direct access: at most one row for a resource and a principal.
    pub access: Vec<AccessRow>,
    /// Entitlements that this version does not know: resource, principal, slug.
    pub other_access: Vec<(u32, u32, Box<str>)>,
    /// What was settled in this sync about a team's permissions listing: the roles that it shows implicitly.
    pub listing_manners: Vec<(HerokuId, Mask)>,
}
