//! `metsuke import`: holding what other tools say of the estate against a version of it.
//!
//! Rosters of people are imported by `metsuke people import`.
//!
//! Invariant: nothing is written to the database.

mod c1z;

use crate::context::Context;
use crate::failure::Exit;
use crate::remote::Remote;

/// Hold another tool's file against a version of the estate
///
/// Nothing is written to the database: what Metsuke knows, it has read from Heroku.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke import c1z sync.c1z
  metsuke import c1z sync.c1z --as-of 2026-11-01 --format csv > differences.csv")]
pub(crate) struct Args {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, clap::Subcommand)]
enum Form {
    C1z(c1z::Args),
}

impl Args {
    /// Reads the file and compares.
    ///
    /// # Errors
    ///
    /// What the file or the database said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.form {
            Form::C1z(args) => args.run(context).await,
        }
    }

    /// Has a server compare.
    ///
    /// # Errors
    ///
    /// What the file or the server said.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self.form {
            Form::C1z(args) => args.through(context, remote).await,
        }
    }
}
