//! Connectors: made, changed, tried, paused, synced and removed.
//!
//! Their runs and logs are [`runs`](super::runs)'s.
//!
//! Invariant: no answer holds a token.

use std::time::Duration;

use axum::http::{StatusCode, header};
use metsuke_engine::connectors::{AfterSync, Connector, ConnectorEdit, HEROKU_URL, NewConnector, Settings};
use metsuke_engine::schedule::Polling;
use metsuke_engine::{EngineError, ErrorKind};
use metsuke_model::ConnectorId;
use metsuke_model::approval::Demand;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::runs::shown as run_shown;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::door::{entity_tag, names};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    kind: Option<String>,
    owner: String,
    api_token: String,
    #[serde(default)]
    co_owners: Vec<String>,
    api_url: Option<String>,
    polling_interval: Option<Value>,
    #[serde(default)]
    tag_account_name: Value,
    #[serde(default)]
    tag_production: bool,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    provisioning: bool,
    approval: Option<Value>,
    #[serde(default)]
    skip: Value,
    #[serde(default)]
    after_sync: Option<AfterSync>,
    jupiterone_key: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotated {
    api_token: String,
}

/// How long a trial may take.
const TRYING: Duration = Duration::from_secs(8);

/// Settings that an edit may name.
const EDITABLE: [&str; 11] = [
    "owner",
    "co_owners",
    "api_url",
    "polling_interval",
    "tag_account_name",
    "tag_production",
    "description",
    "provisioning",
    "approval",
    "skip",
    "after_sync",
];

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let paging: Paging = call.parameters()?;
    let (count, after) = call.paging::<ConnectorId>(&paging)?;
    let mut connectors = call.state.desk.installation().connectors().await?;
    connectors.sort_by_key(|connector| connector.id);
    connectors.retain(|connector| after.is_none_or(|after| connector.id > after));
    let more = connectors.len() > count;
    connectors.truncate(count);
    let next = connectors.last().filter(|_| more).map(|connector| connector.id);
    let rows: Vec<Value> = connectors.iter().map(shown).collect();
    call.page(&rows, next.as_ref(), CONNECTORS)
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let asked: New = call.json()?;
    if asked.kind.as_deref().is_some_and(|kind| kind != Connector::KIND) {
        return Err(ApiError::invalid(
            "kind",
            format!("there are connectors of kind `{}` alone", Connector::KIND),
        ));
    }
    let skip = match asked.skip {
        Value::Null => Settings::default().skip,
        skip => serde_json::from_value(skip).map_err(|error| ApiError::invalid("skip", error.to_string()))?,
    };
    let settings = Settings {
        owner: asked.owner,
        co_owners: asked.co_owners,
        api_url: asked.api_url.unwrap_or_else(|| HEROKU_URL.to_owned()),
        polling_interval: polling(asked.polling_interval.as_ref())?,
        tag_account_name: tag(asked.tag_account_name, &asked.name)?,
        tag_production: asked.tag_production,
        description: asked.description.unwrap_or_default(),
        provisioning: asked.provisioning,
        approval: asked.approval.map(demand).transpose()?.unwrap_or_default(),
        skip,
        after_sync: asked.after_sync.unwrap_or_default(),
    };
    let new = NewConnector {
        name: asked.name,
        settings,
        api_token: asked.api_token.into(),
        jupiterone_key: asked.jupiterone_key.map(Into::into),
    };
    let made = call.state.desk.installation().create(&call.caller()?.actor(), new).await?;
    let place = format!("/api/v1/connectors/{}", made.id);
    Ok(one(StatusCode::CREATED, &made)?.with(header::LOCATION, &place))
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    let connector = call.state.desk.installation().connector(id(&call)?).await?;
    one(StatusCode::OK, &connector)
}

