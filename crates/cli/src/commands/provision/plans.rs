//! `metsuke plans` and `metsuke apply`.

mod through;

use std::fmt::Write as _;

use metsuke_engine::EngineError;
use metsuke_engine::access::provision::{Provisioner, approve, cancel};
use metsuke_engine::desk::{ApprovalShown, PlanLine};
use metsuke_model::SystemClock;
use metsuke_model::approval::Demand;
use metsuke_model::plan::{PlanStatus, StepStatus};
use metsuke_store::{PlanRow, Store};
use serde::Serialize;

use super::options::{Teller, WriteArgs};
use super::report::{Answer, Told, show_plan, told_approval};
use crate::args::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::operator::{operating, operator};
use crate::question::{agreed, can_ask};
use crate::rows::{self, Cell, Column};
use crate::text::shown;

/// Apply a stored plan, or go on with one that was interrupted
///
/// The plan must still fit what Heroku holds. What an earlier process left open is settled first, by reading.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 applied or unchanged, 1 failed or not known, 5 refused by a rule or frozen,
6 refused by Heroku.

Examples:
  metsuke apply 3f2a9c01d4e7
  metsuke apply 3f2a9c01d4e7 --confirm-count 12"
)]
pub(crate) struct ApplyArgs {
    /// The plan's id, or its beginning
    #[arg(value_name = "ID")]
    id: String,
    /// Apply without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    write: WriteArgs,
}

/// List the plans, newest first
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  metsuke plans
  metsuke plans show 3f2a9c01d4e7
  metsuke plans approve 3f2a9c01d4e7
  metsuke plans cancel 3f2a9c01d4e7 --reason 'asked for by mistake'
  metsuke plans reconcile"
)]
pub(crate) struct PlansArgs {
    #[command(subcommand)]
    command: Option<PlansCommand>,
    /// The most to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
}

#[derive(Debug, clap::Subcommand)]
enum PlansCommand {
    /// One plan: its steps, what they do, and how far it came
    Show {
        /// The plan's id, or its beginning
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Approve a plan that somebody else has asked for, by its hash; nothing is sent
    Approve {
        /// The plan's id, or its beginning
        #[arg(value_name = "ID")]
        id: String,
        /// The whole hash of what is approved; without it, what is shown
        #[arg(long, value_name = "HASH")]
        hash: Option<String>,
        /// Approve without asking
        #[arg(long)]
        yes: bool,
    },
    /// Call a plan off, so that nobody applies it any more; nothing is sent, and what was done of it stays
    Cancel {
        /// The plan's id, or its beginning
        #[arg(value_name = "ID")]
        id: String,
        /// Why, for the audit trail and whoever looks at the plan
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Settle what interrupted plans left open, by reading Heroku; nothing is sent
    Reconcile(Box<WriteArgs>),
}

/// One plan with how far its steps came.
#[derive(Debug, Serialize)]
struct Shown<'p> {
    plan: Told<'p>,
    status: PlanStatus,
    reason: Option<&'p str>,
    approval: &'p ApprovalShown,
    progress: Vec<Progress<'p>>,
}

#[derive(Debug, Serialize)]
struct Progress<'p> {
    step: u32,
    status: StepStatus,
    attempts: u32,
    http_status: Option<u16>,
    request_id: Option<&'p str>,
    told: Option<&'p str>,
}

impl ApplyArgs {
    /// Applies.
    ///
    /// # Errors
    ///
    /// What kept it from being applied.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let (heroku, store, settings) = self.write.open(context).await?;
        let row = find(&store, &self.id).await?;
        if context.output.format == Format::Table {
            show_plan(context, &row.plan)?;
        }
        let said = self.yes || self.write.confirm_count.is_some();
        if !said && can_ask() && !agreed("Apply it?")? {
            return Answer::planned(&row.plan).print(context);
        }
        let teller = Teller::new(context);
        let provisioner = Provisioner::new(&heroku, &store, settings, &SystemClock, &teller)?;
        let provisioner = provisioner.on_behalf_of(operating());
        let applied = provisioner.apply(&row.id, self.write.confirm_count).await?;
        Answer::applied(&row.plan, applied).print(context)
    }
}

