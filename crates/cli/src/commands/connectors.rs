//! `metsuke connectors`: the Heroku accounts that an installation reads, on the database itself.
//!
//! What a connector is and does is the engine's; here are flags, tables and the question before a removal.
//!
//! Invariant: no flag takes a token, and nothing printed holds one.

mod lines;
mod settings;
mod show;
mod through;
mod upload;

use std::path::PathBuf;
use std::time::Duration;

use metsuke_engine::connectors::{ConnectorEdit, Installation, LogSelect, NewConnector, RunStatus, Settings};
use metsuke_engine::supervisor::Supervisor;
use metsuke_model::ConnectorId;
use metsuke_store::OpenMode;

use crate::args::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::operator::operator;
use crate::question::{agreed, can_ask};
use crate::remote::Remote;
use crate::rows::{self, Rows};
use lines::{ConnectorLine, LogLine, RunLine};
use settings::SettingArgs;

/// How often a sync that another process carries out is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Lines of a log that are read at a time.
const LOG_LINES: u32 = 1_000;

/// Add, change and remove connectors: the Heroku accounts that are read
///
/// Each connector has a Heroku token, a schedule and an estate of its own; `--connector` names it to the other
/// commands. The token is sealed with the key in `METSUKE_KEY_FILE`, else in `metsuke.key` beside an SQLite file. None of
/// this needs a server; what is due by the clock is done by one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke connectors add core --owner ann@example.com --token-file /run/secrets/heroku --polling ONE_HOUR
  metsuke connectors list
  metsuke connectors sync core
  metsuke access app billing --connector core
  metsuke connectors delete core")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List connectors with their states
    List,
    /// Show one connector whole
    Show(One),
    /// Add a connector; a server reads it at once, `metsuke connectors sync` does so without one
    Add(Box<AddArgs>),
    /// Change a connector, or give it another token
    Edit(Box<EditArgs>),
    /// Try a connector's token: whose it is, what it may see, how far it reaches
    Test(One),
    /// Let its schedule start nothing
    Pause(One),
    /// Let its schedule start syncs again
    Resume(One),
    /// Sync a connector now, here and not in a server
    Sync(One),
    /// Upload a connector's newest version to JupiterOne now, as its settings say
    Upload(One),
    /// List a connector's syncs, newest first
    Runs(RunsArgs),
    /// Print what its syncs told
    Logs(LogsArgs),
    /// Remove a connector with all that is known of its estate; its audit trail stays
    Delete(DeleteArgs),
}

