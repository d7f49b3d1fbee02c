//! The key pair of a log: what signs its checkpoints and what checks them.
//!
//! Where the secret half is kept, and where its 32 random bytes come from, is the caller's.
//!
//! Invariant: a key belongs to one log. The log's name is part of the public key and of its id, so a signature
//! for one log is none for another.
//!
//! Ed25519 is `ring`'s: it is in the program anyway for TLS, uses no randomness and no files for signing and
//! checking, and so stays within what this crate allows itself. It does not wipe the scalar that it derives;
//! therefore only the seed is held here, wiped when dropped, and the rest lives as long as one signature takes.
//!
//! Source: RFC 8032; <https://c2sp.org/signed-note>, "Ed25519 signatures"; the text form of a public key is
//! the one of <https://pkg.go.dev/golang.org/x/mod/sumdb/note>, "Verifying Notes".

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::AuditError;

/// The byte that says "Ed25519" in key ids and in the text form of a public key.
const ED25519_TYPE: u8 = 1;

/// The name of a log, such as `metsuke.example.com/audit`: it sets the logs of different installations apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Box<str>);

impl Origin {
    /// Reads a name: up to 255 bytes, not empty, without spaces, control characters and plus signs.
    ///
    /// # Errors
    ///
    /// [`AuditError::Origin`] for any other text.
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        let refused = |reason| Err(AuditError::Origin { text: text.to_owned(), reason });
        if text.is_empty() {
            refused("it is empty")
        } else if text.len() > 255 {
            refused("it is longer than 255 bytes")
        } else if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
            refused("it has a space, a control character or a plus sign")
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What checks the checkpoints of one log.
///
/// Its text form is `name+id+key`: the log's name, the key's id in hexadecimal, and the key in base64.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    origin: Origin,
    bytes: [u8; 32],
}

impl PublicKey {
    /// The key of a log from its 32 bytes (RFC 8032).
    #[must_use]
    pub fn new(origin: Origin, bytes: [u8; 32]) -> Self {
        Self { origin, bytes }
    }

    /// The log that the key belongs to.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The four bytes by which a signature line names the key; short, so a hint and never a proof.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(self.origin.as_str())
            .chain_update([b'\n', ED25519_TYPE])
            .chain_update(self.bytes)
            .finalize();
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash);
        [a, b, c, d]
    }

    /// Whether the signature is of this key over this text.
    pub(super) fn signed(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.bytes).verify(text.as_bytes(), signature).is_ok()
    }
}

/// What signs the checkpoints of one log.
pub struct SigningKey {
    seed: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

impl SigningKey {
    /// The key of a log from its secret 32 bytes (the seed of RFC 8032), which must be random.
    ///
    /// The bytes are copied into memory that is wiped; the caller wipes its own.
    ///
    /// # Errors
    ///
    /// [`AuditError::Key`], which does not happen with 32 bytes.
    pub fn from_seed(origin: Origin, seed: &[u8; 32]) -> Result<Self, AuditError> {
        let pair = pair(seed)?;
        let bytes = pair.public_key().as_ref().try_into();
        let bytes = bytes.map_err(|_| AuditError::Key { reason: "its public half has not 32 bytes" })?;
        Ok(Self { seed: Zeroizing::new(*seed), public: PublicKey::new(origin, bytes) })
    }

    /// The half that may be shown to everybody.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The signature over a text.
    pub(super) fn signature(&self, text: &str) -> Result<Vec<u8>, AuditError> {
        Ok(pair(&self.seed)?.sign(text.as_bytes()).as_ref().to_vec())
    }
}

fn pair(seed: &[u8; 32]) -> Result<Ed25519KeyPair, AuditError> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| AuditError::Key { reason: "the seed is refused" })
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id());
        let mut key = vec![ED25519_TYPE];
        key.extend_from_slice(&self.bytes);
        write!(f, "{}+{id:08x}+{}", self.origin, STANDARD.encode(key))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = AuditError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = |reason| AuditError::Key { reason };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refused("it is not of the form `name+id+key`"));
        };
        let key = STANDARD.decode(key).map_err(|_| refused("its last part is not base64"))?;
        let Some((&ED25519_TYPE, bytes)) = key.split_first() else {
            return Err(refused("it is not an Ed25519 key"));
        };
        let bytes = bytes.try_into().map_err(|_| refused("it has not 32 bytes"))?;
        let key = Self::new(Origin::parse(name)?, bytes);
        if key.to_string() != text {
            return Err(refused("its id does not fit its name and bytes"));
        }
        Ok(key)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_reads_back_from_its_text_and_any_change_of_it_is_noticed() {
        let origin = Origin::parse("metsuke.example.com/audit").unwrap();
        let text = SigningKey::from_seed(origin, &[7; 32]).unwrap().public_key().to_string();
        assert_eq!(text.parse::<PublicKey>().unwrap().to_string(), text);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            assert!(String::from_utf8(changed).unwrap().parse::<PublicKey>().is_err(), "byte {at}");
        }
    }

    #[test]
    fn names_that_a_note_cannot_hold_are_refused() {
        let long = "a".repeat(256);
        for text in [&long, "", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{0}"] {
            assert!(Origin::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_secret_is_not_shown() {
        let key = SigningKey::from_seed(Origin::parse("log").unwrap(), &[171; 32]).unwrap();
        let shown = format!("{key:?}");
        assert!(!shown.contains("171") && !shown.contains("abab") && !shown.contains("q6ur"), "{shown}");
    }
}
