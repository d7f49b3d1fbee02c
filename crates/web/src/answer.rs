//! What a handler gives back, before the door has put its headers on.
//!
//! Invariant: a body is whole bytes, a file, or a stream of events that ends when the server stops.

use std::fmt;
use std::pin::Pin;

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use futures::Stream;
use serde::Serialize;

use crate::error::ApiError;

/// What a handler gives back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Body,
}

/// The body of an answer.
pub(crate) enum Body {
    /// All of it.
    Whole(Bytes),
    /// What comes piece by piece: server-sent events, or a file.
    Events(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Answer {
    /// JSON with a status.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(value).map_err(|error| {
            tracing::error!(%error, "an answer cannot be written");
            ApiError::internal()
        })?;
        Ok(Self::typed(status, "application/json", body))
    }

    /// JSON with status 200.
    pub(crate) fn ok(value: &impl Serialize) -> Result<Self, ApiError> {
        Self::json(StatusCode::OK, value)
    }

    /// Bytes of a type.
    pub(crate) fn typed(status: StatusCode, media: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(media))];
        Self { status, headers, body: Body::Whole(body.into()) }
    }

    /// The same with another header.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        // Values are ids and paths of our own; one that cannot stand in a header is left out.
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }
}
