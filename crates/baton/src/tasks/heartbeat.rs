//! Signs of life for one task, and the word that comes back.
//!
//! Invariant: silence is borne for so many heartbeats in a row, and a word is obeyed at once.

use std::time::Duration;

use super::line::Line;

/// Why a task is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// C1 wants it no more, or has given it to somebody else.
    Cancelled,
    /// C1 did not answer for too long; it may have given the task to somebody else.
    Silent,
}

/// Beats until C1 has heard the first time; gives the time until the next.
pub(super) async fn first(line: &Line, task_id: &str) -> Result<Duration, Lost> {
    let mut failed = 0;
    loop {
        if let Some(next) = beat(line, task_id, &mut failed).await? {
            return Ok(next);
        }
        tokio::time::sleep(line.times().shortest_heartbeat).await;
    }
}

/// Beats on; ends when the task is not to be gone on with.
pub(super) async fn go_on(line: &Line, task_id: &str, mut wait: Duration) -> Lost {
    let mut failed = 0;
    loop {
        tokio::time::sleep(wait).await;
        match beat(line, task_id, &mut failed).await {
            Ok(Some(next)) => wait = next,
            Ok(None) => {}
            Err(lost) => return lost,
        }
    }
}

/// Beats for a task that takes unusually long; ends when C1 wants it no more.
///
/// C1 expects no heartbeats of such tasks. Whether it knows what to do with them or not, a task that is somebody else's by
/// now is better stopped; silence means nothing here.
pub(super) async fn now_and_then(line: &Line, task_id: &str) -> Lost {
    loop {
        tokio::time::sleep(line.times().usual_heartbeat).await;
        if line.heartbeat(task_id).await.is_ok_and(|answer| answer.cancelled) {
            return Lost::Cancelled;
        }
    }
}

/// One heartbeat: the time until the next, none where it was not heard.
async fn beat(line: &Line, task_id: &str, failed: &mut u32) -> Result<Option<Duration>, Lost> {
    match line.heartbeat(task_id).await {
        Ok(answer) if answer.cancelled || answer.cancelled_task_ids.iter().any(|id| id == task_id) => {
            Err(Lost::Cancelled)
        }
        Ok(answer) => {
            *failed = 0;
            tracing::debug!(task.id = task_id, "C1 heard the heartbeat of task {task_id}");
            Ok(Some(line.times().heartbeat(answer.next_heartbeat)))
        }
        Err(status) => {
            *failed += 1;
            let (code, message) = (i32::from(status.code()), status.message());
            tracing::warn!(task.id = task_id, grpc.code = code, "C1 did not hear the heartbeat: {message}");
            if *failed >= line.times().failed_heartbeats { Err(Lost::Silent) } else { Ok(None) }
        }
    }
}
