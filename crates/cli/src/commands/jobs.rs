//! `metsuke jobs`: what is done in the background, and what was given up.
//!
//! Carrying jobs out is a server's work.

use metsuke_clients::server::Content;
use metsuke_engine::desk::{Desk, JobLine, Jobs, Placed, merged};
use metsuke_engine::jobs::JobStatus;
use metsuke_model::JobId;
use metsuke_store::OpenMode;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::operator::operator;
use crate::remote::{Query, Remote};
use crate::rows::{self, Cell, Column};

/// List what is done in the background, and try again what was given up
///
/// A job that fails is tried again, after longer and longer waits; after its last try it is given up and kept, with the
/// reason. Put back, it has all its tries before it. `--connector` names whose jobs are meant.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke jobs list --state dead
  metsuke jobs list --kind upload --connector core --format csv
  metsuke jobs retry 0199f8a0-5c1e-7cc3-98c4-dc0c0c07398f
  metsuke jobs drop 0199f8a0-5c1e-7cc3-98c4-dc0c0c07398f")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List jobs, newest first
    List(ListArgs),
    /// Show one job
    Show(One),
    /// Put a job that was given up back into the queue
    Retry(One),
    /// Strike a job that was given up
    Drop(One),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Those in this state: waiting, running, finished or dead; dead ones were given up
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<JobStatus>,
    /// Those of this kind, such as sync, changes, evaluate, deliver, upload or export
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// The most to list
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

/// Which job.
#[derive(Debug, clap::Args)]
struct One {
    /// Its id
    #[arg(value_name = "ID")]
    id: JobId,
}

fn state(word: &str) -> Result<JobStatus, String> {
    let words = JobStatus::ALL.map(JobStatus::as_str);
    JobStatus::parse(word).ok_or_else(|| format!("it is one of: {}", words.join(", ")))
}

/// A job and whose it is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    connector: Option<String>,
    #[serde(flatten)]
    pub(super) job: JobLine,
}

impl From<Placed<JobLine>> for Line {
    fn from(placed: Placed<JobLine>) -> Self {
        Self { connector: placed.connector, job: placed.row }
    }
}

impl Args {
    /// Lists or changes the jobs of a database.
    ///
    /// # Errors
    ///
    /// What the engine or stdout said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let desk = Desk::new(context.installation(OpenMode::Existing).await?);
        let connector = context.config.connector.as_deref();
        let lines = match self.command {
            Command::List(ListArgs { state, kind, limit }) => {
                let found =
                    merged(&Jobs { state, kind }, desk.queues(connector).await?, Vec::new(), limit).await?;
                found.rows.into_iter().map(Line::from).collect()
            }
            Command::Show(One { id }) => vec![desk.job(connector, id).await?.into()],
            Command::Retry(One { id }) => {
                let retried = desk.retry_job(&operator(), connector, id).await?;
                context.note("note: it waits for a server");
                vec![retried.into()]
            }
            Command::Drop(One { id }) => vec![desk.drop_job(&operator(), connector, id).await?.into()],
        };
        rows::write(context.output, COLUMNS, &lines)?;
        Ok(Exit::Done)
    }

    /// Lists or changes the jobs of a server.
    ///
    /// # Errors
    ///
    /// What the server or stdout said.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let of = || remote.query(Query::new());
        let lines: Vec<Line> = match self.command {
            Command::List(ListArgs { state, kind, limit }) => {
                let state = state.map(|state| ("state", state.as_str().to_owned()));
                let kind = kind.map(|kind| ("kind", kind));
                let query = remote.query(state.into_iter().chain(kind).collect());
                remote.rows(&["jobs"], query, limit).await?
            }
            Command::Show(One { id }) => vec![remote.get(&["jobs", &id.to_string()], of()).await?],
            Command::Retry(One { id }) => {
                let path = ["jobs", &id.to_string(), "retry"];
                vec![remote.send("POST", &path, of(), Content::Nothing).await?]
            }
            Command::Drop(One { id }) => {
                let path = ["jobs", &id.to_string()];
                vec![remote.send("DELETE", &path, of(), Content::Nothing).await?]
            }
        };
        rows::write(context.output, COLUMNS, &lines)?;
        Ok(Exit::Done)
    }
}

/// Prints a job that somebody waited for, and how it ended.
///
/// # Errors
///
/// What stdout said, and why the job came to nothing.
pub(super) fn ended(context: &Context, line: Line) -> anyhow::Result<Exit> {
    let (state, why) = (line.job.state, line.job.why.clone());
    let what = line.job.what.clone();
    rows::write(context.output, COLUMNS, &[line])?;
    if state == JobStatus::Finished {
        return Ok(Exit::Done);
    }
    let why = why.unwrap_or_else(|| "it is not over yet".into());
    Err(Failure::new(format!("to {what} came to nothing so far: {why}"))
        .hint("`metsuke jobs list` tells how it goes on")
        .into())
}

const COLUMNS: &[Column<Line>] = &[
    Column::new("id", "ID", |line| Cell::text(Some(line.job.id))),
    Column::csv("connector", |line| Cell::text(line.connector.as_ref())),
    Column::csv("kind", |line| Cell::text(Some(&line.job.kind))),
    Column::new("what", "TO", |line| Cell::text(Some(&line.job.what))),
    Column::new("state", "STATE", |line| Cell::text(Some(line.job.state.as_str()))),
    Column::csv("version", |line| Cell::text(line.job.version)),
    Column::new("attempts", "TRIES", |line| Cell::Count(line.job.attempts.into())),
    Column::new("created_at", "SINCE (UTC)", |line| Cell::Time(Some(line.job.created_at))),
    Column::csv("due_at", |line| Cell::Time(Some(line.job.due_at))),
    Column::new("finished_at", "ENDED (UTC)", |line| Cell::Time(line.job.finished_at)),
    Column::new("why", "WHAT WENT WRONG", |line| Cell::text(line.job.why.as_ref())),
];
