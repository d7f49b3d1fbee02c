//! Rows that say who somebody is and what they hold.
//!
//! Not apps and what hangs on them: `apps` and `extras`.
//!
//! Invariant: `id` of a membership row names the relationship; the person is under `user`.

use serde::Serialize;

use super::{Mail, Named, Permission, Person, Provider, Row, Text};
use crate::range::Field;
use crate::value::{Id, Stamp};

/// `GET /account`.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the row has them")]
pub(crate) struct Account<'a> {
    pub(crate) allow_tracking: bool,
    pub(crate) beta: bool,
    pub(crate) email: Text<'a>,
    pub(crate) federated: bool,
    pub(crate) id: Id,
    pub(crate) identity_provider: Option<AccountProvider<'a>>,
    pub(crate) last_login: Option<Stamp>,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) sms_number: Option<&'static str>,
    pub(crate) two_factor_authentication: bool,
    pub(crate) verified: bool,
    pub(crate) created_at: Stamp,
    pub(crate) updated_at: Stamp,
    pub(crate) suspended_at: Option<Stamp>,
    pub(crate) country_of_residence: Option<&'static str>,
    pub(crate) default_organization: Option<Named<'a>>,
    pub(crate) default_team: Option<Named<'a>>,
    pub(crate) delinquent_at: Option<Stamp>,
}

/// The caller's own identity provider, in the shape that only `/account` has.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AccountProvider<'a> {
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
    pub(crate) organization: OnlyName<'a>,
    pub(crate) team: OnlyName<'a>,
    pub(crate) owner: super::Holder<'a>,
}

/// `{name}`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OnlyName<'a> {
    pub(crate) name: Text<'a>,
}

/// `GET /enterprise-accounts`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Enterprise<'a> {
    pub(crate) id: Id,
    pub(crate) created_at: Stamp,
    pub(crate) name: Text<'a>,
    pub(crate) updated_at: Stamp,
    pub(crate) permissions: Vec<Text<'a>>,
    pub(crate) trial: bool,
    pub(crate) identity_provider: Option<Provider<'a>>,
}

/// `GET /enterprise-accounts/{e}/members`.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::option_option, reason = "absent, null and a time are three different rows")]
pub(crate) struct EnterpriseMember<'a> {
    pub(crate) enterprise_account: Named<'a>,
    pub(crate) id: Id,
    pub(crate) permissions: Vec<Permission<'a>>,
    pub(crate) user: Option<Mail<'a>>,
    pub(crate) two_factor_authentication: bool,
    pub(crate) identity_provider: Option<Provider<'a>>,
    /// Outer `None` leaves the key out: only the `3.sdk` variant has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_login: Option<Option<Stamp>>,
}

/// `GET /teams`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Team<'a> {
    pub(crate) id: Id,
    pub(crate) created_at: Stamp,
    pub(crate) credit_card_collections: bool,
    pub(crate) default: bool,
    pub(crate) enterprise_account: Option<Named<'a>>,
    pub(crate) identity_provider: Option<Provider<'a>>,
    pub(crate) membership_limit: Option<u32>,
    pub(crate) name: Text<'a>,
    pub(crate) provisioned_licenses: bool,
    pub(crate) role: Option<Text<'a>>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) updated_at: Stamp,
}

/// `GET /teams/{t}/members`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Member<'a> {
    pub(crate) id: Id,
    pub(crate) created_at: Stamp,
    pub(crate) email: Text<'a>,
    pub(crate) federated: bool,
    pub(crate) identity_provider: Option<Provider<'a>>,
    pub(crate) role: Option<Text<'a>>,
    pub(crate) two_factor_authentication: bool,
    pub(crate) updated_at: Stamp,
    pub(crate) user: Option<Person<'a>>,
}

/// `GET /teams/{t}/invitations`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Invitation<'a> {
    pub(crate) created_at: Stamp,
    pub(crate) id: Id,
    pub(crate) invited_by: Person<'a>,
    pub(crate) team: Named<'a>,
    pub(crate) role: Option<Text<'a>>,
    pub(crate) updated_at: Stamp,
    pub(crate) user: Person<'a>,
}

/// `GET /teams/{t}/permissions`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entity<'a> {
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
    pub(crate) team_id: Id,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) users: Vec<EntityUser<'a>>,
}

/// One person on one app or space.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EntityUser<'a> {
    pub(crate) email: Text<'a>,
    pub(crate) id: Id,
    pub(crate) permissions: Vec<Text<'a>>,
}

/// `GET /apps/{a}/collaborators` and its team form.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Collaborator<'a> {
    pub(crate) app: Named<'a>,
    pub(crate) created_at: Stamp,
    pub(crate) id: Id,
    pub(crate) permissions: Vec<Permission<'a>>,
    pub(crate) role: Option<Text<'a>>,
    pub(crate) updated_at: Stamp,
    pub(crate) user: CollaboratorUser<'a>,
}

impl Collaborator<'_> {
    /// True when a path names this row by its id, or the person by id or address.
    pub(crate) fn is_of(&self, key: &str) -> bool {
        let email = &self.user.email;
        Id::parse(key).map_or(email.eq_ignore_ascii_case(key), |id| id == self.id || id == self.user.id)
    }
}

/// `{email, federated, id}`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CollaboratorUser<'a> {
    pub(crate) email: Text<'a>,
    pub(crate) federated: bool,
    pub(crate) id: Id,
}

/// `GET /spaces/{s}/members`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SpaceMember<'a> {
    pub(crate) space: Named<'a>,
    pub(crate) created_at: Stamp,
    pub(crate) id: Id,
    pub(crate) permissions: Vec<Permission<'a>>,
    pub(crate) updated_at: Stamp,
    pub(crate) user: Mail<'a>,
}

macro_rules! rows {
    ($($name:ident { $($field:ident => $key:ident),* }),* $(,)?) => {$(
        impl Row for $name<'_> {
            fn id(&self) -> Id {
                self.id
            }
            fn updated(&self) -> Option<Stamp> {
                Some(self.updated_at)
            }
            fn text_key(&self, field: Field) -> String {
                match field {
                    $(Field::$field => self.$key.to_string(),)*
                    _ => self.updated_at.to_string(),
                }
            }
        }
    )*};
}

// `Team { Name => name }` becomes `impl Row for Team<'_>` whose key for `Field::Name` is `self.name`.
rows! {
    Enterprise { Name => name },
    Team { Name => name },
    Member { Email => email },
    Invitation {},
    Collaborator {},
    SpaceMember {},
}

impl Row for EnterpriseMember<'_> {
    fn id(&self) -> Id {
        self.id
    }
}

impl Row for Entity<'_> {
    fn id(&self) -> Id {
        self.id
    }
    fn text_key(&self, _field: Field) -> String {
        self.name.to_string()
    }
}
