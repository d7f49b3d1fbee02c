//! What somebody who has signed in does about their own account: the password, and the second factor.
//!
//! What others do for them stands with accounts.
//!
//! Invariant: whoever finds a browser that is signed in cannot change what it was signed in with: the password is asked for
//! again, and tries are counted.

use std::time::Duration;

use metsuke_model::audit::EventCode;
use metsuke_store::{AccountRow, Proof};
use secrecy::SecretString;

use super::account::missing;
use super::people::People;
use super::session::Session;
use super::sign_in::{Opened, SignedInAgain, Visitor, sealed_for};
use super::totp::{Secret, Typed, recovery_codes};
use crate::EngineError;

/// What became of a change to one's own account.
#[derive(Debug)]
pub enum Own<T> {
    /// It was made.
    Done(T),
    /// The password or the code is wrong.
    Wrong,
    /// There were too many tries; the next one is looked at after this time.
    Locked(Duration),
}

/// A second factor on offer: it is asked for once a code of it was shown.
#[derive(Debug)]
pub struct Offer {
    /// The secret, to be typed into an app.
    pub secret: SecretString,
    /// The address that apps read.
    pub address: SecretString,
}

impl People {
    /// Changes one's own password: every session of the account ends, and the browser gets a new one.
    ///
    /// # Errors
    ///
    /// [`EngineError::Fields`] for a password that is too easy to guess, and what the database said.
    pub async fn change_password(
        &self,
        session: &Session,
        current: &SecretString,
        new: &SecretString,
        visitor: &Visitor,
    ) -> Result<Own<Opened>, EngineError> {
        let account = self.own(session).await?;
        match self.asked_again(&account, current).await? {
            SignedInAgain::Yes => {}
            SignedInAgain::No => return Ok(Own::Wrong),
            SignedInAgain::Locked(wait) => return Ok(Own::Locked(wait)),
        }
        self.clone().acting(&account).set_password(&account, new, "changed").await?;
        // It was proved when the session was opened, which has just ended.
        let opened = self.open(&account, "password_change", Proof::None, visitor, None).await?;
        opened.map(Own::Done).ok_or_else(|| missing(&account.id))
    }

    /// Offers a second factor, in place of one on offer before.
    ///
    /// # Errors
    ///
    /// [`EngineError::Refused`] where one is asked for already, what the sealing key's file said, and what the database said.
    pub async fn offer_second_factor(
        &self,
        session: &Session,
        password: &SecretString,
    ) -> Result<Own<Offer>, EngineError> {
        let account = self.own(session).await?;
        match self.asked_again(&account, password).await? {
            SignedInAgain::Yes => {}
            SignedInAgain::No => return Ok(Own::Wrong),
            SignedInAgain::Locked(wait) => return Ok(Own::Locked(wait)),
        }
        let secret = Secret::new()?;
        let key = self.installation.sealing_key()?;
        let sealed = key.seal(self.installation.name(), &sealed_for(&account.id), secret.text())?;
        if !self.store.offer_totp(&account.id, &sealed).await? {
            return Err(EngineError::Refused {
                reason: "a second factor is asked for already".into(),
                hint: Some("an admin can reset it".into()),
            });
        }
        let address = secret.address(&account.email);
        Ok(Own::Done(Offer { secret: secret.text().clone(), address }))
    }

    /// Asks for the second factor on offer from now on; gives the recovery codes, this once.
    ///
    /// # Errors
    ///
    /// [`EngineError::Refused`] where none is on offer, and what the database said.
    pub async fn confirm_second_factor(
        &self,
        session: &Session,
        code: &SecretString,
    ) -> Result<Own<Vec<SecretString>>, EngineError> {
        let none = || EngineError::Refused {
            reason: "no second factor is on offer".into(),
            hint: Some("ask for one first".into()),
        };
        let (now, account) = (self.clock.now(), self.own(session).await?);
        let secret = self.secret_of(&account)?.filter(|_| account.totp_since.is_none()).ok_or_else(none)?;
        let step = match Typed::read(code) {
            Typed::Code(code) => secret.step_of(&code, now, account.totp_step),
            Typed::Nothing | Typed::Recovery(_) => None,
        };
        let Some(step) = step else { return Ok(Own::Wrong) };
        let (codes, hashes): (Vec<_>, Vec<_>) = recovery_codes()?.into_iter().unzip();
        let event = self
            .clone()
            .acting(&account)
            .event(now, EventCode::TotpEnrolled, &account.id)
            .detail("email", account.email.clone());
        if !self.store.confirm_totp(&account.id, step, &hashes, now, event).await? {
            return Err(none());
        }
        Ok(Own::Done(codes))
    }

    /// Asks for no second factor any more, for whoever shows the password and a code of it, or a recovery code. Every session of
    /// the account ends, and the browser gets a new one.
    ///
    /// # Errors
    ///
    /// [`EngineError::Refused`] where none is asked for, what the sealing key's file said, and what the database said.
    pub async fn remove_second_factor(
        &self,
        session: &Session,
        password: &SecretString,
        code: &SecretString,
        visitor: &Visitor,
    ) -> Result<Own<Opened>, EngineError> {
        let account = self.own(session).await?;
        if account.totp_since.is_none() {
            let reason = "no second factor is asked for".into();
            return Err(EngineError::Refused { reason, hint: None });
        }
        match self.asked_again(&account, password).await? {
            SignedInAgain::Yes => {}
            SignedInAgain::No => return Ok(Own::Wrong),
            SignedInAgain::Locked(wait) => return Ok(Own::Locked(wait)),
        }
        // A code that was guessed counts as a password does.
        let attempt = match self.counted_again(&account).await? {
            Ok(attempt) => attempt,
            Err(wait) => return Ok(Own::Locked(wait)),
        };
        let now = self.clock.now();
        let Some(proof) = self.proof(Some(&account), code, now)? else { return Ok(Own::Wrong) };
        let acting = self.clone().acting(&account);
        let event = acting
            .event(now, EventCode::TotpReset, &account.id)
            .detail("email", account.email.clone())
            .detail("how", "own wish");
        if !self.store.drop_totp(&account.id, &proof, now, event).await? {
            return Ok(Own::Wrong);
        }
        self.store.forget_try(&attempt).await?;
        let account = self.own(session).await?;
        let opened = self.open(&account, "second_factor_removal", Proof::None, visitor, None).await?;
        opened.map(Own::Done).ok_or_else(|| missing(&account.id))
    }

    async fn own(&self, session: &Session) -> Result<AccountRow, EngineError> {
        let found = self.store.account(&session.account).await?;
        found.ok_or_else(|| missing(&session.account))
    }
}
