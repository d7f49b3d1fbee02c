//! `metsuke export c1z`: a version as a file of the Baton ecosystem.
//!
//! Rows and bytes are made behind the Baton door.
//!
//! Invariant: the same version in the same file gives the same bytes: every time in it is one of the version's.

use std::path::PathBuf;

use metsuke_baton::c1z::{self, Keep, SyncHead, SyncType, WriteOptions, Written};
use metsuke_baton::expand::{self, Expand};
use metsuke_baton::shape::Options;
use metsuke_baton::source::{Choice, Part, Source};
use metsuke_engine::EngineError;
use metsuke_engine::connector::View;
use metsuke_model::{AsOf, SyncStatus, Version};
use serde::Serialize;

use super::super::c1z::ReadArgs;
use crate::args::Format;
use crate::context::{Context, describe_gaps};
use crate::failure::Exit;
use crate::remote::{Remote, as_of};
use crate::rows::{self, Cell, Column};
use crate::text::{bytes, count, length, listed, number, shown};
use crate::work;

/// Gaps that are named one by one.
const NAMED_GAPS: usize = 5;

/// Write what the connector `baton-heroku` would have written: a c1z file
///
/// Users, teams, Enterprise accounts and apps are resources; who directly holds what are grants; what follows from that is
/// told by expandable grants, or written out. The file can be read by every command line and service of the
/// ecosystem that takes files of version 1 of the format.
///
/// A file that is there already gets one more sync, and keeps the newest of those it had. The same version is the same
/// sync: written again, it replaces itself. Times are those of the version. The file names people, so a new one can be
/// read by its owner alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Where the version is partial, its gaps are named and the exit code is 4.

Examples:
  metsuke export c1z --out estate.c1z
  metsuke export c1z --out estate.c1z --expand always --as-of 2026-11-01
  metsuke export c1z --out history.c1z --keep 12")]
pub(super) struct Args {
    /// The file; made, or added to where it is a c1z file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The version: its number, or a time; by default the newest one
    #[arg(long, value_name = "VERSION|TIME")]
    as_of: Option<AsOf>,
    /// Whether to write out grants that follow from others: `auto` does where the file then has no more than 2 million
    /// grants, `never` leaves that to whoever reads the file
    #[arg(long, value_name = "auto|always|never", default_value_t = Expand::Auto)]
    expand: Expand,
    /// How many full syncs the file holds in the end, this one counted; `all` drops none
    #[arg(long, value_name = "N|all", default_value = "2", value_parser = keep)]
    keep: Keep,
    /// Also annotations that tools of 2025 do not know, whose JSON output and comparison stop working with them
    #[arg(long)]
    newer_annotations: bool,
    #[command(flatten)]
    reading: ReadArgs,
}

/// Reads how many syncs stay.
fn keep(text: &str) -> Result<Keep, String> {
    match text {
        "all" => Ok(Keep::All),
        text => text.parse().map(Keep::Newest).map_err(|_| "write a number from 1 on, or `all`".into()),
    }
}

/// What was written.
#[derive(Debug, Serialize)]
struct Line {
    version: Version,
    file: PathBuf,
    sync: String,
    resources: u64,
    entitlements: u64,
    grants: u64,
    expanded: bool,
    complete: bool,
    file_bytes: u64,
    decoded_bytes: u64,
    /// The file held this very sync before.
    replaced: bool,
    kept: Vec<String>,
    dropped: Vec<String>,
}

