//! How a long use case tells how far it is, to whoever watches.

use std::time::Duration;

/// Watches a sync. The engine does not know whether that is a bar, a log or nobody.
pub trait Progress: Send + Sync {
    /// Called after every page and every scope; it must be quick.
    fn update(&self, state: &ProgressState);
}

impl Progress for () {
    fn update(&self, _: &ProgressState) {}
}

/// How far a sync is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgressState {
    /// What was just done, in words: `GET /teams/core/members`, `committing`.
    pub doing: String,
    /// Listings read to their end, or given up.
    pub done: u64,
    /// Listings known so far; it grows while lists of teams and apps are read.
    pub known: u64,
    /// Rows read.
    pub rows: u64,
    /// Requests sent.
    pub calls: u64,
    /// Requests that the account has left, as far as Heroku said.
    pub calls_left: Option<u64>,
    /// How long the sync will still wait before its next request: for the budget, or after an error.
    pub waiting: Option<Duration>,
    /// Estimated time to the end.
    pub left: Option<Duration>,
}
