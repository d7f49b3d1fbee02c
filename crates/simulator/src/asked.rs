//! What is read off a request before anything is decided.
//!
//! Not yet a call: nothing here has been checked.
//!
//! Invariant: the method is the one that is meant, with `X-Http-Method-Override` already applied.

use axum::body::Bytes;
use axum::http::HeaderMap;

use crate::refusal::Refusal;

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: String,
    pub(crate) path: &'a str,
    /// What follows the question mark, as it came.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked<'_> {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What follows `version=3.` in an `Accept` header that names Heroku's type.
    pub(crate) fn variant(&self) -> Result<Option<String>, Refusal> {
        let accept = self.header("accept").unwrap_or_default();
        for option in accept.split(',') {
            let mut words = option.split(';').map(str::trim);
            if words.next() != Some("application/vnd.heroku+json") {
                continue;
            }
            let Some(version) = words.find_map(|word| word.strip_prefix("version=")) else { continue };
            match version.split_once('.') {
                Some(("3", variant)) => return Ok(Some(variant.to_owned())),
                None if version == "3" => return Ok(None),
                _ => {}
            }
        }
        Err(Refusal::not_acceptable())
    }
}

/// The method that a request means.
pub(crate) fn method_of(method: &str, substitute: Option<String>) -> String {
    match substitute {
        Some(substitute) if method == "POST" => substitute.to_uppercase(),
        _ => method.to_owned(),
    }
}
