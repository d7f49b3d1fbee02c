//! What goes wrong, and with which call.
//!
//! Invariant: a fault happens once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the contract's own")]
pub enum C1Call {
    /// The request for an access token.
    Token,
    Hello,
    GetTask,
    GetTasks,
    Heartbeat,
    UploadAsset,
    FinishTask,
    StartDebugging,
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum C1Fault {
    /// It is refused with this gRPC code, or, for a token, this HTTP status, and has no effect.
    Refused(i32),
    /// It has its effect, and is answered `Unavailable`.
    LostAnswer,
    /// Its connection is reset: an upload's after so many bytes, any other at once.
    Cut(usize),
    /// It waits before it is answered.
    Slow(Duration),
}

/// The faults that are still to happen.
#[derive(Debug, Default)]
pub(super) struct Faults {
    next: BTreeMap<C1Call, VecDeque<C1Fault>>,
    deaf: BTreeSet<String>,
}

impl Faults {
    pub(super) fn add(&mut self, call: C1Call, faults: &[C1Fault]) {
        self.next.entry(call).or_default().extend(faults);
    }

    pub(super) fn deafen(&mut self, host_id: &str, deaf: bool) {
        if deaf {
            self.deaf.insert(host_id.to_owned());
        } else {
            self.deaf.remove(host_id);
        }
    }

    pub(super) fn is_deaf(&self, host_id: &str) -> bool {
        self.deaf.contains(host_id)
    }

    pub(super) fn take(&mut self, call: C1Call) -> Option<C1Fault> {
        self.next.get_mut(&call)?.pop_front()
    }
}
