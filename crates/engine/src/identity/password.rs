//! Passwords: which are taken, how they are kept, and whether one is right.
//!
//! Whose they are, and how often somebody may try, is decided elsewhere.
//!
//! Invariant: a password stands nowhere but in the hash made of it; looking at one takes as long for an account that does not
//! exist as for one that does, and never holds up the runtime.
//!
//! Source: OWASP's Password Storage Cheat Sheet (argon2id, 19 MiB, two passes), NIST SP 800-63B 5.1.1.

use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::chance::random;
use crate::EngineError;

/// Memory, in KiB.
const MEMORY: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
const SALT: usize = 16;
const HASH: usize = 32;
/// Hashes at the same time; each takes the memory above.
const AT_ONCE: usize = 2;
/// How many may wait for their turn.
const WAITING: usize = 32;
/// The shortest password, in characters.
const SHORTEST: usize = 12;
/// The longest, in bytes.
const LONGEST: usize = 256;
/// The fewest different characters.
const DIFFERENT: usize = 5;

/// What is looked at where there is no account, or none with a password: no password gives it.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The place where passwords are hashed.
#[derive(Debug)]
pub(super) struct Passwords {
    turns: Semaphore,
    waiting: AtomicUsize,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), waiting: AtomicUsize::new(0) }
    }
}

/// Whether a password is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// It is.
    Right,
    /// It is not.
    Wrong,
    /// Too many wait already.
    Busy,
}

impl Passwords {
    /// The hash of a new password.
    ///
    /// # Errors
    ///
    /// [`EngineError::Fields`] for one that is too easy to guess, and [`EngineError::NoChance`].
    pub(super) async fn hash(&self, password: &SecretString, email: &str) -> Result<String, EngineError> {
        fits(password.expose_secret(), email)?;
        let salt: [u8; SALT] = random()?;
        let turn = self.turns.acquire().await;
        let hash = derived(password, salt.to_vec(), MEMORY, PASSES, LANES).await;
        drop(turn);
        let hash = hash.ok_or_else(|| wrong("it cannot be hashed"))?;
        let (salt, hash) = (BASE64_STANDARD_NO_PAD.encode(salt), BASE64_STANDARD_NO_PAD.encode(&*hash));
        Ok(format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}${salt}${hash}"))
    }

    /// Whether a password gives a hash; without one it is looked at all the same, and wrong.
    pub(super) async fn check(&self, password: &SecretString, stored: Option<&str>) -> Checked {
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= WAITING + AT_ONCE {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Checked::Busy;
        }
        let turn = self.turns.acquire().await;
        let right = gives(password, stored.unwrap_or(NOBODY)).await;
        drop(turn);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        if right && stored.is_some() { Checked::Right } else { Checked::Wrong }
    }
}

/// Refuses what is guessed soon.
fn fits(password: &str, email: &str) -> Result<(), EngineError> {
    let mut different: Vec<char> = password.chars().collect();
    different.sort_unstable();
    different.dedup();
    if password.chars().count() < SHORTEST || password.len() > LONGEST {
        return Err(wrong(&format!("it has at least {SHORTEST} characters, and at most {LONGEST} bytes")));
    }
    if different.len() < DIFFERENT || password.to_lowercase() == email {
        return Err(wrong("it is too easy to guess"));
    }
    Ok(())
}

fn wrong(reason: &str) -> EngineError {
    EngineError::field("password", reason)
}

/// Whether a password gives a hash in the PHC format.
async fn gives(password: &SecretString, stored: &str) -> bool {
    let parts: Vec<&str> = stored.split('$').collect();
    let ["", "argon2id", "v=19", costs, salt, hash] = parts[..] else { return false };
    let mut numbers = costs.split(',').filter_map(|cost| cost.split_once('=')?.1.parse::<u32>().ok());
    let (Some(memory), Some(passes), Some(lanes)) = (numbers.next(), numbers.next(), numbers.next()) else {
        return false;
    };
    let decode = |text: &str| BASE64_STANDARD_NO_PAD.decode(text).ok();
    let (Some(salt), Some(hash)) = (decode(salt), decode(hash)) else { return false };
    let derived = derived(password, salt, memory, passes, lanes).await;
    derived.is_some_and(|derived| bool::from(derived.ct_eq(&hash)))
}

async fn derived(
    password: &SecretString,
    salt: Vec<u8>,
    memory: u32,
    passes: u32,
    lanes: u32,
) -> Option<Zeroizing<Vec<u8>>> {
    let password = password.clone();
    let work = move || {
        let params = Params::new(memory, passes, lanes, Some(HASH)).ok()?;
        let mut hash = Zeroizing::new(vec![0; HASH]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(password.expose_secret().as_bytes(), &salt, &mut hash).ok()?;
        Some(hash)
    };
    tokio::task::spawn_blocking(work).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_is_right_and_no_other() {
        let passwords = Passwords::default();
        let password = SecretString::from("correct horse battery");
        let hash = passwords.hash(&password, "ann@example.com").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(passwords.check(&password, Some(&hash)).await, Checked::Right);
        assert_eq!(passwords.check(&"correct horse batterz".into(), Some(&hash)).await, Checked::Wrong);
        assert_eq!(passwords.check(&password, None).await, Checked::Wrong);
        assert_eq!(passwords.check(&password, Some("$argon2id$nonsense")).await, Checked::Wrong);
        assert_ne!(passwords.hash(&password, "").await.unwrap(), hash, "each has a salt of its own");
    }

    #[tokio::test]
    async fn what_nobody_has_costs_what_everybody_has() {
        let costs = format!("m={MEMORY},t={PASSES},p={LANES}");
        assert_eq!(NOBODY.split('$').nth(3), Some(&*costs));
        let hash = NOBODY.split('$').nth(5).unwrap();
        assert_eq!(BASE64_STANDARD_NO_PAD.decode(hash).unwrap().len(), HASH);
        let salt = NOBODY.split('$').nth(4).unwrap();
        assert_eq!(BASE64_STANDARD_NO_PAD.decode(salt).unwrap().len(), SALT);
    }

    #[test]
    fn a_password_that_is_guessed_soon_is_refused() {
        for password in ["", "short", "elevenchars", "aaaaaaaaaaaaaaaa", "ann.long@example.com"] {
            assert!(fits(password, "ann.long@example.com").is_err(), "{password}");
        }
        assert!(fits(&"x1y2z".repeat(60), "").is_err());
        assert!(fits("twelve chars", "").is_ok());
    }
}
