//! The client of the Heroku Platform API.
//!
//! It reads lists page by page, sends writes, and keeps the manners of the service; it does not know which
//! lists make up an estate, nor what a row means, nor whether a write should be made.
//!
//! Invariant: all requests of one client share its budget, its places in flight and its counters.

mod config;
pub mod endpoint;
pub mod item;
mod provisioning;
mod read;
mod scope;
mod walk;
mod webhook;
pub mod wire;
mod write;

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

pub use self::config::Settings;
pub(crate) use self::config::is_loopback;
pub use self::endpoint::Endpoint;
pub use self::item::Item;
pub use self::provisioning::{Provisioning, TeamFeatures};
pub use self::scope::ScopeCheck;
pub use self::walk::{Page, Row, Walk};
pub use self::webhook::{NewWebhook, SIGNATURE, is_signed};
pub use self::write::{AppPermission, TeamRole, WriteAnswer, WriteCall, WriteTarget, WrittenRow};
use crate::error::ClientError;
use crate::http::limit::{Budget, Share};
use crate::http::meter::Usage;
use crate::http::retry::{Jitter, Policy, Tries};
use crate::http::{Limits, Transport};

/// A client of one Heroku account; clones share everything.
#[derive(Clone)]
pub struct Heroku {
    inner: Arc<Inner>,
    share: Share,
}

struct Inner {
    transport: Transport,
    policy: Policy,
    max_pages: u32,
    max_in_flight: usize,
}

impl Heroku {
    /// A client with a budget of its own; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] when the settings cannot work, plain http to another machine included.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        let budget = Budget::new(settings.pool, settings.refill_per_minute, settings.reserve);
        Self::with_budget(settings, Arc::new(budget))
    }

    /// A client that shares the budget of another client of the same account.
    ///
    /// # Errors
    ///
    /// As [`Heroku::new`].
    pub fn with_budget(settings: Settings, budget: Arc<Budget>) -> Result<Self, ClientError> {
        settings.check()?;
        let Settings { base_url, token, user_agent, .. } = settings;
        let limits = Limits {
            in_flight: settings.max_in_flight,
            request_timeout: settings.request_timeout,
            idle_timeout: settings.idle_timeout,
            max_body_bytes: settings.max_body_bytes,
        };
        let transport = Transport::new(&base_url, &token, &user_agent, limits, budget)?;
        let policy = Policy {
            attempts: settings.attempts,
            first_delay: settings.first_delay,
            max_delay: settings.max_delay,
            jitter: Jitter::new(settings.jitter_seed),
        };
        let (max_pages, max_in_flight) = (settings.max_pages, settings.max_in_flight);
        let inner = Arc::new(Inner { transport, policy, max_pages, max_in_flight });
        Ok(Self { inner, share: Share::AboveReserve })
    }

    /// The account that the token belongs to.
    ///
    /// # Errors
    ///
    /// [`ClientError`]; kind `Unauthorized` means a wrong token, `Forbidden` only one of small scope.
    pub async fn account(&self) -> Result<wire::Account, ClientError> {
        self.one(&item::account()).await
    }

    /// Reads a single resource, trying again as the settings allow.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when it could not be read.
    pub async fn one<T: DeserializeOwned>(&self, item: &Item<T>) -> Result<T, ClientError> {
        let (ask, transport) = (item.ask(), &self.inner.transport);
        let (mut tries, mut sent) = (Tries::default(), 0);
        loop {
            let outcome = match transport.send(&ask, self.share, &mut sent).await {
                Ok(reply) => read::json(&transport.cleaner, &ask, &reply, item.expected),
                Err(error) => Err(error),
            };
            match outcome {
                Ok(row) => return Ok(row),
                Err(error) => self.again(&mut tries, error.after(sent)).await?,
            }
        }
    }

    /// A walk through a list; nothing is sent before its first [`next`](Walk::next).
    #[must_use]
    pub fn walk<T: Row>(&self, endpoint: Endpoint<T>) -> Walk<T> {
        Walk::new(self.clone(), endpoint)
    }

    /// The way to change access; it sends nothing by itself.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] when its connections cannot be set up.
    pub fn provisioning(&self) -> Result<Provisioning, ClientError> {
        Provisioning::new(self)
    }

    /// Whether the token's scope suffices to write to `target`, as far as its scopes are known.
    #[must_use]
    pub fn may_write(&self, target: WriteTarget) -> ScopeCheck {
        ScopeCheck::of(self.scopes(), target)
    }

    /// What was used so far, by all clones of this client.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.inner.transport.meter.usage(self.budget().remaining())
    }

    /// The most requests that are in flight at once.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.inner.max_in_flight
    }

    /// The scopes of the token, as last reported; none before the first answer.
    #[must_use]
    pub fn scopes(&self) -> Option<Vec<String>> {
        self.inner.transport.scopes()
    }

    /// Marks the authorizations by whether their token is the one of this client, and forgets the tokens.
    ///
    /// Of a token that Heroku did not show nothing can be told, unless another one in the list is this client's.
    pub fn tell_own(&self, rows: &mut [wire::Authorization]) {
        let own = &self.inner.transport.cleaner;
        for row in &mut *rows {
            let token = row.access_token.as_mut().and_then(|access| access.token.take());
            row.own = token.map(|token| own.is_of(&token));
        }
        if rows.iter().any(|row| row.own == Some(true)) {
            rows.iter_mut().for_each(|row| row.own = row.own.or(Some(false)));
        }
    }

    /// The budget, to be shared with other clients of the same account.
    #[must_use]
    pub fn budget(&self) -> &Arc<Budget> {
        &self.inner.transport.budget
    }

    /// Waits until the failed request may be sent again; a final error is given back.
    async fn again(&self, tries: &mut Tries, error: ClientError) -> Result<(), ClientError> {
        let Some(wait) = self.inner.policy.next(tries, &error) else { return Err(error) };
        tracing::debug!(
            error = %error,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "{error}; trying again",
        );
        self.rest(wait, error.status() == Some(429)).await;
        Ok(())
    }

    /// Waits before a request is sent again; `limited` by the account's pool, all others wait as well.
    async fn rest(&self, wait: Duration, limited: bool) {
        if limited {
            self.budget().pause(wait);
        }
        let meter = &self.inner.transport.meter;
        meter.retried();
        let _wait = meter.waiting(wait);
        tokio::time::sleep(wait).await;
    }
}

impl std::fmt::Debug for Heroku {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heroku").field("usage", &self.usage()).finish_non_exhaustive()
    }
}
