//! The commands, one file each: its flags, whose comments are its help, and what it does with them.
//!
//! Invariant: a command asks the engine and prints; what it knows about access, it was told.

mod access;
mod accounts;
mod audit;
mod backup;
mod c1z;
mod changes;
mod channels;
mod completions;
mod config;
mod connectors;
mod demo;
mod doctor;
mod export;
mod findings;
mod grants;
mod import;
mod jobs;
mod jupiterone;
mod list;
mod people;
mod provision;
mod prune;
mod query;
mod questions;
mod rules;
mod serve;
mod simulate;
mod sync;
mod syncs;
mod token;
mod webhooks;

use clap::Subcommand;

use crate::args::FormatArg;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::remote::{Remote, nowhere};

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Sync(sync::Args),
    Access(access::Args),
    Grants(grants::Args),
    List(list::Args),
    People(people::Args),
    Query(Box<query::Args>),
    Questions(questions::Args),
    Rules(rules::Args),
    Findings(findings::Args),
    Channels(channels::Args),
    Export(Box<export::Args>),
    Import(import::Args),
    C1z(c1z::Args),
    Jupiterone(jupiterone::Args),
    Changes(changes::Args),
    Syncs(syncs::Args),
    Webhooks(webhooks::Args),
    Connectors(connectors::Args),
    Jobs(jobs::Args),
    /// Give a person a team role or access to an app
    ///
    /// Plans the change on a fresh read of Heroku, shows who gains and loses what, asks, writes down what it is about
    /// to do, does it, and reads it back. Granting a team role replaces the one held.
    Grant(Box<provision::ChangeArgs>),
    /// Take a team role or access to an app from a person
    ///
    /// Taking the role that is held ends the membership. Taking deploy, operate or manage leaves the rest; taking view
    /// or collaborator ends the row. A pending invitation is taken back.
    Revoke(Box<provision::ChangeArgs>),
    RemovePerson(Box<provision::RemovePersonArgs>),
    Plans(provision::PlansArgs),
    Apply(Box<provision::ApplyArgs>),
    KillSwitch(provision::KillSwitchArgs),
    Protect(provision::ProtectArgs),
    Audit(audit::Args),
    Serve(serve::Args),
    Token(token::Args),
    Accounts(accounts::Args),
    Config(config::Args),
    Prune(prune::Args),
    Backup(backup::Args),
    Restore(backup::RestoreArgs),
    Doctor(doctor::Args),
    Demo(demo::Args),
    Simulate(simulate::Args),
    Completions(completions::Args),
}

impl Command {
    /// Whether the command watches for the wish to stop.
    pub(crate) fn stops_cleanly(&self) -> bool {
        match self {
            Self::Sync(_)
            | Self::Demo(_)
            | Self::Simulate(_)
            | Self::Jupiterone(_)
            | Self::Import(_)
            | Self::Serve(_)
            | Self::Channels(_)
            | Self::Connectors(_)
            | Self::Backup(_)
            | Self::Restore(_)
            | Self::C1z(_) => true,
            Self::Export(args) => args.stops_cleanly(),
            _ => false,
        }
    }

    /// Whether the command answers many at once, and goes on until it is stopped.
    pub(crate) fn serves(&self) -> bool {
        match self {
            Self::Serve(_) => true,
            Self::Demo(args) => args.serves(),
            _ => false,
        }
    }

