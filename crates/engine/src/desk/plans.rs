//! Plans, newest first, and one plan with how far it came.

use metsuke_model::approval::{Demand, missing};
use metsuke_model::plan::{Plan, PlanStatus, StepStatus};
use metsuke_model::{Moment, Version};
use metsuke_store::{PlanRow, StepRow};
use serde::{Deserialize, Serialize};

use super::{Estate, Listing, Timed};
use crate::EngineError;

/// Plans, newest first.
#[derive(Clone, Debug, Default)]
pub struct Plans {
    /// Those in one of these states; all without.
    pub states: Vec<PlanStatus>,
    /// Those in which every one of these words stands: in the title, the reason, the id, or who asked.
    pub words: String,
}

/// Plans that are read at once where only some are wanted.
const AT_ONCE: usize = 200;

/// The place of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanKey {
    at: Moment,
    id: String,
}

/// A plan in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanLine {
    /// Its id.
    pub id: String,
    /// How far it has come.
    pub status: PlanStatus,
    /// What it does.
    pub title: String,
    /// Who asked for it.
    pub actor: String,
    /// When it was made.
    pub created_at: Moment,
    /// Until when it may be applied.
    pub expires_at: Moment,
    /// How many steps it has.
    pub steps: usize,
    /// How many of them were done and read back.
    pub done: usize,
    /// Whether it could be applied once somebody else has approved it.
    pub waits_for_approval: bool,
    /// Why it stands as it does.
    pub reason: Option<String>,
}

/// A plan with everything about it.
#[derive(Clone, Debug, Serialize)]
pub struct PlanShown {
    /// The connector; null for the main database.
    pub connector: Option<String>,
    /// Its id.
    pub id: String,
    /// Its hash.
    pub hash: String,
    /// How far it has come.
    pub status: PlanStatus,
    /// The number that releases it where it is over a cap.
    pub confirm_count: usize,
    /// Who has to approve it, and has.
    pub approval: ApprovalShown,
    /// The plan.
    pub plan: Plan,
    /// How far each step came.
    pub progress: Vec<Progress>,
    /// Why it stands as it does.
    pub reason: Option<String>,
}

/// What a plan needs of others before it is applied.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ApprovalShown {
    /// Whether somebody else than who asked for it has to approve it.
    pub needed: bool,
    /// Why, where somebody has to.
    pub why: Option<String>,
    /// How many people's approval is still missing.
    pub missing: usize,
    /// Who approved it, oldest first.
    pub approvals: Vec<ApprovalLine>,
}

/// One approval.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApprovalLine {
    /// Who, as the audit trail names them.
    pub by: String,
    /// When.
    pub at: Moment,
}

impl ApprovalShown {
    /// What a stored plan needs where this is asked for.
    #[must_use]
    pub fn of(row: &PlanRow, demand: Demand) -> Self {
        let why = demand.why(&row.plan);
        let line =
            |given: &metsuke_model::approval::Approval| ApprovalLine { by: given.by.clone(), at: given.at };
        Self {
            needed: why.is_some(),
            missing: if why.is_some() { missing(&row.plan, &row.approvals) } else { 0 },
            why,
            approvals: row.approvals.iter().map(line).collect(),
        }
    }
}

/// How far a step came.
#[derive(Clone, Debug, Serialize)]
pub struct Progress {
    /// Its place in the plan.
    pub step: u32,
    /// How far it has come.
    pub status: StepStatus,
    /// How often an intent was written for it.
    pub attempts: u32,
    /// What Heroku answered.
    pub http_status: Option<u16>,
    /// Heroku's id of the request.
    pub request_id: Option<String>,
    /// What there is to say of it.
    pub told: Option<String>,
}

impl Listing for Plans {
    type Row = PlanLine;
    type Key = PlanKey;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&PlanKey>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<PlanLine>), EngineError> {
        let demand = estate.demand().await?;
        let mut before = after.map(|after| (after.at, after.id.clone()));
        let narrowed = !self.states.is_empty() || !self.words.trim().is_empty();
        let at_once = u32::try_from(if narrowed { AT_ONCE } else { count }).unwrap_or(u32::MAX);
        let mut wanted = Vec::new();
        loop {
            let place = before.as_ref().map(|(at, id)| (*at, id.as_str()));
            let rows = estate.store.plans_before(place, at_once).await?;
            let ended = rows.len() < at_once as usize;
            before = rows.last().map(|row| (row.plan.created_at, row.id.clone()));
            wanted
                .extend(rows.into_iter().filter(|row| self.wants(row)).map(|row| PlanLine::of(row, demand)));
            if wanted.len() >= count || ended {
                wanted.truncate(count);
                return Ok((None, wanted));
            }
        }
    }

    fn key(&self, row: &PlanLine) -> PlanKey {
        PlanKey { at: row.created_at, id: row.id.clone() }
    }
}

impl Timed for Plans {
    fn at(&self, row: &PlanLine) -> Moment {
        row.created_at
    }
}

impl PlanLine {
    /// The line of a stored plan where this is asked for.
    #[must_use]
    pub fn of(row: PlanRow, demand: Demand) -> Self {
        let waits_for_approval = row.status.can_be_applied() && ApprovalShown::of(&row, demand).missing > 0;
        let done = row.steps.iter().filter(|step| step.status == StepStatus::Verified).count();
        Self {
            id: row.id,
            status: row.status,
            title: row.plan.title,
            actor: row.plan.actor,
            created_at: row.plan.created_at,
            expires_at: row.plan.expires_at,
            steps: row.steps.len(),
            done,
            waits_for_approval,
            reason: row.told,
        }
    }
}

impl Plans {
    fn wants(&self, row: &PlanRow) -> bool {
        let plan = &row.plan;
        let reason = plan.reason.as_deref().unwrap_or_default();
        let text = [&*row.id, &*plan.title, reason, &*plan.actor].join(" ").to_lowercase();
        let has = |word: &str| text.contains(&word.to_lowercase());
        (self.states.is_empty() || self.states.contains(&row.status))
            && self.words.split_whitespace().all(has)
    }

    /// The plan of this id, in whichever of these estates it is.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoPlan`]; [`EngineError::BadPlan`] where somebody changed it, and what the database said.
    pub async fn find(estates: Vec<Estate>, id: &str) -> Result<(Estate, PlanShown), EngineError> {
        for estate in estates {
            // A beginning is enough at the command line; here it is not.
            let Some(row) = estate.store.plan(id).await?.filter(|row| row.id == id) else { continue };
            if row.plan.hash() != row.hash {
                return Err(EngineError::BadPlan { reason: "it does not fit its hash".into() });
            }
            let approval = ApprovalShown::of(&row, estate.demand().await?);
            let shown = PlanShown {
                connector: estate.connector.clone(),
                id: row.id,
                hash: row.hash,
                status: row.status,
                confirm_count: row.plan.confirm_count(),
                approval,
                progress: row.steps.into_iter().map(progress).collect(),
                reason: row.told,
                plan: row.plan,
            };
            return Ok((estate, shown));
        }
        Err(EngineError::NoPlan { asked: id.into() })
    }
}

fn progress(step: StepRow) -> Progress {
    Progress {
        step: step.ordinal,
        status: step.status,
        attempts: step.attempt,
        http_status: step.http_status,
        request_id: step.request_id,
        told: step.told,
    }
}
