//! `metsuke grant`, `metsuke revoke` and `metsuke remove-person`.

use clap::ArgGroup;
use metsuke_clients::server::ServerError;
use metsuke_engine::access::provision::{Applied, Ask, On, Outcome, Planned, Provisioner, Refusal};
use metsuke_model::plan::Plan;
use metsuke_model::{Grant, SystemClock};
use serde_json::{Value as Json, json};

use super::options::{Teller, WriteArgs};
use super::report::{Answer, show_plan};
use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::operator::operating;
use crate::question::{agreed, can_ask};
use crate::remote::Remote;

const AFTER: &str = "With --format json, stdout is one object: {\"plan\": {\"id\", \"hash\", \"steps\"}, \"outcome\":
\"applied|planned|frozen|refused|unchanged|unknown\", \"grants_added\", \"grants_removed\", \"calls\", \"reason\"}.

Exit codes: 0 applied, planned or unchanged, 1 failed or not known, 2 wrong usage, 5 refused by a rule or frozen,
6 refused by Heroku.

Examples:
  metsuke grant --user ann@example.com --team core --role member --reason \"joins the team\"
  metsuke grant --user ann@example.com --app api --permission deploy --permission operate --yes
  metsuke revoke --user ann@example.com --app api --collaborator --plan-only
  metsuke remove-person ann@example.com";

/// Who gets or loses what.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("what").args(["team", "app"]).required(true))]
struct Target {
    /// The person's e-mail address or Heroku id
    #[arg(long, value_name = "EMAIL|ID")]
    user: String,
    /// The team, by name or id; with --role
    #[arg(long, value_name = "NAME", requires = "role")]
    team: Option<String>,
    /// The role: admin, member or viewer
    #[arg(long, value_name = "ROLE", requires = "team")]
    role: Option<String>,
    /// The app, by name or id; with --permission or --collaborator
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// A permission on the app: view, deploy, operate or manage; may be repeated
    #[arg(long, value_name = "P", requires = "app", num_args = 1.., value_delimiter = ',')]
    permission: Vec<String>,
    /// Being a collaborator of the app
    #[arg(long, requires = "app", conflicts_with = "permission")]
    collaborator: bool,
}

impl Target {
    fn on(&self) -> anyhow::Result<On> {
        match (&self.team, &self.role, &self.app) {
            (Some(team), Some(role), None) => Ok(On::Team { team: team.clone(), role: role.clone() }),
            (None, None, Some(app)) if self.collaborator || !self.permission.is_empty() => {
                Ok(On::App { app: app.clone(), permissions: self.permission.clone() })
            }
            _ => Err(crate::failure::Failure::usage("--app needs --permission P or --collaborator").into()),
        }
    }
}

/// How the plan is handled.
#[derive(Debug, clap::Args)]
struct Handling {
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Apply without asking
    #[arg(long, conflicts_with = "plan_only")]
    yes: bool,
    /// Store the plan and do nothing
    #[arg(long)]
    plan_only: bool,
}

/// Who gets or loses what, and how: `metsuke grant` and `metsuke revoke` take the same flags.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    handling: Handling,
    #[command(flatten)]
    write: WriteArgs,
}

/// Take everything that one person holds, everywhere, as one plan
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct RemovePersonArgs {
    /// The person's e-mail address or Heroku id
    #[arg(value_name = "EMAIL|ID")]
    user: String,
    #[command(flatten)]
    handling: Handling,
    #[command(flatten)]
    write: WriteArgs,
}

impl ChangeArgs {
    /// Grants.
    ///
    /// # Errors
    ///
    /// What kept it from being planned or applied.
    pub(crate) async fn grant(self, context: &Context) -> anyhow::Result<Exit> {
        let ask = Ask::Grant { on: self.target.on()?, user: self.target.user };
        change(context, ask, self.handling, &self.write).await
    }

    /// Revokes.
    ///
    /// # Errors
    ///
    /// What kept it from being planned or applied.
    pub(crate) async fn revoke(self, context: &Context) -> anyhow::Result<Exit> {
        let ask = Ask::Revoke { on: self.target.on()?, user: self.target.user };
        change(context, ask, self.handling, &self.write).await
    }
}

impl RemovePersonArgs {
    /// Removes.
    ///
    /// # Errors
    ///
    /// What kept it from being planned or applied.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        change(context, Ask::Remove { user: self.user }, self.handling, &self.write).await
    }
}

