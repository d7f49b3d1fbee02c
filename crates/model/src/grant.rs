//! A principal holds an entitlement on a resource: the sentence that the whole product is about.

use serde::{Deserialize, Serialize};

use crate::{HerokuId, ResourceType};

/// Who holds a grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Principal {
    /// A user, or an invitation that nobody has accepted.
    pub kind: PrincipalKind,
    /// The user's id, or the invitation's.
    pub id: HerokuId,
    /// The e-mail address as given; null where Heroku names none.
    pub email: Option<Box<str>>,
}

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A person with a Heroku account.
    User,
    /// Pending: announced access, not access.
    Invitation,
}

/// A resource, named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceRef {
    /// What it is.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// Heroku's id.
    pub id: HerokuId,
    /// Its name.
    pub name: Box<str>,
}

/// One step of the path that explains a derived grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PathStep {
    /// The resource of the step.
    #[serde(flatten)]
    pub resource: ResourceRef,
    /// What is held on it; `owner` on a personal app is ownership.
    pub entitlement: Box<str>,
}

/// One line of `metsuke grants`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// Who.
    pub principal: Principal,
    /// On what.
    pub resource: ResourceRef,
    /// Which entitlement, as Heroku spells it.
    pub entitlement: Box<str>,
    /// Heroku has a row for it.
    pub direct: bool,
    /// Why: from the principal's own row to the resource, both included; empty for a direct grant.
    pub path: Vec<PathStep>,
}
