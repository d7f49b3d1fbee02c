//! `metsuke people list` and `metsuke people unmatched`.
//!
//! The lines are made in the engine; here they get their columns.

use metsuke_engine::desk::OpenLine;
use metsuke_engine::people::{self, EmployeeLine};

use crate::context::Context;
use crate::failure::Exit;
use crate::remote::Remote;
use crate::rows::{self, Cell, Column};

/// List the people of the rosters with their accounts
///
/// Whom a roster says to be not active, or names no more, has left; they stay in the list.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke people list
  metsuke people list --leavers --format csv > leavers.csv")]
pub(super) struct ListArgs {
    /// Only people who left and still have a Heroku account
    #[arg(long)]
    leavers: bool,
    /// Only active people without a Heroku account
    #[arg(long, conflicts_with = "leavers")]
    unmatched: bool,
}

/// List accounts of which it is not known whose they are, and people without an account
///
/// Accounts come first, those with somebody whom they may belong to at the top. `metsuke people match` settles one.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke people unmatched
  metsuke people unmatched --format json")]
pub(super) struct UnmatchedArgs {}

impl ListArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        let mut lines = people::directory(&store).await?.employees;
        if lines.is_empty() {
            context.note(NO_ROSTER);
        }
        lines.retain(|line| !self.leavers || line.is_leaver_with_account());
        lines.retain(|line| !self.unmatched || line.is_without_account());
        rows::write(context.output, PEOPLE, &lines)?;
        Ok(Exit::Done)
    }
}

impl UnmatchedArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        let directory = people::directory(&store).await?;
        if !directory.has_roster {
            context.note(NO_ROSTER);
        }
        let mut lines: Vec<OpenLine> = directory.open.iter().map(OpenLine::from).collect();
        lines.extend(directory.without_account().map(OpenLine::from));
        rows::write(context.output, OPEN, &lines)?;
        Ok(Exit::Done)
    }
}

impl ListArgs {
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let mut query = Vec::new();
        query.extend(self.leavers.then(|| ("leavers", "true".to_owned())));
        query.extend(self.unmatched.then(|| ("unmatched", "true".to_owned())));
        let lines: Vec<EmployeeLine> = remote.all(&["employees"], query).await?;
        rows::write(context.output, PEOPLE, &lines)?;
        Ok(Exit::Done)
    }
}

impl UnmatchedArgs {
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let lines: Vec<OpenLine> = remote.all(&["employees", "unmatched"], Vec::new()).await?;
        rows::write(context.output, OPEN, &lines)?;
        Ok(Exit::Done)
    }
}

const NO_ROSTER: &str = "note: there is no roster; `metsuke people import` brings one";

fn may_be(line: &OpenLine) -> Option<String> {
    let told = line.candidates.iter().map(|one| {
        let name = one.email.as_ref().unwrap_or(&one.name);
        if one.active { name.to_string() } else { format!("{name} (left)") }
    });
    (!line.candidates.is_empty()).then(|| told.collect::<Vec<_>>().join(", "))
}

const OPEN: &[Column<OpenLine>] = &[
    Column::new("what", "WHAT", |line| Cell::text(Some(&line.what))),
    Column::csv("id", |line| Cell::text(Some(&line.id))),
    Column::csv("email", |line| Cell::text(line.email.as_deref())),
    Column::table("E-MAIL OR ID", |line| Cell::text(Some(line.email.as_deref().unwrap_or(&line.id)))),
    Column::new("name", "NAME", |line| Cell::text(line.name.as_deref())),
    Column::new("unsure_by", "NOT CERTAIN BY", |line| Cell::text(line.unsure_by.as_deref())),
    Column::table("MAY BE", |line| Cell::text(may_be(line))),
    Column::csv("candidates", |line| {
        let keys: Vec<&str> = line.candidates.iter().map(|one| &*one.key).collect();
        Cell::text((!keys.is_empty()).then(|| keys.join(" ")))
    }),
];

const PEOPLE: &[Column<EmployeeLine>] = &[
    Column::csv("key", |line| Cell::text(Some(&line.key))),
    Column::new("name", "NAME", |line| Cell::text(Some(&line.name))),
    Column::csv("first_name", |line| Cell::text(line.first_name.as_deref())),
    Column::csv("last_name", |line| Cell::text(line.last_name.as_deref())),
    Column::table("E-MAIL", |line| Cell::text(line.emails.first())),
    Column::csv("emails", |line| joined(&line.emails)),
    Column::csv("aliases", |line| joined(&line.aliases)),
    Column::csv("username", |line| Cell::text(line.username.as_deref())),
    Column::new("title", "TITLE", |line| Cell::text(line.title.as_deref())),
    Column::new("department", "DEPARTMENT", |line| Cell::text(line.department.as_deref())),
    Column::csv("manager_email", |line| Cell::text(line.manager_email.as_deref())),
    Column::csv("employee_id", |line| Cell::text(line.employee_id.as_deref())),
    Column::csv("employee_type", |line| Cell::text(line.employee_type.as_deref())),
    Column::new("active", "ACTIVE", |line| Cell::Flag(Some(line.active))),
    Column::csv("missing_since", |line| Cell::Time(line.missing_since)),
    Column::new("roster", "ROSTER", |line| Cell::text(Some(&line.roster))),
    Column::new("accounts", "ACCOUNTS", |line| accounts(line, |account| account.email.as_deref())),
    Column::new("matched_by", "MATCHED BY", |line| accounts(line, |account| account.matched_by.as_deref())),
    Column::csv("account_ids", |line| {
        let ids: Vec<String> = line.accounts.iter().map(|account| account.id.to_string()).collect();
        Cell::text((!ids.is_empty()).then(|| ids.join(" ")))
    }),
];

fn joined(list: &[Box<str>]) -> Cell {
    Cell::text((!list.is_empty()).then(|| list.join(";")))
}

fn accounts(line: &EmployeeLine, text: fn(&people::AccountOf) -> Option<&str>) -> Cell {
    let told: Vec<&str> = line.accounts.iter().map(|account| text(account).unwrap_or("-")).collect();
    Cell::text((!told.is_empty()).then(|| told.join(" ")))
}
