//! Rows about things: apps, add-ons, attachments, pipelines, spaces.
//!
//! Who holds what on them is in `access`.
//!
//! Invariant: see [`wire`](super).

use serde::Deserialize;
use serde_json::{Number, Value};

use super::lenient::harmless;
use super::{Named, Rest};
use crate::heroku::walk::Row;

/// The owner of a thing: a person, a team or an enterprise account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Owner {
    /// The id of the owner; of the team where a team owns the thing.
    pub id: Option<String>,
    /// The address; made up where a team owns the thing.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// What the owner is, where the row says so.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// An app, from any of the lists of apps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct App {
    /// The id of the app.
    pub id: String,
    /// The name, which can be changed.
    pub name: Option<String>,
    /// The owner; of a team's app a pseudo-user with the team's id.
    pub owner: Option<Owner>,
    /// The team.
    pub team: Option<Named>,
    /// The private space.
    pub space: Option<Named>,
    /// Whether plain members of the team have no implicit access.
    pub locked: Option<bool>,
    /// Whether the token's user is on the app explicitly.
    pub joined: Option<bool>,
    /// Whether it is in maintenance.
    pub maintenance: Option<bool>,
    /// The address of its site.
    pub web_url: Option<String>,
    /// The address of its repository.
    pub git_url: Option<String>,
    /// The region.
    pub region: Option<Named>,
    /// The stack it runs on.
    pub stack: Option<Named>,
    /// The stack it is built on next.
    pub build_stack: Option<Named>,
    /// The size of the repository in bytes.
    pub repo_size: Option<Number>,
    /// The size of the slug in bytes.
    pub slug_size: Option<Number>,
    /// The language, as detected.
    pub buildpack_provided_description: Option<String>,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// When it was archived.
    pub archived_at: Option<String>,
    /// When it was last released.
    pub released_at: Option<String>,
    /// All else, without secrets.
    #[serde(flatten, deserialize_with = "harmless")]
    pub rest: Rest,
}

/// An add-on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AddOn {
    /// The id of the add-on.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The app that owns it.
    pub app: Option<Named>,
    /// The service, such as a database.
    pub addon_service: Option<Named>,
    /// The plan.
    pub plan: Option<Named>,
    /// `provisioning`, `provisioned` or `deprovisioned`.
    pub state: Option<String>,
    /// The id at the provider.
    pub provider_id: Option<String>,
    /// The names, not the values, of the config vars it sets.
    pub config_vars: Option<Vec<String>>,
    /// The address of its dashboard.
    pub web_url: Option<String>,
    /// The price.
    pub billed_price: Option<BilledPrice>,
    /// Who pays.
    pub billing_entity: Option<BillingEntity>,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// All else, without secrets.
    #[serde(flatten, deserialize_with = "harmless")]
    pub rest: Rest,
}

/// The price of an add-on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct BilledPrice {
    /// Hundredths of a dollar for each unit.
    pub cents: Option<Number>,
    /// Whether a contract sets the price.
    pub contract: Option<bool>,
    /// The unit, such as `month`.
    pub unit: Option<String>,
}

/// Who pays for an add-on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct BillingEntity {
    /// The id of the app or team.
    pub id: Option<String>,
    /// The name of the app or team.
    pub name: Option<String>,
    /// `app` or `team`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// An attachment of an add-on to an app.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Attachment {
    /// The id of the attachment.
    pub id: String,
    /// The name, a prefix of config vars.
    pub name: Option<String>,
    /// The app that it is attached to.
    pub app: Option<Named>,
    /// The add-on.
    pub addon: Option<AttachedAddOn>,
    /// What part of the add-on is attached, such as a credential's name.
    pub namespace: Option<String>,
    /// The address of its dashboard.
    pub web_url: Option<String>,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// All else, without secrets.
    #[serde(flatten, deserialize_with = "harmless")]
    pub rest: Rest,
}

/// The add-on of an attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct AttachedAddOn {
    /// The id of the add-on.
    pub id: Option<String>,
    /// The name of the add-on.
    pub name: Option<String>,
    /// The app that owns the add-on.
    pub app: Option<Named>,
}

/// A pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Pipeline {
    /// The id of the pipeline.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The team or person that owns it.
    pub owner: Option<Owner>,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// All else, without secrets.
    #[serde(flatten, deserialize_with = "harmless")]
    pub rest: Rest,
}

/// An app in a stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PipelineCoupling {
    /// The id of the coupling.
    pub id: String,
    /// The app.
    pub app: Option<Named>,
    /// The pipeline.
    pub pipeline: Option<Named>,
    /// `test`, `review`, `development`, `staging`, `production` or a stage not known yet.
    pub stage: Option<String>,
    /// Since when.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
}

/// A private space.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Space {
    /// The id of the space.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The team.
    pub team: Option<Named>,
    /// The region.
    pub region: Option<Named>,
    /// Whether it is a shield space.
    pub shield: Option<bool>,
    /// `allocating`, `allocated` or `deleting`.
    pub state: Option<String>,
    /// The generation: an object, or in some variants its bare name.
    pub generation: Option<Value>,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// All else, without secrets.
    #[serde(flatten, deserialize_with = "harmless")]
    pub rest: Rest,
}

impl Row for App {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for AddOn {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for Attachment {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for Pipeline {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for PipelineCoupling {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for Space {
    fn row_id(&self) -> &str {
        &self.id
    }
}
