//! Turns the body of an answer into typed values, or into an error that says what came instead.
//!
//! It does not judge the values.
//!
//! Invariant: JSON deeper than `serde_json`'s 128 levels is an error, never a deep stack.

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::error::ClientError;
use crate::http::text::Cleaner;
use crate::http::{Ask, Reply};

/// Bodies from this size on take longer to read than to hand to another thread.
const WORTH_A_THREAD: usize = 64 * 1024;

/// The body as `T`; `expected` says in words what it should be.
pub(super) fn json<T: DeserializeOwned>(
    cleaner: &Cleaner,
    ask: &Ask<'_>,
    reply: &Reply,
    expected: &'static str,
) -> Result<T, ClientError> {
    judge(serde_json::from_slice(&reply.body), cleaner, ask, reply, expected)
}

/// As [`json`], but a large body is read on another thread, so that other answers do not wait for it.
pub(super) async fn json_aside<T: DeserializeOwned + Send + 'static>(
    cleaner: &Cleaner,
    ask: &Ask<'_>,
    reply: &mut Reply,
    expected: &'static str,
) -> Result<T, ClientError> {
    if reply.body.len() < WORTH_A_THREAD {
        return json(cleaner, ask, reply, expected);
    }
    let body = std::mem::take(&mut reply.body);
    let read = tokio::task::spawn_blocking(move || (serde_json::from_slice(&body), body)).await;
    match read {
        Ok((read, body)) => {
            reply.body = body;
            judge(read, cleaner, ask, reply, expected)
        }
        Err(_) => Err(shape(cleaner, ask, reply, expected, "reading it was interrupted")),
    }
}

fn judge<T>(
    read: Result<T, serde_json::Error>,
    cleaner: &Cleaner,
    ask: &Ask<'_>,
    reply: &Reply,
    expected: &'static str,
) -> Result<T, ClientError> {
    read.map_err(|error| {
        let call = Box::new(ask.call());
        match error.classify() {
            // JSON that stops in the middle is a connection that was cut, politely.
            Category::Eof | Category::Io => {
                ClientError::Connection { call, reason: "the body ended early".to_owned() }
            }
            Category::Data => shape(cleaner, ask, reply, expected, &cleaner.message(&error.to_string())),
            Category::Syntax if looks_like_json(&reply.body) => {
                shape(cleaner, ask, reply, expected, &cleaner.message(&error.to_string()))
            }
            Category::Syntax => {
                let start = format!("`{}`", cleaner.excerpt(&reply.body));
                shape(cleaner, ask, reply, expected, &start)
            }
        }
    })
}

/// The error of a 2xx answer that cannot be used.
pub(super) fn shape(
    cleaner: &Cleaner,
    ask: &Ask<'_>,
    reply: &Reply,
    expected: &'static str,
    what: &str,
) -> ClientError {
    let mut reason = what.to_owned();
    if let Some(id) = &reply.request_id {
        reason = format!("{reason} (request id `{}`)", cleaner.message(id));
    }
    ClientError::Shape { call: Box::new(ask.call()), expected, reason }
}

fn looks_like_json(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'[' | b'{'))
}
