//! `metsuke channels deliver`: sends what is due.

use metsuke_engine::alerts::{Desk, DeskSettings, deliver_due};
use metsuke_model::SystemClock;

use super::super::findings::channels;
use crate::context::Context;
use crate::failure::Exit;
use crate::text::time;

/// Send the alerts that are due
///
/// `metsuke serve` does so by itself. Exit code 1 where something was not taken and is to be tried again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke sync && metsuke findings evaluate && metsuke channels deliver")]
pub(super) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        let channels = channels(context).await?;
        let outside = context.config.outside()?;
        let desk = Desk {
            store: &store,
            channels: &channels,
            outside: &outside,
            connector: None,
            settings: DeskSettings::default(),
        };
        let pass = deliver_due(&desk, &SystemClock, &context.cancel).await?;
        let next = pass.next.map(|next| format!("; more is due at {}", time(next))).unwrap_or_default();
        context.output.print(&format!(
            "{} sent, {} to be tried again, {} given up{next}.\n",
            pass.sent, pass.retried, pass.dead
        ))?;
        Ok(if pass.retried + pass.dead > 0 { Exit::Failure } else { Exit::Done })
    }
}
