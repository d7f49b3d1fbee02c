//! `metsuke syncs`: the runs, and what each of them could and could not read.
//!
//! Starting one is [`sync`](super::sync)'s work.

use std::time::Duration;

use metsuke_clients::server::Content;
use metsuke_engine::desk::{Held, SyncLine as Line, SyncShown};
use metsuke_engine::people;
use metsuke_model::{Changes, ScopeReport, SyncStatus, SystemClock, Version};
use metsuke_store::Store;
use serde::Serialize;

use super::sync::report::Told;
use crate::args::Format;
use crate::context::{Context, brief};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::page::Page;
use crate::question::{agreed, can_ask};
use crate::remote::Remote;
use crate::rows::{self, Cell, Column};
use crate::text::{length_of_time, number, shown, time};

/// List the syncs, newest first
///
/// Every sync that was complete or partial is a version, which --as-of names. A failed one is none, and a quarantined
/// one is none before it is accepted.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  metsuke syncs
  metsuke syncs --limit 100 --format csv
  metsuke syncs show 12
  metsuke syncs accept 12"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    one: Option<One>,
    /// The most to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum One {
    /// What one sync read, scope by scope: how it ended, why, pages, rows, requests and time
    Show {
        /// The number of the sync
        #[arg(value_name = "VERSION")]
        version: i64,
    },
    /// Make the sync that waits in quarantine the newest version
    ///
    /// Nothing is read from Heroku: what becomes current is what that sync read. Only the newest one can be accepted,
    /// and only as long as no version came after it.
    Accept {
        /// The number of the sync
        #[arg(value_name = "VERSION")]
        version: i64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// One run that was accepted.
#[derive(Debug, Serialize)]
struct Accepted<'a> {
    sync: &'a Line,
}

impl Args {
    /// Prints them.
    ///
    /// # Errors
    ///
    /// What the database said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if let Some(One::Accept { version, yes: false }) = self.one
            && !can_ask()
        {
            let message = "nobody is there to be asked whether the sync is to be accepted";
            let hint = format!("look at `metsuke syncs show {version}`, and say it with --yes");
            return Err(Failure::usage(message).hint(hint).into());
        }
        let store = context.database().await?;
        match self.one {
            Some(One::Show { version }) => return show(context, &store, Version(version)).await,
            Some(One::Accept { version, yes }) => {
                return accept(context, &store, Version(version), yes).await;
            }
            None => {}
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
    let line = Line::from(store.sync(version).await?.ok_or_else(|| {
        Failure::new(format!("there is no sync {version}")).hint("`metsuke syncs` lists them")
    })?);
    let held = store.quarantine(version).await?;
    let quarantine = held.map(|held| Held { status: held.status, reasons: held.reasons, waits: held.waits });
    print(context, &SyncShown { sync: line, scopes: store.scopes(version).await?, quarantine })
}

fn print(context: &Context, shown_sync: &SyncShown) -> anyhow::Result<Exit> {
    let SyncShown { sync: line, scopes, quarantine } = shown_sync;
    let output = context.output;
    match output.format {
        Format::Json | Format::Jsonl => output.document(shown_sync)?,
        Format::Csv => rows::write(output, SCOPES, scopes)?,
        Format::Table => {
            let title = format!("Sync {}: {}", line.version, line.status.as_str());
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
            if let Some(held) = quarantine {
                output.print(&told(output, line, held))?;
            }
            rows::write(output, SCOPES, scopes)?;
        }
    }
    Ok(Exit::Done)
}

impl Args {
    /// Prints what a server has, or has it accept a sync.
    ///
    /// # Errors
    ///
    /// What the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let of = || remote.query(Vec::new());
        match self.one {
            None => {
                let lines: Vec<Line> = remote.rows(&["syncs"], of(), self.limit as usize).await?;
                if lines.is_empty() {
                    context.note("note: nothing was ever synced");
                }
                rows::write(context.output, RUNS, &lines)?;
            }
            Some(One::Show { version }) => {
                return print(context, &remote.get(&["syncs", &version.to_string()], of()).await?);
            }
            Some(One::Accept { version, yes }) => {
                let asked = format!("Make sync {version} the newest version?");
                let wanted = yes || (can_ask() && agreed(&asked)?);
                if !wanted {
                    return Err(Failure::usage("nobody has agreed to it").hint("say it with --yes").into());
                }
                let path = ["syncs", &version.to_string(), "accept"];
                return print(context, &remote.send("POST", &path, of(), Content::Nothing).await?);
            }
        }
        Ok(Exit::Done)
    }
}

/// Why a run was put into quarantine, and what became of it.
fn told(output: Output, line: &Line, held: &Held) -> String {
    let version = line.version;
    let mut page = Page::new(output);
    let became = match (line.status, held.waits) {
        (SyncStatus::Quarantined, true) => format!(
            "It waits in quarantine; read {}. `metsuke syncs accept {version}` makes it current.",
            held.status.as_str()
        ),
        (SyncStatus::Quarantined, false) => {
            "It was put into quarantine, and a later one took its place.".into()
        }
        _ => "It was put into quarantine, and then accepted.".into(),
    };
    page.say(&became, 2);
    for reason in &held.reasons {
        page.say(&shown(reason), 4);
    }
    page.line("");
    page.into_text()
}

async fn accept(context: &Context, store: &Store, version: Version, yes: bool) -> anyhow::Result<Exit> {
    let output = context.output;
    let row = store.sync(version).await?;
    let held = store.quarantine(version).await?.filter(|held| held.waits);
    // What cannot be accepted is not asked about: the store says why.
    if let (Some(row), Some(held)) = (row, held) {
        if output.format == Format::Table {
            let before = store.snapshot(None).await?.map(|snapshot| snapshot.sync().counts);
            let told = Told::waiting(&row, store.scopes(version).await?, held.reasons, before);
            output.print(&format!("{}\n", told.summary(output)))?;
        }
        if !yes && !agreed(&format!("Make sync {version} the newest version?"))? {
            context.note("note: nothing was changed");
            return Ok(Exit::Done);
        }
    }
    let accepted = store.accept(version, &SystemClock).await?;
    people::renew(store).await;
    store.settle().await;
    let line = store.sync(version).await?.map(Line::from);
    match (output.format, line) {
        (Format::Json | Format::Jsonl, Some(line)) => output.document(&Accepted { sync: &line })?,
        (Format::Csv, Some(line)) => rows::write(output, RUNS, &[line])?,
        _ => {
            let Changes { added, removed, changed } = accepted.changes;
            let (added, removed, changed) = (number(added), number(removed), number(changed));
            output.print(&format!(
                "Version {version} is current: {added} added, {removed} removed, {changed} changed\n"
            ))?;
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
