//! The heart of verification: events in their order, checkpoints between them, and what does not fit.
//!
//! It does not know where they come from: [`Verifier`](super::Verifier) feeds it the lines of an export, and a
//! store feeds it the rows of its tables.
//!
//! Invariant: the tree is built over what the events' texts hash to, never over stored hashes, and no event's
//! meaning is needed for it. Memory grows by eight bytes for each event of an untouched log.

use std::collections::BTreeMap;

use super::event::Recorded;
use super::order::{Met, Numbers};
use super::verdict::{Findings, events_are};
use super::{
    AuditError, AuditRow, Checkpoint, Digest, FindingKind, Frontier, KeySource, PublicKey, Verdict, leaf_hash,
};

/// What the caller knows of the log from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The public key, kept where whoever could change the log cannot change it.
    pub public_key: Option<PublicKey>,
    /// Signed notes that left the database earlier, in any order: the log must begin with what they cover.
    pub checkpoints: Vec<String>,
}

/// Takes events and checkpoints one by one and ends in a [`Verdict`].
///
/// For the rows of a database: every row in the order of its number through [`row`](Self::row), every stored
/// checkpoint through [`checkpoint`](Self::checkpoint) once as many rows as it covers were given (those that
/// cover more, after the last row), then [`frontier`](Self::frontier), then [`finish`](Self::finish).
#[derive(Debug)]
pub struct Checker {
    key: Option<PublicKey>,
    key_source: KeySource,
    frontier: Frontier,
    numbers: Numbers,
    /// What the caller kept elsewhere, by size.
    elsewhere: BTreeMap<u64, Digest>,
    /// Every signed checkpoint so far, by size.
    signed: BTreeMap<u64, Digest>,
    /// The sizes of signed checkpoints that the events do not give.
    unmatched: Vec<u64>,
    confirmed: u64,
    confirmed_elsewhere: u64,
    findings: Findings,
}

impl Checker {
    /// Begins with what is known from elsewhere, and with the key that stands beside the log, if any.
    #[must_use]
    pub fn new(expected: Expected, beside: Option<PublicKey>) -> Self {
        let pinned = expected.public_key.is_some();
        let mut checker = Self {
            key: expected.public_key.or_else(|| beside.clone()),
            key_source: if pinned { KeySource::Pinned } else { KeySource::Beside },
            frontier: Frontier::default(),
            numbers: Numbers::default(),
            elsewhere: BTreeMap::new(),
            signed: BTreeMap::new(),
            unmatched: Vec::new(),
            confirmed: 0,
            confirmed_elsewhere: 0,
            findings: Findings::default(),
        };
        match (&checker.key, beside) {
            (None, _) => {
                checker.add(
                    FindingKind::NoKey,
                    None,
                    "there is no public key to check signatures with".to_owned(),
                );
            }
            (Some(key), Some(beside)) if *key != beside => {
                let text = format!("the log comes with the key `{beside}`, and the expected one is `{key}`");
                checker.add(FindingKind::OtherKey, None, text);
            }
            _ => {}
        }
        for note in &expected.checkpoints {
            if let Some(Checkpoint { size, root }) = checker.open(note, "the checkpoint kept elsewhere") {
                checker.elsewhere.insert(size, root);
            }
        }
        checker.compare_elsewhere();
        checker
    }

    /// Takes the next row of a database.
    pub fn row(&mut self, row: &AuditRow) {
        self.take(&row.text, row.leaf, Some(row.sequence));
    }

    /// Takes the next event: its text verbatim, and the leaf hash that stands beside it.
    pub fn event(&mut self, text: &str, leaf: Digest) {
        self.take(text, leaf, None);
    }

    fn take(&mut self, text: &str, leaf: Digest, row: Option<u64>) {
        let hash = leaf_hash(text.as_bytes());
        let mut number = row.unwrap_or(self.numbers.next());
        match Recorded::read(text) {
            Err(error) => {
                let text = format!("event {number} cannot be read: {}", whole(&error));
                self.add(FindingKind::Unreadable, number, text);
            }
            // What an edited event says of itself is not believed.
            Ok(recorded) if hash == leaf => number = recorded.sequence(),
            Ok(_) => {}
        }
        if let Some(row) = row.filter(|row| *row != number) {
            self.add(FindingKind::Renumbered, row, format!("row {row} holds event {number}"));
        }
        if hash != leaf {
            let text =
                format!("event {number} is not as it was recorded: its leaf hash is not that of its text");
            self.add(FindingKind::Edited, number, text);
        }
        match self.numbers.meet(number, &leaf) {
            Met::InOrder => {}
            Met::Late { after } => {
                let text = format!("event {number} stands after event {after}");
                self.add(FindingKind::Reordered, number, text);
            }
            // A repetition is left out of the tree, so that all else can still be confirmed.
            Met::Again => {
                self.add(FindingKind::Duplicated, number, format!("event {number} stands there again"));
                return;
            }
            Met::Clash => {
                let text = format!("there is a second event {number}, with other contents");
                self.add(FindingKind::Inserted, number, text);
                return;
            }
        }
        self.frontier.append(hash);
        self.compare_elsewhere();
    }

