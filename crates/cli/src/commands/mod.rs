//! The commands, one file each: its flags, whose comments are its help, and what it does with them.
//!
//! Invariant: a command asks the engine and prints; what it knows about access, it was told.

mod access;
mod audit;
mod changes;
mod completions;
mod demo;
mod doctor;
mod grants;
mod list;
mod provision;
mod simulate;
mod sync;
mod syncs;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Exit;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Sync(sync::Args),
    Access(access::Args),
    Grants(grants::Args),
    List(list::Args),
    Changes(changes::Args),
    Syncs(syncs::Args),
    Grant(Box<provision::GrantArgs>),
    Revoke(Box<provision::RevokeArgs>),
    RemovePerson(Box<provision::RemovePersonArgs>),
    Plans(provision::PlansArgs),
    Apply(Box<provision::ApplyArgs>),
    KillSwitch(provision::KillSwitchArgs),
    Protect(provision::ProtectArgs),
    Audit(audit::Args),
    Doctor(doctor::Args),
    Demo(demo::Args),
    Simulate(simulate::Args),
    Completions(completions::Args),
}

impl Command {
    /// Whether the command watches for the wish to stop.
    pub(crate) fn stops_cleanly(&self) -> bool {
        matches!(self, Self::Sync(_) | Self::Demo(_) | Self::Simulate(_))
    }

    /// Runs it.
    ///
    /// # Errors
    ///
    /// What it met; [`failure::report`](crate::failure::report) tells it.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        // Boxed, because a sync's future is large and all of them would take as much.
        match self {
            Self::Sync(args) => Box::pin(args.run(context)).await,
            Self::Access(args) => Box::pin(args.run(context)).await,
            Self::Grants(args) => Box::pin(args.run(context)).await,
            Self::List(args) => Box::pin(args.run(context)).await,
            Self::Changes(args) => Box::pin(args.run(context)).await,
            Self::Syncs(args) => Box::pin(args.run(context)).await,
            Self::Grant(args) => Box::pin(args.run(context)).await,
            Self::Revoke(args) => Box::pin(args.run(context)).await,
            Self::RemovePerson(args) => Box::pin(args.run(context)).await,
            Self::Plans(args) => Box::pin(args.run(context)).await,
            Self::Apply(args) => Box::pin(args.run(context)).await,
            Self::KillSwitch(args) => Box::pin(args.run(context)).await,
            Self::Protect(args) => Box::pin(args.run(context)).await,
            Self::Audit(args) => Box::pin(args.run(context)).await,
            Self::Doctor(args) => Box::pin(args.run(context)).await,
            Self::Demo(args) => Box::pin(args.run(context)).await,
            Self::Simulate(args) => Box::pin(args.run(context)).await,
            Self::Completions(args) => args.run(context),
        }
    }
}
