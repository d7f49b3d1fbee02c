//! Rules that are checked or run without being kept, and versions that are evaluated.

use metsuke_engine::desk::{Desk, Trial};
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
struct Of {
    connector: Option<String>,
}

pub(super) async fn check(call: Call) -> Result<Answer, ApiError> {
    let (rules, notes) = Desk::check_rules(&call.json()?)?;
    Answer::ok(&json!({ "rules": rules, "notes": notes }))
}

pub(super) async fn run(call: Call) -> Result<Answer, ApiError> {
    let Asked { connector, ids, rules, parameters, as_of, since } = call.json_or_default()?;
    let trial =
        Trial { ids, rules, parameters, as_of: version("as_of", as_of)?, since: version("since", since)? };
    let outcomes = call.state.desk.run_rules(connector.as_deref(), trial).await?;
    Answer::ok(&json!({ "data": outcomes }))
}

pub(super) async fn evaluate(call: Call) -> Result<Answer, ApiError> {
    let Of { connector } = call.json_or_default()?;
    let judged = call.state.desk.evaluate(call.caller()?, connector.as_deref()).await?;
    let mut told = json!(judged);
    let unjudged = judged.unjudged.iter().map(|(rule, why)| json!({ "rule": rule, "reason": why }));
    told["unjudged"] = unjudged.collect();
    Answer::ok(&told)
}
