//! What became of a plan, for the database, the audit trail and whoever asked.

use metsuke_model::audit::EventCode;
use metsuke_model::plan::PlanStatus;
use metsuke_store::PlanRow;
use serde_json::json;

use super::apply::{Ended, Tally};
use super::{Applied, Outcome, Provisioner, Refusal};
use crate::EngineError;

impl Provisioner<'_> {
    /// Says what became of the plan, to the database and to the caller.
    pub(super) async fn conclude(
        &self,
        row: &PlanRow,
        ended: Ended,
        tally: Tally,
    ) -> Result<Applied, EngineError> {
        let mut applied = Applied {
            outcome: Outcome::Applied,
            added: tally.added,
            removed: tally.removed,
            calls: tally.calls,
            refused_with: None,
            reason: None,
            hint: None,
        };
        let apply_again = format!("`metsuke apply {}` goes on from where it stands", row.id);
        let (status, code) = match ended {
            Ended::Done => {
                if applied.added.is_empty() && applied.removed.is_empty() && applied.calls == 0 {
                    applied.outcome = Outcome::Unchanged;
                }
                if row.status == PlanStatus::Applied {
                    applied.reason = Some(format!("plan {} was applied already", row.id));
                    return Ok(applied);
                }
                (PlanStatus::Applied, EventCode::PlanApplied)
            }
            Ended::Rule(refusal) => {
                applied.outcome = Outcome::RefusedByRule;
                applied.reason = Some(refusal.words());
                applied.hint = refusal.hint;
                (PlanStatus::Refused, EventCode::PlanRefused)
            }
            Ended::Unapproved(refusal) => return self.unapproved_yet(row, refusal, applied).await,
            Ended::Frozen(reason) => {
                applied.outcome = Outcome::Frozen;
                let count = row.plan.confirm_count();
                applied.reason = Some(format!("R4: {reason}"));
                applied.hint =
                    Some(format!("`metsuke apply {} --confirm-count {count}` releases it", row.id));
                (PlanStatus::Frozen, EventCode::PlanFrozen)
            }
            Ended::RefusedByHeroku { reason, status } => {
                (applied.outcome, applied.reason) = (Outcome::RefusedByHeroku, Some(reason));
                applied.refused_with = status;
                (PlanStatus::Refused, EventCode::PlanRefused)
            }
            Ended::Superseded(reason) => {
                (applied.outcome, applied.reason) = (Outcome::RefusedByRule, Some(format!("R6: {reason}")));
                applied.hint = Some("ask for it again, to see what it would do now".into());
                let expired = self.clock.now() > row.plan.expires_at;
                if expired {
                    (PlanStatus::Expired, EventCode::PlanExpired)
                } else {
                    (PlanStatus::Superseded, EventCode::PlanSuperseded)
                }
            }
            Ended::NotSent(reason) => {
                (applied.outcome, applied.reason) = (Outcome::NotSent, Some(reason));
                applied.hint = Some(apply_again);
                (PlanStatus::Stopped, EventCode::PlanStopped)
            }
            Ended::Unknown(reason) => {
                (applied.outcome, applied.reason) = (Outcome::Unknown, Some(reason));
                applied.hint = Some(apply_again);
                (PlanStatus::Unknown, EventCode::PlanStopped)
            }
        };
        let mut event = self.plan_event(&row.id, code).detail("calls", json!(applied.calls));
        if let Some(reason) = &applied.reason {
            event = event.detail("reason", reason.clone());
        }
        self.store.mark_plan(&row.id, status, applied.reason.as_deref(), Some(event)).await?;
        Ok(applied)
    }

    /// Says that somebody else has to approve or apply the plan, which stays as it is.
    async fn unapproved_yet(
        &self,
        row: &PlanRow,
        refusal: Refusal,
        applied: Applied,
    ) -> Result<Applied, EngineError> {
        let reason = refusal.words();
        let event = self
            .plan_event(&row.id, EventCode::PlanRefused)
            .detail("rule", json!(refusal.rule))
            .detail("calls", json!(applied.calls))
            .detail("reason", reason.clone());
        self.store.record(event).await?;
        Ok(Applied { outcome: Outcome::Unapproved, reason: Some(reason), hint: refusal.hint, ..applied })
    }
}
