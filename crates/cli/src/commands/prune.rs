//! `metsuke prune`: removes what the retention settings say is not to be kept.
//!
//! Invariant: what went is told, and the audit trail keeps it.

use metsuke_engine::retention::{self, Gone, Keep};
use metsuke_store::OpenMode;
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::rows::{self, Cell, Column};

/// Remove what the settings say is not to be kept
///
/// Earlier versions of the estate, runs, jobs, told changes and delivered alerts. For how long what is kept stands under
/// `[retention]` in the configuration file; `metsuke config check` tells it, and `metsuke serve` does the same once a day. It
/// works in small transactions, so that others can go on, and can be stopped at any time. The audit trail is always kept
/// whole, and so are plans and what every object is now.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke prune
  METSUKE_KEEP_VERSIONS_DAYS=400 metsuke prune --format json")]
pub(crate) struct Args {}

#[derive(Debug, Serialize)]
struct Line {
    /// `main`, or a connector's name.
    store: String,
    table: &'static str,
    rows: u64,
}

impl Line {
    fn of(gone: &Gone) -> impl Iterator<Item = Self> {
        gone.rows.iter().map(|(table, rows)| Self { store: gone.store.clone(), table, rows: *rows })
    }
}

impl Args {
    /// Prunes the main store and every connector's.
    ///
    /// # Errors
    ///
    /// [`Failure`] for settings that are no numbers of days, and what a database said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let keep = context.config.retention()?;
        if keep == Keep::default() {
            return Err(Failure::new("the settings say that everything is kept").into());
        }
        let installation = context.installation(OpenMode::Existing).await?;
        let gone = retention::prune_all(&installation, &keep).await?;
        let lines: Vec<Line> = gone.iter().flat_map(Line::of).collect();
        rows::write(context.output, COLUMNS, &lines)?;
        if lines.is_empty() {
            context.note("note: nothing is older than it is to be kept");
        }
        Ok(Exit::Done)
    }
}

const COLUMNS: &[Column<Line>] = &[
    Column::new("store", "STORE", |line| Cell::text(Some(&line.store))),
    Column::new("table", "TABLE", |line| Cell::text(Some(line.table))),
    Column::new("rows", "ROWS", |line| Cell::Count(line.rows)),
];
