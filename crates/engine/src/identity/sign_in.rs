//! Signing in with a password: whether it is them, how often somebody may try, and the session that comes of it.
//!
//! Through a provider of identities is another file's.
//!
//! Invariant: a try is counted before it is looked at, and no more are looked at than the limits say. The same is done, and the
//! same is told, whatever is wrong: the address, the password, the code, or the account's state. No event holds what was typed
//! in place of an address that has no account.
//!
//! A try counts against the account, and against the address it comes from; one from a browser in which somebody has signed in
//! to the account before counts against that browser alone. So guessing from elsewhere never locks anybody out of their own.

use std::net::IpAddr;
use std::time::Duration;

use metsuke_model::audit::{Actor, ActorKind, EventCode, NewEvent};
use metsuke_model::{Moment, SessionId};
use metsuke_store::{AccountRow, Admitted, Bucket, Opening, Proof, SessionRow, Try};
use secrecy::{ExposeSecret, SecretString};

use super::chance::{self, hash, is_secret};
use super::password::Checked;
use super::people::People;
use super::session::{self, Session};
use super::totp::{Secret, Typed};
use crate::EngineError;

/// How long a try counts, in microseconds.
const WINDOW: i64 = 15 * 60 * 1_000_000;
/// Tries that are looked at in that time for one account from unknown browsers, and from one known browser.
const PER_ACCOUNT: u32 = 10;
/// Tries that are looked at in that time from one address.
const PER_ADDRESS: u32 = 50;
/// Letters of what a browser calls itself that are kept.
const LONGEST_BROWSER: usize = 256;
/// What the secret of a known browser begins with.
const DEVICE: &str = "mtd_";

/// Where a try comes from.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The address of the machine.
    pub address: IpAddr,
    /// What makes the browser a known one, where it has that.
    pub device: Option<SecretString>,
    /// The session that the browser is in already.
    pub session: Option<SecretString>,
    /// What the browser calls itself; nobody has checked that.
    pub browser: Option<String>,
}

/// What somebody typed to sign in.
#[derive(Clone, Debug)]
pub struct Typing {
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: SecretString,
    /// The second factor's code, or a recovery code; empty for none.
    pub code: SecretString,
}

/// What became of a try to sign in.
#[derive(Debug)]
pub enum SignedIn {
    /// It is them.
    Yes(Box<Opened>),
    /// It is not, for whatever reason.
    No,
    /// There were too many tries; the next one is looked at after this time.
    Locked(Duration),
    /// Too many are signing in at this moment.
    Busy,
}

/// A session that was opened.
#[derive(Debug)]
pub struct Opened {
    /// What the session's cookie holds.
    pub cookie: SecretString,
    /// What the cookie of the known browser holds.
    pub device: SecretString,
    /// The session.
    pub session: Session,
}

impl People {
    /// Signs somebody in with a password, and a code where a second factor is asked for.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoChance`], what the sealing key's file said, and what the database said.
    pub async fn sign_in(&self, typing: &Typing, visitor: &Visitor) -> Result<SignedIn, EngineError> {
        let now = self.clock.now();
        let email = typing.email.trim().to_lowercase();
        let account = self.store.account_of_email(&email).await?;
        let attempt = match self.admitted(&email, account.as_ref(), visitor, now).await? {
            Ok(attempt) => attempt,
            Err(locked) => return Ok(locked),
        };
        let stored = account.as_ref().and_then(|account| account.password.as_deref());
        let checked = self.passwords.check(&typing.password, stored).await;
        if checked == Checked::Busy {
            self.store.forget_try(&attempt).await?;
            return Ok(SignedIn::Busy);
        }
        let proof = self.proof(account.as_ref(), &typing.code, now)?;
        let (account, proof) = match (account, checked, proof) {
            (Some(account), Checked::Right, Some(proof)) if account.disabled_at.is_none() => (account, proof),
            (account, checked, proof) => {
                let why = match (&account, checked, proof) {
                    (None, ..) => "unknown",
                    (_, Checked::Wrong | Checked::Busy, _) => "password",
                    (_, _, None) => "code",
                    _ => "disabled",
                };
                self.failed(account.as_ref(), why, visitor, now).await?;
                return Ok(SignedIn::No);
            }
        };
        let opened = self.open(&account, "password", proof, visitor, Some(&attempt)).await?;
        if let Some(opened) = opened {
            return Ok(SignedIn::Yes(Box::new(opened)));
        }
        self.failed(Some(&account), "code", visitor, now).await?;
        Ok(SignedIn::No)
    }

