//! Tells a sync's progress in the log of its run.
//!
//! Invariant: what is told waits in memory until it is written down, never holds up the reading, and stands there once.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metsuke_model::{Clock, Moment, RunId};
use metsuke_store::{NewLogLine, Store};
use tokio_util::sync::CancellationToken;

use crate::connectors::Installation;
use crate::progress::{Progress, ProgressState};

/// How often what was told is written down.
const WRITE: Duration = Duration::from_millis(500);
/// The least time (microseconds) between two lines of progress.
const STEP: i64 = 2_000_000;

/// A run's log in the making.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    clock: &'a dyn Clock,
    told: Mutex<Told>,
}

#[derive(Debug)]
struct Told {
    lines: Vec<NewLogLine>,
    last: Moment,
    state: ProgressState,
}

impl<'a> Teller<'a> {
    pub(super) fn new(clock: &'a dyn Clock) -> Self {
        let told = Told { lines: Vec::new(), last: clock.now(), state: ProgressState::default() };
        Self { clock, told: Mutex::new(told) }
    }

    /// Adds a line.
    pub(super) fn line(&self, level: &'static str, text: impl Into<String>) {
        let line = NewLogLine { at: self.clock.now(), level, text: text.into() };
        self.told().lines.push(line);
    }

    /// What was told and not written down yet.
    pub(super) fn take(&self) -> Vec<NewLogLine> {
        std::mem::take(&mut self.told().lines)
    }

    /// Writes down what is told, until the reading has ended. It is to be waited for: dropped while it writes, it would
    /// lose what it has taken.
    pub(super) async fn write(
        &self,
        installation: &Installation,
        store: &Store,
        run: RunId,
        ended: &CancellationToken,
    ) {
        while ended.run_until_cancelled(tokio::time::sleep(WRITE)).await.is_some() {
            let lines = self.take();
            if lines.is_empty() {
                continue;
            }
            match store.log_run(run, &lines).await {
                Ok(()) => installation.wake(),
                Err(error) => {
                    tracing::debug!(%error, "lines of a run's log wait, because they could not be written down");
                    self.told().lines.splice(..0, lines);
                }
            }
        }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Teller<'_> {
    fn update(&self, state: &ProgressState) {
        let now = self.clock.now();
        let mut told = self.told();
        let due = now.0.saturating_sub(told.last.0) >= STEP && told.state != *state;
        if !due {
            return;
        }
        let mut text = format!(
            "{} of {} listings read, {} rows, {} requests: {}",
            state.done, state.known, state.rows, state.calls, state.doing
        );
        if let Some(wait) = state.waiting {
            text = format!("{text}; waiting {} s for Heroku", wait.as_secs().max(1));
        }
        told.lines.push(NewLogLine { at: now, level: "info", text });
        told.last = now;
        told.state = state.clone();
    }
}