impl Args {
    /// Has a server write it; a file that is there already is replaced.
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let mut query = as_of("as_of", self.as_of);
        query.push(("expand", self.expand.to_string()));
        let path = ["export", "c1z"];
        let exit = super::graph::carried(remote, &path, remote.query(query), Some(&self.out)).await?;
        context.note(&format!("note: wrote `{}`", shown(&self.out.display().to_string())));
        Ok(exit)
    }

    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let reading = async {
            let (mut snapshot, gaps) = context.version_with_gaps(self.as_of).await?;
            Ok((View::read(&mut snapshot).await?, snapshot.sync().clone(), gaps))
        };
        let (view, sync, gaps) = Box::pin(work::until_stopped(context, reading)).await?;
        let (line, left_out) = self.write(context, view).await?;
        print(context, &line)?;
        note(context, &line, left_out);
        if sync.status != SyncStatus::Partial {
            return Ok(Exit::Done);
        }
        let told = describe_gaps(&gaps, NAMED_GAPS);
        context.note(&format!(
            "note: version {} is partial, and so is the sync in the file: {told}",
            sync.version
        ));
        if gaps.len() > NAMED_GAPS {
            context.note(&format!("note: `metsuke syncs show {}` names them all", sync.version));
        }
        Ok(Exit::Partial)
    }

    /// Writes the file; also whether grants that follow from others were left out because they are too many.
    async fn write(self, context: &Context, view: View) -> anyhow::Result<(Line, bool)> {
        let about = view.sync();
        let (version, complete) = (about.version, about.complete);
        let head = SyncHead::of(version, about.started_at, about.finished_at, SyncType::Full);
        let options =
            WriteOptions { keep: self.keep, read: self.reading.options(), ..WriteOptions::of(head) };
        let choice = Choice { expand: self.expand, ..Choice::default() };
        let shape = Options { newer_annotations: self.newer_annotations };
        let (out, cancel) = (self.out.clone(), context.cancel.clone());
        let work = move || {
            let mut rows = Source::new(vec![Part::whole(view)], choice, shape, cancel);
            let written = c1z::write(&out, &mut rows, &options);
            written.map(|written| (written, rows.is_expanded(), rows.left_out()))
        };
        let doing = format!("writing `{}`", self.out.display());
        let done = work::whole(context, &doing, work).await;
        if done.is_err() && context.cancel.is_cancelled() {
            return Err(EngineError::Cancelled.into());
        }
        let (written, expanded, left_out) = done?;
        let Written { sync, stats, kept, dropped, file_bytes, decoded_bytes } = written;
        let ids =
            |ids: Vec<c1z::SyncId>| ids.iter().filter(|id| **id != sync).map(ToString::to_string).collect();
        let line = Line {
            version,
            file: self.out,
            sync: sync.to_string(),
            resources: stats.resources,
            entitlements: stats.entitlements,
            grants: stats.grants,
            expanded,
            complete,
            file_bytes,
            decoded_bytes,
            replaced: dropped.contains(&sync),
            kept: ids(kept),
            dropped: ids(dropped),
        };
        Ok((line, left_out))
    }
}

fn print(context: &Context, line: &Line) -> anyhow::Result<()> {
    let output = context.output;
    match output.format {
        Format::Json | Format::Jsonl => output.document(line)?,
        Format::Csv => rows::write(output, COLUMNS, std::slice::from_ref(line))?,
        Format::Table => output.print(&format!(
            "version {}: {}, {} and {} in `{}`, {}\n",
            line.version,
            count(line.resources, "resource", "resources"),
            count(line.entitlements, "entitlement", "entitlements"),
            count(line.grants, "grant", "grants"),
            shown(&line.file.display().to_string()),
            bytes(line.file_bytes),
        ))?,
    }
    Ok(())
}

/// Tells what became of the file, and what is not in it.
fn note(context: &Context, line: &Line, left_out: bool) {
    let again = if line.replaced { ", in place of what it was before" } else { "" };
    context.note(&format!("note: wrote sync {}{again}", line.sync));
    for (doing, ids) in [("kept", &line.kept), ("dropped", &line.dropped)] {
        if !ids.is_empty() {
            let ids: Vec<_> = ids.iter().map(|id| shown(id)).collect();
            let syncs = count(length(&ids), "sync", "syncs");
            context.note(&format!("note: {doing} {syncs} that the file held: {}", listed(&ids)));
        }
    }
    if left_out {
        let most = number(expand::MOST as u64);
        context.note(&format!(
            "note: grants that follow from others are not written out, because there would be more than {most} rows; \
             whoever reads the file can expand them, and `--expand always` writes them"
        ));
    }
    if line.decoded_bytes > c1z::OLD_READERS_TAKE {
        let size = bytes(line.decoded_bytes);
        context.note(&format!(
            "note: the database in the file takes {size}, more than command lines of 2025 open"
        ));
    }
}

const COLUMNS: &[Column<Line>] = &[
    Column::csv("version", |line| Cell::Count(line.version.0.unsigned_abs())),
    Column::csv("file", |line| Cell::text(Some(line.file.display()))),
    Column::csv("sync", |line| Cell::text(Some(&line.sync))),
    Column::csv("resources", |line| Cell::Count(line.resources)),
    Column::csv("entitlements", |line| Cell::Count(line.entitlements)),
    Column::csv("grants", |line| Cell::Count(line.grants)),
    Column::csv("expanded", |line| Cell::Flag(Some(line.expanded))),
    Column::csv("complete", |line| Cell::Flag(Some(line.complete))),
    Column::csv("file_bytes", |line| Cell::Count(line.file_bytes)),
    Column::csv("decoded_bytes", |line| Cell::Count(line.decoded_bytes)),
    Column::csv("replaced", |line| Cell::Flag(Some(line.replaced))),
    Column::csv("kept", |line| Cell::text((!line.kept.is_empty()).then(|| line.kept.join(" ")))),
    Column::csv("dropped", |line| Cell::text((!line.dropped.is_empty()).then(|| line.dropped.join(" ")))),
];
