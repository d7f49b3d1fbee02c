//! `metsuke webhooks`: apps that tell this installation of their changes.
//!
//! Asking Heroku for them is the engine's; here are flags and lines.

use metsuke_clients::server::Content;
use metsuke_engine::access::provision::Settings;
use metsuke_engine::changes::webhooks::{self, Door, Hook, Vault};
use metsuke_engine::connectors::Installation;
use metsuke_model::{ConnectorId, SystemClock};
use metsuke_store::OpenMode;
use serde_json::json;
use url::Url;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::operator::operator;
use crate::remote::Remote;
use crate::rows::{self, Cell, Column};

/// Apps that tell this server of their changes as they happen
///
/// A webhook only ever makes Metsuke read its app again. It takes one request to set up for each app, so it is for chosen
/// apps; whatever has none is noticed by the next sync, or by the audit trail of its Enterprise account.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke webhooks list
  metsuke webhooks add billing-prod --url https://metsuke.example.com --allow-writes
  metsuke webhooks remove billing-prod --allow-writes")]
pub(crate) struct Args {
    /// The connector, by name or id; not needed where there is one
    #[arg(long, value_name = "NAME|ID", global = true)]
    connector: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List them
    List,
    /// Make an app tell of its changes
    Add {
        /// The app, by name or id
        app: String,
        /// The address at which Heroku reaches this server: https, or http on this machine
        #[arg(long, value_name = "URL")]
        url: Url,
        /// Allow this command to write to Heroku
        #[arg(long)]
        allow_writes: bool,
    },
    /// Take the webhooks of an app away
    Remove {
        /// The app, by name or id, or the id of a webhook
        app: String,
        /// Allow this command to write to Heroku
        #[arg(long)]
        allow_writes: bool,
    },
}

impl Args {
    /// Lists, adds or removes.
    ///
    /// # Errors
    ///
    /// What the engine said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let installation = context.installation(OpenMode::Existing).await?;
        let id = chosen(&installation, self.connector.as_deref()).await?;
        let store = installation.estate(id).await?.acting_as(operator());
        let (allowed, command) = match &self.command {
            Command::List => {
                rows::write(context.output, COLUMNS, &webhooks::list(&store).await?)?;
                return Ok(Exit::Done);
            }
            Command::Add { allow_writes, .. } | Command::Remove { allow_writes, .. } => {
                (*allow_writes, &self.command)
            }
        };
        let provisioning = installation.connector(id).await?.settings.provisioning;
        let settings = Settings {
            allow_writes: allowed || provisioning || context.config.provisioning(),
            kill_file: context.kill_file(),
            ..Settings::default()
        };
        let heroku = installation.heroku(id).await?;
        let vault = Vault { key: installation.sealing_key()?, installation: installation.name() };
        let door = Door { store: &store, heroku: &heroku, vault, settings: &settings, clock: &SystemClock };
        let hooks = match command {
            Command::Add { app, url, .. } => {
                let base = webhooks::address(url, &id.to_string());
                vec![webhooks::add(&door, app, &base).await?]
            }
            Command::Remove { app, .. } => webhooks::remove(&door, app).await?,
            Command::List => Vec::new(),
        };
        rows::write(context.output, COLUMNS, &hooks)?;
        Ok(Exit::Done)
    }
}

impl Args {
    /// Lists, adds or removes what a server has.
    ///
    /// # Errors
    ///
    /// What the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let connector = self.connector.as_deref().or(remote.connector());
        let all = || async {
            let query = connector.map(|id| ("connector", id.to_owned())).into_iter().collect();
            remote.rows::<Hook>(&["webhooks"], query, usize::MAX).await
        };
        let hooks = match self.command {
            Command::List => all().await?,
            Command::Add { app, url, .. } => {
                let wish = json!({ "connector": connector, "app": app, "url": url });
                vec![remote.post(&["webhooks"], wish).await?]
            }
            Command::Remove { app, .. } => {
                let mut removed: Vec<Hook> = Vec::new();
                let is = |hook: &Hook| hook.id == app || hook.app_name == app || hook.app.to_string() == app;
                for hook in all().await?.into_iter().filter(is) {
                    let path = ["webhooks", hook.id.as_str()];
                    removed.push(remote.send("DELETE", &path, Vec::new(), Content::Nothing).await?);
                }
                if removed.is_empty() {
                    return Err(Failure::new(format!("there is no webhook `{app}`")).into());
                }
                removed
            }
        };
        rows::write(context.output, COLUMNS, &hooks)?;
        Ok(Exit::Done)
    }
}

/// The connector that is named, or the only one.
async fn chosen(installation: &Installation, asked: Option<&str>) -> anyhow::Result<ConnectorId> {
    if let Some(asked) = asked {
        return Ok(installation.find(asked).await?);
    }
    let live = installation.live().await?;
    match live.as_slice() {
        [one] => Ok(one.id),
        [] => {
            Err(Failure::new("there is no connector").hint("`metsuke serve` makes them, by its API").into())
        }
        several => {
            let names: Vec<&str> = several.iter().map(|row| row.name.as_str()).collect();
            let told = format!("there are several connectors: {}", names.join(", "));
            Err(Failure::usage(told).hint("name one with --connector").into())
        }
    }
}

const COLUMNS: &[Column<Hook>] = &[
    Column::new("app", "APP", |hook| Cell::text(Some(&hook.app_name))),
    Column::csv("app_id", |hook| Cell::text(Some(&hook.app))),
    Column::new("state", "STATE", |hook| Cell::text(Some(&hook.state))),
    Column::new("id", "WEBHOOK", |hook| Cell::text(Some(&hook.id))),
    Column::new("created_at", "SINCE (UTC)", |hook| Cell::Time(Some(hook.created_at))),
    Column::new("heard_at", "LAST HEARD (UTC)", |hook| Cell::Time(hook.heard_at)),
    Column::csv("url", |hook| Cell::text(Some(&hook.url))),
];
