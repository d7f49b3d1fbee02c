//! The writes to Heroku that exist: one request each, made by constructors only.
//!
//! It sends nothing; [`Provisioning`](super::Provisioning) does. Whether a write is right or allowed is the
//! engine's to decide.
//!
//! Invariant: what is sent is a function of the call alone, byte for byte, and a stored call that no
//! constructor makes cannot be read back.

mod answer;
mod stored;
mod words;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) use self::answer::Verdict;
pub use self::answer::{WriteAnswer, WrittenRow};
use self::stored::Stored;
pub use self::words::{AppPermission, TeamRole, WriteTarget};
use super::endpoint::{accept, segment};
use crate::error::ClientError;
use crate::http::Ask;

/// One write, as it is sent.
///
/// It is stored as `{"method", "path", "body"}`, the body left out where there is none. People are named by
/// address or id; a name is kept as it was given, in its case.
///
/// Source: <https://devcenter.heroku.com/articles/platform-api-reference>
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct WriteCall(Form);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form {
    SetMember { team: String, email: String, role: TeamRole },
    RemoveMember { team: String, member: String },
    Invite { team: String, email: String, role: TeamRole },
    WithdrawInvitation { team: String, invitation: String },
    AddCollaborator { app: String, user: String },
    RemoveCollaborator { app: String, user: String },
    AddTeamCollaborator { app: String, user: String, permissions: Vec<AppPermission> },
    SetPermissions { app: String, user: String, permissions: Vec<AppPermission> },
    RemoveTeamCollaborator { app: String, user: String },
}

impl WriteCall {
    /// Makes a person a member of a team, or changes the role of one; repeating it changes nothing.
    ///
    /// A team of which [`wants_invitations`](super::TeamFeatures::wants_invitations) holds takes it for
    /// members only.
    ///
    /// # Errors
    ///
    /// [`ClientError::Write`] when a name cannot stand in a request, or `email` is no address.
    pub fn set_member(team: &str, email: &str, role: TeamRole) -> Result<Self, ClientError> {
        Ok(Self(Form::SetMember { team: name("a team", team)?, email: address(email)?, role }))
    }

    /// Removes a person from a team; `member` is the address or the id of the membership, not of the user.
    ///
    /// # Errors
    ///
    /// [`ClientError::Write`] when a name cannot stand in a request.
    pub fn remove_member(team: &str, member: &str) -> Result<Self, ClientError> {
        Ok(Self(Form::RemoveMember { team: name("a team", team)?, member: name("a member", member)? }))
    }

    /// Invites a person to a team, which is best named by name; repeating it renews the invitation.
    ///
    /// # Errors
    ///
    /// [`ClientError::Write`] when a name cannot stand in a request, or `email` is no address.
    pub fn invite(team: &str, email: &str, role: TeamRole) -> Result<Self, ClientError> {
        Ok(Self(Form::Invite { team: name("a team", team)?, email: address(email)?, role }))
    }

    /// Takes an invitation to a team back; `invitation` is its id or the address.
    ///
    /// # Errors
    ///
    /// [`ClientError::Write`] when a name cannot stand in a request.
    pub fn withdraw_invitation(team: &str, invitation: &str) -> Result<Self, ClientError> {
        let invitation = name("an invitation", invitation)?;
        Ok(Self(Form::WithdrawInvitation { team: name("a team", team)?, invitation }))
    }

    /// Makes a person a collaborator of an app, without naming permissions.
    ///
    /// Heroku tells the person by mail, as it does by default: somebody who has no account yet needs that
    /// mail to make one. `user` is an address or a user's id.
    ///
    /// # Errors
    ///
    /// [`ClientError::Write`] when a name cannot stand in a request.
    pub fn add_collaborator(app: &str, user: &str) -> Result<Self, ClientError> {
        Ok(Self(Form::AddCollaborator { app: name("an app", app)?, user: name("a user", user)? }))
    }

