//! One call: its intent, its sending, and its answer, each durable before what follows from it.
//!
//! Invariant: when the event of an intent cannot be stored, the call is not sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metsuke_clients::heroku::{WriteAnswer, WriteCall};
use metsuke_model::audit::{EventCode, NewEvent};
use metsuke_model::plan::{Step, StepStatus};
use metsuke_store::{ProvisioningLock, StepMark};
use serde_json::json;

use super::{Point, Provisioner};
use crate::EngineError;

/// How often the kill switch is looked at while a call waits to be sent.
const LOOK_AT_SWITCH: Duration = Duration::from_millis(500);

/// What was recorded of an answer.
pub(super) enum Recorded {
    Confirmed,
    Refused(String),
    NotSent(String),
    Unknown(String),
}

impl Provisioner<'_> {
    /// Writes the intent down, then that the call is about to be sent; `false` where a cap forbids it.
    pub(super) async fn intend(
        &self,
        lock: &ProvisioningLock,
        key: (&str, u32),
        step: &Step,
        members: Option<u64>,
        confirmed: bool,
    ) -> Result<bool, EngineError> {
        let event = self
            .step_event(key, step, EventCode::IntentWritten)
            .detail("fence", lock.fence())
            .detail("expected", step.expected.words())
            .detail("wished", step.wished.words());
        let allowed = |done| confirmed || self.step_allowed(step, members, done);
        let capped = step.capped().to_string();
        let now = self.clock.now();
        if !self.store.intend(lock, key, now, &capped, allowed, event).await? {
            return Ok(false);
        }
        self.watch.reached(Point::Intent);
        let event = self.step_event(key, step, EventCode::CallSent);
        self.mark(lock, key, StepStatus::Sent, StepMark::default(), event).await?;
        self.watch.reached(Point::Sent);
        Ok(true)
    }

    /// Sends the call, unless the kill switch comes first.
    pub(super) async fn send(&self, call: &WriteCall) -> Result<WriteAnswer, EngineError> {
        let killed = AtomicBool::new(self.killed_by_file() || self.store.kill_switch().await?);
        let watching = async {
            loop {
                tokio::time::sleep(LOOK_AT_SWITCH).await;
                // A switch that cannot be read stops, too.
                if self.killed_by_file() || self.store.kill_switch().await.unwrap_or(true) {
                    killed.store(true, Ordering::SeqCst);
                }
            }
        };
        let sending =
            self.door.send_write_if(call, |_| !killed.load(Ordering::SeqCst) && !self.killed_by_file());
        tokio::select! {
            answer = sending => Ok(answer),
            () = watching => Err(EngineError::Cancelled),
        }
    }

    /// Makes durable what Heroku answered.
    pub(super) async fn record(
        &self,
        lock: &ProvisioningLock,
        key: (&str, u32),
        step: &Step,
        answer: &WriteAnswer,
    ) -> Result<Recorded, EngineError> {
        let text = answer.to_string();
        let (status, code, recorded) = match answer {
            WriteAnswer::Confirmed { .. } => {
                (StepStatus::Confirmed, EventCode::CallConfirmed, Recorded::Confirmed)
            }
            WriteAnswer::Refused { .. } => {
                (StepStatus::Refused, EventCode::CallRefused, Recorded::Refused(text.clone()))
            }
            WriteAnswer::Unknown { .. } => {
                (StepStatus::Unknown, EventCode::CallUnknown, Recorded::Unknown(text.clone()))
            }
            WriteAnswer::NotSent { .. } => {
                (StepStatus::Planned, EventCode::CallNotSent, Recorded::NotSent(text.clone()))
            }
        };
        let mark = StepMark {
            http_status: answer.status(),
            request_id: answer.request_id().map(Into::into),
            told: Some(text.clone()),
        };
        let event = self
            .step_event(key, step, code)
            .detail("status", json!(answer.status()))
            .detail("request_id", json!(answer.request_id()))
            .detail("answer", text);
        self.mark(lock, key, status, mark, event).await?;
        self.watch.reached(Point::Recorded);
        Ok(recorded)
    }

    pub(super) async fn mark(
        &self,
        lock: &ProvisioningLock,
        key: (&str, u32),
        status: StepStatus,
        mark: StepMark,
        event: NewEvent,
    ) -> Result<(), EngineError> {
        Ok(self.store.mark_step(lock, key, status, self.clock.now(), mark, event).await?)
    }

    pub(super) fn plan_event(&self, plan: &str, code: EventCode) -> NewEvent {
        self.store.event(self.clock.now(), code).about("plan", plan)
    }

    pub(super) fn step_event(&self, (plan, ordinal): (&str, u32), step: &Step, code: EventCode) -> NewEvent {
        let resource = step.resource.resource_type.as_str();
        let mut event = self
            .plan_event(plan, code)
            .about("step", ordinal)
            .about(resource, &step.resource.id)
            .detail("method", step.call.method.to_string())
            .detail("path", step.call.path.to_string())
            .detail("email", step.person.email.to_string())
            .detail("resource", step.resource.name.to_string());
        if let Some(user) = &step.person.id {
            event = event.about("user", user);
        }
        event
    }
}

/// The call of a step, rebuilt by the client, which refuses any that it does not know.
pub(super) fn call_of(step: &Step) -> Result<WriteCall, EngineError> {
    serde_json::to_value(&step.call)
        .and_then(serde_json::from_value)
        .map_err(|error| EngineError::BadPlan { reason: error.to_string() })
}
