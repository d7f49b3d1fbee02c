//! Calls a plan off, so that nobody applies it any more. Nothing is sent to Heroku.
//!
//! What was done of it before stays; undoing that is another plan.
//!
//! Invariant: a plan of which something is on its way, or of which it is not known how far it came, is not called off.

use std::time::Duration;

use metsuke_model::Clock;
use metsuke_model::audit::EventCode;
use metsuke_model::plan::{PlanStatus, StepStatus};
use metsuke_store::Store;
use serde_json::json;

use super::{Applied, Outcome};
use crate::EngineError;

/// How long the turn is waited for; whoever has it longer is applying something.
const PATIENCE: Duration = Duration::from_secs(2);

/// Calls a stored plan off, for a reason if there is one.
///
/// # Errors
///
/// [`EngineError::NoPlan`]; [`EngineError::Refused`] where it has ended, is on its way, or nobody knows how far it came; and what the
/// database said, also where a plan is being applied at this moment.
pub async fn cancel(
    store: &Store,
    id: &str,
    reason: Option<&str>,
    clock: &dyn Clock,
) -> Result<(), EngineError> {
    // Whoever holds the turn may be about to send one of its steps.
    let _turn = store.provisioning_lock(PATIENCE).await?;
    let row = store.plan(id).await?.ok_or_else(|| EngineError::NoPlan { asked: id.into() })?;
    let refused = |reason: String, hint: Option<&str>| EngineError::Refused {
        reason,
        hint: hint.map(ToOwned::to_owned),
    };
    let open = |status: StepStatus| {
        use StepStatus::{Confirmed, Intent, Sent, Unknown};
        matches!(status, Intent | Sent | Confirmed | Unknown)
    };
    if row.steps.iter().any(|step| open(step.status)) {
        let why = format!("it is not known how far plan {} came", row.id);
        return Err(refused(why, Some("settle what is open first: that reads Heroku and sends nothing")));
    }
    let interrupted = row.status == PlanStatus::Applying;
    if !interrupted && !row.status.can_be_cancelled() {
        return Err(refused(format!("plan {} is {}", row.id, row.status.as_str()), None));
    }
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let done = row.steps.iter().filter(|step| step.status == StepStatus::Verified).count();
    let event = store
        .event(clock.now(), EventCode::PlanCancelled)
        .about("plan", &row.id)
        .detail("hash", row.hash)
        .detail("steps_done", json!(done))
        .detail("reason", json!(reason));
    // The id that the trail keeps beside a name tells people nothing.
    let by = &*store.actor().name;
    let by = by.rsplit_once(" (").filter(|(_, id)| id.ends_with(')')).map_or(by, |(name, _)| name);
    let told = format!("called off by {by}");
    let told = reason.map_or_else(|| told.clone(), |reason| format!("{told}: {reason}"));
    Ok(store.mark_plan(&row.id, PlanStatus::Cancelled, Some(&told), Some(event)).await?)
}

impl Applied {
    /// What comes of applying a plan that was called off.
    pub(super) fn called_off(id: &str) -> Self {
        Self {
            outcome: Outcome::RefusedByRule,
            added: Vec::new(),
            removed: Vec::new(),
            calls: 0,
            refused_with: None,
            reason: Some(format!("plan {id} was called off")),
            hint: Some("ask for it again, to see what it would do now".into()),
        }
    }
}