/// Which connector.
#[derive(Debug, clap::Args)]
struct One {
    /// Its name or id
    connector: String,
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    settings: SettingArgs,
    /// A file with the API token; `-` reads it from stdin
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct EditArgs {
    /// Its name or id
    connector: String,
    /// Another name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    settings: SettingArgs,
    /// A file with another API token; `-` reads it from stdin
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct RunsArgs {
    /// Its name or id
    connector: String,
    /// The most to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

#[derive(Debug, clap::Args)]
struct LogsArgs {
    /// Its name or id
    connector: String,
    /// Of this sync alone
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// Go on with what is still to come, until it is stopped
    #[arg(long, short)]
    follow: bool,
}

#[derive(Debug, clap::Args)]
struct DeleteArgs {
    /// Its name or id
    connector: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

impl Args {
    /// Does it.
    ///
    /// # Errors
    ///
    /// What the engine, the databases or stdout said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mode =
            if matches!(self.command, Command::Add(_)) { OpenMode::Create } else { OpenMode::Existing };
        let site = context.installation(mode).await?;
        site.recover().await?;
        match self.command {
            Command::List => list(context, &site).await,
            Command::Show(one) => {
                let id = site.find(&one.connector).await?;
                show::connector(context, &site.connector(id).await?)
            }
            Command::Add(args) => add(context, &site, *args).await,
            Command::Edit(args) => edit(context, &site, *args).await,
            Command::Test(one) => {
                let probe = site.test(site.find(&one.connector).await?).await?;
                show::probe(context, &probe)
            }
            Command::Pause(one) => {
                let id = site.find(&one.connector).await?;
                show::connector(context, &site.pause(&operator(), id).await?)
            }
            Command::Resume(one) => {
                let id = site.find(&one.connector).await?;
                show::connector(context, &site.resume(&operator(), id).await?)
            }
            Command::Sync(one) => {
                let id = site.find(&one.connector).await?;
                Box::pin(sync(context, &site, id)).await
            }
            Command::Upload(one) => {
                let id = site.find(&one.connector).await?;
                Box::pin(upload::here(context, &site, id)).await
            }
            Command::Runs(args) => {
                let id = site.find(&args.connector).await?;
                let runs = site.runs(id, None, args.limit).await?;
                let runs: Vec<RunLine> = runs.into_iter().map(RunLine::from).collect();
                rows::write(context.output, lines::RUNS, &runs)?;
                Ok(Exit::Done)
            }
            Command::Logs(args) => logs(context, &site, &args).await,
            Command::Delete(args) => delete(context, &site, &args).await,
        }
    }
}

impl Args {
    /// Does it at a server.
    ///
    /// # Errors
    ///
    /// What the server or stdout said.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        through::run(self.command, context, remote).await
    }
}

async fn list(context: &Context, site: &Installation) -> anyhow::Result<Exit> {
    let connectors: Vec<ConnectorLine> = site.connectors().await?.iter().map(ConnectorLine::from).collect();
    if connectors.is_empty() {
        context.note("note: there are no connectors; `metsuke connectors add` makes one");
    }
    rows::write(context.output, lines::CONNECTORS, &connectors)?;
    Ok(Exit::Done)
}

async fn add(context: &Context, site: &Installation, args: AddArgs) -> anyhow::Result<Exit> {
    let token = context.config.token(args.token_file.as_deref())?;
    let jupiterone_key = args.settings.jupiterone_key()?;
    let mut settings = Settings::default();
    args.settings.apply(&mut settings)?;
    let new = NewConnector { name: args.name, settings, api_token: token.value, jupiterone_key };
    let made = site.create(&operator(), new).await?;
    context.note("note: its first sync waits for a server, or for `metsuke connectors sync`");
    show::connector(context, &made)
}

async fn edit(context: &Context, site: &Installation, args: EditArgs) -> anyhow::Result<Exit> {
    let id = site.find(&args.connector).await?;
    let connector = site.connector(id).await?;
    let api_token = match args.token_file.as_deref() {
        Some(file) => Some(context.config.token(Some(file))?.value),
        None => None,
    };
    let jupiterone_key = args.settings.jupiterone_key()?;
    let mut settings = connector.settings.clone();
    args.settings.apply(&mut settings)?;
    let edit = ConnectorEdit { name: args.name, settings: Some(settings), api_token, jupiterone_key };
    let edited = site.edit(&operator(), id, Some(connector.edition), edit).await?;
    show::connector(context, &edited)
}

/// Asks for a sync and carries it out here, unless a server is faster.
async fn sync(context: &Context, site: &Installation, id: ConnectorId) -> anyhow::Result<Exit> {
    let asked = site.sync_now(&operator(), id).await?.run;
    let supervisor = Supervisor::new(site.clone())?;
    let mut feed = site.follow(id, Some(asked.id), 0).await?;
    let ending = async {
        loop {
            supervisor.drain(Some(id)).await?;
            let connector = site.connector(id).await?;
            if connector.open_run.is_none() {
                return anyhow::Ok(connector);
            }
            // Somebody else has it.
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let by = operator();
    let stopping = async {
        context.cancel.cancelled().await;
        site.cancel(&by, id, asked.id).await
    };
    tokio::pin!(ending, stopping);
    let mut stopped = false;
    let connector = loop {
        tokio::select! {
            ended = &mut ending => break ended?,
            line = feed.next() => context.note(&lines::told(&line?)),
            _ = &mut stopping, if !stopped => stopped = true,
        }
    };
    let runs = site.runs(id, None, 1).await?;
    show::connector(context, &connector)?;
    Ok(match runs.first().map(|run| run.status) {
        Some(RunStatus::Complete) => Exit::Done,
        Some(RunStatus::Partial | RunStatus::Quarantined) => Exit::Partial,
        _ => Exit::Failure,
    })
}

async fn logs(context: &Context, site: &Installation, args: &LogsArgs) -> anyhow::Result<Exit> {
    let id = site.find(&args.connector).await?;
    let run = args.run.as_deref().map(str::parse).transpose();
    let run = run.map_err(|error: metsuke_model::uid::NoId| Failure::usage(error.to_string()))?;
    let mut rows = Rows::begin(context.output, lines::LOGS)?;
    let mut select = LogSelect { run, after: 0, limit: LOG_LINES };
    loop {
        let read = site.logs(id, select).await?;
        let Some(last) = read.last() else { break };
        select.after = last.sequence;
        for line in read {
            rows.push(&LogLine::from(line))?;
        }
    }
    rows.end()?;
    if !args.follow {
        return Ok(Exit::Done);
    }
    let mut feed = site.follow(id, run, select.after).await?;
    while let Some(line) = context.cancel.run_until_cancelled(feed.next()).await {
        let line = line?;
        match context.output.format {
            Format::Table => context.output.print(&format!("{}\n", lines::told(&line)))?,
            _ => context.output.document(&LogLine::from(line))?,
        }
    }
    Ok(Exit::Done)
}

async fn delete(context: &Context, site: &Installation, args: &DeleteArgs) -> anyhow::Result<Exit> {
    let id = site.find(&args.connector).await?;
    let connector = site.connector(id).await?;
    if !args.yes {
        if !can_ask() {
            let message = "nobody is there to be asked whether the connector is to be removed";
            return Err(Failure::usage(message).hint("say it with --yes").into());
        }
        let name = &connector.name;
        let question = format!("Remove `{name}` with its token and all that is known of its estate?");
        if !agreed(&question)? {
            return Err(Failure::new("nothing was removed").into());
        }
    }
    let removal = site.delete(&operator(), id).await?;
    show::removal(context, &removal)
}
