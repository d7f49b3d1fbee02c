//! The client of the Heroku Platform API.
//!
//! It reads lists page by page and keeps the manners of the service; it does not know which lists make
//! up an estate, nor what a row means.
//!
//! Invariant: all requests of one client share its budget, its places in flight and its counters.

mod config;
pub mod endpoint;
mod read;
mod walk;
pub mod wire;

use std::sync::Arc;

pub use self::config::Settings;
pub use self::endpoint::Endpoint;
pub use self::walk::{Page, Row, Walk};
use crate::error::ClientError;
use crate::http::limit::Budget;
use crate::http::meter::Usage;
use crate::http::retry::{Jitter, Policy, Tries};
use crate::http::{Ask, Limits, Transport};

/// A client of one Heroku account; clones share everything.
#[derive(Clone)]
pub struct Heroku(Arc<Inner>);

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
        Ok(Self(Arc::new(Inner {
            transport,
            policy,
            max_pages: settings.max_pages,
            max_in_flight: settings.max_in_flight,
        })))
    }

    /// The account that the token belongs to.
    ///
    /// # Errors
    ///
    /// [`ClientError`]; kind `Unauthorized` means a wrong token, `Forbidden` only one of small scope.
    pub async fn account(&self) -> Result<wire::Account, ClientError> {
        let ask =
            Ask { method: "GET", path: "/account", accept: endpoint::accept(None), range: None, body: None };
        let (mut tries, mut sent) = (Tries::default(), 0);
        loop {
            let outcome = match self.0.transport.send(&ask, &mut sent).await {
                Ok(reply) => read::json(&self.0.transport.cleaner, &ask, &reply, "an account"),
                Err(error) => Err(error),
            };
            match outcome {
                Ok(account) => return Ok(account),
                Err(error) => self.again(&mut tries, error.after(sent)).await?,
            }
        }
    }

    /// A walk through a list; nothing is sent before its first [`next`](Walk::next).
    #[must_use]
    pub fn walk<T: Row>(&self, endpoint: Endpoint<T>) -> Walk<T> {
        Walk::new(self.clone(), endpoint)
    }

    /// What was used so far, by all clones of this client.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.0.transport.meter.usage(self.budget().remaining())
    }

    /// The most requests that are in flight at once.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.0.max_in_flight
    }

    /// The scopes of the token, as last reported; none before the first answer.
    #[must_use]
    pub fn scopes(&self) -> Option<Vec<String>> {
        self.0.transport.scopes()
    }

    /// The budget, to be shared with other clients of the same account.
    #[must_use]
    pub fn budget(&self) -> &Arc<Budget> {
        &self.0.transport.budget
    }

    /// Waits until the failed request may be sent again; a final error is given back.
    async fn again(&self, tries: &mut Tries, error: ClientError) -> Result<(), ClientError> {
        let Some(wait) = self.0.policy.next(tries, &error) else { return Err(error) };
        tracing::debug!(
            error = %error,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "{error}; trying again",
        );
        if error.status() == Some(429) {
            // The limit is the account's, so every other call waits as well.
            self.budget().pause(wait);
        }
        let meter = &self.0.transport.meter;
        meter.retried();
        let _wait = meter.waiting(wait);
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

impl std::fmt::Debug for Heroku {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heroku").field("usage", &self.usage()).finish_non_exhaustive()
    }
}
