//! `metsuke channels`: where alerts go.
//!
//! What is told, and when, is the engine's; here are flags and tables.

mod add;
mod deliver;
mod list;

use metsuke_clients::server::Content;
use metsuke_engine::alerts::{open_channels, remove_channel, try_channel};
use metsuke_engine::desk::{ChannelShown, Desk};
use metsuke_model::SystemClock;
use metsuke_store::OpenMode;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::remote::{Query, Remote, nowhere};
use crate::text::{count, shown};

/// Channels for alerts: Slack, mail, webhooks, Jira and the log
///
/// Secrets come from files or stdin, and are sealed before they are stored. Messages go to public addresses over https;
/// `METSUKE_ALLOW_PRIVATE` names nets that are allowed beside them, `METSUKE_ALLOW_PLAIN=1` allows plain http and mail.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke channels add ops --slack --secret-file /run/secrets/slack-url --level HIGH
  metsuke channels add soc --webhook https://soc.example.com/metsuke --secret-file /run/secrets/soc
  metsuke channels add mail --settings mail.json --secret-file -
  metsuke channels list
  metsuke channels test ops
  metsuke channels deliver
  metsuke channels remove ops")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the channels, how they fare and what waits for them
    List,
    Add(add::Args),
    /// Send an alert that says that it is a trial
    Test {
        /// The channel's name or id
        #[arg(value_name = "CHANNEL")]
        channel: String,
    },
    /// Remove a channel, and give up what waits for it
    Remove {
        /// The channel's name or id
        #[arg(value_name = "CHANNEL")]
        channel: String,
    },
    Deliver(deliver::Args),
    /// Try an alert that was given up once more
    Retry {
        /// The alert's id
        #[arg(value_name = "ALERT")]
        alert: String,
    },
}

fn missing(asked: &str) -> Failure {
    Failure::new(format!("there is no channel `{asked}`")).hint("`metsuke channels list` lists them")
}

impl Args {
    /// Lists, adds, tries, removes or delivers.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what is asked wrongly; what the receiver or the database said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.command {
            Command::List => {
                let desk = Desk::new(context.installation(OpenMode::Existing).await?);
                list::show(context, &desk.channels().await?)
            }
            Command::Add(args) => args.run(context).await,
            Command::Test { channel } => test(context, &channel).await,
            Command::Remove { channel } => remove(context, &channel).await,
            Command::Deliver(args) => Box::pin(args.run(context)).await,
            Command::Retry { alert } => {
                let store = context.database().await?;
                let now = metsuke_model::Clock::now(&SystemClock);
                if store.revive_delivery(&alert, now).await? {
                    return Ok(Exit::Done);
                }
                Err(Failure::new(format!("no alert `{alert}` was given up")).into())
            }
        }
    }
}

impl Args {
    /// The same on a server.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what is asked wrongly; what the receiver or the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        if let Command::Retry { alert } = &self.command {
            let path = ["alerts", alert, "retry"];
            let _retried: Json = remote.send("POST", &path, Query::new(), Content::Nothing).await?;
            return Ok(Exit::Done);
        }
        if matches!(self.command, Command::Deliver(_)) {
            return Err(nowhere("channels deliver").hint("a server sends by itself what is due").into());
        }
        let channels: Vec<ChannelShown> = remote.rows(&["channels"], Query::new(), usize::MAX).await?;
        let find = |asked: &str| {
            let found = channels.iter().find(|channel| channel.name == asked || channel.id == asked);
            found.ok_or_else(|| missing(asked))
        };
        match self.command {
            Command::Add(args) => args.through(context, remote, &channels).await,
            Command::Test { channel: asked } => {
                let channel = find(&asked)?;
                let path = ["channels", &channel.id, "test"];
                let tried: Tried = remote.send("POST", &path, Query::new(), Content::Nothing).await?;
                took(context, &asked, &channel.name, tried.reason)
            }
            Command::Remove { channel: asked } => {
                let path = ["channels", &find(&asked)?.id];
                let gone: Gone = remote.send("DELETE", &path, Query::new(), Content::Nothing).await?;
                note_given_up(context, gone.given_up);
                Ok(Exit::Done)
            }
            Command::List | Command::Deliver(_) | Command::Retry { .. } => list::show(context, &channels),
        }
    }
}

/// What a server says of a trial.
#[derive(Deserialize)]
struct Tried {
    reason: Option<String>,
}

/// What a server says of a channel that was removed.
#[derive(Deserialize)]
struct Gone {
    given_up: u64,
}

/// Tells how a trial ended.
fn took(context: &Context, asked: &str, name: &str, reason: Option<String>) -> anyhow::Result<Exit> {
    if let Some(reason) = reason {
        return Err(Failure::new(format!("{asked} did not take it: {reason}")).into());
    }
    context.output.print(&format!("{} took it.\n", shown(name)))?;
    Ok(Exit::Done)
}

fn note_given_up(context: &Context, gone: u64) {
    if gone > 0 {
        context.note(&format!("note: {} given up", count(gone, "alert was", "alerts were")));
    }
}

async fn test(context: &Context, asked: &str) -> anyhow::Result<Exit> {
    let installation = context.installation(OpenMode::Existing).await?;
    let channels = open_channels(&installation).await?;
    let is = |channel: &&metsuke_engine::alerts::Channel| channel.name == asked || channel.id == asked;
    let channel = channels.iter().find(is).ok_or_else(|| missing(asked))?;
    let tried = try_channel(&context.config.outside()?, channel, &SystemClock).await;
    took(context, asked, &channel.name, tried.err().map(|failed| failed.to_string()))
}

async fn remove(context: &Context, asked: &str) -> anyhow::Result<Exit> {
    let installation = context.installation(OpenMode::Existing).await?;
    let gone = remove_channel(&installation, installation.main().actor(), asked)
        .await?
        .ok_or_else(|| missing(asked))?;
    note_given_up(context, gone);
    Ok(Exit::Done)
}
