//! `metsuke grants`: every grant of a version, one line each.
//!
//! Which grants there are is the engine's to say; this streams them in the format asked for.
//!
//! Invariant: lines are written as they come, so that millions of them need no memory.

use metsuke_engine::access::{GrantFilter, grants};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::{AsOf, Grant};

use crate::context::Context;
use crate::failure::Exit;
use crate::remote::{Remote, as_of, note_partial};
use crate::rows::{self, Cell, Column, Rows};
use crate::text::shown;

/// List grants: who holds which entitlement on what
///
/// One line for each principal, resource and entitlement. Without --effective only what Heroku has a row for;
/// with it, also what follows from roles and ownership, each with its shortest path. A pending invitation is a
/// line whose principal is the invitation; it gives no access.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Filters take names or ids. --team, --app and --enterprise-account are alternatives; --user and
--entitlement narrow them down.

Examples:
  metsuke grants --format jsonl > grants.jsonl
  metsuke grants --app billing-api --effective
  metsuke grants --entitlement admin --as-of 2026-11-01
  metsuke grants --user ann@example.com --effective --format csv"
)]
pub(crate) struct Args {
    /// Only what this person holds: e-mail address or id
    #[arg(long, value_name = "EMAIL|ID")]
    user: Option<String>,
    /// Only grants on this team itself
    #[arg(long, value_name = "NAME|ID")]
    team: Option<String>,
    /// Only grants on this app
    #[arg(long, value_name = "NAME|ID")]
    app: Option<String>,
    /// Only grants on this Enterprise account
    #[arg(long, value_name = "NAME|ID")]
    enterprise_account: Option<String>,
    /// Only this entitlement, as Heroku spells it: admin, member, view, deploy, …
    #[arg(long, value_name = "ENTITLEMENT")]
    entitlement: Option<String>,
    /// Also what follows from roles and ownership
    #[arg(long)]
    effective: bool,
    /// The version to read: a number, a date or a time; by default the newest
    #[arg(long, value_name = "VERSION|TIME")]
    as_of: Option<AsOf>,
}

impl Args {
    /// Streams the grants.
    ///
    /// # Errors
    ///
    /// What the database said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut snapshot = context.version(self.as_of).await?;
        let filter = GrantFilter {
            user: self.user,
            team: self.team,
            app: self.app,
            enterprise_account: self.enterprise_account,
            entitlement: self.entitlement,
            effective: self.effective,
        };
        let mut rows = Rows::begin(context.output, COLUMNS)?;
        grants(&mut snapshot, &filter, &mut |grant| rows.push(grant)).await??;
        rows.end()?;
        Ok(Exit::Done)
    }
}

impl Args {
    /// Prints the grants that a server has.
    ///
    /// # Errors
    ///
    /// What the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        note_partial(context, remote, self.as_of).await?;
        let mut query = as_of("as_of", self.as_of);
        let filters = [
            ("user", self.user),
            ("team", self.team),
            ("app", self.app),
            ("enterprise_account", self.enterprise_account),
            ("entitlement", self.entitlement),
        ];
        query.extend(filters.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let list = if self.effective { "access" } else { "grants" };
        let lines: Vec<Grant> = remote.all(&[list], query).await?;
        rows::write(context.output, COLUMNS, &lines)?;
        Ok(Exit::Done)
    }
}

/// The columns of a grant.
pub(crate) const COLUMNS: &[Column<Grant>] = &[
    Column::csv("principal_kind", |grant| Cell::text(Some(kind(grant)))),
    Column::csv("principal_id", |grant| Cell::text(Some(&grant.principal.id))),
    Column::csv("principal_email", |grant| Cell::text(grant.principal.email.as_deref())),
    Column::table("PRINCIPAL", |grant| Cell::text(Some(principal(grant)))),
    Column::new("entitlement", "ENTITLEMENT", |grant| Cell::text(Some(&grant.entitlement))),
    Column::new("resource_type", "ON", |grant| Cell::text(Some(grant.resource.resource_type.as_str()))),
    Column::csv("resource_id", |grant| Cell::text(Some(&grant.resource.id))),
    Column::new("resource_name", "RESOURCE", |grant| Cell::text(Some(&grant.resource.name))),
    Column::csv("direct", |grant| Cell::Flag(Some(grant.direct))),
    Column::table("HOW", |grant| Cell::text(Some(how(grant)))),
    Column::new("path", "PATH", |grant| Cell::text((!grant.path.is_empty()).then(|| path(grant)))),
];

fn kind(grant: &Grant) -> &'static str {
    match grant.principal.kind {
        PrincipalKind::User => "user",
        PrincipalKind::Invitation => "invitation",
    }
}

fn principal(grant: &Grant) -> String {
    grant.principal.email.as_deref().map_or_else(|| grant.principal.id.to_string(), str::to_owned)
}

fn how(grant: &Grant) -> &'static str {
    match (grant.principal.kind, grant.direct) {
        (PrincipalKind::Invitation, _) => "pending",
        (PrincipalKind::User, true) => "direct",
        (PrincipalKind::User, false) => "derived",
    }
}

/// The path in short: `admin of team core > deploy on app api`.
fn path(grant: &Grant) -> String {
    let step = |step: &metsuke_model::PathStep| {
        let (on, name) = (step.resource.resource_type.as_str(), shown(&step.resource.name));
        let word = if on == "app" && &*step.entitlement != "owner" { "on" } else { "of" };
        format!("{} {word} {} {name}", step.entitlement, on.replace('_', " "))
    };
    grant.path.iter().map(step).collect::<Vec<_>>().join(" > ")
}
