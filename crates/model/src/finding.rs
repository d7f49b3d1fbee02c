//! The words for what rules found, and for what is told of it.
//!
//! Invariant: a word that is stored is never renamed or given another meaning.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares words once: `Open = "open"` gives the variant and its place in `ALL`, `as_str` and `parse`.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])+ $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])+ #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word that is stored and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Reads the word; `None` for one that this version does not know.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// How far a finding has come.
    FindingState {
        /// It is there, and nobody has said anything of it.
        Open = "open",
        /// Somebody has seen it.
        Acknowledged = "acknowledged",
        /// Somebody takes the risk, until a moment and for a reason.
        Accepted = "accepted",
        /// It is there no more.
        Resolved = "resolved",
    }
}

words! {
    /// What happened to a finding.
    FindingEvent {
        /// It was found for the first time.
        Opened = "opened",
        /// It was found again after it was resolved.
        Reopened = "reopened",
        /// It is not there any more.
        Resolved = "resolved",
        /// Somebody has seen it.
        Acknowledged = "acknowledged",
        /// Somebody takes the risk.
        Accepted = "accepted",
        /// What was accepted is open again, because its time is over.
        Lapsed = "lapsed",
        /// Somebody took back what was said of it.
        Returned = "returned",
        /// It is worse, or less bad, than it was.
        Changed = "changed",
    }
}

words! {
    /// The state of a rule's alert; the words are JupiterOne's.
    AlertStatus {
        /// The rule finds something.
        Active = "ACTIVE",
        /// It finds nothing.
        Inactive = "INACTIVE",
        /// Somebody put the alert aside until the rule finds something new.
        Dismissed = "DISMISSED",
    }
}

words! {
    /// How far a delivery has come.
    DeliveryState {
        /// It is to be sent, or sent again.
        Waiting = "waiting",
        /// The receiver took it.
        Sent = "sent",
        /// It is not sent any more.
        Dead = "dead",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for state in FindingState::ALL {
            assert_eq!(FindingState::parse(state.as_str()), Some(*state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert_eq!(
            (DeliveryState::parse("lost"), AlertStatus::Active.to_string().as_str()),
            (None, "ACTIVE")
        );
    }
}
