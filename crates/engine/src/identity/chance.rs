//! Random bytes, and what is made of them: secrets that are shown once and kept as hashes.
//!
//! Invariant: all of them come from the machine's own generator.

use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::SecretString;

use crate::EngineError;

/// Random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], EngineError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| EngineError::NoChance)?;
    Ok(bytes)
}

/// 32 random bytes as digits, behind a word by which scanners know what it is.
pub(super) fn secret(prefix: &str) -> Result<SecretString, EngineError> {
    let digits = blake3::Hash::from_bytes(random()?).to_hex();
    Ok(format!("{prefix}{digits}").into())
}

/// Whether a text has the form of such a secret.
pub(super) fn is_secret(text: &str, prefix: &str) -> bool {
    let digits = text.strip_prefix(prefix).unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// What is kept of such a secret.
pub(super) fn hash(text: &str) -> Vec<u8> {
    blake3::hash(text.as_bytes()).as_bytes().to_vec()
}
