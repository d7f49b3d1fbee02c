//! `metsuke rules check`: whether a file of rules can be used, and what of it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use metsuke_engine::rules::{Imported, Instance, MOST_BYTES, import};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::complain;
use crate::rows::{self, Cell, Column};
use crate::text::{count, length, shown};

/// Check a file of rules in JupiterOne's form, and list what is in it
///
/// Takes one rule or a list of them, each a rule instance or in the short form of rule packs, and rules with a
/// `change` of our own. Every mistake is named with its place; nothing is kept.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Args {
    /// Reads the file and lists its rules.
    ///
    /// # Errors
    ///
    /// [`Failure`] where the file cannot be read or a rule is wrong; what writing to stdout met.
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let lines: Vec<Line> = read(context, &self.file)?.into_iter().map(Line).collect();
        rows::write(context.output, COLUMNS, &lines)?;
        Ok(Exit::Done)
    }
}

/// Reads a file of rules; tells every mistake, and what is odd, on stderr.
///
/// # Errors
///
/// [`Failure`] where the file cannot be read or a rule is wrong.
pub(super) fn read(context: &Context, file: &Path) -> Result<Vec<Instance>, Failure> {
    let name = file.display();
    let unread = |error: std::io::Error| Failure::new(format!("`{name}` cannot be read: {error}"));
    let mut text = String::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    if file == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_string(&mut text).map_err(unread)?;
    } else {
        std::fs::File::open(file).map_err(unread)?.take(most).read_to_string(&mut text).map_err(unread)?;
    }
    match import(&text) {
        Ok(Imported { rules, notes }) => {
            for note in notes {
                context.note(&format!("note: {}", shown(&note.to_string())));
            }
            Ok(rules)
        }
        Err(mistakes) => {
            for mistake in &mistakes {
                for line in mistake.to_string().lines() {
                    complain(&shown(line));
                }
            }
            let told = count(length(&mistakes), "mistake", "mistakes");
            Err(Failure::usage(format!("`{name}` cannot be used: {told}")))
        }
    }
}

/// A rule as it is listed.
struct Line(Instance);

impl Serialize for Line {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document: &Map<String, Json> = self.0.document();
        document.serialize(serializer)
    }
}

impl Line {
    /// What the rule looks at.
    fn sources(&self) -> String {
        let mut sources = Vec::new();
        if !self.0.queries.is_empty() {
            sources.push(count(length(&self.0.queries), "query", "queries"));
        }
        if self.0.change.is_some() {
            sources.push("changes".to_owned());
        }
        sources.extend(self.0.question_id.iter().map(|_| "a question in JupiterOne".to_owned()));
        sources.join(", ")
    }

    fn actions(&self) -> String {
        let actions = self.0.operations.iter().flat_map(|operation| &operation.actions);
        let mut kinds: Vec<&str> = actions.map(|action| action.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.join(" ")
    }
}

const COLUMNS: &[Column<Line>] = &[
    Column::csv("id", |line| Cell::text(line.0.id.as_ref())),
    Column::new("name", "RULE", |line| Cell::text(Some(&line.0.name))),
    Column::new("polling_interval", "EVERY", |line| Cell::text(Some(line.0.polling_interval.as_str()))),
    Column::new("looks_at", "LOOKS AT", |line| Cell::text(Some(line.sources()))),
    Column::new("actions", "ACTIONS", |line| Cell::text(Some(line.actions()))),
];
