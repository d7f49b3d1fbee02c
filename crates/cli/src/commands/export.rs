//! `metsuke export`: letting a version out in other tools' forms.
//!
//! What goes out, and in which form, is the engine's to say.
//!
//! Invariant: what is partial is told.

mod c1z;
mod graph;
mod jupiterone;

use crate::context::Context;
use crate::failure::Exit;
use crate::remote::Remote;

pub(super) use graph::write_graph;
pub(super) use jupiterone::{ShapeArgs, VersionArgs, as_of, note_partial};

/// Write a version of the estate in another tool's form
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke export jupiterone --out .j1-integration
  metsuke export c1z --out estate.c1z
  metsuke export graph --format graphml --out estate.graphml
  metsuke export jupiterone --out .j1-integration --only-original --as-of 2026-11-01")]
pub(crate) struct Args {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, clap::Subcommand)]
enum Form {
    C1z(c1z::Args),
    Graph(graph::Args),
    Jupiterone(jupiterone::Args),
}

impl Args {
    /// Whether it writes a graph, which has formats of its own.
    pub(crate) fn is_graph(&self) -> bool {
        matches!(self.form, Form::Graph(_))
    }

    /// Whether it watches for the wish to stop.
    pub(crate) fn stops_cleanly(&self) -> bool {
        matches!(self.form, Form::C1z(_))
    }

    /// Has a server write it, and carries it here.
    ///
    /// # Errors
    ///
    /// What the server said, or writing met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self.form {
            Form::C1z(args) => args.through(context, remote).await,
            Form::Graph(args) => args.through(context, remote).await,
            Form::Jupiterone(args) => args.through(context, remote).await,
        }
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// What the engine said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.form {
            Form::C1z(args) => args.run(context).await,
            Form::Graph(args) => args.run(context).await,
            Form::Jupiterone(args) => args.run(context).await,
        }
    }
}
