//! Sessions of browsers: whose a cookie is, for how long, and the token that forms and scripts must show beside it.
//!
//! How a session is opened is another file's; what the cookie is called, the door's.
//!
//! Invariant: every look at a session asks the database, so that one that was ended is ended everywhere. A cookie's secret is
//! made here and never taken from a browser; the database has its hash alone.

use metsuke_model::Moment;
use metsuke_model::audit::EventCode;
use metsuke_store::SessionRow;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::chance::{hash, is_secret};
use super::people::People;
use super::policy::{Caller, Credential};
use super::role::Role;
use crate::EngineError;

/// What the secret of a session begins with.
pub(super) const PREFIX: &str = "mts_";
/// How long a session may go unused, in microseconds.
const IDLE: i64 = 2 * 3_600 * 1_000_000;
/// How long a session lasts at most, in microseconds.
pub(super) const LONGEST: i64 = 12 * 3_600 * 1_000_000;
/// How precisely its last use is kept, in microseconds.
const MINUTE: i64 = 60_000_000;

/// A session that somebody is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id, which is no secret.
    pub id: String,
    /// The id of the account.
    pub account: String,
    /// How it was opened: `password` or `oidc`.
    pub method: String,
    /// When it was opened.
    pub created_at: Moment,
    /// From when on it cannot be used.
    pub expires_at: Moment,
    /// Who is in it.
    pub caller: Caller,
}

/// A session of one's own, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnSession {
    /// Its id, which is no secret.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// How it was opened: `password` or `oidc`, or after what it takes the place of another.
    pub method: String,
    /// When it was opened.
    pub created_at: Moment,
    /// When it was last used, to the minute.
    pub seen_at: Moment,
    /// From when on it cannot be used, unless it is used before.
    pub expires_at: Moment,
    /// The address of the machine that it was opened from.
    pub address: Option<String>,
    /// What the browser calls itself; nobody has checked that.
    pub browser: Option<String>,
}

impl People {
    /// The session that a cookie belongs to; none for one that is not accepted.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn session(&self, cookie: &SecretString) -> Result<Option<Session>, EngineError> {
        let cookie = cookie.expose_secret();
        if !is_secret(cookie, PREFIX) {
            return Ok(None);
        }
        let Some((row, account)) = self.store.session_of_hash(&hash(cookie)).await? else { return Ok(None) };
        let now = self.clock.now();
        let expires_at = row.expires_at.min(Moment(row.seen_at.0 + IDLE));
        if row.ended_at.is_some() || account.disabled_at.is_some() || expires_at <= now {
            return Ok(None);
        }
        // A role of a newer version gives nothing.
        let Ok(role) = account.role.parse::<Role>() else { return Ok(None) };
        if now.0 - row.seen_at.0 >= MINUTE {
            self.store.session_seen(&row.id, now).await?;
        }
        let caller = Caller {
            credential: Credential::Session,
            token: account.id.clone(),
            name: account.name,
            role,
            scopes: Vec::new(),
            person: Some(account.email),
        };
        let expires_at = row.expires_at.min(Moment(now.0 + IDLE));
        let (id, method, created_at) = (row.id, row.method, row.created_at);
        Ok(Some(Session { id, account: account.id, method, created_at, expires_at, caller }))
    }

    /// Signs out of one session.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn sign_out(&self, session: &Session) -> Result<(), EngineError> {
        let now = self.clock.now();
        let event = self
            .by(&session.caller)
            .event(now, EventCode::SessionEnded, &session.account)
            .detail("session", session.id.clone());
        self.store.end_session(&session.id, now, event).await?;
        Ok(())
    }

    /// The sessions of whoever is in this one, the last used first.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn own_sessions(&self, session: &Session) -> Result<Vec<OwnSession>, EngineError> {
        let now = self.clock.now();
        let rows = self.store.sessions_of(&session.account, now).await?;
        let own = |row: SessionRow| OwnSession {
            current: row.id == session.id,
            id: row.id,
            method: row.method,
            created_at: row.created_at,
            seen_at: row.seen_at,
            expires_at: row.expires_at.min(Moment(row.seen_at.0 + IDLE)),
            address: row.address,
            browser: row.browser,
        };
        Ok(rows.into_iter().map(own).filter(|own| own.expires_at > now).collect())
    }

    /// Ends one of one's own sessions, this one or another, and gives it as it was.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`] for one that is somebody else's or has ended, and what the database said.
    pub async fn end_own_session(&self, session: &Session, id: &str) -> Result<OwnSession, EngineError> {
        let unknown = || EngineError::Unknown { what: "session", asked: id.into() };
        let own =
            self.own_sessions(session).await?.into_iter().find(|own| own.id == id).ok_or_else(unknown)?;
        let now = self.clock.now();
        let event = self
            .by(&session.caller)
            .event(now, EventCode::SessionEnded, &session.account)
            .detail("session", own.id.clone());
        if self.store.end_session(&own.id, now, event).await? { Ok(own) } else { Err(unknown()) }
    }

    /// Ends every session of one's own but this one; gives how many could still be used.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn end_other_sessions(&self, session: &Session) -> Result<usize, EngineError> {
        let open = self.own_sessions(session).await?.iter().filter(|own| !own.current).count();
        let now = self.clock.now();
        let event = self
            .by(&session.caller)
            .event(now, EventCode::SessionEnded, &session.account)
            .detail("session", "all others");
        self.store.end_other_sessions(&session.account, &session.id, now, event).await?;
        Ok(open)
    }

    /// Ends every session of an account; gives how many there were.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], and what the database said.
    pub async fn end_sessions(&self, account: &str) -> Result<u64, EngineError> {
        let (now, account) = (self.clock.now(), self.get(account).await?.id);
        let event = self.event(now, EventCode::SessionEnded, &account).detail("session", "all");
        Ok(self.store.end_sessions(&account, now, event).await?)
    }
}

/// What forms and scripts must show beside a session's cookie: a hash that nobody makes without the cookie.
#[must_use]
pub fn csrf_token(cookie: &SecretString) -> String {
    let cookie = cookie.expose_secret().as_bytes();
    blake3::Hash::from_bytes(blake3::derive_key("metsuke 2026-11-22 session forgery token", cookie))
        .to_hex()
        .to_string()
}

/// Whether a token is the one that belongs to a session's cookie.
#[must_use]
pub fn csrf_token_fits(cookie: &SecretString, token: &str) -> bool {
    bool::from(csrf_token(cookie).as_bytes().ct_eq(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_fits_its_own_cookie_only() {
        let (one, other) = (SecretString::from("mts_1"), SecretString::from("mts_2"));
        assert!(csrf_token_fits(&one, &csrf_token(&one)));
        assert!(!csrf_token_fits(&one, &csrf_token(&other)));
        assert!(!csrf_token_fits(&one, ""));
        assert_ne!(csrf_token(&one), blake3::hash(b"mts_1").to_hex().to_string());
    }
}
