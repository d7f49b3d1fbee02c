//! `metsuke kill-switch` and `metsuke protect`.

use metsuke_clients::server::Content;
use metsuke_model::HerokuId;
use metsuke_model::audit::EventCode;
use metsuke_model::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::operator::operator;
use crate::remote::Remote;
use crate::rows::{self, Cell, Column};

/// Stop every write to Heroku, or allow them again
///
/// It works on all processes that share the database, within a second. A file does the same for one machine; see
/// --kill-switch-file.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke kill-switch on
  metsuke kill-switch show --format json")]
pub(crate) struct KillSwitchArgs {
    #[command(subcommand)]
    command: KillSwitch,
}

#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum KillSwitch {
    /// No write is sent from now on
    On,
    /// Writes are allowed again, as far as they were
    Off,
    /// Tell whether it is on
    Show,
}

/// Protect people from every change through Metsuke
///
/// For accounts that must work when nothing else does. Each change of the list is recorded in the audit trail.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke protect add break-glass@example.com
  metsuke protect list")]
pub(crate) struct ProtectArgs {
    #[command(subcommand)]
    command: Protect,
}

#[derive(Debug, clap::Subcommand)]
enum Protect {
    /// Protect somebody
    Add {
        /// The person's e-mail address or Heroku id
        #[arg(value_name = "EMAIL|ID")]
        person: String,
    },
    /// End a protection
    Remove {
        /// The person's e-mail address or Heroku id
        #[arg(value_name = "EMAIL|ID")]
        person: String,
    },
    /// List who is protected
    List,
}

/// Somebody who is protected.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    person: String,
    added_at: metsuke_model::Moment,
}

impl KillSwitchArgs {
    /// Turns or tells.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?.acting_as(operator());
        let on = match self.command {
            KillSwitch::Show => store.kill_switch().await?,
            KillSwitch::On => {
                store.set_kill_switch(true, store.event(SystemClock.now(), EventCode::KillSwitchOn)).await?;
                true
            }
            KillSwitch::Off => {
                store
                    .set_kill_switch(false, store.event(SystemClock.now(), EventCode::KillSwitchOff))
                    .await?;
                false
            }
        };
        tell(context, on)
    }
}

impl KillSwitchArgs {
    /// Turns or tells, at a server.
    ///
    /// # Errors
    ///
    /// What the server said.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let turned = |on: bool| Content::Json(json!({ "on": on, "connector": remote.connector() }));
        let told: Value = match self.command {
            KillSwitch::Show => remote.get(&["kill-switch"], remote.query(Vec::new())).await?,
            KillSwitch::On => remote.send("PUT", &["kill-switch"], Vec::new(), turned(true)).await?,
            KillSwitch::Off => remote.send("PUT", &["kill-switch"], Vec::new(), turned(false)).await?,
        };
        tell(context, told["on"] == true)
    }
}

fn tell(context: &Context, on: bool) -> anyhow::Result<Exit> {
    if context.output.format == Format::Table {
        let told = if on { "on: nothing is written to Heroku" } else { "off" };
        context.output.print(&format!("The kill switch is {told}.\n"))?;
    } else {
        context.output.document(&json!({ "kill_switch": on }))?;
    }
    Ok(Exit::Done)
}

impl ProtectArgs {
    /// Protects, ends a protection, or lists, at a server.
    ///
    /// # Errors
    ///
    /// What the server said.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let (person, told): (String, Value) = match self.command {
            Protect::List => {
                let mut lines: Vec<Line> = remote.all(&["protected"], Vec::new()).await?;
                lines.sort_by(|one, other| one.person.cmp(&other.person));
                // Several estates may name the same person.
                lines.dedup_by(|one, other| one.person == other.person);
                rows::write(context.output, PROTECTED, &lines)?;
                return Ok(Exit::Done);
            }
            Protect::Add { person } => {
                let body = json!({ "person": person, "connector": remote.connector() });
                let told = remote.post(&["protected"], body).await?;
                (person, told)
            }
            Protect::Remove { person } => {
                let of = remote.query(Vec::new());
                let told = remote.send("DELETE", &["protected", &person], of, Content::Nothing).await?;
                (person, told)
            }
        };
        if told["changed"] == false {
            let so = if told["protected"] == true { "is protected already" } else { "was not protected" };
            context.note(&format!("note: {person} {so}"));
        }
        Ok(Exit::Done)
    }

    /// Protects, ends a protection, or lists.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?.acting_as(operator());
        let now = SystemClock.now();
        let (person, add) = match self.command {
            Protect::Add { person } => (person, true),
            Protect::Remove { person } => (person, false),
            Protect::List => {
                let people = store.protected_principals().await?;
                let lines: Vec<Line> =
                    people.into_iter().map(|(person, added_at)| Line { person, added_at }).collect();
                rows::write(context.output, PROTECTED, &lines)?;
                return Ok(Exit::Done);
            }
        };
        let code =
            if add { EventCode::ProtectedPrincipalAdded } else { EventCode::ProtectedPrincipalRemoved };
        let event = store.event(now, code).detail("person", person.to_lowercase());
        if !store.protect(&person, add, now, event).await? {
            let so = if add { "is protected already" } else { "was not protected" };
            context.note(&format!("note: {person} {so}"));
        }
        if add && !person.contains('@') && store.ever_seen(&[HerokuId::new(&person)]).await?.is_empty() {
            context.note("note: no sync has ever named this id, so nobody can tell whose address it belongs to; protect the address as well");
        }
        Ok(Exit::Done)
    }
}

const PROTECTED: &[Column<Line>] = &[
    Column::new("person", "PERSON", |line| Cell::text(Some(&line.person))),
    Column::new("added_at", "SINCE (UTC)", |line| Cell::Time(Some(line.added_at))),
];
