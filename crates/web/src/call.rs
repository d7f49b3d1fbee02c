//! One request as a handler sees it: who asks, for what, with which words; and the reading of those words.
//!
//! Invariant: a parameter or a member that an operation does not know is refused, and so is a value that it cannot take.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use metsuke_engine::identity::{Caller, Operation, Visitor};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cursor;
use crate::error::ApiError;
use crate::guard::Signed;
use crate::server::State;
use crate::table::{Columns, csv};
use crate::upload::Taken;

/// Rows of a page where nobody says how many.
const PAGE: usize = 100;
/// The most rows of a page.
pub(crate) const MOST: usize = 1_000;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) state: Arc<State>,
    pub(crate) operation: Operation,
    /// Who asks; none for what everybody may ask.
    pub(crate) caller: Option<Caller>,
    /// The session that the request is in, where it brings one.
    pub(crate) signed: Option<Signed>,
    /// Where it comes from.
    pub(crate) visitor: Visitor,
    /// Whether the caller is let in for owning the thing alone.
    pub(crate) as_owner: bool,
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What was sent, where it is a file; the body is empty then.
    pub(crate) file: Option<Arc<Taken>>,
}

/// What every list takes.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    pub(crate) limit: Option<usize>,
    pub(crate) cursor: Option<String>,
}

impl Call {
    /// Who asks.
    pub(crate) fn caller(&self) -> Result<&Caller, ApiError> {
        self.caller.as_ref().ok_or_else(|| ApiError::unauthenticated("a token is needed"))
    }

    /// The session that the request is in.
    pub(crate) fn signed(&self) -> Result<&Signed, ApiError> {
        self.signed.as_ref().ok_or_else(ApiError::session_needed)
    }

    /// A segment of the path.
    pub(crate) fn segment(&self, name: &str) -> &str {
        self.path.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The parameters.
    pub(crate) fn parameters<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let read = Query::<T>::try_from_uri(&self.uri);
        let wrong =
            |error: axum::extract::rejection::QueryRejection| ApiError::invalid("parameters", cause(&error));
        read.map(|Query(read)| read).map_err(wrong)
    }

    /// Refuses a body that does not say that it is JSON.
    pub(crate) fn must_be_json(&self) -> Result<(), ApiError> {
        self.must_be("application/json")
    }

    /// Refuses a body that does not say that it is of this type.
    pub(crate) fn must_be(&self, wanted: &str) -> Result<(), ApiError> {
        let media =
            self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case(wanted) {
            return Ok(());
        }
        let what = if wanted == "application/json" { "JSON" } else { "a file" };
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Err(ApiError::new(status, "unsupported_media_type", format!("the body must be {what}"))
            .hint(format!("send `Content-Type: {wanted}`")))
    }

    /// The body, which is JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        self.must_be_json()?;
        let value: Value = serde_json::from_slice(&self.body)
            .map_err(|error| ApiError::malformed(format!("the body is no JSON: {error}")))?;
        serde_json::from_value(value).map_err(|error| {
            let told = error.to_string();
            ApiError::invalid(member(&told).unwrap_or("body"), told.as_str())
        })
    }

    /// The body where there is one, else nothing said.
    pub(crate) fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, ApiError> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// Whether CSV is asked for rather than JSON.
    pub(crate) fn wants_csv(&self) -> bool {
        self.accepts("text/csv")
    }

    /// Whether a media type is named among those that are accepted.
    pub(crate) fn accepts(&self, media: &str) -> bool {
        let accepted = self.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let named = |one: &str| {
            one.split(';').next().is_some_and(|one| one.trim().eq_ignore_ascii_case(media))
                && !one.contains("q=0;")
        };
        accepted.flat_map(|value| value.split(',')).any(named)
    }

    /// How many rows a page has, and where it begins.
    pub(crate) fn paging<K: DeserializeOwned>(
        &self,
        paging: &Paging,
    ) -> Result<(usize, Option<K>), ApiError> {
        let limit = paging.limit.unwrap_or(PAGE);
        if limit == 0 || limit > MOST {
            return Err(ApiError::invalid("limit", format!("it is a number from 1 to {MOST}")));
        }
        let place =
            paging.cursor.as_deref().map(|cursor| cursor::read(self.operation, cursor)).transpose()?;
        Ok((limit, place))
    }

    /// A page of a list, as JSON or CSV.
    pub(crate) fn page<R: Serialize>(
        &self,
        rows: &[R],
        next: Option<&impl Serialize>,
        columns: Columns,
    ) -> Result<Answer, ApiError> {
        let next = next.and_then(|place| cursor::write(self.operation, place));
        if self.wants_csv() {
            let rows: Vec<Value> = rows.iter().map(|row| json!(row)).collect();
            let answer = Answer::typed(StatusCode::OK, "text/csv; charset=utf-8", csv(columns, &rows));
            let file = format!("attachment; filename=\"{}.csv\"", self.operation.id());
            let answer = answer.with(header::CONTENT_DISPOSITION, &file);
            return Ok(match next {
                Some(next) => answer.with(axum::http::HeaderName::from_static("x-next-cursor"), &next),
                None => answer,
            });
        }
        Answer::ok(&json!({ "data": rows, "next_cursor": next }))
    }
}

/// The member that is missing or not known, where that is what is wrong.
fn member(told: &str) -> Option<&str> {
    let rest = told.strip_prefix("missing field `").or_else(|| told.strip_prefix("unknown field `"))?;
    rest.split('`').next()
}

/// The innermost cause, which names what is wrong.
fn cause(error: &dyn std::error::Error) -> String {
    let mut told = error;
    while let Some(source) = told.source() {
        told = source;
    }
    told.to_string()
}
