//! The signed statement with which a connector asks for a token.
//!
//! Invariant: each is made out to one host, once, for two minutes.
//!
//! Source: RFC 7515, RFC 7523, RFC 8037; C1 wants the nonce in the header.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde_json::json;

use super::Credentials;

/// How long it is good for, and how far back it counts, in seconds.
const LIFE: i64 = 120;

/// An assertion of now, with 16 random bytes that no other one has.
pub(super) fn make(
    credentials: &Credentials,
    audience: &str,
    now_seconds: i64,
    nonce: [u8; 16],
) -> SecretString {
    let nonce = format!("{:032x}", u128::from_be_bytes(nonce));
    let mut header = json!({ "alg": "EdDSA", "nonce": nonce });
    if let (Some(id), Some(header)) = (&credentials.key_id, header.as_object_mut()) {
        header.insert("kid".to_owned(), id.as_str().into());
    }
    let claims = json!({
        "iss": credentials.client_id(),
        "sub": credentials.client_id(),
        "aud": audience,
        "exp": now_seconds + LIFE,
        "iat": now_seconds,
        "nbf": now_seconds - LIFE,
    });
    let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(credentials.key.sign(signed.as_bytes()));
    format!("{signed}.{signature}").into()
}
