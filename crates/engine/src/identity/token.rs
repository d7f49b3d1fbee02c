//! Tokens of programs: made at random, kept as hashes, shown once.
//!
//! What a token's role may do is [`Operation`](super::Operation)'s to say.
//!
//! Invariant: a token is never in the database, in a log or in an error. Whoever asks with a wrong, an expired or a revoked one
//! learns only that it is not accepted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use metsuke_model::audit::EventCode;
use metsuke_model::{Clock, Moment, TokenId};
use metsuke_store::{Store, TokenRow};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::policy::{Caller, Credential};
use super::role::{Role, Scope};
use crate::EngineError;

/// What every token begins with, so that scanners know one when they see it.
const PREFIX: &str = "mtk_";
/// Random bytes in a token.
const BYTES: usize = 32;
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;
/// How precisely the last use is kept, in microseconds.
const MINUTE: i64 = 60_000_000;

/// The tokens of an installation.
#[derive(Clone, Debug)]
pub struct Tokens {
    store: Store,
    clock: Arc<dyn Clock>,
    /// The token with which somebody asks.
    asking: Option<String>,
    /// Uses that are not written down yet, by token.
    used: Arc<Mutex<HashMap<String, Moment>>>,
}

/// What a new token is to be.
#[derive(Clone, Debug)]
pub struct TokenAsk {
    /// What it is called.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// What it is narrowed to; empty for all that the role allows.
    pub scopes: Vec<Scope>,
    /// The person whose connectors and apps count as its own.
    pub person: Option<String>,
    /// From when on it is refused.
    pub expires_at: Option<Moment>,
}

/// A token as it is shown: everything but the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its role; `unknown` where a newer version gave it.
    pub role: String,
    /// What it is narrowed to.
    pub scopes: Vec<String>,
    /// The person it acts for.
    pub person: Option<String>,
    /// When it was made.
    pub created_at: Moment,
    /// Who made it.
    pub created_by: String,
    /// From when on it is refused.
    pub expires_at: Option<Moment>,
    /// When it was revoked.
    pub revoked_at: Option<Moment>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Moment>,
}

/// A token that was made.
#[derive(Debug)]
pub struct NewToken {
    /// What is kept of it.
    pub kept: Token,
    /// The token itself.
    pub token: SecretString,
}

