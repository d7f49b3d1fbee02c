//! What a verification found, and what it could not show.
//!
//! How it was found is [`check`](super::Checker).
//!
//! Invariant: a verdict without findings still names what was not shown, see [`Verdict::caveats`].

use std::fmt;

use serde::Serialize;

use super::{Digest, PublicKey};

/// How many findings are told one by one; a log of which nothing fits would otherwise fill the memory.
pub const MAX_FINDINGS: usize = 1000;

/// What sort of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// A line of the export, or an event, that cannot be read.
    Unreadable,
    /// An event whose text does not give the leaf hash beside it.
    Edited,
    /// A row that holds the event of another row.
    Renumbered,
    /// An event that is not there, though later ones are.
    Missing,
    /// An event that stands after a later one.
    Reordered,
    /// An event that stands there more than once.
    Duplicated,
    /// A second event of the same number, with other contents.
    Inserted,
    /// Fewer events than a signed checkpoint covers.
    Truncated,
    /// Fewer events than a checkpoint that was kept elsewhere covers.
    RolledBack,
    /// Events that are not those over which a checkpoint was signed.
    RootDiffers,
    /// A checkpoint that stands elsewhere than after the last event it covers.
    Misplaced,
    /// Two signed checkpoints that cannot both be true.
    Inconsistent,
    /// A text that is no checkpoint of this log.
    BadCheckpoint,
    /// A checkpoint that names the key and is not signed by it.
    BadSignature,
    /// A checkpoint or a file of another key than the expected one.
    OtherKey,
    /// Nothing to check signatures with.
    NoKey,
    /// A stored frontier that is not the one of the events.
    FrontierDiffers,
    /// An export without its last line, or with lines after it.
    NotEnded,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What sort of thing.
    pub kind: FindingKind,
    /// The event it is about, by its place in the log; for a checkpoint, the number of events it covers.
    pub sequence: Option<u64>,
    /// The whole of it, for a person to read.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Where the public key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// The caller knew it beforehand.
    Pinned,
    /// It stood beside what was verified, so whoever could change that could change the key.
    Beside,
}

/// What became of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// How many events there are, repeated ones not counted.
    pub events: u64,
    /// The root over them.
    pub root: Digest,
    /// How many events, from the first, a signed checkpoint confirmed.
    pub confirmed: u64,
    /// How many events, from the first, a checkpoint that was kept elsewhere confirmed.
    pub confirmed_elsewhere: u64,
    /// The key under which signatures were checked.
    pub public_key: Option<PublicKey>,
    /// Where that key came from.
    pub key_source: KeySource,
    /// What is wrong, in the order in which it was met; at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// How many more findings there were.
    pub unlisted: u64,
}

impl Verdict {
    /// Whether nothing is wrong, as far as could be shown.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// What was not shown, in sentences: it holds beside a verdict without findings, too.
    #[must_use]
    pub fn caveats(&self) -> Vec<String> {
        let mut caveats = Vec::new();
        if let (KeySource::Beside, Some(key)) = (self.key_source, &self.public_key) {
            caveats.push(format!(
                "the public key was taken from what was verified; compare it with the one you keep: {key}"
            ));
        }
        if self.confirmed < self.events {
            caveats.push(format!(
                "{} newer than the last signed checkpoint: whoever can write to the database could have replaced them",
                events_are(self.confirmed, self.events - 1),
            ));
        }
        if self.confirmed_elsewhere == 0 {
            caveats.push(
                "no checkpoint that was kept elsewhere confirms any of it: a log that was rolled back to an older signed \
                 state, or rewritten with the signing key, would look the same"
                    .to_owned(),
            );
        } else if self.confirmed_elsewhere < self.confirmed {
            caveats.push(format!(
                "{} newer than the checkpoint that was kept elsewhere: for them all rests on the signing key",
                events_are(self.confirmed_elsewhere, self.confirmed - 1),
            ));
        }
        caveats
    }
}

/// `event 5 is` or `events 5 to 9 are`.
pub(super) fn events_are(first: u64, last: u64) -> String {
    if first == last { format!("event {first} is") } else { format!("events {first} to {last} are") }
}

/// Findings as they come up.
#[derive(Debug, Default)]
pub(super) struct Findings {
    listed: Vec<Finding>,
    unlisted: u64,
}

impl Findings {
    pub(super) fn add(&mut self, kind: FindingKind, sequence: impl Into<Option<u64>>, text: String) {
        if self.listed.len() < MAX_FINDINGS {
            self.listed.push(Finding { kind, sequence: sequence.into(), text });
        } else {
            self.unlisted += 1;
        }
    }

    /// The findings, and how many more there were.
    pub(super) fn into_parts(self) -> (Vec<Finding>, u64) {
        (self.listed, self.unlisted)
    }
}
