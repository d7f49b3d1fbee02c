//! The token endpoint: an assertion against an access token.
//!
//! Invariant: a token is given for an assertion that is in order and was not used before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::assertion::{self, Expected};
use super::desk::Desk;
use super::listener::Wire;
use super::{C1Call, C1Fault, Called, Shared};

/// Where tokens are asked for.
pub(super) const PATH: &str = "/auth/v1/token";

const FORM: &str = "application/x-www-form-urlencoded";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(super) async fn give(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let fault = shared.desk().faults.take(C1Call::Token);
    if let Some(C1Fault::Slow(wait)) = fault {
        tokio::time::sleep(wait).await;
    }
    let (status, answer) = match fault {
        Some(C1Fault::Refused(status)) => {
            let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
            (status.unwrap_or(StatusCode::IM_A_TEAPOT), json!({ "error": "as_asked_for" }))
        }
        Some(C1Fault::LostAnswer | C1Fault::Cut(_)) => {
            wire.0.now();
            (StatusCode::SERVICE_UNAVAILABLE, json!({}))
        }
        _ => answer(&shared, &headers, &body),
    };
    let code = i32::from(status.as_u16());
    let (host_id, task_id) = (String::new(), String::new());
    let called = Called { call: C1Call::Token, host_id, task_id, code, at: Instant::now() };
    shared.desk().calls.push(called);
    shared.changed();
    (status, Json(answer)).into_response()
}

fn answer(shared: &Shared, headers: &HeaderMap, body: &str) -> (StatusCode, serde_json::Value) {
    let mut desk = shared.desk();
    match check(shared, &desk, headers, body) {
        Ok(nonce) => {
            desk.nonces.insert(nonce);
            desk.tokens_given += 1;
            let token = format!("access-{:08}", desk.tokens_given);
            desk.tokens.insert(token.clone(), Instant::now() + shared.options.token_life);
            let seconds = shared.options.token_life.as_secs();
            (StatusCode::OK, json!({ "access_token": token, "token_type": "Bearer", "expires_in": seconds }))
        }
        Err(reason) => {
            desk.violations.push(format!("token: {reason}"));
            (StatusCode::UNAUTHORIZED, json!({ "error": "invalid_client", "error_description": reason }))
        }
    }
}

/// The nonce of a request that is in order; otherwise what is wrong with it.
fn check(shared: &Shared, desk: &Desk, headers: &HeaderMap, body: &str) -> Result<String, String> {
    let content = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content != FORM {
        return Err(format!("the body is `{content}` and no form"));
    }
    let form = form(body);
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let wanted = [
        ("client_id", shared.client_id.as_str()),
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION),
    ];
    if let Some((name, _)) = wanted.iter().find(|(name, wanted)| field(name) != *wanted) {
        return Err(format!("`{name}` is `{}`", field(name)));
    }
    let expected = Expected {
        client_id: &shared.client_id,
        audience: &shared.audience,
        public_key: &shared.public_key,
        key_id: shared.options.key_id.as_deref(),
    };
    let nonce = assertion::check(field("client_assertion"), &expected)?;
    if desk.nonces.contains(&nonce) {
        return Err("its nonce was used before".to_owned());
    }
    Ok(nonce)
}

fn form(body: &str) -> BTreeMap<String, String> {
    let plain = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (plain(name), plain(value))).collect()
}
