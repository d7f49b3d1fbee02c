//! What closes a backup and what opens it: a key of age's, or a passphrase.
//!
//! Source: <https://age-encryption.org/v1> (recipients, identities, and scrypt for passphrases).
//!
//! Invariant: no error and no debug text shows a passphrase or a secret key.

use std::fmt;

use age::{Identity, Recipient};
use secrecy::{ExposeSecret as _, SecretString};

use crate::EngineError;

/// The shortest passphrase: what can be guessed protects nothing that can be copied.
const SHORTEST: usize = 12;

/// What closes a backup.
pub struct Lock(Closes);

enum Closes {
    /// The public key of whoever may open it.
    Recipient(Box<age::x25519::Recipient>),
    /// What is to be said to open it.
    Passphrase(SecretString),
}

impl Lock {
    /// The public key as `age-keygen` writes it: `age1…`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Backup`] for a text that is none.
    pub fn recipient(text: &str) -> Result<Self, EngineError> {
        let parsed = text.trim().parse::<age::x25519::Recipient>();
        parsed.map(|recipient| Self(Closes::Recipient(Box::new(recipient)))).map_err(|_| {
            refused("that is no public key of age: it begins with `age1`, as `age-keygen -y` writes it")
        })
    }

    /// A passphrase.
    ///
    /// # Errors
    ///
    /// [`EngineError::Backup`] for one of less than 12 characters.
    pub fn passphrase(text: &SecretString) -> Result<Self, EngineError> {
        let text = text.expose_secret().trim_end_matches(['\r', '\n']);
        if text.chars().count() < SHORTEST {
            return Err(refused("the passphrase of a backup needs at least 12 characters"));
        }
        Ok(Self(Closes::Passphrase(text.into())))
    }

    /// The word for the audit trail.
    pub(super) const fn word(&self) -> &'static str {
        match self.0 {
            Closes::Recipient(_) => "key",
            Closes::Passphrase(_) => "passphrase",
        }
    }

    pub(super) fn encryptor(&self) -> Result<age::Encryptor, EngineError> {
        let passphrase;
        let recipient: &dyn Recipient = match &self.0 {
            Closes::Recipient(recipient) => &**recipient,
            Closes::Passphrase(text) => {
                passphrase = age::scrypt::Recipient::new(text.clone());
                &passphrase
            }
        };
        age::Encryptor::with_recipients(std::iter::once(recipient)).map_err(|error| EngineError::Backup {
            reason: "it cannot be encrypted".into(),
            source: Some(error.into()),
        })
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lock({})", self.word())
    }
}

/// What opens a backup.
pub struct Key(Opens);

enum Opens {
    /// The secret keys of a file that `age-keygen` wrote.
    Identities(Vec<age::x25519::Identity>),
    /// A passphrase.
    Passphrase(SecretString),
}

impl Key {
    /// Every secret key in the text of a file that `age-keygen` wrote.
    ///
    /// # Errors
    ///
    /// [`EngineError::Backup`] where there is none.
    pub fn identities(text: &SecretString) -> Result<Self, EngineError> {
        let lines = text.expose_secret().lines().map(str::trim);
        let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::parse);
        let keys: Result<Vec<_>, &'static str> = keys.collect();
        match keys {
            Ok(keys) if !keys.is_empty() => Ok(Self(Opens::Identities(keys))),
            _ => Err(refused(
                "the file holds no secret key of age: a line that begins with `AGE-SECRET-KEY-1`",
            )),
        }
    }

    /// A passphrase.
    #[must_use]
    pub fn passphrase(text: &SecretString) -> Self {
        Self(Opens::Passphrase(text.expose_secret().trim_end_matches(['\r', '\n']).into()))
    }

    /// Whether it is a passphrase.
    pub(super) const fn is_passphrase(&self) -> bool {
        matches!(self.0, Opens::Passphrase(_))
    }

    /// Hands what is tried to open a file to its opener.
    pub(super) fn with<T>(&self, open: impl FnOnce(&mut dyn Iterator<Item = &dyn Identity>) -> T) -> T {
        match &self.0 {
            Opens::Identities(keys) => open(&mut keys.iter().map(|key| -> &dyn Identity { key })),
            Opens::Passphrase(text) => {
                let key = age::scrypt::Identity::new(text.clone());
                open(&mut std::iter::once::<&dyn Identity>(&key))
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_passphrase() { "Key(passphrase)" } else { "Key(identities)" })
    }
}

fn refused(reason: &str) -> EngineError {
    EngineError::Backup { reason: reason.to_owned(), source: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        for text in ["", "age1", "AGE-SECRET-KEY-1", "ssh-ed25519 AAAA"] {
            assert!(Lock::recipient(text).is_err(), "{text}");
            let error = Key::identities(&text.into()).unwrap_err();
            assert!(text.is_empty() || !format!("{error:?}").contains(&format!("{text}Q")), "{text}");
        }
        assert!(Lock::passphrase(&"short\n".into()).is_err());
        let lock = Lock::passphrase(&"a longer passphrase\n".into()).unwrap();
        assert_eq!(format!("{lock:?}"), "Lock(passphrase)");
    }
}
