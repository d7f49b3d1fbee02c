//! Rows about who: accounts, enterprise accounts, teams, and the people named in other rows.
//!
//! Who holds what is in `access`.
//!
//! Invariant: see [`wire`](super).

use serde::Deserialize;

use super::lenient::{harmless, slugs};
use super::{Rest, Slug};
use crate::heroku::walk::Row;

/// A person, as other rows name one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The person's id, the same everywhere.
    pub id: Option<String>,
    /// The address, in the case its owner wrote it.
    pub email: Option<String>,
    /// The name for people to read.
    pub name: Option<String>,
    /// Whether the person signs in through an identity provider.
    pub federated: Option<bool>,
}

/// A thing that another row names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Named {
    /// The id of the thing.
    pub id: Option<String>,
    /// The name of the thing.
    pub name: Option<String>,
}

/// An identity provider, as other rows name one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct IdentityProvider {
    /// The id of the provider.
    pub id: Option<String>,
    /// The name of the provider.
    pub name: Option<String>,
    /// A name some rows have instead.
    pub slug: Option<String>,
    /// Whether details were hidden.
    pub redacted: Option<bool>,
    /// The team or enterprise account that owns the provider.
    pub owner: Option<super::Owner>,
}

/// The account that a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// The person's id.
    pub id: String,
    /// The address.
    pub email: Option<String>,
    /// The name for people to read.
    pub name: Option<String>,
    /// Whether the person signs in through an identity provider.
    pub federated: Option<bool>,
    /// The identity provider of a federated account.
    pub identity_provider: Option<IdentityProvider>,
    /// Whether a second factor is set up.
    pub two_factor_authentication: Option<bool>,
    /// Whether the account is verified by a payment method.
    pub verified: Option<bool>,
    /// When the person last signed in.
    pub last_login: Option<String>,
    /// When the account was made.
    pub created_at: Option<String>,
    /// When the account was last changed.
    pub updated_at: Option<String>,
    /// When the account was suspended.
    pub suspended_at: Option<String>,
    /// Since when a payment is due.
    pub delinquent_at: Option<String>,
    /// The team that is used when none is named.
    pub default_team: Option<Named>,
    /// All else, without secrets.
    #[serde(flatten, deserialize_with = "harmless")]
    pub rest: Rest,
}

/// An enterprise account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EnterpriseAccount {
    /// The id of the enterprise account.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// What the token's user may do in it.
    #[serde(default, deserialize_with = "slugs")]
    pub permissions: Vec<Slug>,
    /// Whether it is on trial.
    pub trial: Option<bool>,
    /// The identity provider, where sign-in is federated.
    pub identity_provider: Option<IdentityProvider>,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// All else, without secrets.
    #[serde(flatten, deserialize_with = "harmless")]
    pub rest: Rest,
}

/// A team.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Team {
    /// The id of the team.
    pub id: String,
    /// The name, which can be changed.
    pub name: Option<String>,
    /// `enterprise` or `team`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The role of the token's user; none when not a member.
    pub role: Option<String>,
    /// The enterprise account that the team belongs to.
    pub enterprise_account: Option<Named>,
    /// The identity provider, where sign-in is federated.
    pub identity_provider: Option<IdentityProvider>,
    /// The most members it may have.
    pub membership_limit: Option<serde_json::Number>,
    /// Whether it is the default team of the token's user.
    pub default: Option<bool>,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// All else, without secrets.
    #[serde(flatten, deserialize_with = "harmless")]
    pub rest: Rest,
}

/// A feature of a team.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TeamFeature {
    /// The id of the feature.
    pub id: String,
    /// The name, such as `org-access-controls`.
    pub name: Option<String>,
    /// Whether the team has it.
    pub enabled: Option<bool>,
}

impl Row for EnterpriseAccount {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for Team {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for TeamFeature {
    fn row_id(&self) -> &str {
        &self.id
    }
}
