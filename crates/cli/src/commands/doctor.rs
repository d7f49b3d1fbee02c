//! `metsuke doctor`: whether token, account, budget and database are fit for a sync, what to do if not, and whether
//! Metsuke may write.
//!
//! It reads a handful of first pages and writes nothing.
//!
//! Invariant: every line says ok, warn or fail; only a failure makes the exit code 1.

mod database;
mod heroku;
mod writes;

use serde::Serialize;

use crate::args::{Format, HerokuArgs};
use crate::context::Context;
use crate::failure::{self, Exit};
use crate::rows::{self, Cell, Column};
use crate::text::{paragraph, shown};

/// Check token, scope, account, budget and database
///
/// Uses at most six requests, and tells what the token can read, how to make a better one, what a sync would meet,
/// and whether Metsuke may write to Heroku. Exits with 1 when something fails.
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

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// Fit.
    Ok,
    /// Fit, with something to know.
    Warn,
    /// Not fit.
    Fail,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One check.
#[derive(Clone, Debug, Serialize)]
struct Check {
    #[serde(rename = "check")]
    name: &'static str,
    status: Status,
    detail: String,
    hint: Option<String>,
}

impl Check {
    fn new(name: &'static str, status: Status, detail: impl Into<String>) -> Self {
        Self { name, status, detail: detail.into(), hint: None }
    }

    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, detail)
    }

    fn warn(check: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..Self::new(check, Status::Warn, detail) }
    }

    fn fail(check: &'static str, error: &anyhow::Error) -> Self {
        Self { hint: failure::hint(error), ..Self::new(check, Status::Fail, failure::message(error)) }
    }
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
        let failed = checks.iter().any(|check| check.status == Status::Fail);
        match context.output.format {
            Format::Table => context.output.print(&told(&checks, context.output.width()))?,
            _ => rows::write(context.output, COLUMNS, &checks)?,
        }
        Ok(if failed { Exit::Failure } else { Exit::Done })
    }
}

fn told(checks: &[Check], width: usize) -> String {
    let mut text = String::new();
    for Check { name, status, detail, hint } in checks {
        let line = format!("{:<4}  {name}: {}", status.as_str(), shown(detail));
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
    Column::new("check", "CHECK", |check| Cell::text(Some(check.name))),
    Column::new("status", "STATUS", |check| Cell::text(Some(check.status.as_str()))),
    Column::new("detail", "DETAIL", |check| Cell::text(Some(&check.detail))),
    Column::new("hint", "HINT", |check| Cell::text(check.hint.as_deref())),
];