impl ChangeArgs {
    /// Grants or revokes through a server.
    ///
    /// # Errors
    ///
    /// What the server said.
    pub(crate) async fn through(
        self,
        context: &Context,
        remote: &Remote,
        action: &str,
    ) -> anyhow::Result<Exit> {
        let Target { user, team, role, app, permission, collaborator } = self.target;
        let ask = json!({
            "action": action, "user": user, "team": team, "role": role, "app": app,
            "permissions": permission, "collaborator": collaborator,
        });
        through(context, remote, ask, self.handling, &self.write).await
    }
}

impl RemovePersonArgs {
    /// Removes through a server.
    ///
    /// # Errors
    ///
    /// What the server said.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let ask = json!({ "action": "remove", "user": self.user });
        through(context, remote, ask, self.handling, &self.write).await
    }
}

/// Plans and applies through a server.
async fn through(
    context: &Context,
    remote: &Remote,
    mut ask: Json,
    handling: Handling,
    write: &WriteArgs,
) -> anyhow::Result<Exit> {
    ask["connector"] = json!(remote.connector());
    ask["reason"] = json!(handling.reason);
    let planned: Json = match remote.post(&["plans"], ask).await {
        Ok(planned) => planned,
        Err(error) => return refused(context, error),
    };
    if planned["outcome"] == "unchanged" {
        let why = planned["reason"].as_str().unwrap_or_default().to_owned();
        return Answer::unchanged(why).print(context);
    }
    let plan: Plan = serde_json::from_value(planned["plan"]["plan"].clone())?;
    if context.output.format == Format::Table {
        show_plan(context, &plan)?;
    }
    let wanted = handling.yes || (!handling.plan_only && can_ask() && agreed("Apply it?")?);
    if !wanted {
        return Answer::planned(&plan).print(context);
    }
    apply_through(context, remote, &plan, write.confirm_count).await
}

/// Applies a plan through a server.
pub(super) async fn apply_through(
    context: &Context,
    remote: &Remote,
    plan: &Plan,
    confirm_count: Option<usize>,
) -> anyhow::Result<Exit> {
    let body = json!({ "confirm_count": confirm_count });
    let told: Json = match remote.post(&["plans", &plan.id(), "apply"], body).await {
        Ok(told) => told,
        Err(error) => return refused(context, error),
    };
    let outcome = match told["outcome"].as_str() {
        Some("applied") => Outcome::Applied,
        Some("unchanged") => Outcome::Unchanged,
        Some("planned") => Outcome::NotSent,
        _ => Outcome::Unknown,
    };
    let text = |name: &str| told[name].as_str().map(ToOwned::to_owned);
    let grants = |name: &str| serde_json::from_value::<Vec<Grant>>(told[name].clone());
    let applied = Applied {
        outcome,
        added: grants("grants_added")?,
        removed: grants("grants_removed")?,
        calls: u32::try_from(told["calls"].as_u64().unwrap_or_default()).unwrap_or(u32::MAX),
        refused_with: None,
        reason: text("reason"),
        hint: text("hint"),
    };
    Answer::applied(plan, applied).print(context)
}

/// What a rule refused is an answer; everything else is a failure.
fn refused(context: &Context, error: anyhow::Error) -> anyhow::Result<Exit> {
    match error.downcast_ref::<ServerError>() {
        Some(ServerError::Refused(told)) if ["refused", "approval_needed"].contains(&&*told.code) => {
            let (reason, hint) = (told.message.clone(), told.hint.clone());
            Answer::refused(Refusal { rule: None, reason, hint }).print(context)
        }
        _ => Err(error),
    }
}

async fn change(context: &Context, ask: Ask, handling: Handling, write: &WriteArgs) -> anyhow::Result<Exit> {
    let (heroku, store, settings) = write.open(context).await?;
    let teller = Teller::new(context);
    let allowed = settings.allow_writes;
    let provisioner = Provisioner::new(&heroku, &store, settings, &SystemClock, &teller)?;
    let provisioner = provisioner.on_behalf_of(operating());
    let plan = match provisioner.plan(&ask, handling.reason.as_deref()).await? {
        Planned::Unchanged(why) => return Answer::unchanged(why).print(context),
        Planned::Refused(refusal) => return Answer::refused(refusal).print(context),
        Planned::Plan(plan) => plan,
    };
    let id = plan.id();
    if context.output.format == Format::Table {
        show_plan(context, &plan)?;
    }
    let wanted = handling.yes || (!handling.plan_only && allowed && can_ask() && agreed("Apply it?")?);
    if handling.plan_only || (!wanted && allowed) {
        return Answer::planned(&plan).print(context);
    }
    // Where writes are off, the refusal is told, and the plan stays.
    let applied: Applied = provisioner.apply(&id, write.confirm_count).await?;
    let steps_changed = applied.outcome == Outcome::Applied;
    tracing::debug!(plan = id, steps_changed, "applied");
    Answer::applied(&plan, applied).print(context)
}
