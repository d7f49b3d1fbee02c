//! What a connector is set to, as it is asked for, checked and stored.
//!
//! The API token is no setting: it is sealed apart from them.
//!
//! Invariant: what is stored was checked as a whole; all that is wrong is told at once.

use std::collections::BTreeSet;

use metsuke_clients::heroku;
use metsuke_model::approval::Demand;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::schedule::Polling;
use crate::sync::Skip;
use crate::{BadField, EngineError, seal};

/// The real Heroku API.
pub const HEROKU_URL: &str = "https://api.heroku.com";
/// The most letters of a name.
const NAME: usize = 100;
/// The most letters of a description.
const DESCRIPTION: usize = 2_000;
/// The most co-owners.
const CO_OWNERS: usize = 100;

/// What a connector is set to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The e-mail address of who answers for it.
    pub owner: String,
    /// The addresses of who answers for it as well.
    #[serde(default)]
    pub co_owners: Vec<String>,
    /// The address of the Heroku API: https, or http to this machine.
    pub api_url: String,
    /// How often the estate is read.
    pub polling_interval: Polling,
    /// The account name with which every entity is tagged.
    #[serde(default)]
    pub tag_account_name: Option<String>,
    /// Whether every entity is tagged as production.
    #[serde(default)]
    pub tag_production: bool,
    /// What it is there for.
    #[serde(default)]
    pub description: String,
    /// Whether access may be changed through it.
    #[serde(default)]
    pub provisioning: bool,
    /// Which changes of access a second person has to approve.
    #[serde(default)]
    pub approval: Demand,
    /// What is not read.
    #[serde(default)]
    pub skip: BTreeSet<Skip>,
    /// What follows each new version.
    #[serde(default)]
    pub after_sync: AfterSync,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            owner: String::new(),
            co_owners: Vec::new(),
            api_url: HEROKU_URL.to_owned(),
            polling_interval: Polling::Disabled,
            tag_account_name: None,
            tag_production: false,
            description: String::new(),
            provisioning: false,
            approval: Demand::None,
            skip: BTreeSet::new(),
            after_sync: AfterSync::default(),
        }
    }
}

/// What follows each new version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterSync {
    /// An upload to JupiterOne.
    #[serde(default)]
    pub jupiterone: Option<JupiterOneUpload>,
    /// A c1z file.
    #[serde(default)]
    pub c1z: Option<C1zExport>,
}

/// Where a version is uploaded to. Its API key is sealed apart from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JupiterOneUpload {
    /// The account's id.
    pub account: String,
    /// The id of the integration instance to which the objects belong.
    #[serde(default)]
    pub instance: Option<String>,
    /// The scope of the objects, where they belong to no instance.
    #[serde(default)]
    pub scope: Option<String>,
    /// The address of JupiterOne's API.
    #[serde(default)]
    pub api_url: Option<String>,
}

/// Where a version is written to as a c1z file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct C1zExport {
    /// The file, which is replaced each time.
    pub file: String,
}

/// A connector that is to be made.
#[derive(Clone, Debug)]
pub struct NewConnector {
    /// Its name, which no other connector has.
    pub name: String,
    /// What it is set to.
    pub settings: Settings,
    /// The token of the Heroku API.
    pub api_token: SecretString,
    /// The key of JupiterOne's API, where versions are uploaded.
    pub jupiterone_key: Option<SecretString>,
}

/// What is to be another; all else stays.
#[derive(Clone, Debug, Default)]
pub struct ConnectorEdit {
    /// Another name.
    pub name: Option<String>,
    /// Other settings, as a whole.
    pub settings: Option<Settings>,
    /// Another API token.
    pub api_token: Option<SecretString>,
    /// Another key of JupiterOne's API.
    pub jupiterone_key: Option<SecretString>,
}

/// Gathers all that is wrong.
#[derive(Debug, Default)]
pub(super) struct Check(Vec<BadField>);

impl Check {
    fn bad(&mut self, field: &'static str, problem: impl Into<String>) {
        self.0.push(BadField { field, problem: problem.into() });
    }

    /// A name must be one line of some letters, and none that could be taken for an id.
    pub(super) fn name(&mut self, name: &str) {
        if name.trim().is_empty() {
            self.bad("name", "it is empty");
        } else if name.chars().count() > NAME || name.chars().any(char::is_control) {
            self.bad("name", format!("it is one line of at most {NAME} letters"));
        } else if name.trim() != name {
            self.bad("name", "it begins or ends with a blank");
        } else if name.parse::<metsuke_model::ConnectorId>().is_ok() {
            self.bad("name", "it looks like an id");
        }
    }

    /// A token must fit into a header.
    pub(super) fn token(&mut self, field: &'static str, token: &SecretString) {
        if let Some(problem) = seal::no_token(token) {
            self.bad(field, problem);
        }
    }

    pub(super) fn settings(&mut self, settings: &Settings) {
        if !is_address(&settings.owner) {
            self.bad("owner", "it is no e-mail address");
        }
        if settings.co_owners.len() > CO_OWNERS || !settings.co_owners.iter().all(|owner| is_address(owner)) {
            self.bad("co_owners", format!("they are at most {CO_OWNERS} e-mail addresses"));
        }
        if let Err(problem) = heroku_address(&settings.api_url) {
            self.bad("api_url", problem);
        }
        let tag = settings.tag_account_name.as_deref();
        if tag.is_some_and(|tag| tag.trim().is_empty() || tag.chars().count() > NAME) {
            self.bad("tag_account_name", format!("it is a text of at most {NAME} letters"));
        }
        if settings.description.chars().count() > DESCRIPTION {
            self.bad("description", format!("it has at most {DESCRIPTION} letters"));
        }
        if let Some(upload) = &settings.after_sync.jupiterone {
            if upload.account.trim().is_empty() || upload.instance.is_some() == upload.scope.is_some() {
                self.bad(
                    "after_sync.jupiterone",
                    "it has an `account`, and either an `instance` or a `scope`",
                );
            }
            let url = upload.api_url.as_deref().map(heroku_address);
            if let Some(Err(problem)) = url {
                self.bad("after_sync.jupiterone", problem);
            }
        }
        if settings.after_sync.c1z.as_ref().is_some_and(|export| export.file.trim().is_empty()) {
            self.bad("after_sync.c1z", "it names no file");
        }
    }

    /// Refuses what is wrong, all of it at once.
    pub(super) fn end(self) -> Result<(), EngineError> {
        if self.0.is_empty() { Ok(()) } else { Err(EngineError::Fields { fields: self.0 }) }
    }
}

/// Whether a text may be an e-mail address: nobody but the mail server knows.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    text.len() <= 254
        && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
        && parts.is_some_and(|(who, at)| !who.is_empty() && !at.is_empty() && !at.contains('@'))
}

/// An address that a client takes: https, or http to this machine, and nothing hidden in it.
fn heroku_address(text: &str) -> Result<(), String> {
    Url::parse(text).map_err(|error| format!("it cannot be read: {error}"))?;
    heroku::Settings::parse(text, SecretString::from("x"))
        .and_then(|settings| settings.check())
        .map_err(|error| error.to_string())
}
