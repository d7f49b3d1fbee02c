//! The stored form of a write, and the way back from it.
//!
//! It keeps no version and no checksum; the store of plans does.
//!
//! Invariant: whatever is read back is a call that a constructor makes, written exactly as it would be.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AppPermission, WriteCall};
use crate::error::ClientError;
use crate::http::text;

/// A write as stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    method: String,
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

impl From<WriteCall> for Stored {
    fn from(call: WriteCall) -> Self {
        Self { method: call.method().to_owned(), path: call.path(), body: call.json() }
    }
}

impl TryFrom<Stored> for WriteCall {
    type Error = ClientError;

    /// # Errors
    ///
    /// [`ClientError::Write`] for everything that is not a known write, or is written otherwise than it
    /// would be sent.
    fn try_from(stored: Stored) -> Result<Self, ClientError> {
        let call = call(&stored)?.ok_or_else(|| stored.foreign("is none of the writes to Heroku"))?;
        if call.path() != stored.path {
            return Err(stored.foreign("has a path that no write has"));
        }
        if call.json() != stored.body {
            return Err(stored.foreign("has a body that this write does not have"));
        }
        Ok(call)
    }
}

impl Stored {
    fn foreign(&self, what: &str) -> ClientError {
        let reason = format!("`{} {}` {what}", text::stored(&self.method), text::stored(&self.path));
        ClientError::Write { reason }
    }

    fn text(&self, key: &str) -> Result<&str, ClientError> {
        self.field(key).and_then(Value::as_str).ok_or_else(|| self.without(key))
    }

    fn permissions(&self) -> Result<Vec<AppPermission>, ClientError> {
        let listed = self.field("permissions").and_then(Value::as_array);
        let listed = listed.ok_or_else(|| self.without("permissions"))?;
        listed.iter().map(|one| one.as_str().unwrap_or_default().parse()).collect()
    }

    fn field(&self, key: &str) -> Option<&Value> {
        self.body.as_ref().and_then(|body| body.get(key))
    }

    fn without(&self, key: &str) -> ClientError {
        self.foreign(&format!("has no fitting `{key}` in its body"))
    }
}

/// The write that a stored one seems to be; the comparison of the two is the caller's.
fn call(stored: &Stored) -> Result<Option<WriteCall>, ClientError> {
    let decoded = |part: &str| percent_decode_str(part).decode_utf8().map(std::borrow::Cow::into_owned);
    let Ok(parts) = stored.path.split('/').skip(1).map(decoded).collect::<Result<Vec<_>, _>>() else {
        return Ok(None);
    };
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    Ok(Some(match (stored.method.as_str(), parts.as_slice()) {
        ("PUT", ["teams", team, "members"]) => {
            WriteCall::set_member(team, stored.text("email")?, stored.text("role")?.parse()?)?
        }
        ("DELETE", ["teams", team, "members", member]) => WriteCall::remove_member(team, member)?,
        ("PUT", ["teams", team, "invitations"]) => {
            WriteCall::invite(team, stored.text("email")?, stored.text("role")?.parse()?)?
        }
        ("DELETE", ["teams", team, "invitations", invitation]) => {
            WriteCall::withdraw_invitation(team, invitation)?
        }
        ("POST", ["apps", app, "collaborators"]) => WriteCall::add_collaborator(app, stored.text("user")?)?,
        ("DELETE", ["apps", app, "collaborators", user]) => WriteCall::remove_collaborator(app, user)?,
        ("POST", ["teams", "apps", app, "collaborators"]) => {
            WriteCall::add_team_collaborator(app, stored.text("user")?, stored.permissions()?)?
        }
        ("PATCH", ["teams", "apps", app, "collaborators", user]) => {
            WriteCall::set_permissions(app, user, stored.permissions()?)?
        }
        ("DELETE", ["teams", "apps", app, "collaborators", user]) => {
            WriteCall::remove_team_collaborator(app, user)?
        }
        _ => return Ok(None),
    }))
}
