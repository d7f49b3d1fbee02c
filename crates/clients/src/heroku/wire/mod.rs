//! The rows of the Heroku Platform API, as they come.
//!
//! They are not the house's model: roles, times and ids are the words of the service, verbatim, and
//! `engine::sync` translates them.
//!
//! Invariant: only a row's own id is required. Everything else may be missing or null, and what has no
//! field here is kept in `rest`, except values that are secrets; of [`Authorization`] and [`Key`] nothing else is.

mod access;
mod credential;
mod event;
mod identity;
mod lenient;
mod resource;

pub use self::access::{
    Collaborator, EnterpriseMember, Invitation, PermissionEntity, PermissionUser, SpaceMember, TeamMember,
};
pub use self::credential::{AccessToken, Authorization, Key};
pub(super) use self::event::Wrapped;
pub use self::event::{AppWebhook, AuditTrailEvent, Origin};
pub use self::identity::{Account, EnterpriseAccount, IdentityProvider, Named, Team, TeamFeature, User};
pub use self::lenient::Slug;
pub use self::resource::{
    AddOn, App, AttachedAddOn, Attachment, BilledPrice, BillingEntity, Owner, Pipeline, PipelineCoupling,
    Space,
};

/// Everything of a row that has no field of its own.
pub type Rest = serde_json::Map<String, serde_json::Value>;

#[cfg(test)]
mod tests;
