//! Rules that are checked or run without being kept, and versions that are evaluated.

use metsuke_engine::desk::{Desk, ReplayOf, Trial};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::estate::version;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    connector: Option<String>,
    #[serde(default)]
    ids: Vec<String>,
    rules: Option<Value>,
    #[serde(default)]
    parameters: Map<String, Value>,
    as_of: Option<String>,
    since: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Evaluated {
    connector: Option<String>,
    #[serde(default)]
    rules: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replayed {
    connector: Option<String>,
    id: Option<String>,
    rule: Option<Value>,
    days: Option<u32>,
}

pub(super) fn check(call: &Call) -> Result<Answer, ApiError> {
    Answer::ok(&Desk::check_rules(&call.json()?)?)
}

pub(super) async fn run(call: Call) -> Result<Answer, ApiError> {
    let Asked { connector, ids, rules, parameters, as_of, since } = call.json_or_default()?;
    let trial =
        Trial { ids, rules, parameters, as_of: version("as_of", as_of)?, since: version("since", since)? };
    let outcomes = call.state.desk.run_rules(connector.as_deref(), trial).await?;
    Answer::ok(&json!({ "data": outcomes }))
}

pub(super) async fn evaluate(call: Call) -> Result<Answer, ApiError> {
    let Evaluated { connector, rules } = call.json_or_default()?;
    let judged = call.state.desk.evaluate(call.caller()?, connector.as_deref(), rules).await?;
    let mut told = json!(judged);
    let unjudged = judged.unjudged.iter().map(|(rule, why)| json!({ "rule": rule, "reason": why }));
    told["unjudged"] = unjudged.collect();
    Answer::ok(&told)
}

pub(super) async fn replay(call: Call) -> Result<Answer, ApiError> {
    let Replayed { connector, id, rule, days } = call.json()?;
    let of = match (id, rule) {
        (Some(id), None) => ReplayOf::Kept(id),
        (None, Some(rule)) => ReplayOf::Written(rule),
        _ => return Err(ApiError::invalid("rule", "send a `rule`, or the `id` of one that is kept")),
    };
    Answer::ok(&call.state.desk.replay_rule(connector.as_deref(), of, days).await?)
}
