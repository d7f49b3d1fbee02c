//! Makes tokens: right ones, and each sort of wrong one.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::hmac;
use serde_json::{Value, json};

use super::keys::SigningKey;
use super::{OidcFault, OidcManners, OidcPerson, Shared, routes};

/// How long a token is good for, in seconds.
const LIFE: i64 = 300;
const DAY: i64 = 86_400;

/// What a token is made for.
pub(super) struct Made<'a> {
    pub(super) person: &'a OidcPerson,
    pub(super) nonce: &'a str,
    pub(super) access_token: &'a str,
    /// Whether it tells of the person no more than who they are.
    pub(super) bare: bool,
    pub(super) fault: Option<OidcFault>,
}

/// A token.
pub(super) fn made(shared: &Shared, key: &SigningKey, made: &Made<'_>) -> String {
    let fault = made.fault;
    let hash = digest(&SHA256, made.access_token.as_bytes());
    let half = hash.as_ref().get(..16).unwrap_or_default();
    let now = now_seconds();
    let issued_at = match fault {
        Some(OidcFault::Expired) => now - DAY,
        Some(OidcFault::FromTheFuture) => now + DAY,
        _ => now,
    };
    let issuer = match fault {
        Some(OidcFault::WrongIssuer) => format!("{}-elsewhere", shared.issuer()),
        _ => shared.issuer(),
    };
    let audience = match fault {
        Some(OidcFault::WrongAudience) => json!("another-client"),
        Some(OidcFault::FurtherAudience) => json!([routes::CLIENT, "another-client"]),
        _ => json!(routes::CLIENT),
    };
    let nonce = if fault == Some(OidcFault::WrongNonce) { "of-another-question" } else { made.nonce };
    let mut claims = if made.bare { json!({}) } else { shared.about(made.person) };
    if let Some(members) = claims.as_object_mut() {
        let more = [
            ("iss", json!(issuer)),
            ("sub", json!(made.person.subject)),
            ("aud", audience),
            ("exp", json!(issued_at + LIFE)),
            ("iat", json!(issued_at)),
            ("nonce", json!(nonce)),
            ("at_hash", json!(URL_SAFE_NO_PAD.encode(half))),
        ];
        members.extend(more.map(|(name, value)| (name.to_owned(), value)));
        if shared.manners == OidcManners::Keycloak {
            let more = [("azp", routes::CLIENT), ("typ", "ID"), ("acr", "1"), ("sid", "session-1")];
            members.extend(more.map(|(name, value)| (name.to_owned(), json!(value))));
        }
    }
    signed(key, &claims, fault)
}

fn signed(key: &SigningKey, claims: &Value, fault: Option<OidcFault>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let algorithm = match fault {
        Some(OidcFault::AlgorithmNone) => "none",
        Some(OidcFault::SymmetricKey) => "HS256",
        _ => "ES256",
    };
    let header = part(&json!({ "alg": algorithm, "typ": "JWT", "kid": key.name }));
    let text = format!("{header}.{}", part(claims));
    let signature = match fault {
        Some(OidcFault::AlgorithmNone) => Vec::new(),
        Some(OidcFault::SymmetricKey) => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, routes::SECRET.as_bytes());
            hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
        }
        Some(OidcFault::ForeignKey) => SigningKey::new(&key.name).sign(&text),
        _ => key.sign(&text),
    };
    let signature = URL_SAFE_NO_PAD.encode(signature);
    if fault == Some(OidcFault::Changed) {
        let mut claims = claims.clone();
        if let Some(members) = claims.as_object_mut() {
            members.insert("email".to_owned(), json!("root@example.com"));
        }
        return format!("{header}.{}.{signature}", part(&claims));
    }
    format!("{text}.{signature}")
}

/// Whether a verifier is the one that a challenge was made of.
pub(super) fn fits(verifier: &str, challenge: &str) -> bool {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) == challenge
}

fn now_seconds() -> i64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(passed.as_secs()).unwrap_or_default()
}