impl PlansArgs {
    /// Lists, shows or settles.
    ///
    /// # Errors
    ///
    /// What the database or Heroku said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.command {
            None => {
                let (store, demand) = opened(context).await?;
                let plans = store.plans(self.limit).await?;
                let lines: Vec<PlanLine> = plans.into_iter().map(|row| PlanLine::of(row, demand)).collect();
                rows::write(context.output, PLANS, &lines)?;
                Ok(Exit::Done)
            }
            Some(PlansCommand::Show { id }) => {
                let (store, demand) = opened(context).await?;
                show(context, &find(&store, &id).await?, demand)
            }
            Some(PlansCommand::Approve { id, hash, yes }) => {
                let (store, demand) = opened(context).await?;
                let row = find(&store, &id).await?;
                if !yes && can_ask() {
                    show(context, &row, demand)?;
                    if !agreed("Approve it?")? {
                        return Ok(Exit::Done);
                    }
                }
                let hash = hash.as_deref().unwrap_or(&row.hash);
                approve(&store, &operating(), &row.id, hash, &SystemClock).await?;
                show(context, &find(&store, &row.id).await?, demand)
            }
            Some(PlansCommand::Cancel { id, reason }) => {
                let (store, demand) = opened(context).await?;
                let id = find(&store, &id).await?.id;
                cancel(&store, &id, reason.as_deref(), &SystemClock).await?;
                show(context, &find(&store, &id).await?, demand)
            }
            Some(PlansCommand::Reconcile(write)) => {
                let (heroku, store, settings) = write.open(context).await?;
                let teller = Teller::new(context);
                let provisioner = Provisioner::new(&heroku, &store, settings, &SystemClock, &teller)?;
                let settled = provisioner.reconcile().await?;
                for step in &settled {
                    let status = step.status.as_str();
                    context
                        .output
                        .print(&format!("plan {}, step {}: {status}\n", step.plan, step.ordinal))?;
                }
                let open = settled.iter().any(|step| step.status == StepStatus::Unknown);
                if settled.is_empty() {
                    context.note("note: nothing is open");
                }
                Ok(if open { Exit::Failure } else { Exit::Done })
            }
        }
    }
}

/// The database in use, for whoever runs the program, and which of its plans a second person has to approve.
async fn opened(context: &Context) -> anyhow::Result<(Store, Demand)> {
    let (store, connector) = context.estate_in_use().await?;
    let demand = match &connector {
        Some((installation, id)) => installation.connector(*id).await?.settings.approval,
        None => context.config.approval(),
    };
    Ok((store.acting_as(operator()), demand))
}

async fn find(store: &Store, id: &str) -> anyhow::Result<PlanRow> {
    Ok(store.plan(id).await?.ok_or_else(|| EngineError::NoPlan { asked: id.into() })?)
}

fn show(context: &Context, row: &PlanRow, demand: Demand) -> anyhow::Result<Exit> {
    if row.plan.hash() != row.hash {
        return Err(
            Failure::new(format!("plan {} does not fit its hash: somebody changed it", row.id)).into()
        );
    }
    let progress: Vec<Progress<'_>> = row
        .steps
        .iter()
        .map(|step| Progress {
            step: step.ordinal,
            status: step.status,
            attempts: step.attempt,
            http_status: step.http_status,
            request_id: step.request_id.as_deref(),
            told: step.told.as_deref(),
        })
        .collect();
    let approval = ApprovalShown::of(row, demand);
    if context.output.format != Format::Table {
        let (plan, status, reason) = (Told::of(&row.plan), row.status, row.told.as_deref());
        context.output.document(&Shown { plan, status, reason, approval: &approval, progress })?;
        return Ok(Exit::Done);
    }
    show_plan(context, &row.plan)?;
    let reason = row.told.as_deref().map(|told| format!(": {}", shown(told))).unwrap_or_default();
    let mut text = format!("Status: {}{reason}\n", row.status.as_str());
    for step in &progress {
        let told = step.told.map(|told| format!(": {}", shown(told))).unwrap_or_default();
        writeln!(text, "  {}. {}{told}", step.step, step.status.as_str())?;
    }
    text.push_str(&told_approval(&approval));
    context.output.print(&text)?;
    Ok(Exit::Done)
}

const PLANS: &[Column<PlanLine>] = &[
    Column::new("id", "ID", |line| Cell::text(Some(&line.id))),
    Column::new("status", "STATUS", |line| Cell::text(Some(line.status.as_str()))),
    Column::new("waits_for_approval", "NEEDS APPROVAL", |line| Cell::Flag(Some(line.waits_for_approval))),
    Column::new("title", "WHAT", |line| Cell::text(Some(&line.title))),
    Column::new("actor", "BY", |line| Cell::text(Some(&line.actor))),
    Column::new("created_at", "MADE (UTC)", |line| Cell::Time(Some(line.created_at))),
    Column::csv("expires_at", |line| Cell::Time(Some(line.expires_at))),
    Column::new("steps", "STEPS", |line| Cell::Count(line.steps as u64)),
    Column::new("done", "DONE", |line| Cell::Count(line.done as u64)),
    Column::new("reason", "WHY", |line| Cell::text(line.reason.as_deref())),
];
