//! Rows about who holds what: memberships, permissions, collaborators, invitations.
//!
//! A row's id is that of the relationship; the person is in `user`.
//!
//! Invariant: see [`wire`](super). The rows that come by the million keep nothing unknown.

use serde::Deserialize;

use super::lenient::{harmless, slugs};
use super::{IdentityProvider, Named, Rest, Slug, User};
use crate::heroku::walk::Row;

/// A member of an enterprise account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EnterpriseMember {
    /// The id of the membership.
    pub id: String,
    /// The person.
    pub user: Option<User>,
    /// The enterprise account.
    pub enterprise_account: Option<Named>,
    /// What the person may do in the enterprise account.
    #[serde(default, deserialize_with = "slugs")]
    pub permissions: Vec<Slug>,
    /// Whether a second factor is set up.
    pub two_factor_authentication: Option<bool>,
    /// The identity provider of a federated person.
    pub identity_provider: Option<IdentityProvider>,
    /// When the person last signed in; only in the variant `sdk`.
    pub last_login: Option<String>,
    /// All else, without secrets.
    #[serde(flatten, deserialize_with = "harmless")]
    pub rest: Rest,
}

/// A member of a team, or a collaborator of one of its apps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TeamMember {
    /// The id of the membership.
    pub id: String,
    /// The person.
    pub user: Option<User>,
    /// The address, which some rows have outside of `user` too.
    pub email: Option<String>,
    /// `admin`, `member`, `viewer`, `collaborator`, `owner` or a role not known yet.
    pub role: Option<String>,
    /// Whether the person signs in through an identity provider.
    pub federated: Option<bool>,
    /// Whether a second factor is set up.
    pub two_factor_authentication: Option<bool>,
    /// The identity provider of a federated person.
    pub identity_provider: Option<IdentityProvider>,
    /// Since when.
    pub created_at: Option<String>,
    /// When the membership was last changed.
    pub updated_at: Option<String>,
    /// All else, without secrets.
    #[serde(flatten, deserialize_with = "harmless")]
    pub rest: Rest,
}

/// An app or a space of a team, with the people who have permissions on it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PermissionEntity {
    /// The id of the app or space.
    pub id: String,
    /// The name of the app or space.
    pub name: Option<String>,
    /// The team.
    pub team_id: Option<String>,
    /// `app` or `space`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The people; none when the field was missing or null.
    pub users: Option<Vec<PermissionUser>>,
}

/// A person's permissions on one app or space.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PermissionUser {
    /// The person's id.
    pub id: Option<String>,
    /// The person's address.
    pub email: Option<String>,
    /// The permissions.
    #[serde(default, deserialize_with = "slugs")]
    pub permissions: Vec<Slug>,
}

/// A collaborator of one app.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Collaborator {
    /// The id of the collaboration.
    pub id: String,
    /// The person.
    pub user: Option<User>,
    /// The app.
    pub app: Option<Named>,
    /// The role; `owner` for the app's owner.
    pub role: Option<String>,
    /// The permissions, on apps of Enterprise teams.
    #[serde(default, deserialize_with = "slugs")]
    pub permissions: Vec<Slug>,
    /// Since when.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
}

/// A pending invitation to a team.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Invitation {
    /// The id of the invitation.
    pub id: String,
    /// The person invited.
    pub user: Option<User>,
    /// The team.
    pub team: Option<Named>,
    /// The role offered.
    pub role: Option<String>,
    /// Who invited.
    pub invited_by: Option<User>,
    /// When it was sent.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// All else, without secrets.
    #[serde(flatten, deserialize_with = "harmless")]
    pub rest: Rest,
}

/// A member of a space.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SpaceMember {
    /// The id of the membership.
    pub id: String,
    /// The person.
    pub user: Option<User>,
    /// The space.
    pub space: Option<Named>,
    /// The permissions; `create_apps` is the only one known.
    #[serde(default, deserialize_with = "slugs")]
    pub permissions: Vec<Slug>,
    /// Since when.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
}

impl Row for EnterpriseMember {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for TeamMember {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for PermissionEntity {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for Collaborator {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for Invitation {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for SpaceMember {
    fn row_id(&self) -> &str {
        &self.id
    }
}
