//! `metsuke findings ack`, `accept` and `reopen`: what somebody says of a finding.

use metsuke_engine::findings::{self, Refusal};
use metsuke_model::{Moment, SystemClock};
use metsuke_store::FindingRow;
use serde_json::{Value, json};

use super::show;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::remote::Remote;

/// Say that you have seen a finding
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke findings ack 12
  metsuke findings ack 12 --reason 'Bob is on call'")]
pub(super) struct AckArgs {
    /// Its number, or the beginning of its fingerprint
    #[arg(value_name = "FINDING")]
    finding: String,
    /// What there is to say of it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Take the risk of a finding until a moment, for a reason
///
/// It is open again when the moment comes. A moment is at most a year away.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke findings accept 12 --until 2027-01-31 --reason 'until the audit is over'")]
pub(super) struct AcceptArgs {
    /// Its number, or the beginning of its fingerprint
    #[arg(value_name = "FINDING")]
    finding: String,
    /// Until when: a day, or a time such as 2027-01-31T12:00:00Z
    #[arg(long, value_name = "DAY|TIME", value_parser = moment)]
    until: Moment,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Take back what was said of a finding
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke findings reopen 12")]
pub(super) struct ReopenArgs {
    /// Its number, or the beginning of its fingerprint
    #[arg(value_name = "FINDING")]
    finding: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

fn moment(text: &str) -> Result<Moment, String> {
    let day = || Moment::parse(&format!("{text}T00:00:00Z"));
    Moment::parse(text).or_else(day).ok_or_else(|| "write a day like 2027-01-31, or a time".to_owned())
}

/// That there is no such finding.
pub(super) fn missing(asked: &str) -> Failure {
    Failure::new(format!("there is no finding `{asked}`, or more than one begins so"))
        .hint("`metsuke findings list --all` lists them")
}

async fn done(
    context: &Context,
    asked: &str,
    store: &metsuke_store::Store,
    said: Result<FindingRow, Refusal>,
) -> anyhow::Result<Exit> {
    match said {
        Ok(row) => show::print(context, store, &row).await,
        Err(Refusal::Unknown) => Err(missing(asked).into()),
        Err(refusal) => Err(Failure::usage(refusal.to_string()).into()),
    }
}

/// Says something of a finding at a server.
async fn said(
    context: &Context,
    remote: &Remote,
    asked: &str,
    word: &str,
    body: Value,
) -> anyhow::Result<Exit> {
    let id = show::meant(remote, asked).await?;
    show::print_told(context, &remote.post(&["findings", &id, word], body).await?)
}

impl AckArgs {
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        said(context, remote, &self.finding, "acknowledge", json!({ "reason": self.reason })).await
    }

    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        let (person, reason) = (store.actor().name.to_string(), self.reason.as_deref());
        let said = findings::acknowledge(&store, &self.finding, Some(&person), reason, &SystemClock).await?;
        done(context, &self.finding, &store, said).await
    }
}

impl AcceptArgs {
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let body = json!({ "until": self.until, "reason": self.reason });
        said(context, remote, &self.finding, "accept", body).await
    }

    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        let person = store.actor().name.to_string();
        let until = (self.until, &*self.reason);
        let said = findings::accept(&store, &self.finding, Some(&person), until, &SystemClock).await?;
        done(context, &self.finding, &store, said).await
    }
}

impl ReopenArgs {
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        said(context, remote, &self.finding, "reopen", json!({ "reason": self.reason })).await
    }

    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        let (person, reason) = (store.actor().name.to_string(), self.reason.as_deref());
        let said = findings::reopen(&store, &self.finding, Some(&person), reason, &SystemClock).await?;
        done(context, &self.finding, &store, said).await
    }
}
