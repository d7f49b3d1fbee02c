//! Signs messages in the manner of Standard Webhooks, so that a receiver knows whose they are and which it has had.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
//!
//! Invariant: the signature is over the id, the time and the very bytes that are sent.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use super::{Failed, FailedKind};

/// How far a receiver's clock and the sender's may differ, in seconds.
const WINDOW: i64 = 5 * 60;

/// Signs with a secret, or with several while one is being replaced.
pub struct Signer(Vec<hmac::Key>);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.0.len()).finish()
    }
}

impl Signer {
    /// Reads `whsec_` and base64 of 24 to 64 bytes; several, apart by blanks, sign side by side.
    ///
    /// # Errors
    ///
    /// [`Failed`] for what is no such secret.
    pub fn new(secret: &SecretString) -> Result<Self, Failed> {
        let wrong = || {
            let why = "the secret should be `whsec_` and base64 of 24 to 64 bytes";
            Failed::new(FailedKind::Settings, why)
        };
        let mut keys = Vec::new();
        for word in secret.expose_secret().split_whitespace() {
            let bytes = STANDARD.decode(word.strip_prefix("whsec_").unwrap_or(word)).map_err(|_| wrong())?;
            if !(24..=64).contains(&bytes.len()) {
                return Err(wrong());
            }
            keys.push(hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        }
        if keys.is_empty() { Err(wrong()) } else { Ok(Self(keys)) }
    }

    /// The three headers of a message; `seconds` is the present time.
    #[must_use]
    pub fn headers(&self, id: &str, seconds: i64, body: &str) -> Vec<(String, SecretString)> {
        let signed = format!("{id}.{seconds}.{body}");
        let sign = |key: &hmac::Key| format!("v1,{}", STANDARD.encode(hmac::sign(key, signed.as_bytes())));
        let signatures: Vec<String> = self.0.iter().map(sign).collect();
        vec![
            ("webhook-id".to_owned(), id.to_owned().into()),
            ("webhook-timestamp".to_owned(), seconds.to_string().into()),
            ("webhook-signature".to_owned(), signatures.join(" ").into()),
        ]
    }
}

/// Whether one of the signatures is of this secret over these very bytes, and the time is near; in constant time.
#[must_use]
pub fn verify(secret: &SecretString, now: i64, id: &str, time: &str, signatures: &str, body: &[u8]) -> bool {
    let Ok(Signer(keys)) = Signer::new(secret) else { return false };
    let Ok(seconds) = time.parse::<i64>() else { return false };
    if now.abs_diff(seconds) > WINDOW.unsigned_abs() {
        return false;
    }
    let mut signed = format!("{id}.{time}.").into_bytes();
    signed.extend_from_slice(body);
    signatures.split_whitespace().filter_map(|signature| signature.strip_prefix("v1,")).any(|signature| {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        keys.iter().any(|key| hmac::verify(key, &signed, &signature).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn header(headers: &[(String, SecretString)], name: &str) -> String {
        let found = headers.iter().find(|(known, _)| known == name).unwrap();
        found.1.expose_secret().to_owned()
    }

    #[test]
    fn the_example_of_the_specification_is_signed_alike() {
        let signer = Signer::new(&SECRET.into()).unwrap();
        let headers = signer.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(header(&headers, "webhook-signature"), signature);
        let checks = |now, id: &str, body: &str| {
            verify(&SECRET.into(), now, id, "1614265330", &format!("v1,AAAA {signature}"), body.as_bytes())
        };
        assert!(checks(1_614_265_400, "msg_p5jXN8AQM9LWM0D4loKWxJek", "{\"test\": 2432232314}"));
        assert!(!checks(1_614_265_400, "msg_p5jXN8AQM9LWM0D4loKWxJek", "{\"test\": 2432232315}"));
        assert!(!checks(1_614_265_400, "msg_other", "{\"test\": 2432232314}"));
        assert!(!checks(1_614_266_000, "msg_p5jXN8AQM9LWM0D4loKWxJek", "{\"test\": 2432232314}"));
    }

    #[test]
    fn two_secrets_sign_side_by_side() {
        let other = format!("whsec_{}", STANDARD.encode([7; 32]));
        let signer = Signer::new(&format!("{SECRET} {other}").into()).unwrap();
        let signatures = header(&signer.headers("a", 1, "b"), "webhook-signature");
        assert_eq!(signatures.split(' ').count(), 2);
        assert!(verify(&other.into(), 1, "a", "1", &signatures, b"b"));
        assert!(!format!("{signer:?}").contains("Mf"));
        for wrong in ["", "whsec_", "whsec_AAAA", "not base64 at all"] {
            assert!(Signer::new(&wrong.into()).is_err(), "{wrong}");
        }
    }
}
