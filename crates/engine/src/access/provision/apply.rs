//! Applies a plan: each step is read, written down, sent, recorded, and read back.
//!
//! Invariant: between a call that may have been applied and the next call of the same step there is a read, at a
//! time when nothing of the first can still arrive.

use std::collections::BTreeSet;
use std::time::Duration;

use metsuke_model::audit::EventCode;
use metsuke_model::plan::{Plan, PlanStatus, State, Step, StepStatus};
use metsuke_model::{Grant, HerokuId, SyncReport, SyncStatus};
use metsuke_store::{PlanRow, ProvisioningLock, StepMark};
use serde_json::json;

use super::call::{Recorded, call_of};
use super::fresh::Found;
use super::rules::{hour_before, last_admin};
use super::seen::differing;
use super::{Applied, Point, Provisioner, Refusal, Sabotage};
use crate::EngineError;

/// What was done so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) added: Vec<Grant>,
    pub(super) removed: Vec<Grant>,
    pub(super) calls: u32,
}

/// How a step ended.
pub(super) enum Ended {
    Done,
    Rule(Refusal),
    Unapproved(Refusal),
    Frozen(String),
    RefusedByHeroku { reason: String, status: Option<u16> },
    Superseded(String),
    NotSent(String),
    Unknown(String),
}

