//! `metsuke doctor`: whether token, account, budget and database are fit for a sync, what to do if not, and whether
//! Metsuke may write.
//!
//! It reads a handful of first pages and writes nothing.
//!
//! Invariant: every line says ok, warn or fail; only a failure makes the exit code 1.

mod database;
mod heroku;
mod served;
mod writes;

use metsuke_clients::server::Content;
use metsuke_engine::desk::{Check, Fitness};
use serde::Deserialize;

use crate::args::{Format, HerokuArgs};
use crate::context::Context;
use crate::failure::{self, Exit, Failure};
use crate::remote::{Query, Remote};
use crate::rows::{self, Cell, Column};
use crate::text::{paragraph, shown};
pub(super) use served::Practice;

/// Check token, scope, account, budget and database
///
/// Uses at most six requests, and tells what the token can read, how to make a better one, what a sync would meet,
/// and whether Metsuke may write to Heroku. A server looks at all its connectors, or at that of --connector. Exits with 1
/// when something fails.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A good token: on an account of its own that signs in with password and second factor, not through
an identity provider, as admin of each team and with view on the Enterprise account, made with
  heroku authorizations:create --description metsuke --scope global

Examples:
  metsuke doctor
  metsuke doctor --token-file /run/secrets/heroku --format json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    heroku: HerokuArgs,
}

/// What is said of one thing.
fn checked(name: &'static str, status: Fitness, detail: impl Into<String>) -> Check {
    Check { connector: None, name: name.into(), status, detail: detail.into(), hint: None }
}

fn ok(name: &'static str, detail: impl Into<String>) -> Check {
    checked(name, Fitness::Ok, detail)
}

fn warn(name: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Check {
    Check { hint: Some(hint.into()), ..checked(name, Fitness::Warn, detail) }
}

fn fail(name: &'static str, error: &anyhow::Error) -> Check {
    Check { hint: failure::hint(error), ..checked(name, Fitness::Fail, failure::message(error)) }
}

impl Args {
    /// Checks everything and prints it.
    ///
    /// # Errors
    ///
    /// What writing to stdout met; what a check meets is a line of its own.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut checks = heroku::check(context, &self.heroku).await;
        let (held, store) = database::check(context).await;
        checks.extend(held);
        checks.extend(writes::check(context, store.as_ref()).await);
        print(context, &checks)
    }

    /// Has a server look at itself and at its connectors.
    ///
    /// # Errors
    ///
    /// [`Failure`] for a token or an address of this machine, which are not the server's; what the server said.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        if self.heroku.token_file.is_some() || self.heroku.heroku_url.is_some() {
            let told = "a server looks at its connectors, with their own tokens and addresses";
            return Err(Failure::usage(told).hint("name a connector with --connector").into());
        }
        let query = remote.query(Query::new());
        let Checks { data } = remote.patient().send("POST", &["doctor"], query, Content::Nothing).await?;
        print(context, &data)
    }
}

#[derive(Deserialize)]
struct Checks {
    data: Vec<Check>,
}

fn print(context: &Context, checks: &[Check]) -> anyhow::Result<Exit> {
    match context.output.format {
        Format::Table => context.output.print(&told(checks, context.output.width()))?,
        _ => rows::write(context.output, COLUMNS, checks)?,
    }
    let failed = checks.iter().any(|check| check.status == Fitness::Fail);
    Ok(if failed { Exit::Failure } else { Exit::Done })
}

fn told(checks: &[Check], width: usize) -> String {
    let mut text = String::new();
    for Check { connector, name, status, detail, hint } in checks {
        let of = connector.as_deref().map(|of| format!("{}, ", shown(of))).unwrap_or_default();
        let line = format!("{:<4}  {of}{}: {}", status.as_str(), shown(name), shown(detail));
        // The padding behind the status must survive the wrapping.
        text.push_str(&paragraph(&line.replace("  ", "\u{a0}\u{a0}"), 0, width).replace('\u{a0}', " "));
        text.push('\n');
        if let Some(hint) = hint {
            text.push_str(&paragraph(&format!("hint: {}", shown(hint)), 6, width));
            text.push('\n');
        }
    }
    text
}

const COLUMNS: &[Column<Check>] = &[
    Column::csv("connector", |check| Cell::text(check.connector.as_ref())),
    Column::new("check", "CHECK", |check| Cell::text(Some(&check.name))),
    Column::new("status", "STATUS", |check| Cell::text(Some(check.status.as_str()))),
    Column::new("detail", "DETAIL", |check| Cell::text(Some(&check.detail))),
    Column::new("hint", "HINT", |check| Cell::text(check.hint.as_deref())),
];
