//! `metsuke people match` and `metsuke people unmatch`: what the operator says of an account.

use metsuke_clients::server::Content;
use metsuke_engine::people;
use metsuke_model::SystemClock;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Exit;
use crate::remote::Remote;
use crate::text::shown;

/// Say whose an account is, or that it is nobody's
///
/// What is said here beats every rule and stays, whatever syncs and rosters bring. Each change is recorded in the audit
/// trail.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke people match bob@home.example 4711
  metsuke people match bob@home.example bob@example.com
  metsuke people match deploy-bot@example.com --nobody")]
pub(super) struct MatchArgs {
    /// The account's e-mail address or Heroku id
    #[arg(value_name = "USER")]
    account: String,
    /// The person's key, employee id, e-mail address, user name or alias
    #[arg(value_name = "EMPLOYEE", required_unless_present = "nobody", conflicts_with = "nobody")]
    employee: Option<String>,
    /// It is no person's: a service account
    #[arg(long)]
    nobody: bool,
}

/// Take back what was said of an account, so that the rules decide again
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke people unmatch bob@home.example")]
pub(super) struct UnmatchArgs {
    /// The account's e-mail address or Heroku id
    #[arg(value_name = "USER")]
    account: String,
}

impl MatchArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        if !people::assign(&store, &self.account, self.employee.as_deref(), &SystemClock).await? {
            context.note(&format!("note: that was said of {} already", shown(&self.account)));
        }
        Ok(Exit::Done)
    }
}

impl MatchArgs {
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let body = json!({
            "employee": self.employee, "nobody": self.nobody, "connector": remote.connector(),
        });
        let path = ["people", &self.account, "employee"];
        let told: Value = remote.send("PUT", &path, Vec::new(), Content::Json(body)).await?;
        if told["changed"] == false {
            context.note(&format!("note: that was said of {} already", shown(&self.account)));
        }
        Ok(Exit::Done)
    }
}

impl UnmatchArgs {
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let (path, of) = (["people", &self.account, "employee"], remote.query(Vec::new()));
        let told: Value = remote.send("DELETE", &path, of, Content::Nothing).await?;
        if told["changed"] == false {
            context.note(&format!("note: nothing was said of {}", shown(&self.account)));
        }
        Ok(Exit::Done)
    }

    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        if !people::unassign(&store, &self.account, &SystemClock).await? {
            context.note(&format!("note: nothing was said of {}", shown(&self.account)));
        }
        Ok(Exit::Done)
    }
}
