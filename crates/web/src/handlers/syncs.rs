//! Syncs with what each read, and those that wait to be accepted.

use metsuke_engine::desk::Syncs;
use metsuke_model::Version;
use serde::Deserialize;

use super::changes::newest_first;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SyncsOf {
    connector: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    connector: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let SyncsOf { connector, limit, cursor } = call.parameters()?;
    let estates = call.state.desk.estates(connector.as_deref()).await?;
    newest_first(&call, &Syncs::default(), estates, &Paging { limit, cursor }, SYNCS).await
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    let (version, Of { connector }) = (version(&call)?, call.parameters()?);
    Answer::ok(&call.state.desk.sync(connector.as_deref(), version).await?)
}

pub(super) async fn accept(call: Call) -> Result<Answer, ApiError> {
    let (version, Of { connector }) = (version(&call)?, call.parameters()?);
    Answer::ok(&call.state.desk.accept_sync(call.caller()?, connector.as_deref(), version).await?)
}

/// The number that the path names.
fn version(call: &Call) -> Result<Version, ApiError> {
    let asked = call.segment("version");
    let missing = || ApiError::not_found(format!("there is no sync `{asked}`"));
    asked.parse().map(Version).map_err(|_| missing())
}

const SYNCS: Columns = &[
    ("connector", "/connector"),
    ("version", "/version"),
    ("status", "/status"),
    ("started_at", "/started_at"),
    ("finished_at", "/finished_at"),
    ("duration_ms", "/duration_ms"),
    ("requests", "/requests"),
    ("waited_ms", "/waited_ms"),
    ("users", "/counts/users"),
    ("teams", "/counts/teams"),
    ("enterprise_accounts", "/counts/enterprise_accounts"),
    ("apps", "/counts/apps"),
    ("addons", "/counts/addons"),
    ("invitations", "/counts/invitations"),
    ("grants", "/counts/grants"),
    ("added", "/changes/added"),
    ("removed", "/changes/removed"),
    ("changed", "/changes/changed"),
    ("error", "/error"),
];
