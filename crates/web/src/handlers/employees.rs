//! People of rosters, and whose account is whose.

use axum::http::{StatusCode, header};
use metsuke_engine::desk::{Employees, OpenPeople, RosterSource};
use metsuke_model::people::RosterKind;
use serde::Deserialize;
use serde_json::json;

use super::estate::list as list_of;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EmployeesOf {
    connector: Option<String>,
    #[serde(default)]
    leavers: bool,
    #[serde(default)]
    unmatched: bool,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenOf {
    connector: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RosterFor {
    connector: Option<String>,
    #[serde(default)]
    accept_missing: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FetchFrom {
    url: String,
    token: String,
    connector: Option<String>,
    #[serde(default)]
    accept_missing: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    connector: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Matched {
    employee: Option<String>,
    #[serde(default)]
    nobody: bool,
    connector: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let EmployeesOf { connector, leavers, unmatched, limit, cursor } = call.parameters()?;
    let estates = call.state.desk.estates(connector.as_deref()).await?;
    let employees = Employees { leavers, unmatched };
    list_of(&call, &employees, estates, &Paging { limit, cursor }, EMPLOYEES).await
}

pub(super) async fn open(call: Call) -> Result<Answer, ApiError> {
    let OpenOf { connector, limit, cursor } = call.parameters()?;
    let estates = call.state.desk.estates(connector.as_deref()).await?;
    list_of(&call, &OpenPeople, estates, &Paging { limit, cursor }, OPEN).await
}

pub(super) async fn import(call: Call) -> Result<Answer, ApiError> {
    let RosterFor { connector, accept_missing } = call.parameters()?;
    let media = call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_lowercase();
    let kind = match essence.as_str() {
        "text/csv" => RosterKind::Csv,
        "application/json" | "application/scim+json" => RosterKind::Scim,
        _ => {
            let told = "a roster is CSV, or a SCIM document";
            let error = ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", told);
            return Err(error.hint("send `Content-Type: text/csv` or `application/scim+json`"));
        }
    };
    let roster = (call.segment("name"), kind);
    let desk = &call.state.desk;
    let taken =
        desk.import_roster(call.caller()?, connector.as_deref(), roster, &call.body, accept_missing).await?;
    Answer::ok(&json!({ "estates": taken }))
}

/// Fetches a roster; the token goes no further than the request that it is for.
pub(super) async fn fetch(call: Call) -> Result<Answer, ApiError> {
    let FetchFrom { url, token, connector, accept_missing } = call.json()?;
    let (desk, source) = (&call.state.desk, RosterSource { url, token: token.into() });
    let (caller, roster) = (call.caller()?, call.segment("name"));
    let taken = desk.fetch_roster(caller, connector.as_deref(), roster, source, accept_missing).await?;
    Answer::ok(&json!({ "estates": taken }))
}

pub(super) async fn match_account(call: Call) -> Result<Answer, ApiError> {
    let Matched { employee, nobody, connector } = call.json()?;
    if employee.is_some() == nobody {
        return Err(ApiError::invalid("employee", "name somebody, or say that it is `nobody`'s"));
    }
    let (caller, account) = (call.caller()?, call.segment("id"));
    let desk = &call.state.desk;
    let changed = desk.match_account(caller, connector.as_deref(), account, employee.as_deref()).await?;
    Answer::ok(&json!({ "account": account, "changed": changed }))
}

pub(super) async fn unmatch(call: Call) -> Result<Answer, ApiError> {
    let Of { connector } = call.parameters()?;
    let account = call.segment("id");
    let changed = call.state.desk.unmatch_account(call.caller()?, connector.as_deref(), account).await?;
    Answer::ok(&json!({ "account": account, "changed": changed }))
}

pub(crate) const EMPLOYEES: Columns = &[
    ("connector", "/connector"),
    ("key", "/key"),
    ("name", "/name"),
    ("emails", "/emails"),
    ("title", "/title"),
    ("department", "/department"),
    ("manager_email", "/manager_email"),
    ("employee_id", "/employee_id"),
    ("employee_type", "/employee_type"),
    ("active", "/active"),
    ("missing_since", "/missing_since"),
    ("roster", "/roster"),
    ("accounts", "/accounts"),
];

pub(crate) const OPEN: Columns = &[
    ("connector", "/connector"),
    ("what", "/what"),
    ("id", "/id"),
    ("email", "/email"),
    ("name", "/name"),
    ("unsure_by", "/unsure_by"),
    ("candidates", "/candidates"),
];
