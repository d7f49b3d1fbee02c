//! Accounts: made, listed, changed, disabled, and helped when a password or a second factor is lost.
//!
//! Signing in with one is another file's.
//!
//! Invariant: whatever takes a person's trust away ends their sessions with it, everywhere and at once. One person who may
//! administer always stays.

use metsuke_model::audit::EventCode;
use metsuke_model::{AccountId, Moment};
use metsuke_store::{AccountChanged, AccountKept, AccountRow, AccountState};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::chance;
use super::people::People;
use super::role::Role;
use crate::EngineError;

/// The longest name, in characters.
const LONGEST_NAME: usize = 254;
/// The longest e-mail address, in bytes.
///
/// Source: RFC 5321, 4.5.3.1.3.
const LONGEST_EMAIL: usize = 254;

/// What a new account is to be.
#[derive(Clone, Debug)]
pub struct AccountAsk {
    /// The e-mail address, by which the person signs in and owns connectors and apps.
    pub email: String,
    /// What the person is called; without it, the e-mail address.
    pub name: Option<String>,
    /// The role.
    pub role: Role,
    /// The password; without one the person signs in through a provider.
    pub password: Option<SecretString>,
}

/// What of an account is to be another.
#[derive(Clone, Debug, Default)]
pub struct AccountEdit {
    /// What the person is called.
    pub name: Option<String>,
    /// The role.
    pub role: Option<Role>,
    /// Whether nobody can sign in with it.
    pub disabled: Option<bool>,
}

/// An account as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// The e-mail address.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// The role; `unknown` where a newer version gave it.
    pub role: String,
    /// `local`, or `oidc` where the role comes from a provider's claims.
    pub source: String,
    /// Whether it has a password.
    pub password: bool,
    /// Whether a second factor is asked for.
    pub second_factor: bool,
    /// When it was made.
    pub created_at: Moment,
    /// Who made it.
    pub created_by: String,
    /// Since when nobody can sign in with it.
    pub disabled_at: Option<Moment>,
    /// When somebody last signed in.
    pub signed_in_at: Option<Moment>,
}

impl People {
    /// Makes an account and records it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Fields`] for what cannot be taken, [`EngineError::Refused`] where the address has an account, and what
    /// the database said.
    pub async fn create(&self, ask: AccountAsk) -> Result<Account, EngineError> {
        let now = self.clock.now();
        let row = self.drafted(ask, "local", now).await?;
        let event = self
            .event(now, EventCode::AccountCreated, &row.id)
            .detail("email", row.email.clone())
            .detail("role", row.role.clone())
            .detail("source", row.source.clone());
        match self.store.keep_account(&row, None, event).await? {
            AccountKept::Yes => Ok(shown(row)),
            AccountKept::Taken | AccountKept::LinkGone => Err(taken(&row.email)),
        }
    }

    /// A new account's row, everything in it checked.
    pub(super) async fn drafted(
        &self,
        ask: AccountAsk,
        source: &str,
        now: Moment,
    ) -> Result<AccountRow, EngineError> {
        let email = address(&ask.email)?;
        let name = called(ask.name.as_deref().unwrap_or(&email))?;
        let password = match &ask.password {
            Some(password) => Some(self.passwords.hash(password, &email).await?),
            None => None,
        };
        Ok(AccountRow {
            id: AccountId::new(now, chance::random()?).to_string(),
            email,
            name,
            role: ask.role.as_str().to_owned(),
            source: source.to_owned(),
            password,
            totp: None,
            totp_since: None,
            totp_step: 0,
            created_at: now,
            created_by: self.store.actor().name.to_string(),
            disabled_at: None,
            signed_in_at: None,
        })
    }

