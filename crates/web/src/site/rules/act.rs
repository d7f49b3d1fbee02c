//! What can be done to a rule by the forms of its page: switched, evaluated now, settled, removed.
//!
//! Invariant: each form becomes the request that the API takes, but for the evaluation, which goes through every estate that is looked at.

use metsuke_engine::rules::shipped::{self, ParameterKind};
use serde_json::{Map, Value, json};

use super::place;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::place::within;
use crate::site::asked::Asked;
use crate::site::connectors::as_json;
use crate::site::settings::sent_to;

pub(in crate::site) async fn switch(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let back = within(Some(&form.text("next"))).unwrap_or_else(|| place(call.segment("id")));
    handle(as_json(call, &json!({ "enabled": form.text("enabled") == "yes" }))).await?;
    Ok(sent_to(&back))
}

pub(in crate::site) async fn remove(call: Call) -> Result<Answer, ApiError> {
    handle(call).await?;
    Ok(sent_to("/rules"))
}

/// Evaluates this rule alone, in every estate that is looked at.
pub(in crate::site) async fn evaluate(call: Call) -> Result<Answer, ApiError> {
    let (desk, caller, id) = (&call.state.desk, call.caller()?, call.segment("id"));
    let asked = Asked::of(&call.uri);
    let mut told = Asked::default();
    for estate in desk.estates(asked.get("connector")).await? {
        let judged = desk.evaluate(caller, estate.connector.as_deref(), vec![id.to_owned()]).await?;
        let sum = |name: &str, more: usize| {
            let before: usize = told.get(name).and_then(|count| count.parse().ok()).unwrap_or_default();
            (before + more).to_string()
        };
        let (opened, resolved) = (sum("opened", judged.opened), sum("resolved", judged.resolved));
        told = told.with("opened", &opened).with("resolved", &resolved);
    }
    Ok(sent_to(&told.at(&place(id))))
}

/// Sets what a shipped rule leaves open; an empty field goes back to what is usual.
pub(in crate::site) async fn parameters(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id").to_owned();
    let form = Form::read(&call.body);
    let detection =
        shipped::find(&id).ok_or_else(|| ApiError::not_found("only shipped rules leave something open"))?;
    let mut set = Map::new();
    for parameter in &detection.parameters {
        let text = form.text(&format!("p.{}", parameter.name));
        if !text.trim().is_empty() {
            set.insert(parameter.name.to_string(), value(parameter.kind, text.trim()));
        }
    }
    handle(as_json(call, &json!({ "parameters": set }))).await?;
    Ok(sent_to(&place(&id)))
}

fn value(kind: ParameterKind, text: &str) -> Value {
    match kind {
        ParameterKind::Number => text.parse::<u64>().map_or_else(|_| text.into(), Value::from),
        ParameterKind::Domains | ParameterKind::Words => {
            let words = text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
            words.map(Value::from).collect()
        }
    }
}
