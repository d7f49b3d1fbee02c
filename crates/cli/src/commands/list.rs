//! `metsuke list`: what a version holds, one line an object.
//!
//! The lines are made in the engine; here they get their columns.

use metsuke_engine::lists::{
    self, AddOnLine, AppLine, EnterpriseAccountLine, InvitationLine, TeamLine, UnresolvedLine, UserLine,
};
use metsuke_model::AsOf;
use metsuke_store::Snapshot;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Exit;
use crate::remote::{Remote, as_of, by_name, note_partial};
use crate::rows::{self, Cell, Column};

/// List what was read: users, teams, apps, Enterprise accounts, add-ons, invitations
///
/// Lists are sorted by name. `?` in a table, and null or nothing in the other formats, is what Heroku did not say.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke list apps
  metsuke list users --format csv > users.csv
  metsuke list users --without-second-factor
  metsuke list users --unresolved
  metsuke list teams --as-of 12")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
    /// The version to read: a number, a date or a time; by default the newest
    #[arg(long, global = true, value_name = "VERSION|TIME")]
    as_of: Option<AsOf>,
}

#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum What {
    /// People with a Heroku account, seen anywhere
    Users {
        /// Instead: member rows in which Heroku names no user, so that nobody knows who holds the role
        #[arg(long)]
        unresolved: bool,
        /// Only people without a second factor at Heroku and without an identity provider that asks for one
        #[arg(long, conflicts_with = "unresolved")]
        without_second_factor: bool,
    },
    /// Teams that the account can list
    Teams,
    /// Apps, of teams and of people
    Apps,
    /// Enterprise accounts
    EnterpriseAccounts,
    /// Add-ons, with the apps that they are attached to
    Addons,
    /// Pending invitations to teams: announced access, not access
    Invitations,
}

impl Args {
    /// Prints the list.
    ///
    /// # Errors
    ///
    /// What the database said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut snapshot = context.version(self.as_of).await?;
        let snapshot: &mut Snapshot = &mut snapshot;
        match self.what {
            What::Users { unresolved: true, .. } => {
                show(context, UNRESOLVED, &lists::unresolved(snapshot).await?, "member rows without a user")
            }
            What::Users { without_second_factor, .. } => {
                let mut users = lists::users(snapshot).await?;
                users.retain(|user| !without_second_factor || lacks_second_factor(user));
                show(context, USERS, &users, "such users")
            }
            What::Teams => show(context, TEAMS, &lists::teams(snapshot).await?, "teams"),
            What::Apps => show(context, APPS, &lists::apps(snapshot).await?, "apps"),
            What::EnterpriseAccounts => {
                let accounts = lists::enterprise_accounts(snapshot).await?;
                show(context, ENTERPRISE_ACCOUNTS, &accounts, "Enterprise accounts")
            }
            What::Addons => show(context, ADDONS, &lists::addons(snapshot).await?, "add-ons"),
            What::Invitations => {
                show(context, INVITATIONS, &lists::invitations(snapshot).await?, "pending invitations")
            }
        }
    }
}

impl Args {
    /// Prints the list that a server has.
    ///
    /// # Errors
    ///
    /// What the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        note_partial(context, remote, self.as_of).await?;
        let of = || as_of("as_of", self.as_of);
        match self.what {
            What::Users { unresolved: true, .. } => {
                let lines = remote.all(&["unresolved-members"], of()).await?;
                let lines = by_name(lines, |line: &UnresolvedLine| (line.team.as_deref(), &line.id));
                show(context, UNRESOLVED, &lines, "member rows without a user")
            }
            What::Users { without_second_factor, .. } => {
                let mut users = remote.all(&["people"], of()).await?;
                users.retain(|user| !without_second_factor || lacks_second_factor(user));
                let users = by_name(users, |line| (line.email.as_deref(), &line.id));
                show(context, USERS, &users, "such users")
            }
            What::Teams => {
                let lines = remote.all(&["teams"], of()).await?;
                let lines = by_name(lines, |line: &TeamLine| (line.name.as_deref(), &line.id));
                show(context, TEAMS, &lines, "teams")
            }
            What::Apps => {
                let lines = remote.all(&["apps"], of()).await?;
                let lines = by_name(lines, |line: &AppLine| (line.name.as_deref(), &line.id));
                show(context, APPS, &lines, "apps")
            }
            What::EnterpriseAccounts => {
                let lines = remote.all(&["enterprise-accounts"], of()).await?;
                let lines = by_name(lines, |line: &EnterpriseAccountLine| (line.name.as_deref(), &line.id));
                show(context, ENTERPRISE_ACCOUNTS, &lines, "Enterprise accounts")
            }
            What::Addons => {
                let lines = remote.all(&["addons"], of()).await?;
                let lines = by_name(lines, |line: &AddOnLine| (line.name.as_deref(), &line.id));
                show(context, ADDONS, &lines, "add-ons")
            }
            What::Invitations => {
                let lines = remote.all(&["invitations"], of()).await?;
                let lines = by_name(lines, |line: &InvitationLine| (line.email.as_deref(), &line.id));
                show(context, INVITATIONS, &lines, "pending invitations")
            }
        }
    }
}

/// Whether nobody asks the person for a second factor, as far as Heroku shows it.
pub(crate) fn lacks_second_factor(user: &UserLine) -> bool {
    user.two_factor == Some(false) && user.federated != Some(true)
}

