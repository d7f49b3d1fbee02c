//! The API's own description, in `OpenAPI` 3.1, made of the one list of operations.
//!
//! What an operation takes and gives stands in [`operations`]; what those things look like, in [`schemas`].
//!
//! Invariant: every operation is described, and the document is the same in every run.

mod alerts;
mod changes;
mod connectors;
mod employees;
mod estate;
mod jobs;
mod judging;
mod operations;
mod parameters;
mod safety;
mod schemas;
mod session;
mod upkeep;
mod webhooks;
mod words;

use metsuke_engine::changes::webhooks::SIGNATURE;
use metsuke_engine::identity::{Area, Operation, Policy};
use serde_json::{Map, Value, json};

use crate::mcp;
use operations::{Body, Spec, describe};

/// Headers of every answer.
const REQUEST_ID: &str = "X-Request-Id";

/// Every named schema.
pub(crate) fn components() -> Value {
    schemas::all()
}

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in Operation::ALL.iter().copied() {
        let path = paths.entry(operation.path()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(operation.method().as_str().to_lowercase(), described(operation));
        }
    }
    let tags: Vec<Value> = Area::ALL
        .iter()
        .map(|area| json!({ "name": area.as_str(), "description": area.meaning() }))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Metsuke",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Who can do what on Heroku, and why. Lists come in pages: `limit` says how many rows, and \
                            `cursor` is the `next_cursor` of the page before. Every error has a stable `code`, and the \
                            number of the request under which the server's log tells of it.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "security": [{ "token": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token made by `metsuke token create` or `POST /api/v1/tokens`.",
                },
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": SIGNATURE,
                    "description": "Heroku's signature over the bytes of the body, with the webhook's secret.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-metsuke_session",
                    "description": "The session of a browser. Whatever is no GET must come from a page of the server \
                                    and show the session's token in `X-CSRF-Token`. Over http, which is for one's own \
                                    machine, the name has no prefix.",
                },
            },
            "schemas": schemas::all(),
            "headers": {
                "RequestId": {
                    "description": "The number of the request.",
                    "schema": { "type": "string" },
                },
                "ETag": {
                    "description": "Changes when the answer does.",
                    "schema": { "type": "string" },
                },
            },
        },
    })
}

fn described(operation: Operation) -> Value {
    let spec = describe(operation);
    let mut told = json!({
        "operationId": operation.id(),
        "summary": operation.meaning(),
        "tags": [operation.area().as_str()],
        "responses": responses(operation, &spec),
    });
    let Some(members) = told.as_object_mut() else { return told };
    match operation.policy() {
        Policy::Public => _ = members.insert("security".into(), json!([])),
        Policy::Signed => _ = members.insert("security".into(), json!([{ "signature": [] }])),
        Policy::Of { roles, owner } => {
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            members.insert("x-roles".into(), json!(roles));
            members.insert("x-owner".into(), owner.into());
            let access = if operation.writes() { "write" } else { "read" };
            members.insert("x-scope".into(), format!("{}:{access}", operation.area().as_str()).into());
        }
    }
    let parameters = parameters::of(operation, &spec);
    if !parameters.is_empty() {
        members.insert("parameters".into(), parameters.into());
    }
    if let Some(Body { schema, required, media }) = &spec.body {
        let content = json!({ (*media): { "schema": schema } });
        members.insert("requestBody".into(), json!({ "required": required, "content": content }));
    }
    told
}

fn responses(operation: Operation, spec: &Spec) -> Value {
    let mut responses = Map::new();
    let mut content = Map::new();
    for (media, schema) in &spec.answer.content {
        content.insert((*media).to_owned(), json!({ "schema": schema }));
    }
    let mut headers = json!({ (REQUEST_ID): { "$ref": "#/components/headers/RequestId" } });
    if (spec.tagged || spec.has_tag)
        && let Some(headers) = headers.as_object_mut()
    {
        headers.insert("ETag".into(), json!({ "$ref": "#/components/headers/ETag" }));
    }
    let answer = json!({ "description": spec.answer.description, "headers": headers, "content": content });
    responses.insert(spec.answer.status.to_string(), answer);
    if spec.tagged {
        let told = json!({ "description": "It is as `If-None-Match` says." });
        responses.insert("304".into(), told);
    }
    if let Some((description, schema)) = &spec.unchanged {
        let content = json!({ "application/json": { "schema": schema } });
        let headers = json!({ (REQUEST_ID): { "$ref": "#/components/headers/RequestId" } });
        responses.insert(
            "200".into(),
            json!({ "description": description, "headers": headers, "content": content }),
        );
    }
    for (status, description) in operations::errors(operation, spec) {
        let mut content = json!({});
        if let Some(members) = content.as_object_mut()
            && status >= 400
        {
            let error = match operation {
                Operation::Assist => json!({ "anyOf": [words::named("Error"), mcp::rpc_error()] }),
                _ => words::named("Error"),
            };
            members.insert("application/json".into(), json!({ "schema": error }));
            if ["/auth/", "/setup"].iter().any(|page| operation.path().starts_with(page)) {
                members.insert("text/html".into(), json!({ "schema": words::text() }));
            }
        }
        let headers = json!({ (REQUEST_ID): { "$ref": "#/components/headers/RequestId" } });
        let told = json!({ "description": description, "headers": headers, "content": content });
        responses.insert(status.to_string(), told);
    }
    Value::Object(responses)
}
