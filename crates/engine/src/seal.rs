//! Seals secrets before they are stored: API tokens, and whatever else a connector or a channel must keep.
//!
//! The store keeps sealed bytes and cannot open them; the key lies in a file apart from the database.
//!
//! Invariant: a sealed value opens only with the key that sealed it, in the installation and in the row that it was
//! sealed for, so that nobody can move it. No error and no debug text shows a key or a secret.

use std::fmt;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::EngineError;
use crate::key_file::{self, Secret};

/// The first byte of what is sealed this way: XChaCha20-Poly1305, a nonce of 24 random bytes in front.
const MANNER: u8 = 1;
const NONCE: usize = 24;
/// The most letters of an API token: far more than any has.
const LONGEST_TOKEN: usize = 1_000;

/// Where the sealing key is, or will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealFile(PathBuf);

impl SealFile {
    /// The key in this file.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The key in the folder of a database's file: `metsuke.key`.
    #[must_use]
    pub fn beside(database: &Path) -> Self {
        Self(database.with_file_name("metsuke.key"))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The key, made now where the file is not there.
    ///
    /// # Errors
    ///
    /// [`EngineError::SealKey`] for a file that cannot be read or made, that others than its owner may read or write,
    /// or that has not 32 bytes.
    pub fn load_or_make(&self) -> Result<SealingKey, EngineError> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        if let Some(Err(error)) = folder.map(key_file::make_folder) {
            return Err(self.refused(("its folder cannot be made", Some(error))));
        }
        key_file::load_or_make(&self.0).map(SealingKey).map_err(|refused| self.refused(refused))
    }

    /// The key, where the file is there.
    ///
    /// # Errors
    ///
    /// As [`load_or_make`](Self::load_or_make).
    pub fn load(&self) -> Result<Option<SealingKey>, EngineError> {
        let loaded = key_file::load(&self.0).map_err(|refused| self.refused(refused))?;
        Ok(loaded.map(SealingKey))
    }

    fn refused(&self, (reason, source): key_file::Refused) -> EngineError {
        EngineError::SealKey { file: self.0.clone(), reason, source }
    }
}

/// A key that seals and opens.
pub struct SealingKey(Secret);

impl SealingKey {
    /// Seals a secret for one row of one installation.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoChance`] where the machine gives no random bytes.
    pub fn seal(&self, installation: &str, row: &str, secret: &SecretString) -> Result<Vec<u8>, EngineError> {
        let mut nonce = [0; NONCE];
        SystemRandom::new().fill(&mut nonce).map_err(|_| EngineError::NoChance)?;
        let aad = aad(installation, row);
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &aad };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| EngineError::Sealed)?;
        let mut bytes = vec![MANNER];
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Ok(bytes)
    }

    /// Opens what was sealed for that row of that installation.
    ///
    /// # Errors
    ///
    /// [`EngineError::Sealed`] where it was sealed with another key or for another place, or has been changed.
    pub fn open(&self, installation: &str, row: &str, sealed: &[u8]) -> Result<SecretString, EngineError> {
        let opened = match sealed.split_first() {
            Some((&MANNER, rest)) if rest.len() > NONCE => {
                let (nonce, text) = rest.split_at(NONCE);
                let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| EngineError::Sealed)?;
                let aad = aad(installation, row);
                let payload = Payload { msg: text, aad: &aad };
                self.cipher().decrypt(&XNonce::from(nonce), payload)
            }
            _ => return Err(EngineError::Sealed),
        };
        let bytes = Zeroizing::new(opened.map_err(|_| EngineError::Sealed)?);
        std::str::from_utf8(&bytes).map(SecretString::from).map_err(|_| EngineError::Sealed)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.0).into())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey")
    }
}

/// What keeps a secret from being sent as an API token; `None` for one that may be sent.
pub(crate) fn no_token(secret: &SecretString) -> Option<&'static str> {
    match secret.expose_secret() {
        "" => Some("it is empty"),
        text if text.len() > LONGEST_TOKEN => Some("it is too long for a token"),
        text if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Some("it holds characters that no token has")
        }
        _ => None,
    }
}

/// What a sealed value is bound to; neither part may hold a zero byte, so that no two pairs give the same.
fn aad(installation: &str, row: &str) -> Vec<u8> {
    [b"metsuke/seal/1", installation.as_bytes(), row.as_bytes()].join(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(folder: &Path) -> SealingKey {
        SealFile::at(folder.join("metsuke.key")).load_or_make().unwrap()
    }

    #[test]
    fn a_secret_opens_in_its_own_place_only() {
        let folder = tempfile::tempdir().unwrap();
        let key = key(folder.path());
        let secret = SecretString::from("HRKU-canary");
        let sealed = key.seal("here", "token/1", &secret).unwrap();
        assert_eq!(key.open("here", "token/1", &sealed).unwrap().expose_secret(), "HRKU-canary");
        for (installation, row) in [("here", "token/2"), ("there", "token/1"), ("here\0token/1", "")] {
            assert!(matches!(key.open(installation, row, &sealed), Err(EngineError::Sealed)));
        }
        assert!(!sealed.windows(6).any(|piece| piece == b"canary"));
    }

    #[test]
    fn the_same_secret_is_never_sealed_alike() {
        let folder = tempfile::tempdir().unwrap();
        let key = key(folder.path());
        let secret = SecretString::from("HRKU-canary");
        assert_ne!(key.seal("a", "b", &secret).unwrap(), key.seal("a", "b", &secret).unwrap());
    }

    #[test]
    fn another_key_and_changed_bytes_open_nothing() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sealed = key(one.path()).seal("a", "b", &SecretString::from("x")).unwrap();
        assert!(key(other.path()).open("a", "b", &sealed).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(key(one.path()).open("a", "b", &changed).is_err(), "byte {place}");
            assert!(key(one.path()).open("a", "b", &sealed[..place]).is_err(), "{place} bytes");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = SealFile::beside(&folder.path().join("x.db"));
        file.load_or_make().unwrap();
        let mode = std::fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(file.load_or_make(), Err(EngineError::SealKey { .. })), "{mode:o}");
        }
    }
}
