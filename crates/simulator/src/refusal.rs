//! Every answer of the simulated Heroku that is not a success.
//!
//! Not an error of the simulator: a refusal is one of its products.
//!
//! Invariant: `id` and `message` are those of the fact sheet where it knows them.

use serde_json::{Value, json};

/// A status, Heroku's error id and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) id: &'static str,
    pub(crate) message: String,
    pub(crate) url: Option<&'static str>,
    pub(crate) resource: Option<&'static str>,
}

impl Refusal {
    fn new(status: u16, id: &'static str, message: impl Into<String>) -> Self {
        Self { status, id, message: message.into(), url: None, resource: None }
    }

    pub(crate) fn malformed_body() -> Self {
        Self::new(400, "bad_request", "Unable to parse the JSON request.")
    }

    pub(crate) fn malformed_range() -> Self {
        Self::new(
            400,
            "bad_request",
            "Invalid `Range` header. Please use format like `id ..; max=10, order=desc`.",
        )
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "unauthorized", "Invalid credentials provided.")
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "forbidden", message)
    }

    pub(crate) fn no_access(kind: &str, name: &str) -> Self {
        Self::forbidden(format!("You do not have access to the {kind} {name}."))
    }

    pub(crate) fn not_found(resource: &'static str) -> Self {
        let mut refusal = Self::new(404, "not_found", format!("Couldn't find that {resource}."));
        refusal.resource = Some(resource);
        refusal
    }

    pub(crate) fn no_such_route() -> Self {
        Self::new(
            404,
            "not_found",
            "The requested API endpoint was not found. Are you using the right HTTP verb (i.e. `GET` vs. `POST`), and did you specify your intended version with the `Accept` header?",
        )
    }

    pub(crate) fn not_acceptable() -> Self {
        Self::new(
            406,
            "not_acceptable",
            "The Accept header must name `application/vnd.heroku+json; version=3`.",
        )
    }

    pub(crate) fn unsortable() -> Self {
        Self::new(
            416,
            "requested_range_not_satisfiable",
            "Requested range order is not allowed, please try `id` or another specified in `Accept-Ranges`.",
        )
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(422, "invalid_params", message)
    }

    pub(crate) fn rate_limit() -> Self {
        let mut refusal = Self::new(
            429,
            "rate_limit",
            "Your account reached the API rate limit\nPlease wait a few minutes before making new requests",
        );
        refusal.url = Some("https://devcenter.heroku.com/articles/platform-api-reference#rate-limits");
        refusal
    }

    pub(crate) fn server_error() -> Self {
        Self::new(500, "server_error", "Internal server error.")
    }

    pub(crate) fn body(&self) -> Value {
        let mut body = json!({ "id": self.id, "message": self.message });
        if let Some(map) = body.as_object_mut() {
            if let Some(url) = self.url {
                map.insert("url".into(), url.into());
            }
            if let Some(resource) = self.resource {
                map.insert("resource".into(), resource.into());
            }
        }
        body
    }
}
