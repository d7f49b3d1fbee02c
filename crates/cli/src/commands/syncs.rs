//! `metsuke syncs`: the runs, and what each of them could and could not read.
//!
//! Starting one is [`sync`](super::sync)'s work.

use std::time::Duration;

use metsuke_model::{Changes, Counts, Moment, ScopeReport, SyncStatus, Version};
use metsuke_store::{Store, SyncRow};
use serde::Serialize;

use crate::args::Format;
use crate::context::{Context, brief};
use crate::failure::{Exit, Failure};
use crate::rows::{self, Cell, Column};
use crate::text::{length_of_time, shown, time};

/// List the syncs, newest first
///
/// Every sync that was complete or partial is a version, which --as-of names; a failed one is none.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  metsuke syncs
  metsuke syncs --limit 100 --format csv
  metsuke syncs show 12"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    show: Option<Show>,
    /// The most to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum Show {
    /// What one sync read, scope by scope: how it ended, why, pages, rows, requests and time
    Show {
        /// The number of the sync
        #[arg(value_name = "VERSION")]
        version: i64,
    },
}

/// One run.
#[derive(Debug, Serialize)]
struct Line {
    version: Version,
    status: SyncStatus,
    started_at: Moment,
    finished_at: Moment,
    duration_ms: u64,
    requests: u64,
    waited_ms: u64,
    counts: Counts,
    changes: Changes,
    error: Option<String>,
}

/// One run with its scopes.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    sync: &'a Line,
    scopes: &'a [ScopeReport],
}

impl From<SyncRow> for Line {
    fn from(row: SyncRow) -> Self {
        Self {
            version: row.version,
            status: row.status,
            started_at: row.started_at,
            finished_at: row.finished_at,
            duration_ms: row.finished_at.since(row.started_at) / 1_000,
            requests: row.requests,
            waited_ms: row.waited_ms,
            counts: row.counts,
            changes: row.changes,
            error: row.error,
        }
    }
}

impl Args {
    /// Prints them.
    ///
    /// # Errors
    ///
    /// What the database said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        if let Some(Show::Show { version }) = self.show {
            return show(context, &store, Version(version)).await;
        }
        let lines: Vec<Line> = store.syncs(self.limit).await?.into_iter().map(Line::from).collect();
        if lines.is_empty() {
            context.note("note: nothing was ever synced into this database");
        }
        rows::write(context.output, RUNS, &lines)?;
        Ok(Exit::Done)
    }
}

async fn show(context: &Context, store: &Store, version: Version) -> anyhow::Result<Exit> {
    let found = store.syncs(u32::MAX).await?.into_iter().find(|row| row.version == version);
    let line = Line::from(found.ok_or_else(|| {
        Failure::new(format!("there is no sync {version}")).hint("`metsuke syncs` lists them")
    })?);
    let scopes = store.scopes(version).await?;
    let output = context.output;
    match output.format {
        Format::Json | Format::Jsonl => output.document(&Shown { sync: &line, scopes: &scopes })?,
        Format::Csv => rows::write(output, SCOPES, &scopes)?,
        Format::Table => {
            let title = format!("Sync {version}: {}", line.status.as_str());
            let error =
                line.error.as_deref().map(|error| format!("  {}\n", shown(error))).unwrap_or_default();
            let ran = length_of_time(Duration::from_millis(line.duration_ms));
            let waited = length_of_time(Duration::from_millis(line.waited_ms));
            output.print(&format!(
                "{}\n{error}  {} UTC, {ran}, {} requests, {waited} waited\n\n",
                output.heading(&title),
                time(line.started_at),
                line.requests,
            ))?;
            rows::write(output, SCOPES, &scopes)?;
        }
    }
    Ok(Exit::Done)
}

const RUNS: &[Column<Line>] = &[
    Column::new("version", "VERSION", |line| Cell::Count(line.version.0.unsigned_abs())),
    Column::new("status", "STATUS", |line| Cell::text(Some(line.status.as_str()))),
    Column::new("started_at", "STARTED (UTC)", |line| Cell::Time(Some(line.started_at))),
    Column::csv("finished_at", |line| Cell::Time(Some(line.finished_at))),
    Column::csv("duration_ms", |line| Cell::Count(line.duration_ms)),
    Column::table("TOOK", |line| Cell::text(Some(length_of_time(Duration::from_millis(line.duration_ms))))),
    Column::new("requests", "REQUESTS", |line| Cell::Count(line.requests)),
    Column::csv("waited_ms", |line| Cell::Count(line.waited_ms)),
    Column::new("users", "USERS", |line| Cell::Count(line.counts.users)),
    Column::new("teams", "TEAMS", |line| Cell::Count(line.counts.teams)),
    Column::csv("enterprise_accounts", |line| Cell::Count(line.counts.enterprise_accounts)),
    Column::new("apps", "APPS", |line| Cell::Count(line.counts.apps)),
    Column::csv("addons", |line| Cell::Count(line.counts.addons)),
    Column::csv("invitations", |line| Cell::Count(line.counts.invitations)),
    Column::new("grants", "GRANTS", |line| Cell::Count(line.counts.grants)),
    Column::new("added", "ADDED", |line| Cell::Count(line.changes.added)),
    Column::new("removed", "REMOVED", |line| Cell::Count(line.changes.removed)),
    Column::new("changed", "CHANGED", |line| Cell::Count(line.changes.changed)),
    Column::csv("error", |line| Cell::text(line.error.as_deref())),
];

const SCOPES: &[Column<ScopeReport>] = &[
    Column::new("scope", "SCOPE", |scope| Cell::text(Some(&scope.scope))),
    Column::new("outcome", "OUTCOME", |scope| Cell::text(Some(scope.outcome.as_str()))),
    Column::new("gap", "GAP", |scope| Cell::Flag(Some(scope.gap))),
    Column::new("pages", "PAGES", |scope| Cell::Count(scope.pages.into())),
    Column::new("rows", "ROWS", |scope| Cell::Count(scope.rows)),
    Column::new("calls", "REQUESTS", |scope| Cell::Count(scope.calls.into())),
    Column::csv("duration_ms", |scope| Cell::Count(scope.duration_ms)),
    Column::table("TOOK", |scope| Cell::text(Some(length_of_time(Duration::from_millis(scope.duration_ms))))),
    Column::csv("reason", |scope| Cell::text(scope.reason.as_deref())),
    Column::table("REASON", |scope| Cell::text(scope.reason.as_deref().map(brief))),
];