    /// Runs it.
    ///
    /// # Errors
    ///
    /// What it met; [`failure::report`](crate::failure::report) tells it.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let alone = match (context.config.asked, &self) {
            (FormatArg::Table | FormatArg::Json | FormatArg::Jsonl | FormatArg::Csv, _)
            | (FormatArg::Tree, Self::Query(_)) => None,
            (FormatArg::Graphml | FormatArg::Dot, Self::Export(args)) if args.is_graph() => None,
            (FormatArg::Tree, _) => Some("only answers of `metsuke query` can be shown as a tree"),
            (FormatArg::Graphml | FormatArg::Dot, _) => {
                Some("only `metsuke export graph` writes GraphML and DOT")
            }
        };
        if let Some(alone) = alone {
            return Err(Failure::usage(alone).hint("leave --format out, or take json, jsonl or csv").into());
        }
        if let Some(remote) = self.remote(context)? {
            return Box::pin(self.through(context, &remote)).await;
        }
        // Boxed, because a sync's future is large and all of them would take as much.
        match self {
            Self::Sync(args) => Box::pin(args.run(context)).await,
            Self::Access(args) => Box::pin(args.run(context)).await,
            Self::Grants(args) => Box::pin(args.run(context)).await,
            Self::List(args) => Box::pin(args.run(context)).await,
            Self::People(args) => Box::pin(args.run(context)).await,
            Self::Query(args) => Box::pin(args.run(context)).await,
            Self::Questions(args) => Box::pin(args.run(context)).await,
            Self::Rules(args) => Box::pin(args.run(context)).await,
            Self::Findings(args) => Box::pin(args.run(context)).await,
            Self::Channels(args) => Box::pin(args.run(context)).await,
            Self::Export(args) => Box::pin(args.run(context)).await,
            Self::Import(args) => Box::pin(args.run(context)).await,
            Self::C1z(args) => Box::pin(args.run(context)).await,
            Self::Jupiterone(args) => Box::pin(args.run(context)).await,
            Self::Changes(args) => Box::pin(args.run(context)).await,
            Self::Syncs(args) => Box::pin(args.run(context)).await,
            Self::Webhooks(args) => Box::pin(args.run(context)).await,
            Self::Connectors(args) => Box::pin(args.run(context)).await,
            Self::Jobs(args) => Box::pin(args.run(context)).await,
            Self::Grant(args) => Box::pin(args.grant(context)).await,
            Self::Revoke(args) => Box::pin(args.revoke(context)).await,
            Self::RemovePerson(args) => Box::pin(args.run(context)).await,
            Self::Plans(args) => Box::pin(args.run(context)).await,
            Self::Apply(args) => Box::pin(args.run(context)).await,
            Self::KillSwitch(args) => Box::pin(args.run(context)).await,
            Self::Protect(args) => Box::pin(args.run(context)).await,
            Self::Audit(args) => Box::pin(args.run(context)).await,
            Self::Serve(args) => Box::pin(args.run(context)).await,
            Self::Token(args) => Box::pin(args.run(context)).await,
            Self::Accounts(args) => Box::pin(args.run(context)).await,
            Self::Config(args) => args.run(context),
            Self::Prune(args) => Box::pin(args.run(context)).await,
            Self::Backup(args) => Box::pin(args.run(context)).await,
            Self::Restore(args) => Box::pin(args.run(context)).await,
            Self::Doctor(args) => Box::pin(args.run(context)).await,
            Self::Demo(args) => Box::pin(args.run(context)).await,
            Self::Simulate(args) => Box::pin(args.run(context)).await,
            Self::Completions(args) => args.run(context),
        }
    }

    /// The server that the command goes to; none where it asks a database, or nobody.
    fn remote(&self, context: &Context) -> anyhow::Result<Option<Remote>> {
        let alone = match self {
            // What the program knows by itself, and what makes something on this machine.
            Self::C1z(_) | Self::Config(_) | Self::Demo(_) | Self::Simulate(_) | Self::Completions(_) => true,
            Self::Rules(args) => args.is_alone(),
            Self::Serve(_) => !context.config.server_by_flag(),
            _ => false,
        };
        if alone { Ok(None) } else { Remote::of(context) }
    }

    /// Runs it through a server.
    async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self {
            Self::Access(args) => args.through(context, remote).await,
            Self::Grants(args) => args.through(context, remote).await,
            Self::List(args) => args.through(context, remote).await,
            Self::People(args) => args.through(context, remote).await,
            Self::Query(args) => args.through(context, remote).await,
            Self::Questions(args) => args.through(context, remote).await,
            Self::Findings(args) => args.through(context, remote).await,
            Self::Rules(args) => args.through(context, remote).await,
            Self::Changes(args) => args.through(context, remote).await,
            Self::Channels(args) => args.through(context, remote).await,
            Self::Syncs(args) => args.through(context, remote).await,
            Self::Webhooks(args) => args.through(context, remote).await,
            Self::Connectors(args) => args.through(context, remote).await,
            Self::Jobs(args) => args.through(context, remote).await,
            Self::Export(args) => args.through(context, remote).await,
            Self::Grant(args) => args.through(context, remote, "grant").await,
            Self::Revoke(args) => args.through(context, remote, "revoke").await,
            Self::RemovePerson(args) => args.through(context, remote).await,
            Self::Plans(args) => args.through(context, remote).await,
            Self::Apply(args) => args.through(context, remote).await,
            Self::KillSwitch(args) => args.through(context, remote).await,
            Self::Protect(args) => args.through(context, remote).await,
            Self::Audit(args) => args.through(context, remote).await,
            Self::Token(args) => args.through(context, remote).await,
            Self::Accounts(args) => args.through(context, remote).await,
            Self::Sync(_) => {
                Err(nowhere("sync").hint("`metsuke connectors sync NAME` asks the server for a sync").into())
            }
            Self::Import(args) => args.through(context, remote).await,
            Self::Jupiterone(args) => args.through(context, remote).await,
            Self::Doctor(args) => args.through(context, remote).await,
            Self::Prune(args) => args.through(context, remote).await,
            Self::Backup(args) => args.through(context, remote).await,
            Self::Serve(_) => Err(nowhere("serve").into()),
            Self::Restore(_) => {
                let hint = "a restore replaces what a server works on, and the trail of what was done through it; \
                            stop the server, and run it where the database is";
                Err(nowhere("restore").hint(hint).into())
            }
            Self::C1z(_) | Self::Config(_) | Self::Demo(_) | Self::Simulate(_) | Self::Completions(_) => {
                Err(nowhere("this command").into())
            }
        }
    }
}
