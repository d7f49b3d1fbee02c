//! Plans to change access.

use axum::http::{StatusCode, header};
use metsuke_engine::access::provision::{Ask, On, Outcome, Planned, Refusal, Settled};
use metsuke_engine::desk::Plans;
use serde::Deserialize;
use serde_json::{Value, json};

use super::estate::list as list_of;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlansOf {
    connector: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let PlansOf { connector, limit, cursor } = call.parameters()?;
    let estates = call.state.desk.estates(connector.as_deref()).await?;
    list_of(&call, &Plans::default(), estates, &Paging { limit, cursor }, PLANS).await
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    let (desk, id) = (&call.state.desk, call.segment("id"));
    let (_, shown) = Plans::find(desk.estates(None).await?, id).await?;
    let mut told = json!(shown);
    told["rules"] = json!(desk.verdicts(id).await?);
    Answer::ok(&told)
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    connector: Option<String>,
    action: String,
    user: String,
    team: Option<String>,
    role: Option<String>,
    app: Option<String>,
    #[serde(default)]
    permissions: Vec<String>,
    #[serde(default)]
    collaborator: bool,
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Released {
    confirm_count: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approved {
    hash: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CalledOff {
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    connector: Option<String>,
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let asked: Asked = call.json()?;
    let (connector, reason) = (asked.connector.clone(), asked.reason.clone());
    let ask = ask(asked)?;
    let desk = &call.state.desk;
    let planned = desk.plan(call.caller()?, call.as_owner, connector.as_deref(), ask, reason).await?;
    match planned {
        Planned::Unchanged(why) => {
            Answer::ok(&json!({ "outcome": "unchanged", "reason": why, "plan": null }))
        }
        Planned::Refused(refusal) => Err(refused(refusal)),
        Planned::Plan(plan) => {
            let (_, shown) = Plans::find(desk.estates(None).await?, &plan.id()).await?;
            let place = format!("/api/v1/plans/{}", shown.id);
            let told = json!({ "outcome": "planned", "reason": null, "plan": shown });
            Ok(Answer::json(StatusCode::CREATED, &told)?.with(header::LOCATION, &place))
        }
    }
}

pub(super) async fn approve(call: Call) -> Result<Answer, ApiError> {
    let Approved { hash } = call.json()?;
    Answer::ok(&call.state.desk.approve_plan(call.caller()?, call.segment("id"), &hash).await?)
}

pub(super) async fn apply(call: Call) -> Result<Answer, ApiError> {
    let Released { confirm_count } = call.json_or_default()?;
    let (applied, plan) = call.state.desk.apply(call.caller()?, call.segment("id"), confirm_count).await?;
    let refused = |code| {
        let told = applied.reason.clone().unwrap_or_else(|| "the plan was refused".into());
        let error = ApiError::conflict(code, told);
        Err(match &applied.hint {
            Some(hint) => error.hint(hint.clone()),
            None => error,
        })
    };
    match applied.outcome {
        Outcome::Unapproved => return refused("approval_needed"),
        Outcome::RefusedByRule => return refused("refused"),
        Outcome::RefusedByHeroku => return refused("heroku_refused"),
        Outcome::Frozen => return refused("frozen"),
        Outcome::Applied | Outcome::Unchanged | Outcome::NotSent | Outcome::Unknown => {}
    }
    Answer::ok(&json!({
        "outcome": applied.outcome.as_str(),
        "reason": applied.reason,
        "hint": applied.hint,
        "grants_added": applied.added,
        "grants_removed": applied.removed,
        "calls": applied.calls,
        "plan": plan,
    }))
}

pub(super) async fn cancel(call: Call) -> Result<Answer, ApiError> {
    let CalledOff { reason } = call.json_or_default()?;
    Answer::ok(&call.state.desk.cancel_plan(call.caller()?, call.segment("id"), reason.as_deref()).await?)
}

pub(super) async fn reconcile(call: Call) -> Result<Answer, ApiError> {
    let Of { connector } = call.json_or_default()?;
    let settled = call.state.desk.reconcile(call.caller()?, connector.as_deref()).await?;
    let step = |step: &Settled| json!({ "plan": step.plan, "step": step.ordinal, "status": step.status });
    let steps: Vec<Value> = settled.iter().map(step).collect();
    Answer::ok(&json!({ "steps": steps }))
}

/// What is asked for, in the engine's words.
fn ask(asked: Asked) -> Result<Ask, ApiError> {
    let Asked { action, user, team, role, app, permissions, collaborator, .. } = asked;
    let on = match (team, role, app) {
        (Some(team), Some(role), None) if permissions.is_empty() && !collaborator => {
            Some(On::Team { team, role })
        }
        (None, None, Some(app)) if collaborator == permissions.is_empty() => {
            Some(On::App { app, permissions })
        }
        (None, None, None) => None,
        _ => return Err(ApiError::invalid("body", TARGET)),
    };
    match (action.as_str(), on) {
        ("grant", Some(on)) => Ok(Ask::Grant { user, on }),
        ("revoke", Some(on)) => Ok(Ask::Revoke { user, on }),
        ("remove", None) => Ok(Ask::Remove { user }),
        ("grant" | "revoke" | "remove", _) => Err(ApiError::invalid("body", TARGET)),
        _ => Err(ApiError::invalid("action", "it is `grant`, `revoke` or `remove`")),
    }
}

const TARGET: &str = "`grant` and `revoke` take `team` and `role`, or `app` and either `permissions` or `collaborator`; \
                      `remove` takes neither";

fn refused(refusal: Refusal) -> ApiError {
    let error = ApiError::conflict("refused", refusal.words());
    match refusal.hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

pub(crate) const PLANS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("status", "/status"),
    ("title", "/title"),
    ("actor", "/actor"),
    ("created_at", "/created_at"),
    ("expires_at", "/expires_at"),
    ("steps", "/steps"),
    ("done", "/done"),
    ("waits_for_approval", "/waits_for_approval"),
    ("reason", "/reason"),
];
