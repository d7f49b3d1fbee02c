//! What a test can look at afterwards.
//!
//! Invariant: only what had its effect is reported as uploaded or finished.

use std::time::Instant;

use prost_types::Any;

use super::C1Call;

/// One call that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// What was called.
    pub call: C1Call,
    /// Who called; empty for a token.
    pub host_id: String,
    /// About which task; empty where about none.
    pub task_id: String,
    /// The gRPC code of the answer, or the HTTP status of a token's.
    pub code: i32,
    /// When it was answered.
    pub at: Instant,
}

/// One upload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uploaded {
    /// Who uploaded.
    pub host_id: String,
    /// For which task.
    pub task_id: String,
    /// The sizes of its parts, in order.
    pub parts: Vec<usize>,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// How a task ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finished {
    /// Who finished it.
    pub host_id: String,
    /// Which task.
    pub task_id: String,
    /// The gRPC code; 0 for success.
    pub code: i32,
    /// What was said about a failure.
    pub message: String,
    /// The typed details of a failure.
    pub details: Vec<Any>,
    /// Whether it is not to be tried again.
    pub non_retryable: bool,
    /// What the connector answered.
    pub response: Option<Any>,
    /// The annotations.
    pub annotations: Vec<Any>,
}

/// How far a task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Nobody has it.
    Waiting,
    /// A host has it.
    Leased(String),
    /// It is finished.
    Finished,
    /// It was cancelled, and its host has heard of it.
    Cancelled,
}
