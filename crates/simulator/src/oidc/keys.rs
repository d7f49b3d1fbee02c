//! The provider's key: it signs with it, and shows its public half.
//!
//! Source: RFC 7515, RFC 7517, RFC 7518 3.4 (ES256).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// A key with its name.
#[derive(Debug)]
pub(super) struct SigningKey {
    pub(super) name: String,
    pair: Option<EcdsaKeyPair>,
}

impl SigningKey {
    /// A new one.
    pub(super) fn new(name: &str) -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pair = EcdsaKeyPair::generate_pkcs8(algorithm, &random)
            .ok()
            .and_then(|key| EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).ok());
        Self { name: name.to_owned(), pair }
    }

    /// Its public half.
    pub(super) fn shown(&self) -> Value {
        let point = self.pair.as_ref().map(|pair| pair.public_key().as_ref().to_vec()).unwrap_or_default();
        let half =
            |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(point.get(range).unwrap_or_default());
        json!({
            "kty": "EC",
            "crv": "P-256",
            "use": "sig",
            "alg": "ES256",
            "kid": self.name,
            "x": half(1..33),
            "y": half(33..65),
        })
    }

    /// The signature of a text.
    pub(super) fn sign(&self, text: &str) -> Vec<u8> {
        let signed =
            self.pair.as_ref().and_then(|pair| pair.sign(&SystemRandom::new(), text.as_bytes()).ok());
        signed.map(|signature| signature.as_ref().to_vec()).unwrap_or_default()
    }
}
