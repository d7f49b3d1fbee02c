//! Looking after the installation: whether it is fit, what is not to be kept, and copies of it; and versions that are brought to
//! JupiterOne or held against a file.

use axum::http::{HeaderName, StatusCode, header};
use metsuke_engine::EngineError;
use metsuke_engine::backup::Lock;
use metsuke_engine::desk::{Destination, Origin};
use metsuke_engine::jupiterone::Options;
use serde::Deserialize;
use serde_json::json;

use super::estate::version;
use super::export::{Shape, download};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;

/// Tells what is in a file that cannot be looked into.
const ABOUT: HeaderName = HeaderName::from_static("x-about");
/// The type of a file of which nothing more is said.
const FILE: &str = "application/octet-stream";
/// Differences that are told one by one.
const MOST_DIFFERENCES: usize = 200_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    connector: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BackupAsk {
    recipient: Option<String>,
    passphrase: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UploadAsk {
    connector: Option<String>,
    as_of: Option<String>,
    account_id: String,
    api_key: String,
    integration_instance_id: Option<String>,
    scope: Option<String>,
    profile: Option<String>,
    account_name: Option<String>,
    #[serde(default)]
    tag_production: bool,
    #[serde(default)]
    only_original: bool,
    #[serde(default)]
    effective: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompareOf {
    connector: Option<String>,
    as_of: Option<String>,
    sync: Option<String>,
}

pub(super) async fn examine(call: Call) -> Result<Answer, ApiError> {
    let Of { connector } = call.parameters()?;
    let checks = call.state.desk.examine(connector.as_deref()).await?;
    Answer::ok(&json!({ "data": checks }))
}

pub(super) async fn prune(call: Call) -> Result<Answer, ApiError> {
    let told = call.state.desk.prune_now(&call.caller()?.actor()).await?;
    let place = format!("/api/v1/jobs/{}", told.row.id);
    Ok(Answer::json(StatusCode::ACCEPTED, &told)?.with(header::LOCATION, &place))
}

pub(super) async fn backup(call: Call) -> Result<Answer, ApiError> {
    let BackupAsk { recipient, passphrase } = call.json()?;
    let (name, lock) = match (&recipient, &passphrase) {
        (Some(recipient), None) => ("recipient", Lock::recipient(recipient)),
        (None, Some(passphrase)) => ("passphrase", Lock::passphrase(&passphrase.as_str().into())),
        _ => return Err(ApiError::invalid("recipient", "name either that or a `passphrase`")),
    };
    let lock = lock.map_err(|error| match error {
        EngineError::Backup { reason, .. } => ApiError::invalid(name, reason),
        error => error.into(),
    })?;
    let copied = call.state.desk.copy(&call.caller()?.actor(), lock).await?;
    let answer = download(copied.file, FILE, "metsuke.age")?;
    Ok(answer.with(ABOUT, &copied.about.to_string()))
}

pub(super) async fn upload(call: Call) -> Result<Answer, ApiError> {
    let ask: UploadAsk = call.json()?;
    let origin = match (ask.integration_instance_id, ask.scope) {
        (Some(id), None) => Origin::Instance(id),
        (None, Some(scope)) => Origin::Scope(scope),
        _ => return Err(ApiError::invalid("integration_instance_id", "name either that or a `scope`")),
    };
    let shape = Shape {
        profile: ask.profile,
        account_name: ask.account_name,
        tag_production: ask.tag_production,
        only_original: ask.only_original,
        effective: ask.effective,
    };
    let options: Options = shape.options()?;
    let to = Destination { account: ask.account_id, api_key: ask.api_key.into(), origin };
    let of = (ask.connector.as_deref(), version("as_of", ask.as_of)?);
    Answer::ok(&call.state.desk.upload_version(&call.caller()?.actor(), of, to, options).await?)
}

pub(super) async fn compare(call: Call) -> Result<Answer, ApiError> {
    let CompareOf { connector, as_of, sync } = call.parameters()?;
    let of = (connector.as_deref(), version("as_of", as_of)?);
    call.must_be(FILE)?;
    let file = call.file.as_ref().ok_or_else(|| ApiError::invalid("body", "it is a c1z file"))?;
    Answer::ok(&call.state.desk.compare_file(of, file.path(), sync, MOST_DIFFERENCES).await?)
}