    /// Removes a collaborator of an app; `user` is the address or the id of the collaboration.
    ///
    /// # Errors
    ///
    /// [`ClientError::Write`] when a name cannot stand in a request.
    pub fn remove_collaborator(app: &str, user: &str) -> Result<Self, ClientError> {
        Ok(Self(Form::RemoveCollaborator { app: name("an app", app)?, user: name("a user", user)? }))
    }

    /// Makes a person a collaborator of an Enterprise team's app with these permissions and `view`.
    ///
    /// Heroku tells the person by mail, as with [`add_collaborator`](Self::add_collaborator).
    ///
    /// # Errors
    ///
    /// [`ClientError::Write`] when a name cannot stand in a request.
    pub fn add_team_collaborator(
        app: &str,
        user: &str,
        permissions: impl IntoIterator<Item = AppPermission>,
    ) -> Result<Self, ClientError> {
        let (app, user) = (name("an app", app)?, name("a user", user)?);
        Ok(Self(Form::AddTeamCollaborator { app, user, permissions: with_view(permissions) }))
    }

    /// Replaces the permissions of a collaborator of an Enterprise team's app by these and `view`.
    ///
    /// # Errors
    ///
    /// [`ClientError::Write`] when a name cannot stand in a request.
    pub fn set_permissions(
        app: &str,
        user: &str,
        permissions: impl IntoIterator<Item = AppPermission>,
    ) -> Result<Self, ClientError> {
        let (app, user) = (name("an app", app)?, name("a user", user)?);
        Ok(Self(Form::SetPermissions { app, user, permissions: with_view(permissions) }))
    }

    /// Removes a collaborator of a team's app; `user` is the address.
    ///
    /// # Errors
    ///
    /// [`ClientError::Write`] when a name cannot stand in a request.
    pub fn remove_team_collaborator(app: &str, user: &str) -> Result<Self, ClientError> {
        Ok(Self(Form::RemoveTeamCollaborator { app: name("an app", app)?, user: name("a user", user)? }))
    }

