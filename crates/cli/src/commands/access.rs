//! `metsuke access`: what one person can do, or who can do what on one app, for a person to read.
//!
//! The answer is the engine's; here it becomes sentences, most telling first, data reach last.

mod app;
mod user;

use metsuke_engine::access::{AppAccess, Held, UserAccess, app_access, user_access};
use metsuke_engine::desk::SyncShown;
use metsuke_model::{AsOf, Grant, Principal, ResourceRef, ScopeReport, SyncStatus, Version};
use metsuke_store::SyncRow;
use serde::{Deserialize, Serialize};

use crate::args::Format;
use crate::commands::grants;
use crate::context::{Context, describe_gaps};
use crate::failure::Exit;
use crate::page::Page;
use crate::remote::{Remote, as_of};
use crate::rows;
use crate::text::{shown, time};

/// Show who can do what, and by what path
///
/// The answer names each path in a sentence: a role in the team, a grant on the app itself, ownership. It ends
/// with the add-ons whose credentials can be reached, and with the version that it was read from.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke access app billing-api
  metsuke access user ann@example.com
  metsuke access app billing-api --as-of 2026-11-01
  metsuke access user ann@example.com --format json")]
pub(crate) struct Args {
    #[command(subcommand)]
    of: Of,
}

#[derive(Debug, clap::Subcommand)]
enum Of {
    /// What one person can do, and why
    User {
        /// E-mail address, in any case, or id
        #[arg(value_name = "EMAIL|ID")]
        user: String,
        #[command(flatten)]
        how: How,
    },
    /// Who can do what on one app, and why
    App {
        /// Name or id
        #[arg(value_name = "NAME|ID")]
        app: String,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, clap::Args)]
struct How {
    /// The version to read: a number, a date or a time; by default the newest, complete or partial
    #[arg(long, value_name = "VERSION|TIME")]
    as_of: Option<AsOf>,
    /// A sentence for each person or app, instead of one for all that share a path
    #[arg(long)]
    all: bool,
}

impl Args {
    /// Answers.
    ///
    /// # Errors
    ///
    /// What the engine or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.of {
            Of::User { user, how } => answer_user(context, &user, &how).await?,
            Of::App { app, how } => answer_app(context, &app, &how).await?,
        }
        Ok(Exit::Done)
    }
}

/// Prints the answer for an app as the demo does: for people.
///
/// # Errors
///
/// As [`Args::run`].
pub(crate) async fn show_app(context: &Context, app: &str) -> anyhow::Result<()> {
    answer_app(context, app, &How { as_of: None, all: false }).await
}

/// Prints the answer for a person as the demo does.
///
/// # Errors
///
/// As [`Args::run`].
pub(crate) async fn show_user(context: &Context, user: &str) -> anyhow::Result<()> {
    answer_user(context, user, &How { as_of: None, all: false }).await
}

impl Args {
    /// Answers as a server does.
    ///
    /// # Errors
    ///
    /// What the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self.of {
            Of::User { user, how } => {
                let query = remote.query(as_of("as_of", how.as_of));
                let Read { version, access } = remote.get(&["people", &user, "access"], query).await?;
                let (sync, gaps) = read_in(remote, version).await?;
                tell_user(context, (&sync, &gaps), &access, &how)?;
            }
            Of::App { app, how } => {
                let query = remote.query(as_of("as_of", how.as_of));
                let Read { version, access } = remote.get(&["apps", &app, "access"], query).await?;
                let (sync, gaps) = read_in(remote, version).await?;
                tell_app(context, (&sync, &gaps), &access, &how)?;
            }
        }
        Ok(Exit::Done)
    }
}

/// An answer of a server.
#[derive(Deserialize)]
struct Read<A> {
    version: Version,
    #[serde(flatten)]
    access: A,
}

/// The sync that made a version, and what it lacks.
async fn read_in(remote: &Remote, version: Version) -> anyhow::Result<(SyncRow, Vec<ScopeReport>)> {
    let number = version.to_string();
    let SyncShown { sync, mut scopes, .. } =
        remote.get(&["syncs", &number], remote.query(Vec::new())).await?;
    scopes.retain(|scope| scope.gap && sync.status != SyncStatus::Complete);
    scopes.sort_by(|one, other| one.scope.cmp(&other.scope));
    let row = SyncRow {
        version: sync.version,
        status: sync.status,
        started_at: sync.started_at,
        finished_at: sync.finished_at,
        requests: sync.requests,
        waited_ms: sync.waited_ms,
        error: sync.error,
        counts: sync.counts,
        changes: sync.changes,
    };
    Ok((row, scopes))
}