impl Tokens {
    /// The tokens in a database. Who makes and revokes them is whoever acts through the store.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, asking: None, used: Arc::default() }
    }

    /// The same tokens, for somebody who asks through the API.
    #[must_use]
    pub fn by(&self, caller: &Caller) -> Self {
        let store = self.store.clone().acting_as(caller.actor());
        let asking = Some(caller.token.clone());
        Self { store, clock: Arc::clone(&self.clock), asking, used: Arc::clone(&self.used) }
    }

    /// Makes a token and records it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Fields`] for a name that says nothing or a time that has passed, and what the database said.
    pub async fn create(&self, ask: TokenAsk) -> Result<NewToken, EngineError> {
        let now = self.clock.now();
        let name = ask.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            let reason = format!("it is a line of 1 to {LONGEST_NAME} characters");
            return Err(EngineError::field("name", reason));
        }
        if ask.expires_at.is_some_and(|at| at <= now) {
            return Err(EngineError::field("expires_at", "it has passed"));
        }
        let person = ask.person.map(|person| person.trim().to_lowercase());
        if person.as_deref().is_some_and(|person| !person.contains('@') || person.len() > 254) {
            return Err(EngineError::field("person", "it is no e-mail address"));
        }
        let (mut secret, mut tail) = ([0; BYTES], [0; 10]);
        let random = SystemRandom::new();
        random.fill(&mut secret).and_then(|()| random.fill(&mut tail)).map_err(|_| EngineError::NoChance)?;
        let token = format!("{PREFIX}{}", blake3::Hash::from_bytes(secret).to_hex());
        let scopes: Vec<String> = ask.scopes.iter().map(ToString::to_string).collect();
        let row = TokenRow {
            id: TokenId::new(now, tail).to_string(),
            hash: hash(&token),
            name: name.to_owned(),
            role: ask.role.as_str().to_owned(),
            scopes: serde_json::json!(scopes).to_string(),
            person,
            created_at: now,
            created_by: self.store.actor().name.to_string(),
            expires_at: ask.expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        let event = self
            .store
            .event(now, EventCode::TokenCreated)
            .about("token", row.id.clone())
            .detail("name", row.name.clone())
            .detail("role", row.role.clone())
            .detail("scopes", scopes)
            .detail("person", row.person.clone())
            .detail("expires_at", row.expires_at.map(|at| at.to_string()));
        self.store.keep_token(&row, event).await?;
        Ok(NewToken { kept: shown(row), token: token.into() })
    }

    /// Whose token this is; none for one that is not accepted.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn caller(&self, token: &str) -> Result<Option<Caller>, EngineError> {
        let digits = token.strip_prefix(PREFIX).unwrap_or_default();
        if digits.len() != 2 * BYTES || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let Some(row) = self.store.token_of_hash(&hash(token)).await? else { return Ok(None) };
        let now = self.clock.now();
        if row.revoked_at.is_some() || row.expires_at.is_some_and(|at| at <= now) {
            return Ok(None);
        }
        // A role or a scope of a newer version gives nothing.
        let Ok(role) = row.role.parse::<Role>() else { return Ok(None) };
        let words: Vec<String> = serde_json::from_str(&row.scopes).unwrap_or_else(|_| vec![String::new()]);
        let scopes: Vec<Scope> = words.iter().filter_map(|word| word.parse().ok()).collect();
        if scopes.is_empty() && !words.is_empty() {
            return Ok(None);
        }
        if row.last_used_at.is_none_or(|at| now.0 - at.0 >= MINUTE) {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(row.id.clone(), now);
        }
        let (credential, token) = (Credential::Token, row.id);
        Ok(Some(Caller { credential, token, name: row.name, role, scopes, person: row.person }))
    }

    /// Writes down which tokens were used since the last time.
    ///
    /// # Errors
    ///
    /// What the database said; uses that are not written down are forgotten.
    pub async fn note_uses(&self) -> Result<(), EngineError> {
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        for (token, at) in used {
            self.store.token_used(&token, at).await?;
        }
        Ok(())
    }

    /// At most `count` tokens made after the one with this id.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn list(&self, after: &str, count: u32) -> Result<Vec<Token>, EngineError> {
        Ok(self.store.tokens(after, count).await?.into_iter().map(shown).collect())
    }

    /// One token.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], and what the database said.
    pub async fn get(&self, id: &str) -> Result<Token, EngineError> {
        let row = self.store.token(id).await?;
        row.map(shown).ok_or_else(|| EngineError::Unknown { what: "token", asked: id.into() })
    }

    /// Revokes a token at once; revoking it again changes nothing. Nobody revokes the token they ask with.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get); [`EngineError::OwnToken`].
    pub async fn revoke(&self, id: &str) -> Result<Token, EngineError> {
        let token = self.get(id).await?;
        if self.asking.as_deref() == Some(&*token.id) {
            return Err(EngineError::OwnToken);
        }
        let now = self.clock.now();
        let event = self
            .store
            .event(now, EventCode::TokenRevoked)
            .about("token", token.id.clone())
            .detail("name", token.name.clone());
        if self.store.revoke_token(&token.id, now, event).await? {
            return Ok(Token { revoked_at: Some(now), ..token });
        }
        Ok(token)
    }
}

fn hash(token: &str) -> Vec<u8> {
    blake3::hash(token.as_bytes()).as_bytes().to_vec()
}

fn shown(row: TokenRow) -> Token {
    Token {
        id: row.id,
        name: row.name,
        role: row.role,
        scopes: serde_json::from_str(&row.scopes).unwrap_or_default(),
        person: row.person,
        created_at: row.created_at,
        created_by: row.created_by,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
    }
}