pub(super) async fn edit(call: Call) -> Result<Answer, ApiError> {
    let (id, mut patch): (_, Map<String, Value>) = (id(&call)?, call.json()?);
    let installation = call.state.desk.installation();
    let before = installation.connector(id).await?;
    matched(&call, &before)?;
    let mut text = |name: &'static str| match patch.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::invalid(name, "it is a text")),
    };
    let (name, token, key) = (text("name")?, text("api_token")?, text("jupiterone_key")?);
    if let Some(other) = patch.keys().find(|name| !EDITABLE.contains(&name.as_str())) {
        return Err(ApiError::invalid("body", format!("`{other}` is no setting that can be changed")));
    }
    if let Some(asked) = patch.remove("tag_account_name") {
        let named = tag(asked, name.as_deref().unwrap_or(&before.name))?;
        patch.insert("tag_account_name".into(), json!(named));
    }
    if let Some(asked) = patch.get("approval") {
        demand(asked.clone())?;
    }
    let interval = patch.get("polling_interval").map(|asked| polling(Some(asked))).transpose()?;
    let mut document = json!(before.settings);
    if let Some(members) = document.as_object_mut() {
        patch.remove("polling_interval");
        members.extend(patch);
    }
    let mut settings: Settings =
        serde_json::from_value(document).map_err(|error| ApiError::invalid("body", error.to_string()))?;
    settings.polling_interval = interval.unwrap_or(settings.polling_interval);
    let edit = ConnectorEdit {
        name,
        settings: (settings != before.settings).then_some(settings),
        api_token: token.map(Into::into),
        jupiterone_key: key.map(Into::into),
    };
    let edited = installation.edit(&call.caller()?.actor(), id, Some(before.edition), edit).await?;
    one(StatusCode::OK, &edited)
}

/// Which plans a second person approves.
fn demand(asked: Value) -> Result<Demand, ApiError> {
    let told = format!("it is one of `{}`", Demand::WORDS.join("`, `"));
    serde_json::from_value(asked).map_err(|_| ApiError::invalid("approval", told))
}

pub(super) async fn delete(call: Call) -> Result<Answer, ApiError> {
    let id = id(&call)?;
    let installation = call.state.desk.installation();
    if call.headers.contains_key(header::IF_MATCH) {
        matched(&call, &installation.connector(id).await?)?;
    }
    Answer::ok(&installation.delete(&call.caller()?.actor(), id).await?)
}

pub(super) async fn rotate(call: Call) -> Result<Answer, ApiError> {
    let (id, asked): (_, Rotated) = (id(&call)?, call.json()?);
    let edit =
        ConnectorEdit { api_token: Some(SecretString::from(asked.api_token)), ..ConnectorEdit::default() };
    let edited = call.state.desk.installation().edit(&call.caller()?.actor(), id, None, edit).await?;
    one(StatusCode::OK, &edited)
}

pub(super) async fn pause(call: Call) -> Result<Answer, ApiError> {
    let paused = call.state.desk.installation().pause(&call.caller()?.actor(), id(&call)?).await?;
    one(StatusCode::OK, &paused)
}

pub(super) async fn resume(call: Call) -> Result<Answer, ApiError> {
    let resumed = call.state.desk.installation().resume(&call.caller()?.actor(), id(&call)?).await?;
    one(StatusCode::OK, &resumed)
}

pub(super) async fn test(call: Call) -> Result<Answer, ApiError> {
    let id = id(&call)?;
    let tried = call.state.desk.installation().test(id);
    match tokio::time::timeout(TRYING, tried).await {
        Err(_) => Answer::ok(&failed_probe("Heroku did not answer in time")),
        Ok(Ok(probe)) => {
            let mut told = json!(probe);
            if let Some(members) = told.as_object_mut() {
                members.insert("ok".into(), probe.problems.is_empty().into());
                members.insert("reason".into(), probe.problems.first().cloned().into());
            }
            Answer::ok(&told)
        }
        Ok(Err(error)) if is_heroku(&error) => Answer::ok(&failed_probe(&crate::error::chain(&error))),
        Ok(Err(error)) => Err(error.into()),
    }
}

/// What is told of a token with which nothing could be read.
fn failed_probe(reason: &str) -> Value {
    json!({
        "ok": false,
        "reason": reason,
        "account_id": null,
        "account_email": null,
        "scopes": [],
        "teams": null,
        "enterprise_accounts": null,
        "apps": null,
        "more_apps": false,
        "calls_left": null,
        "estimate": null,
        "problems": [reason],
    })
}

