//! `metsuke channels add`: makes a channel, or changes the one of that name.

use std::path::PathBuf;

use metsuke_clients::server::Content;
use metsuke_engine::alerts::{NewChannel, save_channel};
use metsuke_engine::desk::ChannelShown;
use metsuke_engine::rules::Level;
use metsuke_store::OpenMode;
use serde_json::{Map, Value as Json, json};

use crate::config::{self, spelled};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::remote::{Query, Remote};
use crate::text::shown;

/// Make a channel, or change the one of that name
///
/// What flags cannot say stands in a file of settings; `docs/alerts.md` tells its members. Flags go before it. A
/// channel that is changed keeps its secret unless there is a new one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke channels add ops --slack --secret-file /run/secrets/slack-url --level HIGH
  metsuke channels add soc --webhook https://soc.example.com/metsuke --secret-file /run/secrets/soc
  metsuke channels add mail --settings mail.json --secret-file -
  metsuke channels add log --log --rule D01 --rule D02")]
pub(super) struct Args {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// A message in Slack; the secret is the address of an incoming webhook
    #[arg(long, conflicts_with_all = ["webhook", "log"])]
    slack: bool,
    /// A signed request to this address; the secret signs
    #[arg(long, value_name = "URL", conflicts_with = "log")]
    webhook: Option<String>,
    /// A line in the log
    #[arg(long)]
    log: bool,
    /// A JSON document with all settings
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The file with the secret; `-` reads stdin
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The least level that it is told: INFO, LOW, MEDIUM, HIGH or CRITICAL
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// Only this rule, by id or name; given more than once, these
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// Everything of so many minutes goes into one message
    #[arg(long, value_name = "MINUTES")]
    digest: Option<u32>,
    /// Nothing is sent for now
    #[arg(long)]
    disabled: bool,
}

impl Args {
    /// Makes or changes it in a database.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what is asked wrongly, and what the database said.
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let installation = context.installation(OpenMode::Existing).await?;
        let store = installation.main();
        let known = store.channels().await?.into_iter().find(|row| row.name == self.name);
        let settings = self.settings(known.as_ref().map(|row| &row.document))?;
        let secret = self.secret_file.as_deref().map(config::secret_of).transpose()?;
        let new = NewChannel { name: &self.name, settings: &settings, enabled: !self.disabled, secret };
        let asked = known.as_ref().map(|row| &*row.id);
        let row = save_channel(&installation, store.actor(), asked, new).await?;
        context.output.print(&format!("{} {}\n", row.id, shown(&row.name)))?;
        Ok(Exit::Done)
    }

    /// Makes or changes it on a server, which has these channels.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what is asked wrongly, and what the server said.
    pub(super) async fn through(
        self,
        context: &Context,
        remote: &Remote,
        channels: &[ChannelShown],
    ) -> anyhow::Result<Exit> {
        let known = channels.iter().find(|channel| channel.name == self.name);
        let settings = self.settings(known.map(|channel| &channel.settings))?;
        let secret = self.secret_file.as_deref().map(config::secret_of).transpose()?;
        let mut asked = json!({ "name": self.name, "settings": settings, "enabled": !self.disabled });
        if let Some(secret) = &secret {
            asked["secret"] = spelled(secret).into();
        }
        let (method, path) = match known {
            Some(known) => ("PUT", vec!["channels", &known.id]),
            None => ("POST", vec!["channels"]),
        };
        let kept: ChannelShown = remote.send(method, &path, Query::new(), Content::Json(asked)).await?;
        context.output.print(&format!("{} {}\n", kept.id, shown(&kept.name)))?;
        Ok(Exit::Done)
    }

    /// The settings that are asked for; what is not said stays as it is known.
    fn settings(&self, known: Option<&Json>) -> Result<Json, Failure> {
        let mut settings = match (&self.settings, known) {
            (Some(file), _) => read(file)?,
            (None, Some(known)) => known.as_object().cloned().unwrap_or_default(),
            (None, None) => Map::new(),
        };
        let way = match &self.webhook {
            Some(url) => Some(json!({ "kind": "webhook", "url": url })),
            None if self.slack => Some(json!({ "kind": "slack" })),
            None if self.log => Some(json!({ "kind": "log" })),
            None => None,
        };
        let mut set = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                settings.insert(name.to_owned(), value);
            }
        };
        set("way", way);
        set("level", self.level.map(|level| json!(level)));
        set("rules", (!self.rule.is_empty()).then(|| json!(self.rule)));
        set("digestMinutes", self.digest.map(|minutes| json!(minutes)));
        if !settings.contains_key("way") {
            return Err(Failure::usage("it is not said how the channel is told")
                .hint("take --slack, --webhook or --log, or --settings with a file"));
        }
        Ok(Json::Object(settings))
    }
}

fn read(file: &std::path::Path) -> Result<Map<String, Json>, Failure> {
    let wrong =
        |why: String| Failure::usage(format!("the settings `{}` cannot be read: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    match serde_json::from_str(&text) {
        Ok(Json::Object(settings)) => Ok(settings),
        Ok(_) => Err(wrong("they are no JSON object".into())),
        Err(error) => Err(wrong(error.to_string())),
    }
}
