//! `metsuke c1z inspect`: what a file holds, and what is wrong with it.
//!
//! Counting is done behind the Baton door.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use metsuke_baton::c1z::{self, Container, Inspection, Stats, SyncInspection};
use metsuke_model::Moment;
use serde::Serialize;
use serde_json::{Value, json};

use super::reading::{ReadArgs, Scratch};
use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::page::Page;
use crate::rows::{self, Cell, Column};
use crate::text::{bytes, count, number, shown};
use crate::work;

/// Tell what a file holds, counted anew, and what is wrong with it
///
/// Every row of every sync is read. Told are: rows that do not fit together, such as a grant of an entitlement that is not
/// there; annotations that tools of 2025 cannot resolve; and whether the counts that the file tells are those of its
/// rows. What is wrong is told and is no failure; a file that cannot be read is one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke c1z inspect sync.c1z
  metsuke c1z inspect sync.c1z --format json
  metsuke c1z inspect large.c1z --max-decoded-size 20GiB")]
pub(super) struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    reading: ReadArgs,
}

/// One sync.
#[derive(Debug, Serialize)]
struct Line {
    sync: String,
    #[serde(rename = "type")]
    sync_type: String,
    started_at: Option<Moment>,
    ended_at: Option<Moment>,
    finished: bool,
    parent: Option<String>,
    linked: Option<String>,
    supports_diff: bool,
    counts: Stats,
    /// Whether the file tells these counts; none where it tells none.
    counts_agree: Option<bool>,
    /// How many rows do not fit together.
    misfits: u64,
    /// The first of them, in words.
    first_misfits: Vec<String>,
    unknown_annotations: BTreeMap<String, u64>,
}

impl From<SyncInspection> for Line {
    fn from(sync: SyncInspection) -> Self {
        let SyncInspection { run, stats, stats_agree, offences, unknown_annotations } = sync;
        Self {
            sync: run.id.as_str().to_owned(),
            sync_type: run.sync_type.as_str().to_owned(),
            started_at: run.started_at,
            ended_at: run.ended_at,
            finished: run.is_finished,
            parent: run.parent.map(|id| id.as_str().to_owned()),
            linked: run.linked.map(|id| id.as_str().to_owned()),
            supports_diff: run.supports_diff,
            counts: stats,
            counts_agree: run.stats.is_some().then_some(stats_agree),
            misfits: offences.count(),
            first_misfits: offences.first().iter().map(ToString::to_string).collect(),
            unknown_annotations,
        }
    }
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let scratch = Scratch::new()?;
        let options = self.reading.options_in(&scratch);
        let (file, doing) = (self.file.clone(), format!("reading `{}`", self.file.display()));
        let work = move || c1z::inspect(&file, &options);
        let Inspection { container, syncs } = work::stoppable(context, &doing, work).await?;
        let lines: Vec<Line> = syncs.into_iter().map(Line::from).collect();
        let output = context.output;
        match output.format {
            Format::Json | Format::Jsonl => output.document(&json!({
                "file": self.file,
                "container": document(&container),
                "syncs": lines,
            }))?,
            Format::Csv => rows::write(output, COLUMNS, &lines)?,
            Format::Table => {
                output.print(&head(&self.file, &container))?;
                rows::write(output, COLUMNS, &lines)?;
                let mut page = Page::new(output);
                for line in &lines {
                    line.tell(&mut page);
                }
                output.print(&page.into_text())?;
            }
        }
        Ok(Exit::Done)
    }
}

fn document(container: &Container) -> Value {
    let Container { version, file_bytes, decoded_bytes, declared_bytes, window_bytes, has_checksum } =
        container;
    json!({
        "version": version,
        "file_bytes": file_bytes,
        "decoded_bytes": decoded_bytes,
        "declared_bytes": declared_bytes,
        "window_bytes": window_bytes,
        "checksum": has_checksum,
    })
}

fn head(file: &Path, container: &Container) -> String {
    let Container { version, file_bytes, decoded_bytes, window_bytes, has_checksum, .. } = container;
    let checksum = if *has_checksum { "a checksum that is right" } else { "no checksum" };
    format!(
        "{}: c1z file, version {version}, {}; a database of {} in it, {checksum}, a window of {}\n\n",
        shown(&file.display().to_string()),
        bytes(*file_bytes),
        bytes(*decoded_bytes),
        bytes(*window_bytes),
    )
}

impl Line {
    /// Tells what is wrong, or unusual.
    fn tell(&self, page: &mut Page) {
        let mut told = Vec::new();
        if !self.finished {
            told.push("it was not finished".to_owned());
        }
        if self.misfits > 0 {
            let rows = count(self.misfits, "row does", "rows do");
            let more = self.misfits.saturating_sub(self.first_misfits.len() as u64);
            let more = if more > 0 { format!("; and {} more", number(more)) } else { String::new() };
            told.push(format!("{rows} not fit: {}{more}", shown(&self.first_misfits.join("; "))));
        }
        if !self.unknown_annotations.is_empty() {
            told.push(format!("annotations that tools of 2025 do not know: {}", shown(&self.annotations())));
        }
        if self.counts_agree == Some(false) {
            told.push("the counts that the file tells are not those of its rows".to_owned());
        }
        if !told.is_empty() {
            page.heading(&format!("Sync {}", shown(&self.sync)));
            for sentence in &told {
                page.say(sentence, 2);
            }
        }
    }

    fn annotations(&self) -> String {
        let each = self.unknown_annotations.iter().map(|(name, times)| format!("{name} ({times})"));
        each.collect::<Vec<_>>().join(", ")
    }
}

const COLUMNS: &[Column<Line>] = &[
    Column::new("sync", "SYNC", |line| Cell::text(Some(&line.sync))),
    Column::new("type", "TYPE", |line| Cell::text(Some(&line.sync_type))),
    Column::csv("started_at", |line| Cell::Time(line.started_at)),
    Column::new("ended_at", "ENDED (UTC)", |line| Cell::Time(line.ended_at)),
    Column::csv("finished", |line| Cell::Flag(Some(line.finished))),
    Column::csv("parent", |line| Cell::text(line.parent.as_deref())),
    Column::csv("linked", |line| Cell::text(line.linked.as_deref())),
    Column::csv("supports_diff", |line| Cell::Flag(Some(line.supports_diff))),
    Column::new("resource_types", "TYPES", |line| Cell::Count(line.counts.resource_types)),
    Column::new("resources", "RESOURCES", |line| Cell::Count(line.counts.resources)),
    Column::new("entitlements", "ENTITLEMENTS", |line| Cell::Count(line.counts.entitlements)),
    Column::new("grants", "GRANTS", |line| Cell::Count(line.counts.grants)),
    Column::csv("assets", |line| Cell::Count(line.counts.assets)),
    Column::new("counts_agree", "COUNTS AGREE", |line| Cell::Flag(line.counts_agree)),
    Column::new("misfits", "MISFITS", |line| Cell::Count(line.misfits)),
    Column::csv("unknown_annotations", |line| {
        Cell::text((!line.unknown_annotations.is_empty()).then(|| line.annotations()))
    }),
];