    /// The HTTP method.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self.0 {
            Form::SetMember { .. } | Form::Invite { .. } => "PUT",
            Form::AddCollaborator { .. } | Form::AddTeamCollaborator { .. } => "POST",
            Form::SetPermissions { .. } => "PATCH",
            Form::RemoveMember { .. }
            | Form::WithdrawInvitation { .. }
            | Form::RemoveCollaborator { .. }
            | Form::RemoveTeamCollaborator { .. } => "DELETE",
        }
    }

    /// The path below the base URL, percent-encoded.
    #[must_use]
    pub fn path(&self) -> String {
        self.path_with(segment)
    }

    /// The JSON text of the body; none where nothing is sent.
    #[must_use]
    pub fn body(&self) -> Option<String> {
        self.json().map(|body| body.to_string())
    }

    /// What the write changes.
    #[must_use]
    pub fn target(&self) -> WriteTarget {
        match self.0 {
            Form::SetMember { .. } | Form::RemoveMember { .. } => WriteTarget::TeamMember,
            Form::Invite { .. } | Form::WithdrawInvitation { .. } => WriteTarget::TeamInvitation,
            Form::AddCollaborator { .. }
            | Form::RemoveCollaborator { .. }
            | Form::AddTeamCollaborator { .. }
            | Form::SetPermissions { .. }
            | Form::RemoveTeamCollaborator { .. } => WriteTarget::Collaborator,
        }
    }

    /// The path without what names a person.
    pub(super) fn log_path(&self) -> String {
        self.path_with(|_| "{person}".to_owned())
    }

    pub(super) fn ask<'a>(&self, path: &'a str, body: Option<&'a str>, log_path: &'a str) -> Ask<'a> {
        let variant = (self.target() == WriteTarget::TeamInvitation).then_some("team-invitations");
        Ask { method: self.method(), path, accept: accept(variant), range: None, body, log_path }
    }

    fn path_with(&self, person: impl Fn(&str) -> String) -> String {
        match &self.0 {
            Form::SetMember { team, .. } => format!("/teams/{}/members", segment(team)),
            Form::RemoveMember { team, member } => {
                format!("/teams/{}/members/{}", segment(team), person(member))
            }
            Form::Invite { team, .. } => format!("/teams/{}/invitations", segment(team)),
            Form::WithdrawInvitation { team, invitation } => {
                format!("/teams/{}/invitations/{}", segment(team), person(invitation))
            }
            Form::AddCollaborator { app, .. } => format!("/apps/{}/collaborators", segment(app)),
            Form::RemoveCollaborator { app, user } => {
                format!("/apps/{}/collaborators/{}", segment(app), person(user))
            }
            Form::AddTeamCollaborator { app, .. } => format!("/teams/apps/{}/collaborators", segment(app)),
            Form::SetPermissions { app, user, .. } | Form::RemoveTeamCollaborator { app, user } => {
                format!("/teams/apps/{}/collaborators/{}", segment(app), person(user))
            }
        }
    }

    /// The keys stand in the order of the alphabet, which is kept however maps of JSON are compiled.
    fn json(&self) -> Option<Value> {
        let words = |list: &[AppPermission]| list.iter().map(|one| one.as_str()).collect::<Vec<_>>();
        match &self.0 {
            Form::SetMember { email, role, .. } | Form::Invite { email, role, .. } => {
                Some(json!({ "email": email, "role": role.as_str() }))
            }
            Form::AddCollaborator { user, .. } => Some(json!({ "user": user })),
            Form::AddTeamCollaborator { user, permissions, .. } => {
                Some(json!({ "permissions": words(permissions), "user": user }))
            }
            Form::SetPermissions { permissions, .. } => Some(json!({ "permissions": words(permissions) })),
            Form::RemoveMember { .. }
            | Form::WithdrawInvitation { .. }
            | Form::RemoveCollaborator { .. }
            | Form::RemoveTeamCollaborator { .. } => None,
        }
    }
}

/// The permissions, each once and in order, and the `view` that each of them implies.
fn with_view(permissions: impl IntoIterator<Item = AppPermission>) -> Vec<AppPermission> {
    let mut list: Vec<_> = permissions.into_iter().chain([AppPermission::View]).collect();
    list.sort_unstable();
    list.dedup();
    list
}

fn address(email: &str) -> Result<String, ClientError> {
    if email.split_once('@').is_none_or(|(local, domain)| local.is_empty() || domain.is_empty()) {
        return Err(unfit("an e-mail address", email));
    }
    name("an e-mail address", email)
}

/// A name that means one thing, and not the place where it stands.
fn name(what: &str, text: &str) -> Result<String, ClientError> {
    // Heroku: `~` is whoever asks, so it would name the token's own account without saying so.
    if matches!(text, "" | "~" | "." | "..") || text.chars().any(char::is_control) {
        return Err(unfit(what, text));
    }
    Ok(text.to_owned())
}

fn unfit(what: &str, text: &str) -> ClientError {
    ClientError::Write { reason: format!("`{}` cannot name {what}", crate::http::text::stored(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_names_no_person() {
        let ann = "ann@example.com";
        let calls = [
            WriteCall::set_member("ops", ann, TeamRole::Admin),
            WriteCall::remove_member("ops", ann),
            WriteCall::withdraw_invitation("ops", ann),
            WriteCall::add_collaborator("shop", ann),
            WriteCall::remove_collaborator("shop", ann),
            WriteCall::set_permissions("shop", ann, []),
            WriteCall::remove_team_collaborator("shop", ann),
        ];
        for call in calls.map(Result::unwrap) {
            let path = call.log_path();
            assert!(!path.contains("ann"), "{path}");
            assert!(path.contains("/ops/") || path.contains("/shop/"), "{path}");
        }
    }
}
