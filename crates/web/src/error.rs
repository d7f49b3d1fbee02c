//! What a caller is told when something cannot be done: a stable code, a sentence, what to do, and which fields are wrong.
//!
//! Kinds of failures are the engine's; this is the one place that gives them HTTP's words.
//!
//! Invariant: a fault of our own tells no cause, only the number of the request, under which the log has it.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use metsuke_engine::{EngineError, ErrorKind};
use serde::Serialize;
use serde_json::{Value, json};

/// Why a request was not answered as wished.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

/// One part of a request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Field {
    /// Which part: a member, a parameter, or `query` for the text of a question.
    pub(crate) name: String,
    /// What is wrong with it.
    pub(crate) message: String,
    /// The line in the text of a question, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// The column, in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<usize>,
    /// Where it begins, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<usize>,
    /// Where it ends, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<usize>,
    /// What may have been meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suggestion: Option<String>,
}

impl Field {
    pub(crate) fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            message: message.into(),
            line: None,
            column: None,
            start: None,
            end: None,
            suggestion: None,
        }
    }
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: None, fields: Vec::new(), headers: Vec::new() }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// A part of the request has a value that cannot be taken.
    pub(crate) fn invalid(name: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let told = format!("`{name}` cannot be taken: {message}");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", told).field(Field::new(name, message))
    }

    /// The request cannot be read at all.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub(crate) fn unauthenticated(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
            .hint("send `Authorization: Bearer mtk_…`; `metsuke token create` makes a token")
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// A token's bearer asks for what only somebody in a session can be given.
    pub(crate) fn session_needed() -> Self {
        Self::new(StatusCode::FORBIDDEN, "session_needed", "this is for people who have signed in")
            .hint("a token has no session")
    }

    pub(crate) fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
            .header(header::RETRY_AFTER, HeaderValue::from_static("5"))
    }

    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server has a fault")
            .hint("the server's log tells of it under the number of this request")
    }

    /// The body, with the number of the request.
    pub(crate) fn body(&self, request: &str) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(members) = error.as_object_mut() {
            members.extend(self.hint.as_ref().map(|hint| ("hint".to_owned(), json!(hint))));
            if !self.fields.is_empty() {
                members.insert("fields".to_owned(), json!(self.fields));
            }
        }
        json!({ "error": error, "request_id": request })
    }

    /// The whole answer.
    pub(crate) fn response(&self, request: &str) -> Response {
        let mut response = (self.status, self.body(request).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        response
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        if let Some(told) = question(&error) {
            return told;
        }
        if let EngineError::Fields { fields } = &error {
            let told = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", error.to_string());
            return fields
                .iter()
                .fold(told, |told, bad| told.field(Field::new(bad.field, bad.problem.clone())));
        }
        if let EngineError::Mistakes(mistakes) = &error {
            let told = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "rule_invalid", "the rule cannot be kept");
            return mistakes.iter().fold(told, |told, one| told.field(Field::new(&*one.place, &*one.what)));
        }
        let (status, code) = words(&error);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %chain(&error), "a request met a fault");
            return Self::internal();
        }
        let mut told = Self::new(status, code, chain(&error));
        told.hint = error.hint();
        if let Some(wait) = error.retry_after() {
            let seconds = wait.as_secs().max(1);
            told.headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
        }
        told
    }
}

/// HTTP's words for a kind of failure.
fn words(error: &EngineError) -> (StatusCode, &'static str) {
    if error.is_missing_version() {
        return (StatusCode::NOT_FOUND, "no_version");
    }
    if error.is_too_slow() {
        return (StatusCode::UNPROCESSABLE_ENTITY, "too_slow");
    }
    if error.is_busy() {
        return (StatusCode::SERVICE_UNAVAILABLE, "busy");
    }
    match error {
        EngineError::RosterSource { .. } => return (StatusCode::FAILED_DEPENDENCY, "roster_unreachable"),
        EngineError::JupiterOne { .. } => return (StatusCode::FAILED_DEPENDENCY, "jupiterone_refused"),
        EngineError::NotOwned | EngineError::NotYours { .. } => return (StatusCode::FORBIDDEN, "forbidden"),
        EngineError::NotSecondPerson { .. } => return (StatusCode::CONFLICT, "not_second_person"),
        EngineError::OtherHash { .. } => return (StatusCode::CONFLICT, "other_hash"),
        EngineError::OwnToken => return (StatusCode::CONFLICT, "own_token"),
        EngineError::NameTaken { .. } => return (StatusCode::CONFLICT, "name_taken"),
        EngineError::Changed { .. } => return (StatusCode::PRECONDITION_FAILED, "precondition_failed"),
        _ => {}
    }
    match error.kind() {
        ErrorKind::Conflict => (StatusCode::CONFLICT, "conflict"),
        ErrorKind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        ErrorKind::Unauthenticated => (StatusCode::CONFLICT, "heroku_token_refused"),
        ErrorKind::Forbidden => (StatusCode::CONFLICT, "heroku_refused"),
        ErrorKind::Refused => (StatusCode::CONFLICT, "refused"),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not_found"),
        ErrorKind::Ambiguous => (StatusCode::CONFLICT, "ambiguous"),
        ErrorKind::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "heroku_rate_limited"),
        ErrorKind::Upstream => (StatusCode::FAILED_DEPENDENCY, "heroku_unreachable"),
        ErrorKind::InDoubt => (StatusCode::FAILED_DEPENDENCY, "in_doubt"),
        ErrorKind::Cancelled => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        ErrorKind::Store | ErrorKind::Audit | ErrorKind::Seal => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told.push_str(": ");
        told.push_str(&cause.to_string());
        source = cause.source();
    }
    told
}

/// Whatever is wrong with a question, each mistake with its place.
fn question(error: &EngineError) -> Option<ApiError> {
    let EngineError::Query { text, errors } = error else { return None };
    let place = |at: usize| {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let told = ApiError::new(status, "query_invalid", "the question is not understood");
    Some(errors.problems().fold(told, |told, problem| {
        let (line, column) = place(problem.span.start);
        told.field(Field {
            name: "query".into(),
            message: problem.message.clone(),
            line: Some(line),
            column: Some(column),
            start: Some(problem.span.start),
            end: Some(problem.span.end),
            suggestion: problem.suggestion.clone(),
        })
    }))
}
