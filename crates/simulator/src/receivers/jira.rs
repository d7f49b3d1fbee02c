//! As much of Jira's REST API as makes an issue, finds it by its label, and moves it on.
//!
//! Source: <https://developer.atlassian.com/cloud/jira/platform/rest/v3/>
//!
//! Invariant: an issue's key is never given twice.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// An issue.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedIssue {
    /// Its key.
    pub key: String,
    /// Its fields as they came.
    pub fields: Value,
    /// Its status.
    pub status: String,
}

pub(super) fn answer(
    issues: &mut Vec<SimulatedIssue>,
    method: &str,
    rest: &str,
    body: &str,
) -> (StatusCode, String) {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let path: Vec<&str> = rest.split('/').skip(1).collect();
    match (method, &*path) {
        ("POST", ["issue"]) => create(issues, &body),
        ("POST", ["search", ..]) => {
            let wanted = body["jql"].as_str().and_then(|jql| jql.split('"').nth(1)).unwrap_or_default();
            let bears = |issue: &&SimulatedIssue| {
                issue.fields["labels"]
                    .as_array()
                    .is_some_and(|labels| labels.iter().any(|label| label == wanted))
            };
            let found: Vec<Value> =
                issues.iter().filter(bears).map(|issue| json!({ "key": issue.key })).collect();
            (StatusCode::OK, json!({ "issues": found }).to_string())
        }
        ("GET", ["issue", _, "transitions"]) => {
            let ways = json!([
                { "id": "11", "name": "Start", "to": { "name": "In Progress" } },
                { "id": "31", "name": "Finish", "to": { "name": "Done" } },
            ]);
            (StatusCode::OK, json!({ "transitions": ways }).to_string())
        }
        ("POST", ["issue", key, "transitions"]) => {
            let status = match body["transition"]["id"].as_str() {
                Some("11") => "In Progress",
                Some("31") => "Done",
                _ => return (StatusCode::BAD_REQUEST, "{}".to_owned()),
            };
            match issues.iter_mut().find(|issue| issue.key == *key) {
                Some(issue) => status.clone_into(&mut issue.status),
                None => return (StatusCode::NOT_FOUND, "{}".to_owned()),
            }
            (StatusCode::NO_CONTENT, String::new())
        }
        _ => (StatusCode::NOT_FOUND, json!({ "errorMessages": ["no such route"] }).to_string()),
    }
}

fn create(issues: &mut Vec<SimulatedIssue>, body: &Value) -> (StatusCode, String) {
    let fields = &body["fields"];
    let summary = fields["summary"].as_str().unwrap_or_default();
    if summary.is_empty() || summary.len() > 255 || summary.contains('\n') {
        let errors =
            json!({ "errorMessages": [], "errors": { "summary": "it must be one line of at most 255" } });
        return (StatusCode::BAD_REQUEST, errors.to_string());
    }
    let Some(project) = fields["project"]["key"].as_str() else {
        let errors = json!({ "errorMessages": [], "errors": { "project": "project is required" } });
        return (StatusCode::BAD_REQUEST, errors.to_string());
    };
    let key = format!("{project}-{}", issues.len() + 1);
    issues.push(SimulatedIssue { key: key.clone(), fields: fields.clone(), status: "To Do".into() });
    (StatusCode::CREATED, json!({ "id": issues.len().to_string(), "key": key }).to_string())
}
