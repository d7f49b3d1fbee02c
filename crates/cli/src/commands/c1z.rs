//! `metsuke c1z`: what is in files of the Baton ecosystem, and what differs between them.
//!
//! Files are read, and compared, behind the Baton door; here are flags and tables.
//!
//! Invariant: a file may come from anybody: nothing in it is run, and its names reach the terminal spelled out.

mod diff;
mod inspect;
mod reading;
mod told;

use crate::context::Context;
use crate::failure::Exit;

pub(super) use reading::{ReadArgs, Scratch};
pub(super) use told::{About, Columns, plural};

/// Look into c1z files, which connectors of the Baton ecosystem write
///
/// No database and no token is needed. `metsuke export c1z` writes such files, `metsuke import c1z` compares one with a
/// version.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke c1z inspect sync.c1z
  metsuke c1z diff sync.c1z
  metsuke c1z diff last-week.c1z today.c1z --format jsonl")]
pub(crate) struct Args {
    #[command(subcommand)]
    doing: Doing,
}

#[derive(Debug, clap::Subcommand)]
enum Doing {
    Inspect(inspect::Args),
    Diff(diff::Args),
}

impl Args {
    /// Looks.
    ///
    /// # Errors
    ///
    /// What the file said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.doing {
            Doing::Inspect(args) => args.run(context).await,
            Doing::Diff(args) => args.run(context).await,
        }
    }
}
