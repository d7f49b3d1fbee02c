//! What came of what an audit event tells, in one word for filters.
//!
//! What happened exactly is the code's to say.
//!
//! Invariant: a code that this version does not know has no outcome, so that no filter takes a failure for a success.

use std::str::FromStr;

use super::{Code, EventCode};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventOutcome {
    /// It was done.
    Done,
    /// Somebody, a rule or Heroku did not let it happen.
    Refused,
    /// It was tried and did not come out as meant.
    Failed,
    /// Nobody knows yet, or it waits for somebody.
    Open,
}

impl EventOutcome {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Done, Self::Refused, Self::Failed, Self::Open];

    /// The word that filters use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Open => "open",
        }
    }
}

impl FromStr for EventOutcome {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|outcome| outcome.as_str() == word);
        found.ok_or_else(|| format!("there is no outcome `{word}`; there are done, refused, failed and open"))
    }
}

impl EventCode {
    /// What came of what the code tells.
    #[must_use]
    pub fn outcome(self) -> EventOutcome {
        match self {
            Self::LoginFailed | Self::LoginLocked | Self::PlanFrozen => return EventOutcome::Refused,
            Self::SyncQuarantined | Self::PlanExpired | Self::PlanSuperseded | Self::PlanStopped => {
                return EventOutcome::Failed;
            }
            Self::SyncPartial | Self::CallNotSent => return EventOutcome::Failed,
            Self::IntentWritten | Self::CallSent | Self::WebhookAsked | Self::WebhookLeaving => {
                return EventOutcome::Open;
            }
            _ => {}
        }
        // What is refused, fails or stays unknown says so in its last word.
        match self.as_str().rsplit('.').next() {
            Some("refused") => EventOutcome::Refused,
            Some("failed") => EventOutcome::Failed,
            Some("unknown") => EventOutcome::Open,
            _ => EventOutcome::Done,
        }
    }
}

impl Code {
    /// What came of what the code tells; none for a code of a newer version.
    #[must_use]
    pub fn outcome(&self) -> Option<EventOutcome> {
        match self {
            Self::Known(code) => Some(code.outcome()),
            Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_never_counts_as_done() {
        for code in EventCode::ALL {
            let text = code.as_str();
            let bad = ["failed", "refused", "unknown", "stopped", "expired", "locked", "not_sent"];
            let wrong = bad.iter().any(|word| text.ends_with(word));
            assert!(!wrong || code.outcome() != EventOutcome::Done, "{text}");
        }
        assert_eq!(EventCode::PlanApplied.outcome(), EventOutcome::Done);
        assert_eq!(Code::from("sync.dreamt").outcome(), None);
    }

    #[test]
    fn every_word_reads_back() {
        for outcome in EventOutcome::ALL {
            assert_eq!(outcome.as_str().parse(), Ok(outcome));
        }
        assert!("well".parse::<EventOutcome>().is_err());
    }
}
