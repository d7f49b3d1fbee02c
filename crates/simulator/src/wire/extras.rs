//! Add-ons, attachments, pipelines, couplings, spaces and the small lists.
//!
//! Not access rows: `access`.
//!
//! Invariant: what the recordings show as null where the schema does not allow it stays null here.

use serde::Serialize;

use super::{Holder, Mail, Named, OnlyName, Row, Text};
use crate::range::Field;
use crate::value::{Id, Stamp};

/// `GET /addons`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AddOn<'a> {
    pub(crate) actions: Vec<Action>,
    pub(crate) app: Named<'a>,
    pub(crate) config_vars: Vec<Text<'a>>,
    pub(crate) created_at: Stamp,
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
    pub(crate) addon_service: Named<'a>,
    pub(crate) plan: Plan<'a>,
    pub(crate) billing_entity: Holder<'a>,
    pub(crate) provider_id: Text<'a>,
    pub(crate) state: &'static str,
    pub(crate) updated_at: Stamp,
    pub(crate) web_url: Option<Text<'a>>,
    pub(crate) billed_price: Option<Price>,
}

/// `{id, name}`, and the price when the request asks for the plan to be expanded.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Plan<'a> {
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<Price>,
}

/// One entry of an add-on's menu; its last three fields are null more often than not.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the row names it so")]
pub(crate) struct Action {
    pub(crate) id: Id,
    pub(crate) label: &'static str,
    pub(crate) action: Option<&'static str>,
    pub(crate) url: Option<&'static str>,
    pub(crate) requires_owner: Option<bool>,
}

/// `{cents, contract, unit}`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Price {
    pub(crate) cents: u32,
    pub(crate) contract: bool,
    pub(crate) unit: &'static str,
}

/// `GET /addon-attachments`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Attachment<'a> {
    pub(crate) addon: AttachedAddOn<'a>,
    pub(crate) app: Named<'a>,
    pub(crate) created_at: Stamp,
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
    pub(crate) namespace: Option<&'static str>,
    pub(crate) updated_at: Stamp,
    pub(crate) web_url: Option<Text<'a>>,
    pub(crate) log_input_url: Option<&'static str>,
}

/// `{id, name, app}`: the add-on and the app that owns it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AttachedAddOn<'a> {
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
    pub(crate) app: Named<'a>,
}

/// `GET /pipelines`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Pipeline<'a> {
    pub(crate) created_at: Stamp,
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
    pub(crate) owner: Option<Holder<'a>>,
    pub(crate) updated_at: Stamp,
    pub(crate) generation: Named<'a>,
}

/// `{id}`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OnlyId {
    pub(crate) id: Id,
}

/// `GET /pipeline-couplings`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Coupling<'a> {
    pub(crate) app: OnlyId,
    pub(crate) created_at: Stamp,
    pub(crate) id: Id,
    /// The schema has only the id, but the official command line reads the name too.
    pub(crate) pipeline: Named<'a>,
    pub(crate) stage: &'static str,
    pub(crate) updated_at: Stamp,
}

/// `GET /spaces`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Space<'a> {
    pub(crate) created_at: Stamp,
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
    pub(crate) organization: OnlyName<'a>,
    pub(crate) team: Named<'a>,
    pub(crate) region: Named<'a>,
    pub(crate) shield: bool,
    pub(crate) state: &'static str,
    pub(crate) updated_at: Stamp,
    pub(crate) cidr: &'static str,
    pub(crate) data_cidr: &'static str,
    pub(crate) generation: Named<'a>,
}

/// `GET /teams/{t}/features`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Feature {
    pub(crate) created_at: Stamp,
    pub(crate) description: &'static str,
    pub(crate) doc_url: &'static str,
    pub(crate) enabled: bool,
    pub(crate) id: Id,
    pub(crate) name: &'static str,
    pub(crate) state: &'static str,
    pub(crate) updated_at: Stamp,
    pub(crate) display_name: &'static str,
    pub(crate) feedback_email: &'static str,
}

/// `GET /oauth/authorizations`, the caller's own.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Authorization<'a> {
    pub(crate) access_token: Token<'a>,
    pub(crate) client: Option<Named<'a>>,
    pub(crate) created_at: Stamp,
    pub(crate) description: Text<'a>,
    pub(crate) grant: Option<OnlyId>,
    pub(crate) id: Id,
    pub(crate) refresh_token: Option<Token<'a>>,
    pub(crate) scope: Vec<&'a str>,
    pub(crate) session: Option<OnlyId>,
    pub(crate) updated_at: Stamp,
    pub(crate) user: Mail<'a>,
}

/// `{expires_in, id, token}`.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the row names it so")]
pub(crate) struct Token<'a> {
    pub(crate) expires_in: Option<u32>,
    pub(crate) id: Id,
    pub(crate) token: Text<'a>,
}

/// `GET /account/keys`, the caller's own.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Key<'a> {
    pub(crate) comment: Text<'a>,
    pub(crate) created_at: Stamp,
    pub(crate) email: Text<'a>,
    pub(crate) fingerprint: Text<'a>,
    pub(crate) id: Id,
    pub(crate) public_key: Text<'a>,
    pub(crate) updated_at: Stamp,
}

macro_rules! rows {
    ($($name:ty { $($key:ident)? }),* $(,)?) => {$(
        impl Row for $name {
            fn id(&self) -> Id {
                self.id
            }
            fn updated(&self) -> Option<Stamp> {
                Some(self.updated_at)
            }
            $(fn text_key(&self, field: Field) -> String {
                if field == Field::UpdatedAt { self.updated_at.to_string() } else { self.$key.to_string() }
            })?
        }
    )*};
}

// `AddOn<'_> { name }` becomes `impl Row for AddOn<'_>` whose key for every field but `updated_at` is `self.name`.
rows! {
    AddOn<'_> { name },
    Attachment<'_> { name },
    Pipeline<'_> { name },
    Coupling<'_> {},
    Space<'_> { name },
    Feature { name },
    Authorization<'_> {},
    Key<'_> {},
}
