//! Events of the audit trail, and webhooks.
//!
//! The trail is no list of Heroku's usual kind: it comes in an object and is not paged.
//!
//! Invariant: what an event is not about is left out, and not null.

use serde::Serialize;

use super::{Mail, Named, Text};
use crate::value::{Id, Stamp};

/// One entry of `GET /enterprise-accounts/{e}/events`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AuditTrailEvent<'a> {
    pub(crate) created_at: Stamp,
    pub(crate) id: Id,
    #[serde(rename = "type")]
    pub(crate) kind: Text<'a>,
    pub(crate) action: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<Mail<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app: Option<Named<'a>>,
    pub(crate) enterprise_account: Named<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<Named<'a>>,
    pub(crate) request: Origin<'a>,
    pub(crate) data: Nothing,
}

/// `{ip_address}`: where a request came from.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Origin<'a> {
    pub(crate) ip_address: Text<'a>,
}

/// `{}`: what the schema leaves open.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Nothing {}

/// `GET /apps/{a}/webhooks`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Webhook<'a> {
    pub(crate) app: Named<'a>,
    pub(crate) created_at: Stamp,
    pub(crate) id: Id,
    pub(crate) include: &'a [String],
    pub(crate) level: &'a str,
    pub(crate) updated_at: Stamp,
    pub(crate) url: &'a str,
}

impl super::Row for Webhook<'_> {
    fn id(&self) -> Id {
        self.id
    }
    fn updated(&self) -> Option<Stamp> {
        Some(self.updated_at)
    }
}