    /// At most `count` accounts made after the one with this id.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn list(&self, after: &str, count: u32) -> Result<Vec<Account>, EngineError> {
        Ok(self.store.accounts(after, count).await?.into_iter().map(shown).collect())
    }

    /// The account with this id or e-mail address.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], and what the database said.
    pub async fn get(&self, asked: &str) -> Result<Account, EngineError> {
        Ok(shown(self.row(asked).await?))
    }

    async fn row(&self, asked: &str) -> Result<AccountRow, EngineError> {
        let found = match self.store.account(asked).await? {
            Some(row) => Some(row),
            None => self.store.account_of_email(&asked.trim().to_lowercase()).await?,
        };
        found.ok_or_else(|| missing(asked))
    }

    /// Changes an account. Another role, and being disabled, end its sessions.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get); [`EngineError::Fields`] for a name that cannot be taken, and [`EngineError::Refused`] where nobody
    /// could administer any more.
    pub async fn edit(&self, asked: &str, edit: AccountEdit) -> Result<Account, EngineError> {
        let (now, before) = (self.clock.now(), self.row(asked).await?);
        let mut after = before.clone();
        if let Some(name) = edit.name {
            after.name = called(&name)?;
        }
        if let Some(role) = edit.role {
            role.as_str().clone_into(&mut after.role);
        }
        match edit.disabled {
            Some(true) => after.disabled_at = Some(before.disabled_at.unwrap_or(now)),
            Some(false) => after.disabled_at = None,
            None => {}
        }
        if after == before {
            return Ok(shown(before));
        }
        let ends = before.role != after.role || after.disabled_at.is_some();
        let event = self
            .event(now, EventCode::AccountChanged, &after.id)
            .detail("email", after.email.clone())
            .detail("name", after.name.clone())
            .detail("role_before", before.role)
            .detail("role", after.role.clone())
            .detail("disabled", after.disabled_at.is_some());
        let state = AccountState { name: &after.name, role: &after.role, disabled_at: after.disabled_at };
        match self.store.change_account(&after.id, state, ends.then_some(now), event).await? {
            AccountChanged::Yes => Ok(shown(after)),
            AccountChanged::Missing => Err(missing(asked)),
            AccountChanged::LastAdmin => Err(EngineError::Refused {
                reason: format!("`{}` is the last account that may administer", after.email),
                hint: Some("make another one an admin first".into()),
            }),
        }
    }

    /// Gives an account a password in place of one that is lost or was never there, and ends its sessions.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`EngineError::Fields`] for a password that is too easy to guess.
    pub async fn reset_password(&self, asked: &str, password: &SecretString) -> Result<Account, EngineError> {
        let row = self.row(asked).await?;
        self.set_password(&row, password, "reset").await?;
        Ok(Account { password: true, ..shown(row) })
    }

    /// Sets a password and ends the account's sessions.
    pub(super) async fn set_password(
        &self,
        row: &AccountRow,
        password: &SecretString,
        how: &'static str,
    ) -> Result<(), EngineError> {
        let hash = self.passwords.hash(password, &row.email).await?;
        let now = self.clock.now();
        let event = self
            .event(now, EventCode::PasswordChanged, &row.id)
            .detail("email", row.email.clone())
            .detail("how", how);
        let done = self.store.set_password(&row.id, &hash, now, event).await?;
        if done { Ok(()) } else { Err(missing(&row.id)) }
    }

    /// Asks for no second factor any more, so that another can be enrolled, and ends the account's sessions.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn reset_second_factor(&self, asked: &str) -> Result<Account, EngineError> {
        let (now, row) = (self.clock.now(), self.row(asked).await?);
        let event = self.event(now, EventCode::TotpReset, &row.id).detail("email", row.email.clone());
        if !self.store.reset_totp(&row.id, now, event).await? {
            return Err(missing(asked));
        }
        Ok(Account { second_factor: false, ..shown(row) })
    }
}

/// An e-mail address in small letters.
pub(super) fn address(text: &str) -> Result<String, EngineError> {
    let email = text.trim().to_lowercase();
    let strange = |c: char| c.is_whitespace() || c.is_control();
    let parts = email.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    if parts.is_none() || email.len() > LONGEST_EMAIL || email.contains(strange) {
        return Err(EngineError::field("email", "it is no e-mail address"));
    }
    Ok(email)
}

fn called(text: &str) -> Result<String, EngineError> {
    let name = text.trim();
    let length = name.chars().count();
    if length == 0 || length > LONGEST_NAME || name.chars().any(char::is_control) {
        let reason = format!("it is a line of 1 to {LONGEST_NAME} characters");
        return Err(EngineError::field("name", reason));
    }
    Ok(name.to_owned())
}

pub(super) fn missing(asked: &str) -> EngineError {
    EngineError::Unknown { what: "account", asked: asked.into() }
}

pub(super) fn taken(email: &str) -> EngineError {
    EngineError::Refused { reason: format!("`{email}` has an account already"), hint: None }
}

pub(super) fn shown(row: AccountRow) -> Account {
    let role = if row.role.parse::<Role>().is_ok() { row.role } else { "unknown".to_owned() };
    Account {
        id: row.id,
        email: row.email,
        name: row.name,
        role,
        source: row.source,
        password: row.password.is_some(),
        second_factor: row.totp_since.is_some(),
        created_at: row.created_at,
        created_by: row.created_by,
        disabled_at: row.disabled_at,
        signed_in_at: row.signed_in_at,
    }
}
