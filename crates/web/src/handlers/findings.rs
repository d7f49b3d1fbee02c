//! Findings, and what people say of them.

use metsuke_engine::desk::{Findings, Saying};
use metsuke_model::finding::FindingState;
use serde::Deserialize;

use super::audit::time;
use super::estate::list as list_of;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FindingsOf {
    connector: Option<String>,
    state: Option<String>,
    rule: Option<String>,
    level: Option<String>,
    person: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    until: String,
    reason: String,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let asked: FindingsOf = call.parameters()?;
    let read = |state: &str| {
        let wrong = || ApiError::invalid("state", "it is open, acknowledged, accepted or resolved");
        FindingState::parse(state).ok_or_else(wrong)
    };
    let states =
        asked.state.iter().flat_map(|states| states.split(',')).map(read).collect::<Result<_, _>>()?;
    let findings = Findings { states, rule: asked.rule, level: asked.level, person: asked.person };
    let estates = call.state.desk.estates(asked.connector.as_deref()).await?;
    list_of(&call, &findings, estates, &Paging { limit: asked.limit, cursor: asked.cursor }, FINDINGS).await
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.desk.finding(call.segment("id")).await?)
}

pub(super) async fn acknowledge(call: Call) -> Result<Answer, ApiError> {
    let Reason { reason } = call.json_or_default()?;
    say(&call, Saying::Acknowledge { reason }).await
}

pub(super) async fn reopen(call: Call) -> Result<Answer, ApiError> {
    let Reason { reason } = call.json_or_default()?;
    say(&call, Saying::Reopen { reason }).await
}

pub(super) async fn accept(call: Call) -> Result<Answer, ApiError> {
    let Acceptance { until, reason } = call.json()?;
    let until = time("until", Some(until))?.ok_or_else(|| ApiError::invalid("until", "it is a time"))?;
    say(&call, Saying::Accept { until, reason }).await
}

async fn say(call: &Call, saying: Saying) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.desk.say(call.caller()?, call.segment("id"), saying).await?)
}

pub(crate) const FINDINGS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("number", "/number"),
    ("rule", "/rule"),
    ("rule_name", "/rule_name"),
    ("level", "/level"),
    ("state", "/state"),
    ("subject", "/subject"),
    ("opened_at", "/opened_at"),
    ("until", "/until"),
    ("reason", "/reason"),
    ("person", "/person"),
    ("times", "/times"),
];
