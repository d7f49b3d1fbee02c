//! Who can do what, and by what path: questions about one version of the estate.
//!
//! The rules of derived access stand in `metsuke_model::derive`; here they meet the stored rows.
//!
//! Invariant: one line per principal, resource and entitlement, with the shortest path (ties by id).

mod app;
mod credentials;
pub(crate) mod effective;
mod effects;
mod grants;
mod layout;
mod lookup;
mod page;
pub mod provision;
mod reach;
mod reasons;
mod several;
pub(crate) mod shift;
mod user;

pub use app::{AppAccess, PersonOnApp, app_access};
pub use effects::{AppRow, ConfigReach, Effects, Kept, Turn, TurnOf, Warning, effects, warnings};
pub use grants::{GrantFilter, Sink, grants};
pub use layout::Layouts;
pub use lookup::{find_app, find_team, find_user};
pub use page::{GrantKey, grants_page};
pub use reach::{Reach, ReachedApp, ReachedGroup, reach};
pub use reasons::{Clause, Reason, allowed, clauses, most};
pub use several::{PeopleOnApp, people_on_apps};
pub(crate) use user::user_access_on;
pub use user::{AppOfUser, UserAccess, user_access};

use metsuke_model::PathStep;
use serde::{Deserialize, Serialize};

/// One entitlement that a person holds, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Which, as Heroku spells it.
    pub entitlement: Box<str>,
    /// Heroku has a row for it.
    pub direct: bool,
    /// Why: from the person's own row to the resource, both included; empty where direct.
    pub path: Vec<PathStep>,
}

/// An add-on whose credentials stand in an app's config vars.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReachedAddOn {
    /// The add-on's name.
    pub name: Box<str>,
    /// Its service, such as `heroku-postgresql`.
    pub service: Box<str>,
    /// The name under which it is attached, which prefixes its config vars.
    pub attached_as: Option<Box<str>>,
    /// The app that it is attached to.
    pub app: Box<str>,
    /// It was made for another app and is shared with this one.
    pub shared: bool,
}
