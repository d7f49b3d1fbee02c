//! `metsuke rules export`: shipped detections, and rules of a file, as JupiterOne takes rules.

use std::path::PathBuf;

use metsuke_engine::rules::{Instance, export};

use super::{Parameters, check, chosen};
use crate::context::Context;
use crate::failure::Exit;
use crate::text::shown;

/// Write detections as rule instances that JupiterOne takes
///
/// One JSON list. What JupiterOne cannot do, such as looking for changes, is left out and named on stderr.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The detections, by id or name; all by default
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Write the rules of this file, too; `-` reads stdin. Without ids, only these
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    parameters: Parameters,
}

impl Args {
    /// Prints the list.
    ///
    /// # Errors
    ///
    /// [`Failure`](crate::failure::Failure) for an unknown id or parameter, and a file that cannot be used; what writing
    /// to stdout met.
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let detections =
            if self.ids.is_empty() && self.file.is_some() { Vec::new() } else { chosen(&self.ids)? };
        let values = self.parameters.values(&detections)?;
        let mut rules: Vec<Instance> = Vec::new();
        for detection in detections {
            let left_out =
                |why: &str| context.note(&format!("note: {} is left out: {}", detection.id, shown(why)));
            match (&detection.not_observable, detection.rule(&values)) {
                (Some(why), _) => left_out(why),
                (None, Ok(rule)) => rules.push(rule),
                (None, Err(why)) => left_out(&format!("{why} (--param)")),
            }
        }
        if let Some(file) = &self.file {
            rules.extend(check::read(context, file)?);
        }
        let exported = export(&rules);
        for rule in &exported.left_out {
            context.note(&format!("note: {} is left out: {}", shown(&rule.place), rule.what));
        }
        let mut text = serde_json::to_string_pretty(&exported.document)?;
        text.push('\n');
        context.output.print(&text)?;
        Ok(Exit::Done)
    }
}