fn show<T: Serialize>(
    context: &Context,
    columns: &'static [Column<T>],
    lines: &[T],
    what: &str,
) -> anyhow::Result<Exit> {
    if lines.is_empty() {
        context.note(&format!("note: there are no {what} in this version"));
    }
    rows::write(context.output, columns, lines)?;
    Ok(Exit::Done)
}

/// The columns of a person.
pub(crate) const USERS: &[Column<UserLine>] = &[
    Column::csv("id", |line| Cell::text(Some(&line.id))),
    Column::new("email", "E-MAIL", |line| Cell::text(line.email.as_deref())),
    Column::new("name", "NAME", |line| Cell::text(line.name.as_deref())),
    Column::new("two_factor", "SECOND FACTOR", |line| Cell::Flag(line.two_factor)),
    Column::new("federated", "FEDERATED", |line| Cell::Flag(line.federated)),
    Column::new("last_login", "LAST SIGN-IN (UTC)", |line| Cell::Time(line.last_login)),
    Column::csv("own_account", |line| Cell::Flag(Some(line.own_account))),
];

const UNRESOLVED: &[Column<UnresolvedLine>] = &[
    Column::new("id", "ROW", |line| Cell::text(Some(&line.id))),
    Column::new("email", "E-MAIL", |line| Cell::text(line.email.as_deref())),
    Column::new("team", "TEAM", |line| Cell::text(line.team.as_deref())),
    Column::csv("team_id", |line| Cell::text(line.team_id.as_ref())),
    Column::new("role", "ROLE", |line| Cell::text(Some(&line.role))),
];

const TEAMS: &[Column<TeamLine>] = &[
    Column::csv("id", |line| Cell::text(Some(&line.id))),
    Column::new("name", "TEAM", |line| Cell::text(line.name.as_deref())),
    Column::new("type", "TYPE", |line| Cell::text(line.team_type.as_deref())),
    Column::new("enterprise_account", "ENTERPRISE ACCOUNT", |line| {
        Cell::text(line.enterprise_account.as_deref())
    }),
    Column::csv("enterprise_account_id", |line| Cell::text(line.enterprise_account_id.as_ref())),
    Column::new("people", "PEOPLE", |line| Cell::Count(line.people)),
    Column::new("apps", "APPS", |line| Cell::Count(line.apps)),
    Column::new("created_at", "MADE (UTC)", |line| Cell::Time(line.created_at)),
];

const APPS: &[Column<AppLine>] = &[
    Column::csv("id", |line| Cell::text(Some(&line.id))),
    Column::new("name", "APP", |line| Cell::text(line.name.as_deref())),
    Column::new("team", "TEAM", |line| Cell::text(line.team.as_deref())),
    Column::csv("team_id", |line| Cell::text(line.team_id.as_ref())),
    Column::new("owner", "OWNER", |line| Cell::text(line.owner.as_deref())),
    Column::csv("owner_id", |line| Cell::text(line.owner_id.as_ref())),
    Column::new("space", "SPACE", |line| Cell::text(line.space.as_deref())),
    Column::new("locked", "LOCKED", |line| Cell::Flag(line.locked)),
    Column::csv("maintenance", |line| Cell::Flag(line.maintenance)),
    Column::new("addons", "ADD-ONS", |line| Cell::Count(line.addons)),
    Column::csv("created_at", |line| Cell::Time(line.created_at)),
    Column::new("released_at", "DEPLOYED (UTC)", |line| Cell::Time(line.released_at)),
    Column::csv("archived_at", |line| Cell::Time(line.archived_at)),
];

const ENTERPRISE_ACCOUNTS: &[Column<EnterpriseAccountLine>] = &[
    Column::csv("id", |line| Cell::text(Some(&line.id))),
    Column::new("name", "ENTERPRISE ACCOUNT", |line| Cell::text(line.name.as_deref())),
    Column::new("people", "PEOPLE", |line| Cell::Count(line.people)),
    Column::new("teams", "TEAMS", |line| Cell::Count(line.teams)),
    Column::new("created_at", "MADE (UTC)", |line| Cell::Time(line.created_at)),
];

const ADDONS: &[Column<AddOnLine>] = &[
    Column::csv("id", |line| Cell::text(Some(&line.id))),
    Column::new("name", "ADD-ON", |line| Cell::text(line.name.as_deref())),
    Column::new("service", "SERVICE", |line| Cell::text(line.service.as_deref())),
    Column::new("app", "APP", |line| Cell::text(line.app.as_deref())),
    Column::csv("app_id", |line| Cell::text(line.app_id.as_ref())),
    Column::new("team", "TEAM", |line| Cell::text(line.team.as_deref())),
    Column::new("attached_to", "ATTACHED TO", |line| {
        Cell::text((!line.attached_to.is_empty()).then(|| line.attached_to.join(" ")))
    }),
    Column::csv("created_at", |line| Cell::Time(line.created_at)),
];

const INVITATIONS: &[Column<InvitationLine>] = &[
    Column::csv("id", |line| Cell::text(Some(&line.id))),
    Column::new("email", "PENDING INVITATION OF", |line| Cell::text(line.email.as_deref())),
    Column::new("team", "TEAM", |line| Cell::text(line.team.as_deref())),
    Column::csv("team_id", |line| Cell::text(line.team_id.as_ref())),
    Column::new("role", "ROLE", |line| Cell::text(Some(&line.role))),
    Column::new("invited_by", "INVITED BY", |line| Cell::text(line.invited_by.as_deref())),
    Column::new("created_at", "SENT (UTC)", |line| Cell::Time(line.created_at)),
];
