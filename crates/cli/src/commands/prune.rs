//! `metsuke prune`: removes what the retention settings say is not to be kept.
//!
//! Invariant: what went is told, and the audit trail keeps it.

use std::collections::BTreeMap;
use std::time::Duration;

use metsuke_engine::jobs::JobStatus;
use metsuke_engine::retention::{self, Gone, Keep};
use metsuke_store::OpenMode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::jobs;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::remote::{Query, Remote};
use crate::rows::{self, Cell, Column};
use crate::work;

/// How often a server is asked how far it is.
const PACE: Duration = Duration::from_millis(300);

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
    table: String,
    rows: u64,
}

/// What a server tells of a store.
#[derive(Debug, Deserialize)]
struct Told {
    store: String,
    rows: BTreeMap<String, u64>,
}

impl Told {
    fn lines(self) -> impl Iterator<Item = Line> {
        let Self { store, rows } = self;
        rows.into_iter().map(move |(table, rows)| Line { store: store.clone(), table, rows })
    }
}

impl From<Gone> for Told {
    fn from(gone: Gone) -> Self {
        let rows = gone.rows.into_iter().map(|(table, rows)| (table.to_owned(), rows)).collect();
        Self { store: gone.store, rows }
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
        print(context, gone.into_iter().map(Told::from).collect())
    }

    /// Has a server prune, by its own settings, and waits for it.
    ///
    /// # Errors
    ///
    /// What the server said, or why it came to nothing.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let asked: jobs::Line = remote.post(&["prune"], json!({})).await?;
        let id = asked.job.id.to_string();
        let ended = async {
            loop {
                let line: jobs::Line = remote.get(&["jobs", &id], Query::new()).await?;
                let over = matches!(line.job.state, JobStatus::Finished | JobStatus::Dead);
                if over || line.job.why.is_some() {
                    return Ok(line);
                }
                tokio::time::sleep(PACE).await;
            }
        };
        let ended = work::awaited(context, "removing what is not to be kept", ended).await?;
        if ended.job.state != JobStatus::Finished {
            return jobs::ended(context, ended);
        }
        let told = ended.job.result.map(serde_json::from_value::<Vec<Told>>).transpose()?;
        print(context, told.unwrap_or_default())
    }
}

fn print(context: &Context, told: Vec<Told>) -> anyhow::Result<Exit> {
    let lines: Vec<Line> = told.into_iter().flat_map(Told::lines).collect();
    rows::write(context.output, COLUMNS, &lines)?;
    if lines.is_empty() {
        context.note("note: nothing is older than it is to be kept");
    }
    Ok(Exit::Done)
}

const COLUMNS: &[Column<Line>] = &[
    Column::new("store", "STORE", |line| Cell::text(Some(&line.store))),
    Column::new("table", "TABLE", |line| Cell::text(Some(&line.table))),
    Column::new("rows", "ROWS", |line| Cell::Count(line.rows)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_tells_is_read_as_what_the_engine_says() {
        let gone = Gone { store: "acme".into(), rows: BTreeMap::from([("job", 3), ("run", 2)]) };
        let told: Told = serde_json::from_value(json!(gone)).unwrap();
        let lines: Vec<(String, String, u64)> =
            told.lines().map(|line| (line.store, line.table, line.rows)).collect();
        assert_eq!(lines, [("acme".into(), "job".into(), 3), ("acme".into(), "run".into(), 2)]);
    }
}
