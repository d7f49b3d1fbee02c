//! Rules: the shipped detections, and people's own in JupiterOne's form.

use axum::http::{StatusCode, header};
use metsuke_engine::desk::RuleWatched;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    rule: Value,
    #[serde(default = "on")]
    enabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    enabled: Option<bool>,
    parameters: Option<Map<String, Value>>,
}

const fn on() -> bool {
    true
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let paging: Paging = call.parameters()?;
    let (count, after) = call.paging::<String>(&paging)?;
    let mut rules = call.state.desk.watched_rules(None).await?;
    if let Some(after) = after {
        let is = |rule: &RuleWatched| rule.rule.id == after;
        let behind = rules.iter().position(is).map_or(rules.len(), |place| place + 1);
        rules.drain(..behind);
    }
    let more = rules.len() > count;
    rules.truncate(count);
    let next = rules.last().filter(|_| more).map(|rule| rule.rule.id.clone());
    call.page(&rules, next.as_ref(), RULES)
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.desk.watched_rule(None, call.segment("id")).await?)
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let Written { rule, enabled } = call.json()?;
    let made = call.state.desk.save_rule(call.caller()?, None, &rule, enabled).await?;
    let place = format!("/api/v1/rules/{}", made.id);
    Ok(Answer::json(StatusCode::CREATED, &made)?.with(header::LOCATION, &place))
}

pub(super) async fn replace(call: Call) -> Result<Answer, ApiError> {
    let Written { rule, enabled } = call.json()?;
    Answer::ok(&call.state.desk.save_rule(call.caller()?, Some(call.segment("id")), &rule, enabled).await?)
}

pub(super) async fn set(call: Call) -> Result<Answer, ApiError> {
    let Set { enabled, parameters } = call.json()?;
    Answer::ok(&call.state.desk.set_rule(call.caller()?, call.segment("id"), enabled, parameters).await?)
}

pub(super) async fn remove(call: Call) -> Result<Answer, ApiError> {
    let rule = call.state.desk.rule(call.segment("id")).await?;
    call.state.desk.remove_rule(call.caller()?, &rule.id).await?;
    Answer::ok(&rule)
}

pub(super) async fn import(call: Call) -> Result<Answer, ApiError> {
    let rules: Value = call.json()?;
    Answer::ok(&call.state.desk.import_rules(call.caller()?, &rules.to_string()).await?)
}

pub(super) async fn export(call: Call) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.desk.export_rules().await?)
}

pub(crate) const RULES: Columns = &[
    ("id", "/id"),
    ("kind", "/kind"),
    ("name", "/name"),
    ("title", "/title"),
    ("severity", "/severity"),
    ("enabled", "/enabled"),
    ("revision", "/revision"),
    ("updated_at", "/updated_at"),
    ("interval", "/interval"),
    ("looks_for", "/looks_for"),
    ("open_findings", "/open_findings"),
    ("state", "/state"),
    ("why", "/why"),
    ("evaluated_version", "/evaluated_version"),
    ("evaluated_at", "/evaluated_at"),
    ("next_at", "/next_at"),
];
