//! The kill switch, and people who are never changed.

use serde::Deserialize;
use serde_json::json;

use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    connector: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turned {
    on: bool,
    connector: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProtectedOf {
    connector: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Protected {
    person: String,
    connector: Option<String>,
}

pub(super) async fn kill_switch(call: Call) -> Result<Answer, ApiError> {
    let Of { connector } = call.parameters()?;
    let switches = call.state.desk.kill_switch(connector.as_deref()).await?;
    let on = switches.iter().all(|switch| switch.row.on);
    Answer::ok(&json!({ "on": on, "estates": switches }))
}

pub(super) async fn turn(call: Call) -> Result<Answer, ApiError> {
    let Turned { on, connector } = call.json()?;
    let switches = call.state.desk.set_kill_switch(call.caller()?, connector.as_deref(), on).await?;
    Answer::ok(&json!({ "on": on, "estates": switches }))
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let ProtectedOf { connector, limit, cursor } = call.parameters()?;
    let (count, after) = call.paging::<(String, String)>(&Paging { limit, cursor })?;
    let key = |connector: Option<&String>, person: &str| {
        (connector.cloned().unwrap_or_default(), person.to_owned())
    };
    let mut people = call.state.desk.protected(connector.as_deref()).await?;
    people.sort_by_cached_key(|one| key(one.connector.as_ref(), &one.row.person));
    people.retain(|one| {
        after.as_ref().is_none_or(|after| key(one.connector.as_ref(), &one.row.person) > *after)
    });
    let more = people.len() > count;
    people.truncate(count);
    let next = people.last().filter(|_| more).map(|one| key(one.connector.as_ref(), &one.row.person));
    call.page(&people, next.as_ref(), PROTECTED)
}

pub(super) async fn protect(call: Call) -> Result<Answer, ApiError> {
    let Protected { person, connector } = call.json()?;
    let changed = call.state.desk.protect(call.caller()?, connector.as_deref(), &person, true).await?;
    Answer::ok(&json!({ "person": person, "protected": true, "changed": changed }))
}

pub(super) async fn unprotect(call: Call) -> Result<Answer, ApiError> {
    let (person, Of { connector }) = (call.segment("person"), call.parameters()?);
    let changed = call.state.desk.protect(call.caller()?, connector.as_deref(), person, false).await?;
    Answer::ok(&json!({ "person": person, "protected": false, "changed": changed }))
}

const PROTECTED: Columns = &[("connector", "/connector"), ("person", "/person"), ("added_at", "/added_at")];