    /// Takes a checkpoint that stands after the events given so far.
    pub fn checkpoint(&mut self, note: &str) {
        let events = self.frontier.size();
        let name = format!("the checkpoint after {events} events");
        let Some(Checkpoint { size, root }) = self.open(note, &name) else { return };
        if size == events {
            if self.compare(size, root, "a signed checkpoint") {
                self.confirmed = size;
            }
        } else if size > self.numbers.next() {
            let text = format!("the log ends after {events} events, and a signed checkpoint covers {size}");
            self.add(FindingKind::Truncated, size, text);
        } else {
            let text = format!("a signed checkpoint of {size} events stands after {events}");
            self.add(FindingKind::Misplaced, size, text);
        }
    }

    /// Compares the events given so far with the frontier that a database keeps.
    pub fn frontier(&mut self, stored: &Frontier) {
        if *stored != self.frontier {
            let text = format!(
                "the stored frontier is that of {} events with the root {}, and there are {} with the root {}",
                stored.size(),
                stored.root(),
                self.frontier.size(),
                self.frontier.root(),
            );
            self.add(FindingKind::FrontierDiffers, stored.size(), text);
        }
    }

    /// Ends with what was found.
    #[must_use]
    pub fn finish(mut self) -> Verdict {
        for hole in self.numbers.missing() {
            let text = format!("{} missing", events_are(*hole.start(), *hole.end()));
            self.findings.add(FindingKind::Missing, *hole.start(), text);
        }
        let events = self.frontier.size();
        if let Some((size, _)) = self.elsewhere.last_key_value().filter(|(size, _)| **size > events) {
            let text = format!(
                "the log has {events} events, and a checkpoint kept elsewhere covers {size}: it was rolled back or cut off"
            );
            self.findings.add(FindingKind::RolledBack, *size, text);
        }
        let (findings, unlisted) = self.findings.into_parts();
        Verdict {
            events,
            root: self.frontier.root(),
            confirmed: self.confirmed.max(self.confirmed_elsewhere),
            confirmed_elsewhere: self.confirmed_elsewhere,
            public_key: self.key,
            key_source: self.key_source,
            findings,
            unlisted,
        }
    }

    /// Notes something that is wrong.
    pub(super) fn add(&mut self, kind: FindingKind, sequence: impl Into<Option<u64>>, text: String) {
        self.findings.add(kind, sequence, text);
    }

    /// Opens a note, and notes why it cannot be, or that another signed one contradicts it.
    fn open(&mut self, note: &str, name: &str) -> Option<Checkpoint> {
        let opened = match Checkpoint::open(note, self.key.as_ref()?) {
            Ok(opened) => opened,
            Err(error) => {
                let kind = match &error {
                    AuditError::Signature { .. } => FindingKind::BadSignature,
                    AuditError::OtherKey { .. } => FindingKind::OtherKey,
                    _ => FindingKind::BadCheckpoint,
                };
                self.add(kind, None, format!("{name} does not count: {}", whole(&error)));
                return None;
            }
        };
        let Checkpoint { size, root } = opened;
        if *self.signed.entry(size).or_insert(root) != root {
            self.contradiction(size, size);
        }
        Some(opened)
    }

    /// Compares checkpoints that were kept elsewhere with the log of their size.
    fn compare_elsewhere(&mut self) {
        let size = self.frontier.size();
        if let Some(root) = self.elsewhere.get(&size).copied()
            && self.compare(size, root, "a checkpoint kept elsewhere")
        {
            self.confirmed_elsewhere = size;
        }
    }

    /// Whether the events so far have this root; notes it where they have not.
    fn compare(&mut self, size: u64, root: Digest, name: &str) -> bool {
        let found = self.frontier.root();
        if found == root {
            // The events are those of this checkpoint, so any that did not fit before it contradicts it.
            for earlier in std::mem::take(&mut self.unmatched) {
                self.contradiction(earlier, size);
            }
            return true;
        }
        let first = self.confirmed.max(self.confirmed_elsewhere).min(size.saturating_sub(1));
        let which = if size == 0 { "no event is".to_owned() } else { events_are(first, size - 1) };
        let text = format!(
            "{which} not what was signed: {name} of {size} events has the root {root}, and these give {found}"
        );
        self.add(FindingKind::RootDiffers, size, text);
        self.unmatched.push(size);
        false
    }

    fn contradiction(&mut self, one: u64, other: u64) {
        let text = format!(
            "a checkpoint of {one} events and one of {other} cannot both be true, and the key signed both"
        );
        self.add(FindingKind::Inconsistent, one, text);
    }
}

/// An error with its cause.
fn whole(error: &AuditError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}
