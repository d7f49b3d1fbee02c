//! The same commands through a server.

use metsuke_engine::EngineError;
use metsuke_engine::desk::{ApprovalShown, PlanLine};
use metsuke_model::plan::{Plan, StepStatus};
use serde_json::{Value, json};

use super::super::ask::apply_through;
use super::super::report::{Answer, Told, show_plan, told_approval};
use super::{ApplyArgs, PLANS, PlansArgs, PlansCommand};
use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::question::{agreed, can_ask};
use crate::remote::Remote;
use crate::rows;
use crate::text::shown;

impl ApplyArgs {
    /// Applies through a server.
    ///
    /// # Errors
    ///
    /// What the server said.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let told = found(remote, &self.id).await?;
        let plan: Plan = serde_json::from_value(told["plan"].clone())?;
        if context.output.format == Format::Table {
            show_plan(context, &plan)?;
        }
        let said = self.yes || self.write.confirm_count.is_some();
        if !said && can_ask() && !agreed("Apply it?")? {
            return Answer::planned(&plan).print(context);
        }
        apply_through(context, remote, &plan, self.write.confirm_count).await
    }
}

impl PlansArgs {
    /// Lists, shows or settles, at a server.
    ///
    /// # Errors
    ///
    /// What the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self.command {
            None => {
                let query = remote.query(Vec::new());
                let lines: Vec<PlanLine> = remote.rows(&["plans"], query, self.limit as usize).await?;
                rows::write(context.output, PLANS, &lines)?;
            }
            Some(PlansCommand::Show { id }) => {
                show_told(context, &found(remote, &id).await?)?;
            }
            Some(PlansCommand::Approve { id, hash, yes }) => {
                let told = found(remote, &id).await?;
                if !yes && can_ask() {
                    show_told(context, &told)?;
                    if !agreed("Approve it?")? {
                        return Ok(Exit::Done);
                    }
                }
                let path = ["plans", told["id"].as_str().unwrap_or_default(), "approve"];
                let hash = hash.map_or_else(|| told["hash"].clone(), Value::from);
                let approved: Value = remote.post(&path, json!({ "hash": hash })).await?;
                show_told(context, &approved)?;
            }
            Some(PlansCommand::Cancel { id, reason }) => {
                let told = found(remote, &id).await?;
                let path = ["plans", told["id"].as_str().unwrap_or_default(), "cancel"];
                let cancelled: Value = remote.post(&path, json!({ "reason": reason })).await?;
                show_told(context, &cancelled)?;
            }
            Some(PlansCommand::Reconcile(_)) => {
                let body = json!({ "connector": remote.connector() });
                let told: Value = remote.post(&["plans", "reconcile"], body).await?;
                let steps = told["steps"].as_array().cloned().unwrap_or_default();
                for step in &steps {
                    let (plan, status) = (step["plan"].as_str(), step["status"].as_str());
                    let (plan, status) = (plan.unwrap_or_default(), status.unwrap_or_default());
                    context.output.print(&format!("plan {plan}, step {}: {status}\n", step["step"]))?;
                }
                if steps.is_empty() {
                    context.note("note: nothing is open");
                }
                let open = steps.iter().any(|step| step["status"] == StepStatus::Unknown.as_str());
                return Ok(if open { Exit::Failure } else { Exit::Done });
            }
        }
        Ok(Exit::Done)
    }
}

/// The plan of this id, or of the one that begins so.
async fn found(remote: &Remote, id: &str) -> anyhow::Result<Value> {
    let lines: Vec<PlanLine> = remote.all(&["plans"], Vec::new()).await?;
    let mut fitting = lines.iter().filter(|line| line.id.starts_with(id));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => remote.get(&["plans", &one.id], Vec::new()).await,
        _ => Err(EngineError::NoPlan { asked: id.into() }.into()),
    }
}

/// Prints a plan as a server tells of it.
fn show_told(context: &Context, told: &Value) -> anyhow::Result<()> {
    let plan: Plan = serde_json::from_value(told["plan"].clone())?;
    if context.output.format != Format::Table {
        context.output.document(&json!({
            "plan": Told::of(&plan), "status": told["status"], "reason": told["reason"],
            "approval": told["approval"], "progress": told["progress"],
        }))?;
        return Ok(());
    }
    show_plan(context, &plan)?;
    let status = told["status"].as_str().unwrap_or_default();
    let reason = told["reason"].as_str().map(|told| format!(": {}", shown(told))).unwrap_or_default();
    context.output.print(&format!("Status: {}{reason}\n", shown(status)))?;
    if let Ok(approval) = serde_json::from_value::<ApprovalShown>(told["approval"].clone()) {
        context.output.print(&told_approval(&approval))?;
    }
    Ok(())
}
