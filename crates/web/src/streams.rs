//! How many streams of events each caller holds open.
//!
//! Requests are counted by [`limits`](crate::limits).
//!
//! Invariant: a stream is counted until it is dropped, and nobody's streams keep others from opening theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use metsuke_engine::identity::Caller;

use crate::error::ApiError;

/// Streams that are open.
#[derive(Debug)]
pub(crate) struct Streams {
    most: usize,
    open: Arc<Mutex<HashMap<String, usize>>>,
}

/// The place of one stream; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct StreamPlace {
    caller: String,
    open: Arc<Mutex<HashMap<String, usize>>>,
}

impl Streams {
    /// At most so many of each caller.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// A place for one more stream.
    ///
    /// # Errors
    ///
    /// 429 `too_many_streams` where the caller holds as many as there may be.
    pub(crate) fn open(&self, caller: &Caller) -> Result<StreamPlace, ApiError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let held = open.entry(caller.token.clone()).or_default();
        if *held >= self.most {
            let told = format!("{held} streams of this caller are open");
            let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", told);
            return Err(error.hint("close one; METSUKE_STREAMS sets how many there may be"));
        }
        *held += 1;
        Ok(StreamPlace { caller: caller.token.clone(), open: Arc::clone(&self.open) })
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = open.get_mut(&self.caller) {
            *held -= 1;
            if *held == 0 {
                open.remove(&self.caller);
            }
        }
    }
}