/// Whether it is Heroku, or the way to it, that failed.
fn is_heroku(error: &EngineError) -> bool {
    let kinds =
        [ErrorKind::Unauthenticated, ErrorKind::Forbidden, ErrorKind::RateLimited, ErrorKind::Upstream];
    kinds.contains(&error.kind())
}

/// The connector that the path names.
pub(super) fn id(call: &Call) -> Result<ConnectorId, ApiError> {
    let asked = call.segment("id");
    asked.parse().map_err(|_| ApiError::not_found(format!("there is no connector `{asked}`")))
}

fn polling(asked: Option<&Value>) -> Result<Polling, ApiError> {
    let read = asked.filter(|asked| !asked.is_null()).map(Polling::parse).transpose();
    read.map(Option::unwrap_or_default).map_err(|told| ApiError::invalid("polling_interval", told))
}

/// The account name to tag with: a text, or `true` for the connector's own name, as `JupiterOne`'s clients write either.
fn tag(asked: Value, name: &str) -> Result<Option<String>, ApiError> {
    match asked {
        Value::Null | Value::Bool(false) => Ok(None),
        Value::Bool(true) => Ok(Some(name.to_owned())),
        Value::String(text) => Ok(Some(text)),
        _ => Err(ApiError::invalid("tag_account_name", "it is a text, true or false".to_owned())),
    }
}

/// Refuses where `If-Match` names another edition of the settings.
fn matched(call: &Call, connector: &Connector) -> Result<(), ApiError> {
    let Some(asked) = call.headers.get(header::IF_MATCH) else { return Ok(()) };
    let same = |one: &str| {
        let one = one.trim().trim_start_matches("W/").trim_matches('"');
        one == "*" || one.split('-').next() == Some(connector.edition.to_string().as_str())
    };
    if asked.to_str().is_ok_and(|asked| asked.split(',').any(same)) || names(asked, "*") {
        return Ok(());
    }
    let told = format!("the settings were changed meanwhile: they are in edition {}", connector.edition);
    Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", told)
        .hint("read the connector again, and send its new ETag"))
}

/// One connector with its tag, whose beginning is the edition of its settings.
fn one(status: StatusCode, connector: &Connector) -> Result<Answer, ApiError> {
    let shown = shown(connector);
    let hash = entity_tag(shown.to_string().as_bytes());
    let tag = format!("\"{}-{}", connector.edition, hash.trim_start_matches('"'));
    Ok(Answer::json(status, &shown)?.with(header::ETAG, &tag))
}

fn shown(connector: &Connector) -> Value {
    let mut told = json!({
        "id": connector.id,
        "name": connector.name,
        "kind": Connector::KIND,
        "state": connector.state.as_str(),
        "reason": connector.reason,
        "edition": connector.edition,
        "created_at": connector.created_at,
        "changed_at": connector.changed_at,
        "paused_at": connector.paused_at,
        "token_set_at": connector.token_set_at,
        "account": connector.account,
        "next_sync_at": connector.next_sync_at,
        "open_run": connector.open_run.as_ref().map(run_shown),
        "last_run": connector.last_run.as_ref().map(run_shown),
    });
    if let (Some(members), Value::Object(settings)) = (told.as_object_mut(), json!(connector.settings)) {
        members.extend(settings);
    }
    told
}

const CONNECTORS: Columns = &[
    ("id", "/id"),
    ("name", "/name"),
    ("kind", "/kind"),
    ("state", "/state"),
    ("reason", "/reason"),
    ("owner", "/owner"),
    ("api_url", "/api_url"),
    ("polling_interval", "/polling_interval"),
    ("tag_account_name", "/tag_account_name"),
    ("tag_production", "/tag_production"),
    ("account", "/account"),
    ("created_at", "/created_at"),
    ("next_sync_at", "/next_sync_at"),
    ("last_run_status", "/last_run/status"),
    ("last_run_finished_at", "/last_run/finished_at"),
];
