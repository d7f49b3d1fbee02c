//! Rows about what lets programs in as the account that a token belongs to.
//!
//! They hold secrets where Heroku shows them; [`Heroku::tell_own`](crate::heroku::Heroku::tell_own) takes these out.
//!
//! Invariant: what has no field here is not kept, for it may let somebody in.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::Number;

use super::{Named, User};
use crate::heroku::walk::Row;

/// An authorization of the own account.
///
/// Source: <https://devcenter.heroku.com/articles/platform-api-reference#oauth-authorization>
#[derive(Clone, Debug, Deserialize)]
pub struct Authorization {
    /// The id of the authorization, which is no secret.
    pub id: String,
    /// What its maker called it.
    pub description: Option<String>,
    /// What its token may do.
    pub scope: Option<Vec<String>>,
    /// Its token.
    pub access_token: Option<AccessToken>,
    /// The program that it was made for; none where it was made by hand.
    pub client: Option<Named>,
    /// The account.
    pub user: Option<User>,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// Whether its token is the one that asked; none where Heroku did not show it, or nobody has looked yet.
    #[serde(skip)]
    pub own: Option<bool>,
}

/// The token of an authorization.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AccessToken {
    /// For so many seconds it is good; none for a token that has no end. Whether they count from its making or from now
    /// is not documented.
    pub expires_in: Option<Number>,
    /// The token itself, until it was looked at.
    #[serde(default, deserialize_with = "shown")]
    pub(crate) token: Option<SecretString>,
}

/// An SSH key of the own account.
///
/// Source: <https://devcenter.heroku.com/articles/platform-api-reference#key>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Key {
    /// The id of the key.
    pub id: String,
    /// The comment in it.
    pub comment: Option<String>,
    /// Its fingerprint.
    pub fingerprint: Option<String>,
    /// The address of its account.
    pub email: Option<String>,
    /// When it was put there.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
}

impl Row for Authorization {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for Key {
    fn row_id(&self) -> &str {
        &self.id
    }
}

/// A token that is spelled out; one with asterisks in it is a hint of one.
fn shown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty() && !text.contains('*')).map(SecretString::from))
}
