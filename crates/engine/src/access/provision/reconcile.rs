//! Settles what an earlier process, or an earlier try, left open: by reading, never by sending.
//!
//! Invariant: a step is called not applied only at a time when its call can no longer arrive.

use metsuke_model::Moment;
use metsuke_model::audit::EventCode;
use metsuke_model::plan::{PlanStatus, Step, StepStatus};
use metsuke_store::{OpenStep, ProvisioningLock, StepMark};

use super::apply::{Late, Tally, fulfilled, told};
use super::{Point, Provisioner, Sabotage};

use crate::EngineError;

/// An open step after it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The plan's name.
    pub plan: String,
    /// The step's place in it.
    pub ordinal: u32,
    /// How it stands now.
    pub status: StepStatus,
}

impl Provisioner<'_> {
    /// Settles every step that is open, and tells how each stands.
    ///
    /// # Errors
    ///
    /// What Heroku or the database said.
    pub async fn reconcile(&self) -> Result<Vec<Settled>, EngineError> {
        let lock = self.store.provisioning_lock(self.settings.lock_patience).await?;
        self.watch.reached(Point::Locked);
        self.reconcile_open(&lock, None, &mut Tally::default()).await
    }

    /// The same under a lock that is held; `applying` names the plan that goes on afterwards.
    pub(super) async fn reconcile_open(
        &self,
        lock: &ProvisioningLock,
        applying: Option<&str>,
        tally: &mut Tally,
    ) -> Result<Vec<Settled>, EngineError> {
        let mut settled = Vec::new();
        for open in self.store.open_steps().await? {
            let Some(row) = self.store.plan(&open.plan).await? else { continue };
            let Some(step) = row.plan.steps.iter().find(|step| step.ordinal == open.step.ordinal) else {
                continue;
            };
            let going_on = applying.is_some_and(|id| row.id.starts_with(id));
            let mut others = Tally::default();
            let count = if going_on { &mut *tally } else { &mut others };
            let status = self.settle(lock, &open, step, count).await?;
            settled.push(Settled { plan: open.plan, ordinal: open.step.ordinal, status });
            if !going_on && status != StepStatus::Unknown {
                self.settle_plan(&row.id).await?;
            }
        }
        Ok(settled)
    }

    async fn settle(
        &self,
        lock: &ProvisioningLock,
        open: &OpenStep,
        step: &Step,
        tally: &mut Tally,
    ) -> Result<StepStatus, EngineError> {
        let key = (open.plan.as_str(), open.step.ordinal);
        let blind = self.settings.sabotage == Some(Sabotage::RetryWithoutReading);
        if open.step.status == StepStatus::Intent || blind {
            let reason = "the process ended before it was sent";
            let event = self.step_event(key, step, EventCode::CallNotSent).detail("reason", reason);
            self.mark(lock, key, StepStatus::Planned, told(reason), event).await?;
            return Ok(StepStatus::Planned);
        }
        let code = EventCode::EffectReconciled;
        if open.step.status == StepStatus::Confirmed {
            if let Some(found) = self.read_back(step).await {
                self.finish(lock, key, step, found, code, tally).await?;
                return Ok(StepStatus::Verified);
            }
            // Heroku confirmed it, and shows something else: somebody changed it after.
            let found = self.fresh_state(step).await?;
            self.superseded(lock, key, step, &found.state).await?;
            return Ok(StepStatus::Superseded);
        }
        let sent_at = open.step.sent_at.unwrap_or_else(|| self.clock.now());
        match self.await_late(step, sent_at).await {
            Late::Arrived(found) => {
                self.finish(lock, key, step, found, code, tally).await?;
                Ok(StepStatus::Verified)
            }
            Late::Never => {
                let reason = "it never arrived";
                let event = self.step_event(key, step, code).detail("reason", reason);
                self.mark(lock, key, StepStatus::Planned, told(reason), event).await?;
                Ok(StepStatus::Planned)
            }
            Late::Other(state) => {
                self.superseded(lock, key, step, &state).await?;
                Ok(StepStatus::Superseded)
            }
            Late::Unread => {
                let event = self.step_event(key, step, EventCode::EffectFailed);
                self.mark(lock, key, StepStatus::Unknown, StepMark::default(), event).await?;
                Ok(StepStatus::Unknown)
            }
        }
    }

    /// A plan that nobody is applying: done where all its steps are, else stopped.
    async fn settle_plan(&self, id: &str) -> Result<(), EngineError> {
        let Some(row) = self.store.plan(id).await? else { return Ok(()) };
        if !matches!(row.status, PlanStatus::Applying | PlanStatus::Unknown) {
            return Ok(());
        }
        let done = row.steps.iter().all(|step| step.status == StepStatus::Verified);
        let superseded = row.steps.iter().any(|step| step.status == StepStatus::Superseded);
        let (status, code) = if done {
            (PlanStatus::Applied, EventCode::PlanApplied)
        } else if superseded {
            (PlanStatus::Superseded, EventCode::PlanSuperseded)
        } else {
            (PlanStatus::Stopped, EventCode::PlanStopped)
        };
        let reason = "the process that applied it ended";
        let event = self.plan_event(id, code).detail("reason", reason);
        Ok(self.store.mark_plan(id, status, Some(reason), Some(event)).await?)
    }

    /// Reads until the wish is there, or until nothing that was sent then can arrive any more.
    pub(super) async fn await_late(&self, step: &Step, sent_at: Moment) -> Late {
        let window = i64::try_from(self.settings.late_window.as_micros()).unwrap_or(i64::MAX);
        let until = Moment(sent_at.0.saturating_add(window));
        loop {
            // Read after looking at the clock: what is read last was read when all had arrived.
            let over = self.clock.now() > until;
            match self.fresh_state(step).await {
                Ok(found) if fulfilled(step, &found.state) => return Late::Arrived(found),
                Ok(found) if over && found.is_expected(step) => return Late::Never,
                Ok(found) if over => return Late::Other(found.state),
                Err(_) if over => return Late::Unread,
                Ok(_) | Err(_) => tokio::time::sleep(self.settings.poll).await,
            }
        }
    }
}