    /// Counts a try and gives its id, or says that there were too many.
    async fn admitted(
        &self,
        email: &str,
        account: Option<&AccountRow>,
        visitor: &Visitor,
        now: Moment,
    ) -> Result<Result<String, SignedIn>, EngineError> {
        let device = hash(visitor.device.as_ref().map_or("", ExposeSecret::expose_secret));
        // An account that is not there is looked for all the same.
        let id = account.map_or("nobody", |account| &account.id);
        let buckets = if self.store.knows_device(id, &device, now).await? {
            vec![bucket("device", &[id.as_bytes(), &device], PER_ACCOUNT)]
        } else {
            let place = network(visitor.address);
            vec![
                bucket("account", &[email.as_bytes()], PER_ACCOUNT),
                bucket("address", &[place.as_bytes()], PER_ADDRESS),
            ]
        };
        let full = self
            .store
            .event(now, EventCode::LoginLocked)
            .about("account", id.to_owned())
            .detail("address", visitor.address.to_string());
        self.counted(buckets, now, full).await
    }

    /// Counts a try to come back from a provider, or tells how long to wait.
    pub(super) async fn counted_from(
        &self,
        address: IpAddr,
        now: Moment,
    ) -> Result<Result<String, Duration>, EngineError> {
        let buckets = vec![bucket("provider", &[network(address).as_bytes()], PER_ADDRESS)];
        let full = self.store.event(now, EventCode::LoginLocked).detail("address", address.to_string());
        Ok(match self.counted(buckets, now, full).await? {
            Ok(attempt) => Ok(attempt),
            Err(SignedIn::Locked(wait)) => Err(wait),
            Err(_) => Err(Duration::from_secs(1)),
        })
    }

    async fn counted(
        &self,
        buckets: Vec<Bucket>,
        now: Moment,
        full: NewEvent,
    ) -> Result<Result<String, SignedIn>, EngineError> {
        let id = SessionId::new(now, chance::random()?).to_string();
        let asked = Try { id, buckets, at: now, since: Moment(now.0 - WINDOW) };
        Ok(match self.store.admit_try(&asked, full).await? {
            Admitted::Yes => Ok(asked.id),
            Admitted::Full(oldest) => {
                let wait = u64::try_from(oldest.0 + WINDOW - now.0).unwrap_or_default();
                Err(SignedIn::Locked(Duration::from_micros(wait).max(Duration::from_secs(1))))
            }
        })
    }

    /// What the typed code proves: `None` where one is asked for and this is none.
    pub(super) fn proof(
        &self,
        account: Option<&AccountRow>,
        code: &SecretString,
        now: Moment,
    ) -> Result<Option<Proof>, EngineError> {
        let Some(account) = account.filter(|account| account.totp_since.is_some()) else {
            return Ok(Some(Proof::None));
        };
        Ok(match Typed::read(code) {
            Typed::Nothing => None,
            Typed::Code(code) => self
                .secret_of(account)?
                .and_then(|secret| secret.step_of(&code, now, account.totp_step))
                .map(Proof::Totp),
            Typed::Recovery(hash) => Some(Proof::Recovery(hash)),
        })
    }

    /// The secret of an account's second factor, whether it is asked for yet or not.
    pub(super) fn secret_of(&self, account: &AccountRow) -> Result<Option<Secret>, EngineError> {
        let Some(sealed) = &account.totp else { return Ok(None) };
        let key = self.installation.sealing_key()?;
        let opened = key.open(self.installation.name(), &sealed_for(&account.id), sealed)?;
        Ok(Some(Secret::kept(opened)))
    }

    /// Opens a session for an account; `None` where it is disabled or the code was used before.
    pub(super) async fn open(
        &self,
        account: &AccountRow,
        method: &'static str,
        proof: Proof,
        visitor: &Visitor,
        attempt: Option<&str>,
    ) -> Result<Option<Opened>, EngineError> {
        let now = self.clock.now();
        let cookie = chance::secret(session::PREFIX)?;
        let device = self.device_for(account, visitor, now).await?;
        let row = SessionRow {
            id: SessionId::new(now, chance::random()?).to_string(),
            hash: hash(cookie.expose_secret()),
            account: account.id.clone(),
            method: method.to_owned(),
            created_at: now,
            seen_at: now,
            expires_at: Moment(now.0 + session::LONGEST),
            ended_at: None,
            address: Some(visitor.address.to_string()),
            browser: visitor.browser.as_deref().map(called),
        };
        let second = match &proof {
            Proof::None => "none",
            Proof::Totp(_) => "totp",
            Proof::Recovery(_) => "recovery_code",
        };
        let event = self
            .clone()
            .acting(account)
            .event(now, EventCode::LoginSucceeded, &account.id)
            .detail("session", row.id.clone())
            .detail("method", method)
            .detail("second_factor", second)
            .detail("address", visitor.address.to_string());
        let replaced = visitor.session.as_ref().map(|session| hash(session.expose_secret()));
        let opening = Opening {
            session: &row,
            proof,
            device: &hash(device.expose_secret()),
            replaces: replaced.as_deref(),
            attempt,
        };
        if !self.store.open_session(&opening, event).await? {
            return Ok(None);
        }
        let session = self.session(&cookie).await?;
        Ok(session.map(|session| Opened { cookie, device, session }))
    }

