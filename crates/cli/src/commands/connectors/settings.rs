//! The flags that say what a connector is set to.
//!
//! Whether they can be is the engine's to say.

use std::path::PathBuf;

use metsuke_engine::connectors::{C1zExport, JupiterOneUpload, Settings};
use metsuke_engine::schedule::Polling;
use metsuke_engine::sync::Skip;
use metsuke_model::approval::Demand;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::config::secret_of;
use crate::failure::Failure;

/// What a connector is set to; what is not named stays as it is.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Settings")]
pub(super) struct SettingArgs {
    /// The e-mail address of who answers for it
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<String>,
    /// Others who answer for it
    #[arg(long, value_name = "ADDRESS,…", value_delimiter = ',')]
    co_owners: Option<Vec<String>>,
    /// The address of the Heroku API: https, or http to this machine
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// `DISABLED`, `FIFTEEN_MINUTES`, `THIRTY_MINUTES`, `ONE_HOUR`, `FOUR_HOURS`, `EIGHT_HOURS`, `TWELVE_HOURS`, `ONE_DAY`, `ONE_WEEK`
    #[arg(long, value_name = "INTERVAL", conflicts_with = "cron")]
    polling: Option<String>,
    /// The hour (UTC) of `ONE_DAY` and `ONE_WEEK`
    #[arg(long, value_name = "0-23", requires = "polling")]
    hour: Option<u8>,
    /// The day of `ONE_WEEK`, 0 for Sunday
    #[arg(long, value_name = "0-6", requires = "polling")]
    day_of_week: Option<u8>,
    /// A cron expression of five fields instead
    #[arg(long, value_name = "EXPRESSION")]
    cron: Option<String>,
    /// The time zone of --cron
    #[arg(long, value_name = "ZONE", requires = "cron")]
    time_zone: Option<String>,
    /// The account name with which every entity is tagged; an empty one tags nothing
    #[arg(long, value_name = "NAME")]
    tag_account_name: Option<String>,
    /// Whether every entity is tagged as production
    #[arg(long, value_name = "true|false")]
    tag_production: Option<bool>,
    /// What it is there for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Whether access may be changed through it
    #[arg(long, value_name = "true|false")]
    provisioning: Option<bool>,
    /// Which changes of access a second person has to approve: none, sensitive or every
    #[arg(long, value_name = "WHICH")]
    approval: Option<Demand>,
    /// What to leave out: addons, pipelines, spaces, invitations; `none` for nothing
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    skip: Option<Vec<String>>,
    /// Upload each version to this JupiterOne account; an empty one uploads nothing
    #[arg(long, value_name = "ACCOUNT")]
    upload_to: Option<String>,
    /// The integration instance that uploads belong to; without one they belong to a scope of the connector's own
    #[arg(long, value_name = "ID", requires = "upload_to")]
    upload_instance: Option<String>,
    /// The address of JupiterOne's API, where it is not the usual one
    #[arg(long, value_name = "URL", requires = "upload_to")]
    upload_url: Option<String>,
    /// A file with the key of JupiterOne's API; it is sealed as the token is
    #[arg(long, value_name = "FILE")]
    upload_key_file: Option<PathBuf>,
    /// Write each version into this c1z file, where a server runs; an empty one writes none
    #[arg(long, value_name = "FILE")]
    export_c1z: Option<String>,
}

impl SettingArgs {
    /// Changes what was named.
    ///
    /// # Errors
    ///
    /// [`Failure`] for a polling interval or a word that there is not.
    pub(super) fn apply(&self, settings: &mut Settings) -> Result<(), Failure> {
        let set = |place: &mut String, value: &Option<String>| {
            if let Some(value) = value {
                place.clone_from(value);
            }
        };
        set(&mut settings.owner, &self.owner);
        set(&mut settings.api_url, &self.api_url);
        set(&mut settings.description, &self.description);
        settings.co_owners = self.co_owners.clone().unwrap_or_else(|| settings.co_owners.clone());
        settings.tag_production = self.tag_production.unwrap_or(settings.tag_production);
        settings.provisioning = self.provisioning.unwrap_or(settings.provisioning);
        settings.approval = self.approval.unwrap_or(settings.approval);
        if let Some(tag) = &self.tag_account_name {
            settings.tag_account_name = Some(tag.clone()).filter(|tag| !tag.is_empty());
        }
        if let Some(polling) = self.polling()? {
            settings.polling_interval = polling;
        }
        if let Some(words) = &self.skip {
            let words = words.iter().filter(|word| *word != "none");
            let skip: Result<_, _> = words.map(|word| word.parse::<Skip>()).collect();
            settings.skip = skip.map_err(Failure::usage)?;
        }
        if let Some(account) = &self.upload_to {
            settings.after_sync.jupiterone = self.upload(account, settings);
        }
        if let Some(file) = &self.export_c1z {
            let file = Some(file.clone()).filter(|file| !file.is_empty());
            settings.after_sync.c1z = file.map(|file| C1zExport { file });
        }
        Ok(())
    }

    /// The key of JupiterOne's API, where a file of it is named.
    ///
    /// # Errors
    ///
    /// [`Failure`] where it cannot be read.
    pub(super) fn jupiterone_key(&self) -> Result<Option<SecretString>, Failure> {
        self.upload_key_file.as_deref().map(secret_of).transpose()
    }

    fn upload(&self, account: &str, settings: &Settings) -> Option<JupiterOneUpload> {
        let scope = self.upload_instance.is_none().then(|| format!("metsuke-{}", settings.owner));
        Some(JupiterOneUpload {
            account: account.to_owned(),
            instance: self.upload_instance.clone(),
            scope,
            api_url: self.upload_url.clone(),
        })
        .filter(|upload| !upload.account.is_empty())
    }

    fn polling(&self) -> Result<Option<Polling>, Failure> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        put("cron", self.cron.as_ref().map(|cron| json!(cron)));
        put("time_zone", self.time_zone.as_ref().map(|zone| json!(zone)));
        put("interval", self.polling.as_ref().map(|name| json!(name)));
        put("hour", self.hour.map(|hour| json!(hour)));
        put("day_of_week", self.day_of_week.map(|day| json!(day)));
        if members.is_empty() {
            return Ok(None);
        }
        Polling::parse(&Value::Object(members)).map(Some).map_err(Failure::usage)
    }
}
