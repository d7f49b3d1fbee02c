//! `metsuke people`: rosters, and whose account is whose.
//!
//! Reading rosters and matching are the engine's; here are files, flags and tables.

mod import;
mod list;
mod matching;

use crate::context::Context;
use crate::failure::Exit;
use crate::remote::Remote;

/// Map Heroku accounts to the people of the company
///
/// A roster names the people of the company: a CSV file, a SCIM 2.0 document, or a server that answers as Okta's users
/// API does. Each Heroku account is matched with a person by e-mail address, alias, user name and name, in this order,
/// after every import and every sync. What is not certain is not matched but listed, and what is said by hand stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke people import staff.csv
  metsuke people fetch https://example.okta.com --token-file /run/secrets/okta
  metsuke people list --leavers
  metsuke people unmatched
  metsuke people match bob@home.example 4711
  metsuke people match deploy-bot@example.com --nobody")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Import(import::ImportArgs),
    Fetch(import::FetchArgs),
    List(list::ListArgs),
    Unmatched(list::UnmatchedArgs),
    Match(matching::MatchArgs),
    Unmatch(matching::UnmatchArgs),
}

impl Args {
    /// Imports, lists or matches at a server.
    ///
    /// # Errors
    ///
    /// What the file, the server or stdout said.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self.command {
            Command::Import(args) => args.through(context, remote).await,
            Command::Fetch(args) => args.through(context, remote).await,
            Command::List(args) => args.through(context, remote).await,
            Command::Unmatched(args) => args.through(context, remote).await,
            Command::Match(args) => args.through(context, remote).await,
            Command::Unmatch(args) => args.through(context, remote).await,
        }
    }

    /// Imports, lists or matches.
    ///
    /// # Errors
    ///
    /// What the file, the server, the database or stdout said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.command {
            Command::Import(args) => args.run(context).await,
            Command::Fetch(args) => args.run(context).await,
            Command::List(args) => args.run(context).await,
            Command::Unmatched(args) => args.run(context).await,
            Command::Match(args) => args.run(context).await,
            Command::Unmatch(args) => args.run(context).await,
        }
    }
}
