//! `metsuke findings`: what rules found, from opened to resolved, and what people say of it.
//!
//! What opens and resolves a finding is the engine's; here are flags and tables.

mod evaluate;
mod list;
mod say;
mod show;

use metsuke_engine::alerts::{Channel, open_channels};
use metsuke_store::OpenMode;

use crate::context::Context;
use crate::failure::Exit;
use crate::remote::Remote;

/// Findings of rules: list and show them, acknowledge or accept them, and evaluate a version
///
/// One finding for each rule and subject. It resolves only on what was read; a risk that is accepted is open again when
/// its time is over. `metsuke rules` lists what is looked for.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke findings evaluate
  metsuke findings list --state open --level HIGH
  metsuke findings show 12
  metsuke findings ack 12 --reason 'Bob is on call'
  metsuke findings accept 12 --until 2027-01-31 --reason 'until the audit is over'
  metsuke findings reopen 12")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Ack(say::AckArgs),
    Accept(say::AcceptArgs),
    Reopen(say::ReopenArgs),
    Evaluate(evaluate::Args),
}

impl Args {
    /// Lists, shows, says or evaluates.
    ///
    /// # Errors
    ///
    /// [`Failure`](crate::failure::Failure) for what is asked wrongly; what the database said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.command {
            Command::List(args) => args.run(context).await,
            Command::Show(args) => args.run(context).await,
            Command::Ack(args) => args.run(context).await,
            Command::Accept(args) => args.run(context).await,
            Command::Reopen(args) => args.run(context).await,
            Command::Evaluate(args) => Box::pin(args.run(context)).await,
        }
    }
}

impl Args {
    /// Lists, shows, says or evaluates at a server.
    ///
    /// # Errors
    ///
    /// What the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self.command {
            Command::List(args) => args.through(context, remote).await,
            Command::Show(args) => args.through(context, remote).await,
            Command::Ack(args) => args.through(context, remote).await,
            Command::Accept(args) => args.through(context, remote).await,
            Command::Reopen(args) => args.through(context, remote).await,
            Command::Evaluate(args) => args.through(context, remote).await,
        }
    }
}

/// The channels, where there are any; no key is asked for where there are none.
pub(super) async fn channels(context: &Context) -> anyhow::Result<Vec<Channel>> {
    if context.main(OpenMode::Existing).await?.channels().await?.is_empty() {
        return Ok(Vec::new());
    }
    Ok(open_channels(&context.installation(OpenMode::Existing).await?).await?)
}
