//! The lines of the lists: what one says about an object, in the order in which it is printed.
//!
//! Filling them is [`lists`](super)'s work.
//!
//! Invariant: a field that Heroku did not show is null, never a default.

use metsuke_model::{HerokuId, Moment};
use serde::{Deserialize, Serialize};

/// A text that Heroku may leave out.
pub(super) type Text = Option<Box<str>>;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserLine {
    /// Heroku's id.
    pub id: HerokuId,
    /// The e-mail address as given.
    pub email: Text,
    /// The name the person chose.
    pub name: Text,
    /// Has a second factor at Heroku; null where Heroku does not show it.
    pub two_factor: Option<bool>,
    /// Signs in through an identity provider, which then asks for the second factor.
    pub federated: Option<bool>,
    /// The last sign-in, as far as Heroku shows it.
    pub last_login: Option<Moment>,
    /// The account whose token read the estate.
    pub own_account: bool,
}

/// A row that says that somebody holds a role, without saying who.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnresolvedLine {
    /// Heroku's id of the row.
    pub id: HerokuId,
    /// The address in the row.
    pub email: Text,
    /// The team's name.
    pub team: Text,
    /// The team's id.
    pub team_id: Option<HerokuId>,
    /// The role in the row; `unknown` where Heroku sent null.
    pub role: Box<str>,
}

/// A team that a list of teams names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamLine {
    /// Heroku's id.
    pub id: HerokuId,
    /// The team's name.
    pub name: Text,
    /// `enterprise` or `team`.
    #[serde(rename = "type")]
    pub team_type: Text,
    /// The name of its Enterprise account.
    pub enterprise_account: Text,
    /// The id of its Enterprise account.
    pub enterprise_account_id: Option<HerokuId>,
    /// People with a role in it.
    pub people: u64,
    /// Its apps.
    pub apps: u64,
    /// When it was made.
    pub created_at: Option<Moment>,
}

/// An app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppLine {
    /// Heroku's id.
    pub id: HerokuId,
    /// The app's name.
    pub name: Text,
    /// The name of the team that owns it; null for a personal app.
    pub team: Text,
    /// The id of that team.
    pub team_id: Option<HerokuId>,
    /// The e-mail address of the person who owns it; null for a team's app.
    pub owner: Text,
    /// The id of that person.
    pub owner_id: Option<HerokuId>,
    /// The name of the private space it runs in.
    pub space: Text,
    /// Locked; null where Heroku does not show it.
    pub locked: Option<bool>,
    /// In maintenance mode.
    pub maintenance: Option<bool>,
    /// Add-ons made for it.
    pub addons: u64,
    /// When it was made.
    pub created_at: Option<Moment>,
    /// When it was last deployed.
    pub released_at: Option<Moment>,
    /// When it was archived.
    pub archived_at: Option<Moment>,
}

/// An Enterprise account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterpriseAccountLine {
    /// Heroku's id.
    pub id: HerokuId,
    /// The account's name.
    pub name: Text,
    /// People who hold a permission on it.
    pub people: u64,
    /// Its listed teams.
    pub teams: u64,
    /// When it was made.
    pub created_at: Option<Moment>,
}

/// An add-on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddOnLine {
    /// Heroku's id.
    pub id: HerokuId,
    /// The add-on's name.
    pub name: Text,
    /// Its service, such as `heroku-postgresql`.
    pub service: Text,
    /// The name of the app that it was made for.
    pub app: Text,
    /// The id of that app.
    pub app_id: Option<HerokuId>,
    /// The name of the team that owns that app.
    pub team: Text,
    /// The apps whose config vars hold its credentials, sorted, each once.
    pub attached_to: Vec<Box<str>>,
    /// When it was made.
    pub created_at: Option<Moment>,
}

/// A pending invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationLine {
    /// Heroku's id.
    pub id: HerokuId,
    /// The address that was invited.
    pub email: Text,
    /// The team's name.
    pub team: Text,
    /// The team's id.
    pub team_id: Option<HerokuId>,
    /// The role that it offers; `unknown` where Heroku sent null.
    pub role: Box<str>,
    /// The e-mail address of the person who invited.
    pub invited_by: Text,
    /// When it was sent.
    pub created_at: Option<Moment>,
}
