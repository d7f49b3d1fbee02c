//! The first person: a link that is shown once, in the log of the server, while nobody can sign in.
//!
//! Everybody after the first is made by somebody who may administer.
//!
//! Invariant: a link is good for one day, for one person, and only while there is nobody; the database has its hash alone.

use std::time::Duration;

use metsuke_model::Moment;
use metsuke_model::audit::{Actor, ActorKind, EventCode};
use metsuke_store::{AccountKept, Proof};
use secrecy::{ExposeSecret as _, SecretString};

use super::account::AccountAsk;
use super::chance::{self, hash, is_secret};
use super::people::People;
use super::role::Role;
use super::sign_in::{Opened, Visitor};
use crate::EngineError;

/// What the secret of a link begins with.
const PREFIX: &str = "mtl_";
/// How long a link is good for.
pub const SETUP_LASTS: Duration = Duration::from_hours(24);

/// Who the first person is to be.
#[derive(Clone, Debug)]
pub struct FirstPerson {
    /// The e-mail address.
    pub email: String,
    /// What the person is called; without it, the e-mail address.
    pub name: Option<String>,
    /// The password.
    pub password: SecretString,
}

impl People {
    /// A new secret for the link, where nobody can sign in yet; an earlier one is worth nothing from then on.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoChance`], and what the database said.
    pub async fn offer_setup(&self) -> Result<Option<SecretString>, EngineError> {
        if self.store.count_accounts().await? > 0 {
            return Ok(None);
        }
        let (now, secret) = (self.clock.now(), chance::secret(PREFIX)?);
        let lasts = i64::try_from(SETUP_LASTS.as_micros()).unwrap_or_default();
        let expires_at = Moment(now.0 + lasts);
        let event =
            self.store.event(now, EventCode::SetupOffered).detail("expires_at", expires_at.to_string());
        let kept = self.store.keep_setup_link(&hash(secret.expose_secret()), expires_at, event).await?;
        Ok(kept.then_some(secret))
    }

    /// Whether a link's secret is good.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn may_set_up(&self, secret: &SecretString) -> Result<bool, EngineError> {
        let secret = secret.expose_secret();
        if !is_secret(secret, PREFIX) || self.store.count_accounts().await? > 0 {
            return Ok(false);
        }
        Ok(self.store.setup_link_holds(&hash(secret), self.clock.now()).await?)
    }

    /// Makes the first person, who may administer, and signs them in; `None` where the link is not good.
    ///
    /// # Errors
    ///
    /// [`EngineError::Fields`] for what cannot be taken, after which the link is still good, and what the database said.
    pub async fn set_up(
        &self,
        secret: &SecretString,
        person: FirstPerson,
        visitor: &Visitor,
    ) -> Result<Option<Opened>, EngineError> {
        if !self.may_set_up(secret).await? {
            return Ok(None);
        }
        let now = self.clock.now();
        let FirstPerson { email, name, password } = person;
        let ask = AccountAsk { email, name, role: Role::Admin, password: Some(password) };
        let mut row = self.drafted(ask, "local", now).await?;
        "setup link".clone_into(&mut row.created_by);
        let actor = Actor { kind: ActorKind::Person, name: format!("{} ({})", row.email, row.id).into() };
        let acting = Self { store: self.store.clone().acting_as(actor), ..self.clone() };
        let event = acting
            .event(now, EventCode::SetupDone, &row.id)
            .detail("email", row.email.clone())
            .detail("role", row.role.clone())
            .detail("address", visitor.address.to_string());
        match self.store.keep_first_account(&row, &hash(secret.expose_secret()), event).await? {
            AccountKept::Yes => self.open(&row, "setup", Proof::None, visitor, None).await,
            AccountKept::Taken | AccountKept::LinkGone => Ok(None),
        }
    }
}
