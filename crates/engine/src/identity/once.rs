//! Requests that may be sent twice and must be done once, by the caller's own key.
//!
//! Invariant: a key belongs to one caller and one operation, and is kept for thirty days.

use std::sync::Arc;

use metsuke_model::{Clock, Moment};
use metsuke_store::Store;

use super::operation::Operation;
use super::policy::Caller;
use crate::EngineError;

pub use metsuke_store::{Attempt, Begun, Kept};

/// How long a key is kept, in microseconds.
const KEPT: i64 = 30 * 24 * 3_600 * 1_000_000;

/// The keys of an installation.
#[derive(Clone, Debug)]
pub struct Once {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl Once {
    /// The keys in a database.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// A request with its key.
    #[must_use]
    pub fn attempt(&self, caller: &Caller, operation: Operation, key: &str, request: Vec<u8>) -> Attempt {
        let (caller, operation) = (caller.token.clone(), operation.id().to_owned());
        Attempt { caller, operation, key: key.to_owned(), request }
    }

    /// Takes a key, or says what became of it.
    ///
    /// # Errors
    ///
    /// What the database said; so for all of these.
    pub async fn begin(&self, attempt: &Attempt) -> Result<Begun, EngineError> {
        let now = self.clock.now();
        Ok(self.store.begin_once(attempt, now, Moment(now.0 - KEPT)).await?)
    }

    /// Keeps the answer.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn done(&self, attempt: &Attempt, kept: &Kept) -> Result<(), EngineError> {
        Ok(self.store.done_once(attempt, kept).await?)
    }

    /// Gives a key back, where nothing was done.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn undone(&self, attempt: &Attempt) -> Result<(), EngineError> {
        Ok(self.store.undone_once(attempt).await?)
    }
}
