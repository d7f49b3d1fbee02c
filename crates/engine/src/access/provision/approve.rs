//! Approves a plan as somebody else than who asked for it, and holds back what nobody has approved (R7). Nothing is sent.
//!
//! Whom it takes, and whose word counts, is decided in [`metsuke_model::approval`]; this file asks there and keeps what came
//! of it.
//!
//! Invariant: an approval counts for one hash. It is judged again when the plan is applied.

use metsuke_model::Clock;
use metsuke_model::approval::{Approval, Bar, Party, may_apply, may_approve, missing};
use metsuke_model::audit::EventCode;
use metsuke_model::plan::{Plan, StepStatus};
use metsuke_store::{Approved, PlanRow, Store};

use super::{Provisioner, Refusal, Sabotage, Settings};
use crate::EngineError;

/// Approves a stored plan by its hash, as whoever acts through the store and is this person; gives the approval that
/// stands then. Who has approved it before is told the same again.
///
/// Whether an approval is needed at all is not asked: one that nobody asks for does no harm.
///
/// # Errors
///
/// [`EngineError::NoPlan`]; [`EngineError::OtherHash`] where the hash is not the plan's; [`EngineError::NotSecondPerson`] for
/// who asked for it, whom it is about, and whom nobody knows; [`EngineError::Refused`] where it has ended or is too old; and
/// what the database said.
pub async fn approve(
    store: &Store,
    party: &Party,
    id: &str,
    hash: &str,
    clock: &dyn Clock,
) -> Result<Approval, EngineError> {
    let row = store.plan(id).await?.ok_or_else(|| EngineError::NoPlan { asked: id.into() })?;
    if hash != row.hash || row.plan.hash() != row.hash {
        return Err(EngineError::OtherHash { plan: row.id });
    }
    let ended = |reason: String| EngineError::Refused {
        reason,
        hint: Some("ask for it again, to see what it would do now".into()),
    };
    if !row.status.can_be_applied() {
        return Err(ended(format!("plan {} is {}", row.id, row.status.as_str())));
    }
    if row.steps.iter().any(|step| step.status == StepStatus::Superseded) {
        return Err(ended(format!("somebody else changed what plan {} is about", row.id)));
    }
    let now = clock.now();
    if now > row.plan.expires_at {
        return Err(ended(format!("plan {} is older than 24 hours", row.id)));
    }
    if let Err(bar) = may_approve(&row.plan, party) {
        let refusal = barred(bar, party, &row.plan);
        let event = store
            .event(now, EventCode::PlanRefused)
            .about("plan", &row.id)
            .detail("rule", "R7")
            .detail("reason", refusal.words());
        store.record(event).await?;
        return Err(EngineError::NotSecondPerson { reason: refusal.words(), hint: bar.hint() });
    }
    let by = store.actor().name.to_string();
    let approval = Approval { by, party: party.clone(), hash: row.hash.clone(), at: now };
    let event = store
        .event(now, EventCode::PlanApproved)
        .about("plan", &row.id)
        .detail("hash", row.hash.clone())
        .detail("person", party.to_string());
    match store.approve_plan(&row.id, &approval, event).await? {
        Approved::Now => Ok(approval),
        Approved::Before => {
            let before = row.approvals.into_iter().find(|before| before.party == *party);
            Ok(before.unwrap_or(approval))
        }
        Approved::Gone => Err(ended(format!("plan {} has ended meanwhile", row.id))),
    }
}

impl Provisioner<'_> {
    /// Why somebody else has to approve the plan first, or to apply it.
    pub(super) fn unapproved(&self, row: &PlanRow) -> Option<Refusal> {
        if self.settings.sabotage == Some(Sabotage::SkipTheApproval) {
            return None;
        }
        self.settings.approval.why(&row.plan)?;
        if let Err(bar) = may_apply(&row.plan, &self.party) {
            return Some(barred(bar, &self.party, &row.plan));
        }
        wanting(&self.settings, row)
    }
}

/// Why a plan waits for somebody's approval; none where it is approved, or nobody has to approve it.
pub(super) fn wanting(settings: &Settings, row: &PlanRow) -> Option<Refusal> {
    let why = settings.approval.why(&row.plan)?;
    let plan = &row.plan;
    if plan.asked_by.is_meant_by(plan) {
        return Some(barred(Bar::AskedForOneself, &plan.asked_by, plan));
    }
    let who = match missing(plan, &row.approvals) {
        0 => return None,
        1 if plan.asked_by.is_nobody() => "another person".to_owned(),
        1 => format!("somebody else than {}", plan.asked_by),
        _ => "two people, because nobody knows who asked for it,".to_owned(),
    };
    let refusal = Refusal::rule("R7", format!("{why}, so {who} has to approve it first"));
    Some(refusal.hint(format!(
        "whoever may apply plans, did not ask for it and is not changed by it approves it: on its page, or by `metsuke plans approve {}`",
        row.id
    )))
}

fn barred(bar: Bar, party: &Party, plan: &Plan) -> Refusal {
    Refusal::rule("R7", bar.words(party, plan)).hint(bar.hint())
}
