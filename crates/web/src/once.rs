//! Requests with an Idempotency-Key: the first is done, the same again gets the same answer.
//!
//! Invariant: what a key was used for is never done twice, and no answer is kept that holds a secret.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use metsuke_engine::identity::{Attempt, Begun, Caller, Kept, Once, Operation};
use serde_json::{Map, Value};

use crate::answer::{Answer, Body};
use crate::error::ApiError;

/// The header.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Members that somebody can guess.
const GUESSABLE: [&str; 2] = ["password", "passphrase"];
/// The longest key, in characters.
const LONGEST: usize = 255;

/// The key of a request; none where it has none.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let key = value.to_str().ok().map(str::trim).filter(|key| !key.is_empty() && key.len() <= LONGEST);
    let wrong = || ApiError::invalid("Idempotency-Key", format!("it has 1 to {LONGEST} visible characters"));
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}

/// What is asked, as one hash: the path, its parameters and the body.
pub(crate) fn fingerprint(operation: Operation, uri: &axum::http::Uri, body: &[u8]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    let body = without_passwords(body);
    for part in [operation.id().as_bytes(), uri.to_string().as_bytes(), &body] {
        hasher.update(&part.len().to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().as_bytes().to_vec()
}

/// The body without a password: the hash of one that somebody can guess must not be kept.
fn without_passwords(body: &[u8]) -> Cow<'_, [u8]> {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(mut members)) if GUESSABLE.iter().any(|name| members.contains_key(*name)) => {
            members.retain(|name, _| !GUESSABLE.contains(&name.as_str()));
            Cow::Owned(Value::Object(members).to_string().into_bytes())
        }
        _ => Cow::Borrowed(body),
    }
}

/// What becomes of a request with a key before it is done: an answer that was given before, or leave to do it.
pub(crate) async fn begin(
    once: &Once,
    caller: &Caller,
    key: &str,
    request: Vec<u8>,
    operation: Operation,
) -> Result<Ticket, ApiError> {
    let attempt = once.attempt(caller, operation, key, request);
    match once.begin(&attempt).await? {
        Begun::First => Ok(Ticket::Do(attempt)),
        Begun::Done(kept) => Ok(Ticket::Answered(again(kept)?)),
        Begun::Open => Err(ApiError::conflict(
            "idempotency_open",
            "a request with this Idempotency-Key is being done, or was begun and nobody knows what came of it",
        )
        .hint("look whether it was done before you use another key")),
        Begun::Other => Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_reused",
            "this Idempotency-Key belongs to a request for something else",
        )
        .hint("use a new key for each request")),
    }
}

/// What becomes of a request with a key.
#[derive(Debug)]
pub(crate) enum Ticket {
    /// It is the first.
    Do(Attempt),
    /// It was answered before.
    Answered(Answer),
}

/// What is to be kept of an outcome.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The answer.
    Done(Kept),
    /// Nothing was done.
    Undone,
    /// A fault leaves open what was done.
    Open,
}

impl Outcome {
    /// What is to be kept of it.
    pub(crate) fn of(outcome: &Result<Answer, ApiError>) -> Self {
        match outcome {
            Ok(Answer { status, headers, body: Body::Whole(body) }) => {
                let text = |value: &HeaderValue| value.to_str().ok().map(Value::from);
                let headers: Map<String, Value> = headers
                    .iter()
                    .filter_map(|(name, value)| Some((name.to_string(), text(value)?)))
                    .collect();
                let headers = Value::Object(headers).to_string();
                Self::Done(Kept { status: status.as_u16(), headers, body: without_secrets(body) })
            }
            Err(error) if error.status.is_server_error() || error.code == "in_doubt" => Self::Open,
            Ok(_) | Err(_) => Self::Undone,
        }
    }
}

/// Keeps the answer of a request that was done; gives the key back where nothing was.
pub(crate) async fn end(once: &Once, attempt: &Attempt, outcome: Outcome) {
    let ended = match outcome {
        Outcome::Done(kept) => once.done(attempt, &kept).await,
        Outcome::Undone => once.undone(attempt).await,
        Outcome::Open => Ok(()),
    };
    if let Err(error) = ended {
        tracing::warn!(%error, "what came of an Idempotency-Key cannot be kept");
    }
}

/// The body, with what is shown once taken out.
fn without_secrets(body: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(mut members)) if members.contains_key("token") => {
            members.insert("token".to_owned(), Value::Null);
            Value::Object(members).to_string().into_bytes()
        }
        _ => body.to_vec(),
    }
}

fn again(kept: Kept) -> Result<Answer, ApiError> {
    let status = StatusCode::from_u16(kept.status).map_err(|_| ApiError::internal())?;
    let headers: Map<String, Value> = serde_json::from_str(&kept.headers).unwrap_or_default();
    let headers = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name.parse().ok()?, value.as_str()?.parse().ok()?)))
        .chain([(REPLAYED, HeaderValue::from_static("true"))])
        .collect();
    Ok(Answer { status, headers, body: Body::Whole(kept.body.into()) })
}
