//! How far something is, told on stderr: a bar on a terminal, plain lines elsewhere.
//!
//! It measures nothing itself; the engine says how far it is.
//!
//! Invariant: plain lines come at most every two seconds, unless another tenth is done.

use std::io::{self, IsTerminal as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use metsuke_engine::{Progress, ProgressState};

use crate::output::complain;
use crate::text::{length_of_time, number, shown};

/// How often plain lines come that tell of nothing but time.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often plain lines come.
const PACE: Duration = Duration::from_secs(2);
/// The least time between two plain lines, however fast tenths go by.
const REST: Duration = Duration::from_millis(250);

/// Tells how far a sync is.
#[derive(Debug)]
pub(crate) enum Reporter {
    /// To nobody.
    Silent,
    /// By a bar.
    Bar(ProgressBar),
    /// By lines.
    Lines(Mutex<Pace>),
}

/// When the last plain line was written, and at which tenth.
#[derive(Debug)]
pub(crate) struct Pace {
    last: Instant,
    tenth: u64,
}

impl Reporter {
    /// A bar on a terminal, lines elsewhere, nothing where nobody wants to hear.
    pub(crate) fn new(quiet: bool) -> Self {
        if quiet {
            return Self::Silent;
        }
        if !io::stderr().is_terminal() {
            return Self::Lines(Mutex::new(Pace { last: Instant::now(), tenth: 0 }));
        }
        let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
        // Each line may have one wide part. The template is a literal: it fails everywhere or nowhere.
        let style = ProgressStyle::with_template("{spinner} {wide_bar} {pos}/{len} lists\n  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self::Bar(bar)
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Reporter {
    fn update(&self, state: &ProgressState) {
        match self {
            Self::Silent => {}
            Self::Bar(bar) => {
                bar.set_length(state.known.max(state.done).max(1));
                bar.set_position(state.done);
                bar.set_message(format!("{} · {}", numbers(state), shown(&state.doing)));
            }
            Self::Lines(pace) => {
                let mut pace = pace.lock().unwrap_or_else(PoisonError::into_inner);
                if pace.is_due(Instant::now(), state) {
                    let (done, known) = (number(state.done), number(state.known.max(state.done)));
                    complain(&format!("syncing: {done} of {known} lists, {}", numbers(state)));
                }
            }
        }
    }
}

impl Pace {
    fn is_due(&mut self, now: Instant, state: &ProgressState) -> bool {
        let tenth = state.done.saturating_mul(10) / state.known.max(1);
        let since = now.saturating_duration_since(self.last);
        let due = since >= PACE || (tenth > self.tenth && since >= REST);
        if due {
            self.last = now;
            self.tenth = tenth;
        }
        due
    }
}

/// Tells that something goes on of which nobody knows how far it is.
#[derive(Debug)]
pub(crate) enum Working {
    /// To nobody.
    Silent,
    /// By a bar.
    Bar(ProgressBar),
    /// By a line now and then.
    Lines {
        /// What goes on.
        doing: String,
        /// Since when.
        begin: Instant,
        /// When it was told last.
        last: Instant,
    },
}

impl Working {
    /// A bar on a terminal, lines elsewhere, nothing where nobody wants to hear.
    pub(crate) fn new(quiet: bool, doing: &str) -> Self {
        let doing = shown(doing).into_owned();
        if quiet {
            return Self::Silent;
        }
        if !io::stderr().is_terminal() {
            let begin = Instant::now();
            return Self::Lines { doing, begin, last: begin };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // The template is a literal: it fails everywhere or nowhere.
        let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(doing);
        Self::Bar(bar)
    }

    /// It still goes on.
    pub(crate) fn tick(&mut self) {
        match self {
            Self::Silent => {}
            Self::Bar(bar) => bar.tick(),
            Self::Lines { doing, begin, last } => {
                let now = Instant::now();
                if now.saturating_duration_since(*last) >= PATIENCE {
                    *last = now;
                    let time = length_of_time(now.saturating_duration_since(*begin));
                    complain(&format!("{doing}: {time} so far"));
                }
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// Rows, calls and time, in words.
fn numbers(state: &ProgressState) -> String {
    let left = state.calls_left.map(|left| format!(", {} left", number(left))).unwrap_or_default();
    let time = match (state.waiting, state.left) {
        (Some(wait), _) => format!(", waiting {} before the next request", length_of_time(wait)),
        (None, Some(left)) => format!(", about {} to go", length_of_time(left)),
        (None, None) => String::new(),
    };
    format!("{} rows, {} calls{left}{time}", number(state.rows), number(state.calls))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(done: u64) -> ProgressState {
        ProgressState {
            done,
            known: 100,
            rows: 34_000,
            calls: 120,
            calls_left: Some(4_380),
            ..ProgressState::default()
        }
    }

    #[test]
    fn lines_come_every_two_seconds_or_tenth() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut pace = Pace { last: begin, tenth: 0 };
        assert!(!pace.is_due(at(1_000), &state(5)));
        assert!(pace.is_due(at(2_000), &state(6)));
        assert!(!pace.is_due(at(2_100), &state(10)), "too soon, even for a new tenth");
        assert!(pace.is_due(at(2_300), &state(11)));
        assert!(!pace.is_due(at(3_000), &state(19)));
    }

    #[test]
    fn waiting_is_told_in_place_of_the_estimate() {
        let waiting = ProgressState { waiting: Some(Duration::from_secs(30)), ..state(5) };
        assert_eq!(
            numbers(&waiting),
            "34,000 rows, 120 calls, 4,380 left, waiting 30 s before the next request"
        );
        let going = ProgressState { left: Some(Duration::from_secs(12)), ..state(5) };
        assert!(numbers(&going).ends_with("about 12 s to go"));
    }
}
