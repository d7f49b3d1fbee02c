//! `metsuke rules export`: shipped detections as JupiterOne takes rules.

use metsuke_engine::rules::export;

use super::{Parameters, chosen};
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
    #[command(flatten)]
    parameters: Parameters,
}

impl Args {
    /// Prints the list.
    ///
    /// # Errors
    ///
    /// [`Failure`](crate::failure::Failure) for an unknown id or parameter; what writing to stdout met.
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let detections = chosen(&self.ids)?;
        let values = self.parameters.values(&detections)?;
        let mut rules = Vec::new();
        for detection in detections {
            let left_out =
                |why: &str| context.note(&format!("note: {} is left out: {}", detection.id, shown(why)));
            match (&detection.not_observable, detection.rule(&values)) {
                (Some(why), _) => left_out(why),
                (None, Ok(rule)) => rules.push(rule),
                (None, Err(why)) => left_out(&format!("{why} (--param)")),
            }
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
