//! `metsuke c1z diff`: what differs between two syncs.
//!
//! What differs is found behind the Baton door; here it gets its columns.

use std::path::{Path, PathBuf};

use metsuke_baton::c1z::{C1z, C1zError, Changes, DiffCounts, ReadOptions, RowKind, SyncRun};
use metsuke_baton::compare::{self, Changed, Detail, Subject};
use metsuke_model::Moment;
use serde::Serialize;
use serde_json::json;

use super::reading::{ReadArgs, Scratch};
use super::told::{About, Columns, plural};
use crate::args::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::rows::{self, Cell, Column};
use crate::text::{length, number, shown, time};
use crate::work;

/// Show what differs between two syncs
///
/// Of one file: the two newest full syncs that are finished. Of two files: the newest of each. Or those that --sync names,
/// the earlier one first. Resources, entitlements and grants that came or went, and what changed in those that are in
/// both; resource types are not compared.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke c1z diff sync.c1z
  metsuke c1z diff last-week.c1z today.c1z --format jsonl
  metsuke c1z diff sync.c1z --sync 2xKq7mDnVv0Rj4bTQzLw8YcHs1e --sync 2xPz3kFbWm5Ug9aNRyXo6TdJq0i")]
pub(super) struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file with the later sync; by default the same file
    #[arg(value_name = "FILE2")]
    later: Option<PathBuf>,
    /// The syncs to compare, by their ids: given twice, first the earlier one
    #[arg(long, value_name = "ID")]
    sync: Vec<String>,
    #[command(flatten)]
    reading: ReadArgs,
}

/// What was found.
struct Found {
    before: SyncRun,
    after: SyncRun,
    counts: DiffCounts,
    rows: Vec<Changed>,
}

/// How many rows of a kind differ.
#[derive(Debug, Serialize)]
struct CountLine {
    what: &'static str,
    added: u64,
    removed: u64,
    changed: u64,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let chosen = match self.sync.as_slice() {
            [] => None,
            [before, after] => Some((before.clone(), after.clone())),
            _ => {
                let told = "--sync is given twice, or not at all: first the earlier sync, then the later one";
                return Err(Failure::usage(told).into());
            }
        };
        let scratch = Scratch::new()?;
        let options = self.reading.options_in(&scratch);
        let (file, later) = (self.file.clone(), self.later.clone());
        let doing = format!("comparing `{}`", self.file.display());
        let work = move || find(&file, later.as_deref(), chosen.as_ref(), &options);
        let found = work::stoppable(context, &doing, work).await?;
        self.print(context, &found)?;
        Ok(Exit::Done)
    }

    fn print(&self, context: &Context, found: &Found) -> anyhow::Result<()> {
        let output = context.output;
        let counts = found.count_lines();
        let before = Side { file: &self.file, run: &found.before };
        let after = Side { file: self.later.as_ref().unwrap_or(&self.file), run: &found.after };
        match output.format {
            Format::Json => output.document(&json!({
                "before": before.document(),
                "after": after.document(),
                "counts": counts,
                "differences": found.rows,
            }))?,
            Format::Jsonl | Format::Csv => rows::write(output, Columns::<Changed>::ALL, &found.rows)?,
            Format::Table => {
                output.print(&format!("from {}\nto   {}\n\n", before.told(), after.told()))?;
                rows::write(output, COUNTS, &counts)?;
                if !found.rows.is_empty() {
                    output.print("\n")?;
                }
                rows::write(output, Columns::<Changed>::ALL, &found.rows)?;
            }
        }
        if matches!(output.format, Format::Jsonl | Format::Csv) {
            let told = number(length(&found.rows));
            context.note(&format!("note: {told} differences from {} to {}", before.told(), after.told()));
        }
        Ok(())
    }
}

/// Opens what has to be opened, and compares.
fn find(
    file: &Path,
    later: Option<&Path>,
    chosen: Option<&(String, String)>,
    options: &ReadOptions,
) -> Result<Found, C1zError> {
    let first = C1z::open(file, options)?;
    let second = later.map(|later| C1z::open(later, options)).transpose()?;
    let last = second.as_ref().unwrap_or(&first);
    let (before, after) = match (chosen, &second) {
        (Some((before, after)), _) => (first.sync(before)?, last.sync(after)?),
        (None, Some(second)) => (first.newest()?, second.newest()?),
        (None, None) => first.newest_two()?,
    };
    let (counts, rows) = compare::syncs((&first, &before.id), (last, &after.id))?;
    Ok(Found { before: before.clone(), after: after.clone(), counts, rows })
}

impl Found {
    fn count_lines(&self) -> Vec<CountLine> {
        let line = |kind, changes: Changes| CountLine {
            what: plural(kind),
            added: changes.added,
            removed: changes.removed,
            changed: changes.changed,
        };
        let DiffCounts { resources, entitlements, grants } = self.counts;
        vec![
            line(RowKind::Resource, resources),
            line(RowKind::Entitlement, entitlements),
            line(RowKind::Grant, grants),
        ]
    }
}

/// A sync of a file.
struct Side<'a> {
    file: &'a Path,
    run: &'a SyncRun,
}

impl Side<'_> {
    fn told(&self) -> String {
        let ended = self.run.ended_at.map_or_else(String::new, |at: Moment| format!(", {} UTC", time(at)));
        let (id, file) = (self.run.id.as_str(), self.file.display().to_string());
        format!("sync {} of `{}`{ended}", shown(id), shown(&file))
    }

    fn document(&self) -> serde_json::Value {
        json!({
            "file": self.file,
            "sync": self.run.id,
            "started_at": self.run.started_at,
            "ended_at": self.run.ended_at,
        })
    }
}

impl About for Changed {
    const NAME: &'static str = "change";
    const HEADING: &'static str = "CHANGE";

    fn verb(&self) -> &'static str {
        self.change.as_str()
    }

    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn detail(&self) -> Option<String> {
        let told: Vec<String> = self.details.iter().map(detail).collect();
        match &self.subject {
            Subject::Grant { manner: Some(manner), .. } if told.is_empty() => {
                Some(manner.as_str().to_owned())
            }
            _ => (!told.is_empty()).then(|| told.join(", ")),
        }
    }
}

fn detail(detail: &Detail) -> String {
    let Detail { field, before, after } = detail;
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".into());
    match (before, after) {
        (None, None) => format!("{field} is another"),
        _ => format!("{field}: {} -> {}", said(before), said(after)),
    }
}

const COUNTS: &[Column<CountLine>] = &[
    Column::new("what", "", |line| Cell::text(Some(line.what))),
    Column::new("added", "ADDED", |line| Cell::Count(line.added)),
    Column::new("removed", "REMOVED", |line| Cell::Count(line.removed)),
    Column::new("changed", "CHANGED", |line| Cell::Count(line.changed)),
];