async fn answer_app(context: &Context, app: &str, how: &How) -> anyhow::Result<()> {
    let (mut snapshot, gaps) = context.version_with_gaps(how.as_of).await?;
    let access = app_access(&mut snapshot, app).await?;
    tell_app(context, (snapshot.sync(), &gaps), &access, how)
}

fn tell_app(
    context: &Context,
    (sync, gaps): (&SyncRow, &[ScopeReport]),
    access: &AppAccess,
    how: &How,
) -> anyhow::Result<()> {
    let lines = || {
        let line = |principal: &Principal, held: &Held| line(principal, &access.app, held);
        let held = access
            .people
            .iter()
            .flat_map(|person| person.held.iter().map(|held| line(&person.principal, held)));
        held.chain(access.pending.iter().cloned()).collect()
    };
    let describe = |page: &mut Page| app::describe(page, access, how.all);
    print(context, sync, gaps, access, describe, lines)
}

async fn answer_user(context: &Context, user: &str, how: &How) -> anyhow::Result<()> {
    let (mut snapshot, gaps) = context.version_with_gaps(how.as_of).await?;
    let access = user_access(&mut snapshot, user).await?;
    tell_user(context, (snapshot.sync(), &gaps), &access, how)
}

fn tell_user(
    context: &Context,
    (sync, gaps): (&SyncRow, &[ScopeReport]),
    access: &UserAccess,
    how: &How,
) -> anyhow::Result<()> {
    let lines = || {
        let line = |app: &ResourceRef, held: &Held| line(&access.principal, app, held);
        let held = access.apps.iter().flat_map(|app| app.held.iter().map(|held| line(&app.app, held)));
        access.roles.iter().cloned().chain(held).chain(access.pending.iter().cloned()).collect()
    };
    let describe = |page: &mut Page| user::describe(page, access, how.all);
    print(context, sync, gaps, access, describe, lines)
}

fn print(
    context: &Context,
    sync: &SyncRow,
    gaps: &[ScopeReport],
    answer: &impl Serialize,
    describe: impl Fn(&mut Page),
    lines: impl Fn() -> Vec<Grant>,
) -> anyhow::Result<()> {
    let output = context.output;
    if output.format != Format::Table {
        context.note_gaps(sync, gaps);
    }
    match output.format {
        Format::Table => {
            let mut page = Page::new(output);
            describe(&mut page);
            page.line("");
            page.say(&footer(sync, gaps), 0);
            output.print(&page.into_text())?;
        }
        Format::Json | Format::Jsonl => output.document(answer)?,
        Format::Csv => rows::write(output, grants::COLUMNS, &lines())?,
    }
    Ok(())
}

/// Which version an answer is from, and how far it can be trusted.
fn footer(sync: &SyncRow, gaps: &[ScopeReport]) -> String {
    let version = format!("Version {}, read {} UTC", sync.version, time(sync.finished_at));
    match sync.status {
        SyncStatus::Complete => format!("{version}: complete."),
        SyncStatus::Partial => {
            format!(
                "{version}: partial, so there may be more than is told here. {}.",
                describe_gaps(gaps, 10)
            )
        }
        SyncStatus::Quarantined | SyncStatus::Failed => format!("{version}: {}.", sync.status.as_str()),
    }
}

fn line(principal: &Principal, app: &ResourceRef, held: &Held) -> Grant {
    Grant {
        principal: principal.clone(),
        resource: app.clone(),
        entitlement: held.entitlement.clone(),
        direct: held.direct,
        path: held.path.clone(),
    }
}

/// What people call a principal: the e-mail address, or the id where there is none.
fn called(principal: &Principal) -> String {
    let name = principal.email.as_deref().map_or_else(|| principal.id.to_string(), str::to_owned);
    shown(&name).into_owned()
}

/// What a pending invitation announces.
fn pending(invitation: &Grant) -> String {
    format!(
        "{} has a pending invitation to team `{}` as {}: no access before it is accepted",
        called(&invitation.principal),
        shown(&invitation.resource.name),
        shown(&invitation.entitlement),
    )
}
