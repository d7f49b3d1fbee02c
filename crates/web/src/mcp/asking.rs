//! Asks operations of the API on behalf of a tool.
//!
//! Invariant: an operation is asked only where the tool names it and where the policy lets the caller do it, with the caller's own
//! name; what it answers is inert.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use metsuke_engine::identity::{Operation, Owned};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::inert;
use crate::answer::Body;
use crate::call::Call;
use crate::door::permitted;
use crate::error::ApiError;
use crate::handlers::handle;

/// Who asks, and for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    call: &'a Call,
    /// What the tool may ask.
    needs: &'static [Operation],
}

/// What an operation is asked with.
#[derive(Debug, Default)]
pub(super) struct With {
    pub(super) path: BTreeMap<String, String>,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) body: Option<Map<String, Value>>,
}

impl With {
    /// The thing that a path names.
    pub(super) fn id(id: &str) -> Self {
        Self { path: [("id".to_owned(), id.to_owned())].into(), ..Self::default() }
    }

    pub(super) fn body(body: Map<String, Value>) -> Self {
        Self { body: Some(body), ..Self::default() }
    }

    /// Parameters as they stand in an address: texts, numbers, and yes or no.
    pub(super) fn parameters(arguments: &Map<String, Value>) -> Result<Self, ApiError> {
        let mut parameters = Vec::new();
        for (name, value) in arguments {
            let value = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => return Err(ApiError::invalid(name, "it is a text or a number")),
            };
            parameters.push((name.clone(), value));
        }
        Ok(Self { parameters, ..Self::default() })
    }

    fn uri(&self) -> Result<Uri, ApiError> {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<String> = self
            .parameters
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let uri = format!("/?{}", pairs.join("&"));
        uri.parse().map_err(|_| ApiError::malformed("the arguments are too long"))
    }
}

impl<'a> Asking<'a> {
    pub(super) const fn new(call: &'a Call, needs: &'static [Operation]) -> Self {
        Self { call, needs }
    }

    /// Whether the caller may do something beside, whosever it is.
    pub(super) fn may(&self, operation: Operation) -> bool {
        self.call.caller.as_ref().is_some_and(|caller| operation.permits(caller, Owned::No).is_ok())
    }

    /// Asks one operation.
    pub(super) async fn ask(&self, operation: Operation, with: With) -> Result<Value, ApiError> {
        // How complete an answer is may be told wherever the caller may see connectors.
        let beside = operation == Operation::ListConnectors && self.may(operation);
        if !(beside || self.needs.contains(&operation)) {
            tracing::error!(%operation, "a tool has asked for what it does not name");
            return Err(ApiError::internal());
        }
        let caller = self.call.caller()?;
        let as_owner = permitted(&self.call.state, operation, caller, &with.path).await?;
        let mut headers = HeaderMap::new();
        if with.body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let uri = with.uri()?;
        let inner = Call {
            state: self.call.state.clone(),
            operation,
            caller: Some(caller.clone()),
            signed: None,
            visitor: self.call.visitor.clone(),
            as_owner,
            path: with.path,
            uri,
            headers,
            body: with.body.map(|body| Value::Object(body).to_string()).unwrap_or_default().into(),
            file: None,
        };
        let answer = handle(inner).await?;
        let Body::Whole(body) = answer.body else { return Err(ApiError::internal()) };
        let told = serde_json::from_slice(&body).map_err(|error| {
            tracing::error!(%error, %operation, "an answer is no JSON");
            ApiError::internal()
        })?;
        Ok(inert::value(told))
    }
}
