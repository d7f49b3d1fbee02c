//! The words that a write can hold: roles, permissions, and what a write changes.
//!
//! They are what can be given. What can be held is an open set, and read as text in `wire`.
//!
//! Invariant: the only spellings are those of `as_str`.

use std::str::FromStr;

use crate::error::ClientError;
use crate::http::text::stored;

/// A role in a team that can be given to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TeamRole {
    /// Manages the team, its people and its apps.
    Admin,
    /// Sees the team, and works on its apps.
    Member,
    /// Sees the team and its apps; in Enterprise teams only.
    Viewer,
}

impl TeamRole {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }
}

impl FromStr for TeamRole {
    type Err = ClientError;

    /// # Errors
    ///
    /// [`ClientError::Write`] for any other word, `collaborator` and `owner` included: no write to a team
    /// gives those.
    fn from_str(text: &str) -> Result<Self, ClientError> {
        [Self::Admin, Self::Member, Self::Viewer]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| unknown(text, "a role that can be given in a team"))
    }
}

/// A permission on an app of an Enterprise team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AppPermission {
    /// Sees the app; every other permission implies it.
    View,
    /// Changes code and config vars.
    Deploy,
    /// Scales, and manages add-ons and logs.
    Operate,
    /// Manages the app and its people.
    Manage,
}

impl AppPermission {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Deploy => "deploy",
            Self::Operate => "operate",
            Self::Manage => "manage",
        }
    }
}

impl FromStr for AppPermission {
    type Err = ClientError;

    /// # Errors
    ///
    /// [`ClientError::Write`] for any other word.
    fn from_str(text: &str) -> Result<Self, ClientError> {
        [Self::View, Self::Deploy, Self::Operate, Self::Manage]
            .into_iter()
            .find(|permission| permission.as_str() == text)
            .ok_or_else(|| unknown(text, "a permission on an app"))
    }
}

/// What a write changes, which decides the scope that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteTarget {
    /// The members of a team.
    TeamMember,
    /// The pending invitations of a team.
    TeamInvitation,
    /// The collaborators of an app.
    Collaborator,
}

impl WriteTarget {
    /// The scopes that are accepted, the narrowest first.
    #[must_use]
    pub fn accepted_scopes(self) -> &'static [&'static str] {
        match self {
            // Heroku: reading members was seen to accept `global` only; that writing them does, and that
            // invitations and collaborators are like members and apps, is not documented.
            Self::TeamMember | Self::TeamInvitation => &["global"],
            Self::Collaborator => &["write", "write-protected", "global"],
        }
    }
}

fn unknown(text: &str, what: &str) -> ClientError {
    ClientError::Write { reason: format!("`{}` is not {what}", stored(text)) }
}