impl Provisioner<'_> {
    /// Applies a stored plan, from where it stands; `confirm` is the number that releases a frozen one.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoPlan`], and what Heroku or the database said. What was begun is settled by the next call.
    pub async fn apply(&self, id: &str, confirm: Option<usize>) -> Result<Applied, EngineError> {
        let lock = self.store.provisioning_lock(self.settings.lock_patience).await?;
        self.watch.reached(Point::Locked);
        let mut tally = Tally::default();
        self.reconcile_open(&lock, Some(id), &mut tally).await?;
        let row = self.store.plan(id).await?.ok_or_else(|| EngineError::NoPlan { asked: id.into() })?;
        if row.status == PlanStatus::Cancelled {
            return Ok(Applied::called_off(&row.id));
        }
        let ended = match self.admit(&row, confirm).await? {
            Some(ended) => ended,
            None => self.run(&lock, &row, confirm, &mut tally).await?,
        };
        if !tally.added.is_empty() {
            // Somebody may have come who was not known.
            crate::people::renew(self.store).await;
        }
        self.conclude(&row, ended, tally).await
    }

    /// Whether the plan may be applied now; how it ends where it may not.
    async fn admit(&self, row: &PlanRow, confirm: Option<usize>) -> Result<Option<Ended>, EngineError> {
        let plan = &row.plan;
        if plan.hash() != row.hash {
            return Ok(Some(Ended::Rule(Refusal::rule("R6", "the stored plan does not fit its hash"))));
        }
        match row.status {
            PlanStatus::Applied => return Ok(Some(Ended::Done)),
            PlanStatus::Superseded | PlanStatus::Expired => {
                return Ok(Some(Ended::Superseded(format!("plan {} is {}", row.id, row.status.as_str()))));
            }
            _ => {}
        }
        if row.steps.iter().any(|step| step.status == StepStatus::Superseded) {
            let reason = format!("somebody else changed what plan {} is about", row.id);
            return Ok(Some(Ended::Superseded(reason)));
        }
        let now = self.clock.now();
        if now > plan.expires_at {
            return Ok(Some(Ended::Superseded(format!("plan {} is older than 24 hours", row.id))));
        }
        if let Some(refusal) = self.unapproved(row) {
            return Ok(Some(Ended::Unapproved(refusal)));
        }
        if let Some(refusal) = self.standing_rules(&plan.steps).await? {
            return Ok(Some(Ended::Rule(refusal)));
        }
        if confirm == Some(plan.confirm_count()) {
            return Ok(None);
        }
        let over = match self.over_cap(plan, now).await? {
            Some(over) => Some(over),
            None => self.over_team_cap(plan).await?,
        };
        Ok(over.map(Ended::Frozen))
    }

    /// Whether the plan takes more people out of one team than an hour allows (R4).
    async fn over_team_cap(&self, plan: &Plan) -> Result<Option<String>, EngineError> {
        let leaving: Vec<&Step> = plan.steps.iter().filter(|step| step.removes_member()).collect();
        let teams: BTreeSet<&HerokuId> = leaving.iter().map(|step| &step.resource.id).collect();
        for id in teams {
            let of_team: Vec<&&Step> = leaving.iter().filter(|step| step.resource.id == *id).collect();
            let Some(step) = of_team.first() else { continue };
            let members = self.roster(&step.resource, false).await?.members.len() as u64;
            let since = hour_before(self.clock.now());
            let done = self.store.cap_counts(since, &id.to_string()).await?.of_team;
            let (more, most) = (of_team.len() as u64, self.settings.caps.of_team(members));
            if done + more > most {
                return Ok(Some(format!(
                    "{done} people left team {} in the last hour, and {more} more are over the cap of {most} for its {members}",
                    step.resource.name
                )));
            }
        }
        Ok(None)
    }

    async fn run(
        &self,
        lock: &ProvisioningLock,
        row: &PlanRow,
        confirm: Option<usize>,
        tally: &mut Tally,
    ) -> Result<Ended, EngineError> {
        // Where nobody else has to, whoever applies it approves it.
        let approved_before = self.settings.approval.why(&row.plan).is_some();
        let code = if approved_before { EventCode::PlanBegun } else { EventCode::PlanApproved };
        let event = self
            .plan_event(&row.id, code)
            .detail("hash", row.hash.clone())
            .detail("confirmed_count", json!(confirm));
        self.store.mark_plan(&row.id, PlanStatus::Applying, None, Some(event)).await?;
        self.watch.reached(Point::Approved);
        let confirmed = confirm == Some(row.plan.confirm_count());
        for step in &row.plan.steps {
            let stored = row.steps.iter().find(|stored| stored.ordinal == step.ordinal);
            if stored.is_some_and(|stored| stored.status == StepStatus::Verified) {
                continue;
            }
            match self.run_step(lock, &row.id, step, confirmed, tally).await? {
                Ended::Done => {}
                ended => return Ok(ended),
            }
        }
        Ok(Ended::Done)
    }

    async fn run_step(
        &self,
        lock: &ProvisioningLock,
        plan: &str,
        step: &Step,
        confirmed: bool,
        tally: &mut Tally,
    ) -> Result<Ended, EngineError> {
        let key = (plan, step.ordinal);
        let call = call_of(step)?;
        for attempt in 1..=self.settings.attempts {
            let blind = attempt > 1 && self.settings.sabotage == Some(Sabotage::RetryWithoutReading);
            let found = self.fresh_state(step).await?;
            self.watch.reached(Point::Read);
            if !blind {
                if fulfilled(step, &found.state) {
                    let code = EventCode::EffectConfirmedByRead;
                    self.finish(lock, key, step, found, code, tally).await?;
                    return Ok(Ended::Done);
                }
                if !found.is_expected(step) {
                    return self.superseded(lock, key, step, &found.state).await;
                }
            }
            let roster = found.roster;
            if let Some(refusal) = roster.as_ref().and_then(|roster| last_admin(step, roster)) {
                return Ok(Ended::Rule(refusal));
            }
            if let Some(refusal) = self.writes_off().await? {
                return Ok(Ended::Rule(refusal));
            }
            let members = roster.as_ref().map(|roster| roster.members.len() as u64);
            let late = self.settings.sabotage == Some(Sabotage::RecordAfterTheCall);
            if !late && !self.intend(lock, key, step, members, confirmed).await? {
                return Ok(Ended::Frozen("it would go over a cap of the last hour".into()));
            }
            let answer = self.send(&call).await?;
            tally.calls += answer.call().attempts;
            self.watch.reached(Point::Answered);
            if late {
                self.intend(lock, key, step, members, true).await?;
            }
            match self.record(lock, key, step, &answer).await? {
                Recorded::Confirmed => {
                    let Some(found) = self.read_back(step).await else {
                        let reason = "Heroku confirmed it, and does not show it";
                        let event =
                            self.step_event(key, step, EventCode::EffectFailed).detail("reason", reason);
                        self.mark(lock, key, StepStatus::Unknown, told(reason), event).await?;
                        return Ok(Ended::Unknown(reason.into()));
                    };
                    self.finish(lock, key, step, found, EventCode::EffectVerified, tally).await?;
                    return Ok(Ended::Done);
                }
                Recorded::Refused(reason) => {
                    let found = self.fresh_state(step).await?;
                    if fulfilled(step, &found.state) {
                        let code = EventCode::EffectConfirmedByRead;
                        self.finish(lock, key, step, found, code, tally).await?;
                        return Ok(Ended::Done);
                    }
                    return Ok(Ended::RefusedByHeroku { reason, status: answer.status() });
                }
                Recorded::NotSent(reason) => {
                    return Ok(match self.writes_off().await? {
                        Some(refusal) => Ended::Rule(refusal),
                        None => Ended::NotSent(reason),
                    });
                }
                Recorded::Unknown(reason) => {
                    if self.settings.sabotage == Some(Sabotage::RetryWithoutReading) {
                        continue;
                    }
                    self.watch.waiting(&format!("{reason}; waiting whether it arrives"));
                    match self.await_late(step, self.clock.now()).await {
                        Late::Arrived(found) => {
                            let code = EventCode::EffectConfirmedByRead;
                            self.finish(lock, key, step, found, code, tally).await?;
                            return Ok(Ended::Done);
                        }
                        // The loop begins again with a read.
                        Late::Never => {}
                        Late::Other(state) => return self.superseded(lock, key, step, &state).await,
                        Late::Unread => return Ok(Ended::Unknown(reason)),
                    }
                }
            }
        }
        Ok(Ended::Unknown(format!("{} tries ended without an answer", self.settings.attempts)))
    }

    /// Reads until Heroku shows the wish; none where it does not in time.
    pub(super) async fn read_back(&self, step: &Step) -> Option<Found> {
        let mut waited = Duration::ZERO;
        loop {
            if let Ok(found) = self.fresh_state(step).await
                && fulfilled(step, &found.state)
            {
                return Some(found);
            }
            if waited >= self.settings.verify_patience {
                return None;
            }
            tokio::time::sleep(self.settings.poll).await;
            waited += self.settings.poll;
        }
    }

    /// Writes what was read back as the next version, and the step as verified.
    pub(super) async fn finish(
        &self,
        lock: &ProvisioningLock,
        key: (&str, u32),
        step: &Step,
        Found { state, roster, .. }: Found,
        code: EventCode,
        tally: &mut Tally,
    ) -> Result<(), EngineError> {
        let seen = self.amendment(step, roster).await?;
        self.watch.reached(Point::Verified);
        let now = self.clock.now();
        // What the last version lacks, the next one lacks, too.
        let (status, mut scopes) = match self.store.snapshot(None).await? {
            Some(mut snapshot) => (snapshot.sync().status, snapshot.scopes().await?),
            None => (SyncStatus::Complete, Vec::new()),
        };
        scopes.retain(|scope| scope.gap);
        let report = SyncReport {
            status,
            started_at: now,
            finished_at: now,
            requests: u64::from(tally.calls),
            waited_ms: 0,
            error: None,
            scopes,
        };
        let event = self.step_event(key, step, code).detail("found", state.words());
        self.store.amend(lock, key, seen, &report, event).await?;
        self.watch.reached(Point::Amended);
        let (added, removed) = differing(step, &step.expected, &state);
        tally.added.extend(added);
        tally.removed.extend(removed);
        Ok(())
    }

    /// Somebody else changed it: a person decides.
    pub(super) async fn superseded(
        &self,
        lock: &ProvisioningLock,
        key: (&str, u32),
        step: &Step,
        state: &State,
    ) -> Result<Ended, EngineError> {
        let reason = format!(
            "{} on {} was {} and is {} now",
            step.person.email,
            step.resource.name,
            step.expected.words(),
            state.words()
        );
        let event = self.step_event(key, step, EventCode::PlanSuperseded).detail("reason", reason.clone());
        self.mark(lock, key, StepStatus::Superseded, told(&reason), event).await?;
        Ok(Ended::Superseded(reason))
    }
}

/// What became of a call in doubt.
pub(super) enum Late {
    /// The wish is there.
    Arrived(Found),
    /// All is as before, at a time when nothing can arrive any more.
    Never,
    /// Something else is there.
    Other(State),
    /// Heroku could not be asked.
    Unread,
}

/// Whether the state is the wish. Who leaves a team may stay in it as a collaborator of its apps.
pub(super) fn fulfilled(step: &Step, state: &State) -> bool {
    if step.wished.fulfilled_by(state) {
        return true;
    }
    let stays = matches!(state, State::Member { role } if &**role == "collaborator");
    stays && step.wished == State::Absent && state != &step.expected
}

pub(super) fn told(reason: &str) -> StepMark {
    StepMark { told: Some(reason.into()), ..StepMark::default() }
}