    /// What makes the browser a known one: what it has, where that was given to it for this account, else something new. What
    /// somebody may have planted in it is never made known.
    async fn device_for(
        &self,
        account: &AccountRow,
        visitor: &Visitor,
        now: Moment,
    ) -> Result<SecretString, EngineError> {
        if let Some(device) = &visitor.device {
            let text = device.expose_secret();
            if is_secret(text, DEVICE) && self.store.knows_device(&account.id, &hash(text), now).await? {
                return Ok(device.clone());
            }
        }
        chance::secret(DEVICE)
    }

    /// Records that somebody could not sign in.
    pub(super) async fn failed(
        &self,
        account: Option<&AccountRow>,
        why: &'static str,
        visitor: &Visitor,
        now: Moment,
    ) -> Result<(), EngineError> {
        let id = account.map_or("unknown", |account| &account.id);
        let event = self
            .event(now, EventCode::LoginFailed, id)
            .detail("why", why)
            .detail("address", visitor.address.to_string());
        self.store.record(event).await?;
        Ok(())
    }

    /// Counts and looks at the password of somebody who has signed in and is asked for it once more.
    pub(super) async fn asked_again(
        &self,
        account: &AccountRow,
        password: &SecretString,
    ) -> Result<SignedInAgain, EngineError> {
        let attempt = match self.counted_again(account).await? {
            Ok(attempt) => attempt,
            Err(wait) => return Ok(SignedInAgain::Locked(wait)),
        };
        Ok(match self.passwords.check(password, account.password.as_deref()).await {
            Checked::Right => {
                self.store.forget_try(&attempt).await?;
                SignedInAgain::Yes
            }
            Checked::Wrong => SignedInAgain::No,
            Checked::Busy => {
                self.store.forget_try(&attempt).await?;
                SignedInAgain::Locked(Duration::from_secs(1))
            }
        })
    }

    /// Counts a try of somebody who has signed in to be believed once more, or tells how long to wait.
    pub(super) async fn counted_again(
        &self,
        account: &AccountRow,
    ) -> Result<Result<String, Duration>, EngineError> {
        let now = self.clock.now();
        let full = self.event(now, EventCode::LoginLocked, &account.id);
        let buckets = vec![bucket("again", &[account.id.as_bytes()], PER_ACCOUNT)];
        Ok(match self.counted(buckets, now, full).await? {
            Ok(attempt) => Ok(attempt),
            Err(SignedIn::Locked(wait)) => Err(wait),
            Err(_) => Err(Duration::from_secs(1)),
        })
    }

    /// The same people, with the account's own person as the one who acts.
    pub(super) fn acting(self, account: &AccountRow) -> Self {
        let name = format!("{} ({})", account.email, account.id);
        let actor = Actor { kind: ActorKind::Person, name: name.into() };
        Self { store: self.store.clone().acting_as(actor), ..self }
    }
}

/// Whether somebody who has signed in is who they were, once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignedInAgain {
    /// They are.
    Yes,
    /// The password is wrong.
    No,
    /// There were too many tries.
    Locked(Duration),
}

/// What a browser calls itself, as far as it is kept.
fn called(browser: &str) -> String {
    browser.chars().filter(|letter| !letter.is_control()).take(LONGEST_BROWSER).collect()
}

/// What a second factor's secret is sealed for.
pub(super) fn sealed_for(account: &str) -> String {
    format!("account/{account}/totp")
}

fn bucket(kind: &str, parts: &[&[u8]], most: u32) -> Bucket {
    let mut hasher = blake3::Hasher::new();
    for part in [kind.as_bytes()].iter().chain(parts) {
        hasher.update(&part.len().to_be_bytes());
        hasher.update(part);
    }
    Bucket { hash: hasher.finalize().as_bytes().to_vec(), most }
}

/// What tries from an address are counted by: all of an IPv6 network of 64 bits are one place.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [one, two, three, four, ..] = address.segments();
            format!("{one:x}:{two:x}:{three:x}:{four:x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_one_place() {
        let place = |text: &str| network(text.parse().unwrap());
        assert_eq!(place("2001:db8:1:2::5"), place("2001:db8:1:2:ffff::9"));
        assert_ne!(place("2001:db8:1:2::5"), place("2001:db8:1:3::5"));
        assert_eq!(place("::ffff:192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn buckets_of_different_things_differ() {
        assert_ne!(bucket("a", &[b"bc"], 1), bucket("ab", &[b"c"], 1));
        assert_ne!(bucket("a", &[b"b", b"c"], 1), bucket("a", &[b"bc"], 1));
    }
}
