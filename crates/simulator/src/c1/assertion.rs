//! Checks the assertion with which a connector asks for a token.
//!
//! Whether its nonce was used before is known to [`desk`](super::desk).
//!
//! Invariant: what is not signed with the registered key is refused before anything in it is believed.
//!
//! Source: RFC 7515, RFC 7523, RFC 8037.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;

/// The longest that an assertion may be good for, in seconds.
const LONGEST: i64 = 300;

/// Whom an assertion must be of.
pub(super) struct Expected<'a> {
    pub(super) client_id: &'a str,
    pub(super) audience: &'a str,
    pub(super) public_key: &'a [u8],
    pub(super) key_id: Option<&'a str>,
}

/// The nonce of an assertion that is in order; otherwise what is wrong with it.
pub(super) fn check(assertion: &str, expected: &Expected<'_>) -> Result<String, String> {
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts[..] else { return Err("it has not three parts".to_owned()) };
    let signed = format!("{header}.{claims}");
    let signature = decoded(signature, "the signature")?;
    UnparsedPublicKey::new(&ED25519, expected.public_key)
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| "the signature is not one of the registered key".to_owned())?;
    let header = json(header, "the header")?;
    require(&header, "alg", "EdDSA")?;
    if header.get("kid").and_then(Value::as_str) != expected.key_id {
        return Err("`kid` is not that of the registered key".to_owned());
    }
    claims_hold(&json(claims, "the claims")?, expected)?;
    let nonce = header.get("nonce").and_then(Value::as_str).unwrap_or_default();
    if nonce.len() != 32 || !nonce.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("`nonce` is not 32 hexadecimal digits".to_owned());
    }
    Ok(nonce.to_owned())
}

fn claims_hold(claims: &Value, expected: &Expected<'_>) -> Result<(), String> {
    require(claims, "iss", expected.client_id)?;
    require(claims, "sub", expected.client_id)?;
    require(claims, "aud", expected.audience)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let time = |name: &str| {
        claims.get(name).and_then(Value::as_i64).ok_or_else(|| format!("`{name}` is not a whole number"))
    };
    let (expires, issued, from) = (time("exp")?, time("iat")?, time("nbf")?);
    if expires <= now || expires > now + LONGEST {
        return Err(format!("`exp` is {} s from now", expires - now));
    }
    if from > now || issued > now + 1 || issued < now - LONGEST {
        return Err("`nbf` or `iat` does not fit the present".to_owned());
    }
    Ok(())
}

fn require(object: &Value, name: &str, wanted: &str) -> Result<(), String> {
    match object.get(name) {
        Some(Value::String(found)) if found == wanted => Ok(()),
        Some(found) => Err(format!("`{name}` is {found} instead of {wanted:?}")),
        None => Err(format!("`{name}` is missing")),
    }
}

fn decoded(part: &str, what: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| format!("{what} is not base64url without padding"))
}

fn json(part: &str, what: &str) -> Result<Value, String> {
    serde_json::from_slice(&decoded(part, what)?).map_err(|_| format!("{what} is not JSON"))
}
