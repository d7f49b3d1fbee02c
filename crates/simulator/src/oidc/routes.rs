//! The provider's routes: its description, its keys, the page that sends a browser back, tokens, and claims.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;

use super::token::{Made, fits, made};
use super::{Code, OidcFault, OidcManners, Shared};

/// The client that is known.
pub(super) const CLIENT: &str = "metsuke";
/// What it proves itself with.
pub(super) const SECRET: &str = "oidc simulated secret/+";

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let path = shared.issuer();
    let path = path.splitn(4, '/').nth(3).unwrap_or_default();
    let at = |rest: &str| format!("/{path}/{rest}");
    Router::new()
        .route(&at(".well-known/openid-configuration"), get(description))
        .route(&at("auth"), get(authorize))
        .route(&at("token"), post(token))
        .route(&at("keys"), get(keys))
        .route(&at("userinfo"), get(userinfo))
        .with_state(shared)
}

async fn description(State(shared): State<Arc<Shared>>) -> Response {
    let issuer = shared.issuer();
    let mut told = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // What a careless provider says that it supports must not matter.
        "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256", "none"],
        "scopes_supported": ["openid", "email", "profile", "groups"],
        "code_challenge_methods_supported": ["S256", "plain"],
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", "email", "email_verified", "name"],
    });
    if let Some(members) = told.as_object_mut() {
        let methods = match shared.manners {
            OidcManners::Keycloak => {
                members.insert("authorization_response_iss_parameter_supported".into(), json!(true));
                members.insert("end_session_endpoint".into(), json!(format!("{issuer}/logout")));
                json!(["private_key_jwt", "client_secret_basic", "client_secret_post", "tls_client_auth"])
            }
            OidcManners::Dex => json!(["client_secret_basic", "client_secret_post"]),
        };
        members.insert("token_endpoint_auth_methods_supported".into(), methods);
    }
    Json(told).into_response()
}

async fn keys(State(shared): State<Arc<Shared>>) -> Response {
    let mut state = shared.state();
    state.keys_read += 1;
    let mut keys = vec![state.key.shown()];
    if shared.manners == OidcManners::Keycloak {
        // Keycloak shows a key to encrypt with beside it.
        let encrypts = json!({ "kty": "RSA", "use": "enc", "alg": "RSA-OAEP", "kid": "enc-1", "n": "AQAB", "e": "AQAB" });
        keys.insert(0, encrypts);
    }
    Json(json!({ "keys": keys })).into_response()
}

async fn authorize(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let asked = form(&query.unwrap_or_default());
    let told = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let scopes = told("scope");
    if told("client_id") != CLIENT
        || told("response_type") != "code"
        || !scopes.split(' ').any(|one| one == "openid")
    {
        return (StatusCode::BAD_REQUEST, "not a question that is answered").into_response();
    }
    if told("code_challenge_method") != "S256" || told("state").is_empty() || told("nonce").is_empty() {
        return (StatusCode::BAD_REQUEST, "PKCE, a state and a nonce are wanted").into_response();
    }
    let mut state = shared.state();
    state.made += 1;
    let code = format!("code-{}-of-the-provider", state.made);
    let redirect = told("redirect_uri");
    let kept = Code { nonce: told("nonce"), challenge: told("code_challenge"), redirect: redirect.clone() };
    state.codes.insert(code.clone(), kept);
    let mut place = format!("{redirect}?code={}&state={}", quoted(&code), quoted(&told("state")));
    let issuer = match state.fault {
        Some(OidcFault::WrongIssuerInAnswer) => Some("https://elsewhere.example.com".to_owned()),
        _ if shared.manners == OidcManners::Keycloak => Some(shared.issuer()),
        _ => None,
    };
    if let Some(issuer) = issuer {
        place = format!("{place}&iss={}&session_state=session-1", quoted(&issuer));
    }
    (StatusCode::FOUND, [(header::LOCATION, place)]).into_response()
}

async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    let asked = form(&body);
    let told = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    // RFC 6749 2.3.1: both parts are form-encoded before they are joined.
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{}", form_quoted(SECRET))));
    let by_header =
        headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes() == basic.as_bytes());
    if !by_header && (told("client_id") != CLIENT || told("client_secret") != SECRET) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let mut state = shared.state();
    let code = state.codes.remove(told("code"));
    let good = code.filter(|code| {
        told("grant_type") == "authorization_code"
            && code.redirect == told("redirect_uri")
            && fits(told("code_verifier"), &code.challenge)
    });
    let Some(code) = good else { return refused(StatusCode::BAD_REQUEST, "invalid_grant") };
    let fault = state.fault.take();
    let access_token = "access-token-of-the-provider";
    let (person, bare) = (&state.person, state.claims_apart);
    let made_for = if fault == Some(OidcFault::WrongAccessToken) { "another" } else { access_token };
    let ask = Made { person, nonce: &code.nonce, access_token: made_for, bare, fault };
    let id_token = made(&shared, &state.key, &ask);
    let mut answer = json!({ "access_token": access_token, "token_type": "bearer", "expires_in": 300 });
    if let Some(members) = answer.as_object_mut()
        && fault != Some(OidcFault::NoIdToken)
    {
        members.insert("id_token".into(), json!(id_token));
    }
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

async fn userinfo(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let right = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.as_bytes() == b"Bearer access-token-of-the-provider");
    if !right {
        return refused(StatusCode::UNAUTHORIZED, "invalid_token");
    }
    let state = shared.state();
    let mut told = shared.about(&state.person);
    if let Some(members) = told.as_object_mut() {
        members.insert("sub".into(), json!(state.person.subject));
    }
    Json(told).into_response()
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

fn form(text: &str) -> HashMap<String, String> {
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

fn quoted(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// As forms are written: a blank is a plus, and four signs stand as they are.
fn form_quoted(text: &str) -> String {
    let mut out = quoted(text).replace("%20", "+");
    for (quoted, plain) in [("%2D", "-"), ("%2E", "."), ("%5F", "_"), ("%2A", "*")] {
        out = out.replace(quoted, plain);
    }
    out
}
