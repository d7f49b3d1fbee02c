//! The connector's access to C1: a token that is held as long as it is good, and renewed before it ends.
//!
//! What is called with it is the door's affair; the request itself is made by `metsuke-clients`.
//!
//! Invariant: one token is asked for at a time, and one that C1 has refused is not used again.

use std::sync::Arc;
use std::time::Duration;

use metsuke_clients::ClientError;
use metsuke_model::clock::Clock;
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio::time::Instant;

pub use metsuke_clients::Redactor;
pub use metsuke_clients::c1::{Credentials, Roots, Settings, Token};

use crate::EngineError;

/// How long before its end a token is renewed, at most.
const EARLY: Duration = Duration::from_mins(1);

/// Reads a client id and a client secret.
///
/// # Errors
///
/// [`EngineError::C1Settings`] says what is wrong with which of them; of the secret nothing is shown.
pub fn credentials(client_id: &str, secret: SecretString) -> Result<Credentials, EngineError> {
    Credentials::new(client_id, secret).map_err(|error| settings(&error))
}

/// Gives the token that is good now.
pub struct Tokens {
    c1: metsuke_clients::c1::C1,
    clock: Arc<dyn Clock>,
    held: Mutex<Option<Held>>,
}

/// A token, and which one it is.
#[derive(Clone, Debug)]
pub struct Access {
    /// The `authorization` of a call.
    pub authorization: SecretString,
    number: u64,
}

#[derive(Debug)]
struct Held {
    access: Access,
    renewed_at: Instant,
    refused: bool,
}

impl Tokens {
    /// The way to tokens with these settings; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`EngineError::C1Settings`] names the first setting that cannot work.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, EngineError> {
        let c1 = metsuke_clients::c1::C1::new(settings);
        let c1 = c1.map_err(|error| self::settings(&error))?;
        Ok(Self { c1, clock, held: Mutex::new(None) })
    }

    /// The host and the port that are spoken to, as `host:port`.
    #[must_use]
    pub fn authority(&self) -> String {
        self.c1.authority()
    }

    /// Who asks.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        self.c1.credentials()
    }

    /// Whose certificates are trusted.
    #[must_use]
    pub fn roots(&self) -> &Roots {
        self.c1.roots()
    }

    /// The token that is good now, asked for where there is none or where it ends soon.
    ///
    /// # Errors
    ///
    /// [`EngineError::C1Refused`] when C1 does not accept the credentials, [`EngineError::C1`] when it cannot be asked.
    pub async fn current(&self) -> Result<Access, EngineError> {
        let mut held = self.held.lock().await;
        let good = |held: &&Held| !held.refused && Instant::now() < held.renewed_at;
        if let Some(held) = held.as_ref().filter(good) {
            return Ok(held.access.clone());
        }
        let mut nonce = [0; 16];
        SystemRandom::new().fill(&mut nonce).map_err(|_| EngineError::C1Settings {
            reason: "the machine gives no random bytes".to_owned(),
        })?;
        let seconds = self.clock.now().0.div_euclid(1_000_000);
        let token = self.c1.token(seconds, nonce).await.map_err(told)?;
        let early = EARLY.min(token.lifetime / 5);
        let number = held.as_ref().map_or(0, |held| held.access.number + 1);
        let access = Access { authorization: token.authorization, number };
        let renewed_at = Instant::now() + token.lifetime.saturating_sub(early);
        *held = Some(Held { access: access.clone(), renewed_at, refused: false });
        Ok(access)
    }

    /// Notes that C1 has refused this token, so that the next call gets another one.
    pub async fn refused(&self, access: &Access) {
        if let Some(held) = self.held.lock().await.as_mut().filter(|held| held.access.number == access.number)
        {
            held.refused = true;
        }
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("c1", &self.c1).finish_non_exhaustive()
    }
}

fn settings(source: &ClientError) -> EngineError {
    EngineError::C1Settings { reason: source.to_string() }
}

/// Whether C1 said no, or could not be asked.
fn told(source: ClientError) -> EngineError {
    match source.status() {
        Some(400..=407 | 409..=428 | 430..=499) => EngineError::C1Refused { source },
        _ => EngineError::C1 { source },
    }
}
