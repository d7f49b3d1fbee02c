//! How far a sync is, told on stderr: one line that is written over on a terminal, a log line now and then elsewhere.
//!
//! It measures nothing itself; the engine says how far it is.
//!
//! Invariant: nothing is written that ends in the middle of a line once the sync has ended.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use metsuke_engine::{Progress, ProgressState};
use tracing::info;

use crate::failure::shown;

/// How often the line of a terminal is written.
const PACE: Duration = Duration::from_millis(200);
/// How often a log line is.
const REST: Duration = Duration::from_secs(15);
/// The most letters of the line.
const WIDTH: usize = 78;

/// Tells how far a sync is.
#[derive(Debug)]
pub(crate) struct Reporter {
    terminal: bool,
    last: Mutex<Option<Instant>>,
}

impl Reporter {
    /// Looks at the terminal.
    pub(crate) fn new() -> Self {
        let terminal = io::stderr().is_terminal();
        Self { terminal, last: Mutex::new((!terminal).then(Instant::now)) }
    }

    /// For what runs beside others: a log line now and then, and nothing on a terminal.
    pub(crate) fn quiet() -> Self {
        Self { terminal: false, last: Mutex::new(Some(Instant::now())) }
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        if self.terminal {
            drop(write!(io::stderr().lock(), "\r{:WIDTH$}\r", ""));
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = if self.terminal { PACE } else { REST };
        let due = last.is_none_or(|last| now.saturating_duration_since(last) >= pace);
        if due {
            *last = Some(now);
        }
        due
    }
}

impl Progress for Reporter {
    fn update(&self, state: &ProgressState) {
        if !self.is_due(Instant::now()) {
            return;
        }
        let known = state.known.max(state.done);
        if self.terminal {
            let line = line(state);
            drop(write!(io::stderr().lock(), "\r{line:WIDTH$}"));
        } else {
            info!(
                list.done = state.done,
                list.known = known,
                row.count = state.rows,
                request.count = state.calls,
                "reading Heroku"
            );
        }
    }
}

fn line(state: &ProgressState) -> String {
    let known = state.known.max(state.done);
    let waiting = match state.waiting {
        Some(wait) => format!(", waiting {} s", wait.as_secs().max(1)),
        None => String::new(),
    };
    let told =
        format!("{} of {known} lists, {} rows{waiting}: {}", state.done, state.rows, shown(&state.doing));
    told.chars().take(WIDTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_and_tells_of_waiting() {
        let state = ProgressState {
            done: 3,
            known: 10,
            rows: 1_200,
            doing: format!("GET /teams/{}/members", "x".repeat(90)),
            waiting: Some(Duration::from_millis(20)),
            ..ProgressState::default()
        };
        let told = line(&state);
        assert!(told.starts_with("3 of 10 lists, 1200 rows, waiting 1 s: GET /teams/x"), "{told}");
        assert_eq!(told.chars().count(), WIDTH);
    }
}
