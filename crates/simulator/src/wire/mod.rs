//! The rows as they go over the wire, borrowed from whichever estate makes them.
//!
//! Not the estate's own structs, and not shared with the client: two readings of the API must stay two.
//!
//! Invariant: a field is here only if Heroku's schema, a recording or the fact sheet has it.

mod access;
mod apps;
mod events;
mod extras;

pub(crate) use access::*;
pub(crate) use apps::*;
pub(crate) use events::*;
pub(crate) use extras::*;

use std::borrow::Cow;

use serde::Serialize;

use crate::range::Field;
use crate::value::{Id, Stamp};

pub(crate) type Text<'a> = Cow<'a, str>;

/// A row that a list can be ordered by.
pub(crate) trait Row: Serialize {
    fn id(&self) -> Id;
    /// The key for any field but `id`; lists only offer the fields that their rows have.
    fn text_key(&self, _field: Field) -> String {
        self.id().to_string()
    }
    fn updated(&self) -> Option<Stamp> {
        None
    }
    fn key(&self, field: Field) -> String {
        if field == Field::Id { self.id().to_string() } else { self.text_key(field) }
    }
}

/// `{id, name}`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Named<'a> {
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
}

/// `{email, id}`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mail<'a> {
    pub(crate) email: Text<'a>,
    pub(crate) id: Id,
}

/// `{email, id, name}`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Person<'a> {
    pub(crate) email: Text<'a>,
    pub(crate) id: Id,
    pub(crate) name: Option<Text<'a>>,
}

/// `{id, name, type}`: who a provider, or a pipeline, belongs to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Holder<'a> {
    pub(crate) id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Text<'a>>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// The identity provider of a member, team or enterprise account.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Provider<'a> {
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redacted: Option<bool>,
    pub(crate) owner: Holder<'a>,
}

/// `{name, description}`: a permission spelt out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Permission<'a> {
    pub(crate) description: &'static str,
    pub(crate) name: Text<'a>,
}

impl<'a> Permission<'a> {
    /// An app permission with Heroku's description of it.
    pub(crate) fn app(name: impl Into<Text<'a>>) -> Self {
        let name = name.into();
        let description = match &*name {
            "view" => "Can view the app.",
            "deploy" => "Can deploy code and change config vars.",
            "operate" => "Can manage add-ons, scale processes and read logs.",
            "manage" => "Can manage collaborators, transfer, rename and delete the app.",
            _ => "",
        };
        Self { description, name }
    }

    /// An enterprise account permission.
    pub(crate) fn enterprise(name: impl Into<Text<'a>>) -> Self {
        let name = name.into();
        let description = match &*name {
            "view" => "View enterprise account members and teams.",
            "create" => "Create new teams.",
            "manage" => "Manage members and settings.",
            "billing" => "View invoices and usage.",
            _ => "",
        };
        Self { description, name }
    }
}
