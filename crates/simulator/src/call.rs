//! One request, understood: which endpoint, for what, in which variant.
//!
//! Not yet answered, and not yet allowed.
//!
//! Invariant: parameters are percent-decoded, and there are as many as the path pattern has.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::range::Range;
use crate::refusal::Refusal;
use crate::routes::Route;
use crate::value::Id;

/// A request that has passed the manners.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) route: Route,
    pub(crate) params: Vec<String>,
    /// What follows the question mark, decoded.
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) range: Range,
    /// What follows `version=3.` in `Accept`.
    pub(crate) variant: Option<String>,
    /// The relations that `Accept-Expansion` asks to spell out.
    pub(crate) expansion: String,
    pub(crate) body: Bytes,
    /// The token that it came with, and its scopes.
    pub(crate) token: (String, String),
}

impl Call {
    /// A path parameter; empty when the pattern has fewer.
    pub(crate) fn param(&self, at: usize) -> &str {
        self.params.get(at).map(String::as_str).unwrap_or_default()
    }

    /// A word of the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// True under the variant that the official command line uses most.
    pub(crate) fn sdk(&self) -> bool {
        self.variant.as_deref() == Some("sdk")
    }

    /// True when the plans of add-ons are to be spelt out.
    pub(crate) fn expands_plan(&self) -> bool {
        self.expansion.split(',').any(|word| word.trim() == "plan")
    }

    /// The body as a JSON object; an empty one counts as `{}`.
    pub(crate) fn json(&self) -> Result<serde_json::Map<String, Value>, Refusal> {
        if self.body.is_empty() {
            return Ok(serde_json::Map::new());
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(map)) => Ok(map),
            _ => Err(Refusal::malformed_body()),
        }
    }

    /// The ids in the body of `POST /filters/apps`.
    pub(crate) fn filter_ids(&self) -> Result<BTreeSet<Id>, Refusal> {
        let body = self.json()?;
        let listed = body.get("in").and_then(|filter| filter.get("id")).and_then(Value::as_array);
        let listed = listed.ok_or_else(|| Refusal::invalid("Require params: in."))?;
        listed
            .iter()
            .map(|id| id.as_str().and_then(Id::parse).ok_or_else(|| Refusal::invalid("Invalid id.")))
            .collect()
    }
}

/// The words of a query; of a word that comes twice, the last one counts.
pub(crate) fn query(text: &str) -> BTreeMap<String, String> {
    let decoded = |word: &str| percent_decode_str(word).decode_utf8_lossy().into_owned();
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}
