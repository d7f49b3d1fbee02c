//! The way to change access on Heroku: writes, and the fresh reads that decide about them.
//!
//! It decides nothing itself: which write is right, whether it is recorded and what follows from its answer
//! is the engine's.
//!
//! Invariant: a write is sent again after a 429 only, never after anything that leaves in doubt whether
//! Heroku made it; and what is read here comes from no cache.

use serde::de::DeserializeOwned;

use super::endpoint::{self, Endpoint};
use super::write::Verdict;
use super::{Heroku, Item, Row, WriteAnswer, WriteCall, wire};
use crate::error::{ClientError, ErrorKind};
use crate::http::limit::Share;
use crate::http::retry::Tries;
use crate::http::{Delivery, Writer};

/// The way to change access; clones share everything with the client they come from.
///
/// Its requests may use the reserve that syncs leave.
#[derive(Clone)]
pub struct Provisioning {
    pub(super) heroku: Heroku,
    pub(super) writer: Writer,
}

impl Provisioning {
    pub(super) fn new(heroku: &Heroku) -> Result<Self, ClientError> {
        let heroku = Heroku { share: Share::Whole, ..heroku.clone() };
        let writer = heroku.inner.transport.writer()?;
        Ok(Self { heroku, writer })
    }

    /// Reads a single resource, trying again as the settings allow.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when it could not be read.
    pub async fn one<T: DeserializeOwned>(&self, item: &Item<T>) -> Result<T, ClientError> {
        self.heroku.one(item).await
    }

    /// Reads a list to its end, trying each page again as the settings allow.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when a page could not be read; there are no rows then, not even those of the
    /// pages before.
    pub async fn all<T: Row>(&self, endpoint: Endpoint<T>) -> Result<Vec<T>, ClientError> {
        let mut walk = self.heroku.walk(endpoint);
        let mut rows = Vec::new();
        while !walk.finished() {
            rows.extend(walk.next().await?.rows);
        }
        Ok(rows)
    }

    /// What a team makes use of.
    ///
    /// # Errors
    ///
    /// As [`Provisioning::all`].
    pub async fn team_features(&self, team: &str) -> Result<TeamFeatures, ClientError> {
        self.all(endpoint::team_features(team)).await.map(TeamFeatures)
    }

    /// Sends a write; see [`Provisioning::send_write_if`].
    pub async fn send_write(&self, write: &WriteCall) -> WriteAnswer {
        self.send_write_if(write, |_| true).await
    }

    /// Sends a write, if `may_send` agrees at the last moment.
    ///
    /// Before each sending, after all waiting for the budget, `may_send` is asked with the number of the
    /// sending, from 1; when it says no, nothing more is sent. After a 429 the write is sent again when the
    /// wait is over, as often as the settings allow. After any other answer, or none, it is not.
    ///
    /// When the future is dropped after `may_send` agreed, the write may or may not have been applied.
    pub async fn send_write_if(
        &self,
        write: &WriteCall,
        mut may_send: impl FnMut(u32) -> bool,
    ) -> WriteAnswer {
        let (path, body, log_path) = (write.path(), write.body(), write.log_path());
        let ask = write.ask(&path, body.as_deref(), &log_path);
        let inner = &self.heroku.inner;
        let (mut tries, mut sent) = (Tries::default(), 0);
        loop {
            let delivery = inner.transport.deliver_write(&self.writer, &ask, || may_send(sent + 1)).await;
            if !matches!(delivery, Delivery::Unsent(_)) {
                sent += 1;
            }
            let mut call = ask.call();
            call.attempts = sent;
            match write.judge(call, delivery, &inner.transport.cleaner) {
                Verdict::Final(answer) => return answer,
                Verdict::Limited(call, answer) => {
                    let asked = answer.retry_after;
                    let Some(wait) = inner.policy.wait(&mut tries, &ErrorKind::RateLimited, asked) else {
                        return WriteAnswer::Refused { call, answer };
                    };
                    tracing::debug!(
                        http.method = ask.method,
                        http.path = log_path,
                        wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                        "{} {log_path} was limited; sending it again",
                        ask.method,
                    );
                    self.heroku.rest(wait, true).await;
                }
            }
        }
    }
}

impl std::fmt::Debug for Provisioning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provisioning").field("heroku", &self.heroku).finish_non_exhaustive()
    }
}

/// What a team makes use of; what is not listed is switched off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamFeatures(Vec<wire::TeamFeature>);

impl TeamFeatures {
    /// Whether the feature of this name is switched on.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|row| row.name.as_deref() == Some(name) && row.enabled == Some(true))
    }

    /// Whether people are invited to the team, and members only once they accept.
    #[must_use]
    pub fn wants_invitations(&self) -> bool {
        self.has("team-invite-acceptance")
    }

    /// Whether collaborators of the team's apps hold single permissions.
    #[must_use]
    pub fn has_app_permissions(&self) -> bool {
        self.has("org-access-controls")
    }
}
