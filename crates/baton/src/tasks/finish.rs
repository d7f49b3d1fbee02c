//! How a task ended, in C1's words, and the telling of it.
//!
//! Invariant: what could not be told is kept, so that the task is not done a second time when C1 hands it out again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use prost_types::Any;
use tonic::Code;

use super::line::Line;
use super::worker::Failed;
use crate::proto::rpc;
use crate::proto::tasks::BatonServiceFinishTaskRequest;
use crate::proto::tasks::baton_service_finish_task_request::{Error, FinalState, Success};

/// The most annotations that C1 takes.
const MOST_ANNOTATIONS: usize = 16;
/// The most endings that are kept.
const MOST_KEPT: usize = 1_000;
/// The most bytes of a message; more helps nobody.
const MOST_BYTES: usize = 8 << 10;

/// What a task came to.
#[derive(Debug)]
pub(super) enum Ending {
    /// It was done.
    Done { response: Option<Any>, annotations: Vec<Any> },
    /// It failed; whether it is not to be tried again stands in the failure.
    Failed(Failed),
}

impl Ending {
    /// A failure that would repeat itself.
    pub(super) fn for_good(failed: impl Into<Failed>) -> Self {
        Self::Failed(Failed { non_retryable: true, ..failed.into() })
    }
}

/// Endings that C1 has not heard of yet.
#[derive(Debug, Default)]
pub(super) struct Untold(Mutex<BTreeMap<String, BatonServiceFinishTaskRequest>>);

impl Untold {
    /// The ending of a task that was done before, where C1 has not heard of it.
    pub(super) fn take(&self, task_id: &str) -> Option<BatonServiceFinishTaskRequest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(task_id)
    }

    /// Tells C1, as often as it takes; keeps what it does not hear.
    pub(super) async fn tell(&self, line: &Line, finish: BatonServiceFinishTaskRequest) {
        let times = line.times();
        let (mut wait, mut told) = (times.failed_finish, 1);
        let task_id = finish.task_id.clone();
        // Until C1 has heard it, and also where this is given up half-way.
        self.keep(finish.clone());
        loop {
            let Err(status) = line.finish(&finish).await else { break };
            let (code, message) = (i32::from(status.code()), status.message());
            tracing::warn!(
                task.id = task_id,
                grpc.code = code,
                "C1 did not hear how a task ended: {message}"
            );
            match status.code() {
                // The task is not this replica's any more, or these words would never be taken.
                Code::FailedPrecondition | Code::NotFound | Code::InvalidArgument | Code::AlreadyExists => {
                    break;
                }
                Code::Unavailable | Code::DeadlineExceeded => {}
                // Who knows; should the task come again, C1 is told again.
                _ => return,
            }
            if told >= times.finishes {
                return;
            }
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2);
            told += 1;
        }
        drop(self.take(&task_id));
    }

    fn keep(&self, finish: BatonServiceFinishTaskRequest) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.pop_first();
        }
        kept.insert(finish.task_id.clone(), finish);
    }
}

/// The words for an ending.
pub(super) fn words(line: &Line, task_id: &str, ending: Ending) -> BatonServiceFinishTaskRequest {
    let (status, state) = match ending {
        Ending::Done { response, mut annotations } => {
            annotations.truncate(MOST_ANNOTATIONS);
            (None, FinalState::Success(Success { annotations, response }))
        }
        Ending::Failed(Failed { status, non_retryable }) => {
            // OK is no code for a failure.
            let code = if status.code == 0 { Code::Unknown.into() } else { status.code };
            let mut message = line.redactor().clean(&status.message);
            message.truncate(message.floor_char_boundary(MOST_BYTES));
            let status = rpc::Status { code, message, details: status.details };
            (Some(status), FinalState::Error(Error { non_retryable, ..Error::default() }))
        }
    };
    BatonServiceFinishTaskRequest {
        host_id: line.host_id(),
        task_id: task_id.to_owned(),
        status,
        final_state: Some(state),
    }
}
