//! What one browser's question is recognised by: state, nonce and verifier, all made of one secret.
//!
//! Where the secret is kept between question and answer is decided elsewhere: only the browser has it.
//!
//! Invariant: none of the three tells another, nor the secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac::{HMAC_SHA256, Key, sign, verify};
use secrecy::{ExposeSecret as _, SecretString};

/// What one browser's question is recognised by.
#[derive(Clone, Debug)]
pub struct Flow {
    key: Key,
    state: String,
    nonce: String,
    verifier: SecretString,
}

impl Flow {
    /// That of a secret, which must be random and used for one question.
    #[must_use]
    pub fn of(secret: &SecretString) -> Self {
        let key = Key::new(HMAC_SHA256, secret.expose_secret().as_bytes());
        let part = |what: &str| URL_SAFE_NO_PAD.encode(sign(&key, what.as_bytes()));
        let (state, nonce, verifier) = (part("state"), part("nonce"), part("verifier").into());
        Self { key, state, nonce, verifier }
    }

    /// Whether an answer belongs to the question; takes as long whatever it is.
    #[must_use]
    pub fn is_answered_by(&self, state: &str) -> bool {
        let given = URL_SAFE_NO_PAD.decode(state).unwrap_or_default();
        verify(&self.key, b"state", &given).is_ok()
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(super) fn verifier(&self) -> &SecretString {
        &self.verifier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_knows_its_own_answer_only() {
        let (one, other) = (Flow::of(&"one".into()), Flow::of(&"other".into()));
        assert!(one.is_answered_by(one.state()));
        assert!(!one.is_answered_by(other.state()) && !one.is_answered_by("") && !one.is_answered_by("?"));
        assert_ne!(one.state(), one.nonce());
        assert_ne!(one.state(), one.verifier().expose_secret());
        assert_eq!(one.verifier().expose_secret().len(), 43, "RFC 7636 wants 43 letters at least");
    }
}
