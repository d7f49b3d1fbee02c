//! What the safety rules say of a plan before anybody applies it, as far as that needs no word of Heroku's.
//!
//! Applying a plan asks all of them again, and those first that only Heroku's answers can settle.
//!
//! Invariant: nothing here lets a plan pass; a rule that was not asked is told as one that is still to be asked.

use metsuke_model::Moment;
use metsuke_model::plan::{Plan, State, StepStatus};
use metsuke_store::{PlanRow, Store};
use serde::Serialize;

use super::approve::wanting;
use super::rules::{hour_before, is_protected, over_hour, protected_names, removals_over, writes_off};
use super::{Refusal, Settings};
use crate::EngineError;

/// How a plan stands to one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It keeps to it.
    Kept,
    /// It does not; applying it now would be refused.
    Broken,
    /// It is over a cap; a typed number releases it.
    Over,
    /// It is asked of Heroku when the plan is applied.
    Asked,
}

/// What one rule says of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The rule, such as `R1`.
    pub rule: &'static str,
    /// What it asks for, in words.
    pub title: &'static str,
    /// How the plan stands to it.
    pub standing: Standing,
    /// Why, where there is more to say.
    pub told: Option<String>,
}

/// What the rules say of a stored plan now.
///
/// # Errors
///
/// What the database said.
pub async fn verdicts(
    store: &Store,
    settings: &Settings,
    row: &PlanRow,
    now: Moment,
) -> Result<Vec<Verdict>, EngineError> {
    let plan = &row.plan;
    let say = |rule, title, broken: Option<String>| {
        let standing = if broken.is_some() { Standing::Broken } else { Standing::Kept };
        Verdict { rule, title, standing, told: broken }
    };
    let off = writes_off(settings, store).await?.filter(|refusal| refusal.rule == Some("R10"));
    // Where writes are not allowed at all, nobody has looked at the switch yet.
    let allowed = Settings { allow_writes: true, ..settings.clone() };
    let killed = writes_off(&allowed, store).await?;
    let told = |refusal: Option<Refusal>| refusal.map(|refusal| refusal.reason);
    let over = over(store, settings, plan, now).await?;
    Ok(vec![
        say("R10", "Writes are allowed for this connector", told(off)),
        say("R11", "The kill switch is off", told(killed)),
        say("R6", "The plan is fresh, and nobody else changed what it is about", stale(row, now)),
        last_admin(plan),
        Verdict {
            rule: "R2",
            title: "The connector’s own account is never changed",
            standing: Standing::Asked,
            told: None,
        },
        say("R7", "Who has to approve it has done so", told(wanting(settings, row))),
        say("R3", "Nobody who is protected is changed", protected(store, plan).await?),
        Verdict {
            rule: "R4",
            title: "Not too much at once, and not too much in an hour",
            standing: if over.is_some() { Standing::Over } else { Standing::Kept },
            told: over,
        },
        say("R15", "After a restore, Heroku was read whole", restored(store).await?),
    ])
}

/// R1 looks at the members of a team, which are read when the step is about to be sent.
fn last_admin(plan: &Plan) -> Verdict {
    let is_admin = |state: &State| matches!(state, State::Member { role } if &**role == "admin");
    let asked = plan.steps.iter().any(|step| is_admin(&step.expected) && !is_admin(&step.wished));
    Verdict {
        rule: "R1",
        title: "No team loses its last admin",
        standing: if asked { Standing::Asked } else { Standing::Kept },
        told: (!asked).then(|| "no step takes an admin’s role".to_owned()),
    }
}

fn stale(row: &PlanRow, now: Moment) -> Option<String> {
    if row.plan.hash() != row.hash {
        return Some("the stored plan does not fit its hash".to_owned());
    }
    if row.steps.iter().any(|step| step.status == StepStatus::Superseded) {
        return Some("somebody else changed what it is about".to_owned());
    }
    (now > row.plan.expires_at).then(|| "it is older than 24 hours".to_owned())
}

async fn protected(store: &Store, plan: &Plan) -> Result<Option<String>, EngineError> {
    let names = protected_names(store).await?;
    let found = plan.steps.iter().find(|step| is_protected(&names, &step.person));
    Ok(found.map(|step| format!("{} is a protected principal", step.person.email)))
}

async fn over(
    store: &Store,
    settings: &Settings,
    plan: &Plan,
    now: Moment,
) -> Result<Option<String>, EngineError> {
    let people = match store.snapshot(None).await? {
        Some(snapshot) => snapshot.sync().counts.users,
        None => 0,
    };
    if let Some(over) = removals_over(&settings.caps, plan, people) {
        return Ok(Some(over));
    }
    let done = store.cap_counts(hour_before(now), "").await?;
    Ok(over_hour(&settings.caps, plan, done))
}

async fn restored(store: &Store) -> Result<Option<String>, EngineError> {
    let restored = store.restored().await?;
    Ok(restored.map(|restored| format!("the database was restored from a backup of {}", restored.made_at)))
}
