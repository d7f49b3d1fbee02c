//! Verifies an export, line by line and without the database.
//!
//! What makes a log right is known to [`Checker`]; this file knows where in an export what may stand.
//!
//! Invariant: every line is either understood or a finding.

use super::export::Line;
use super::{AuditError, Checker, Expected, FindingKind, Verdict};

/// Takes the lines of an export one by one and ends in a [`Verdict`].
#[derive(Debug)]
pub struct Verifier {
    expected: Expected,
    /// Made when the first line says which key the file names.
    checker: Option<Checker>,
    /// How many lines there were.
    lines: u64,
    ended: bool,
}

impl Verifier {
    /// Begins with what is known of the log from elsewhere.
    #[must_use]
    pub fn new(expected: Expected) -> Self {
        Self { expected, checker: None, lines: 0, ended: false }
    }

    /// Takes the next line, with or without its line end.
    pub fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let read = match std::str::from_utf8(line) {
            Ok(text) => Line::parse(text),
            Err(_) => Err(AuditError::Line { reason: "it is not UTF-8".to_owned() }),
        };
        let (checker, read) = match (self.checker.as_mut(), read) {
            (Some(checker), read) => (checker, read),
            (None, Ok(Line::Header { public_key, .. })) => {
                self.checker = Some(Checker::new(std::mem::take(&mut self.expected), Some(public_key)));
                return;
            }
            (None, read) => {
                let checker = self.checker.insert(Checker::new(std::mem::take(&mut self.expected), None));
                let text = "the export does not begin with its header".to_owned();
                checker.add(FindingKind::Unreadable, None, text);
                (checker, read)
            }
        };
        let number = self.lines;
        match read {
            _ if self.ended => {
                let text = format!("line {number} stands after the last checkpoint");
                checker.add(FindingKind::NotEnded, None, text);
            }
            Ok(Line::Event { text, leaf }) => checker.event(text, leaf),
            Ok(Line::Checkpoint(note)) => checker.checkpoint(&note),
            Ok(Line::LastCheckpoint(note)) => {
                checker.checkpoint(&note);
                self.ended = true;
            }
            Ok(Line::Header { .. }) => {
                let text = format!("line {number} is a second header");
                checker.add(FindingKind::Unreadable, None, text);
            }
            Err(error) => {
                checker.add(FindingKind::Unreadable, None, format!("line {number} cannot be read: {error}"));
            }
        }
    }

    /// Ends with what was found.
    #[must_use]
    pub fn finish(self) -> Verdict {
        let mut checker = self.checker.unwrap_or_else(|| Checker::new(self.expected, None));
        if !self.ended {
            let how =
                if self.lines == 0 { "it is empty" } else { "it was cut off or is still being written" };
            let text = format!("the export does not end with its last checkpoint: {how}");
            checker.add(FindingKind::NotEnded, None, text);
        }
        checker.finish()
    }
}

/// Verifies an export whose lines are all at hand.
#[must_use]
pub fn verify<L: AsRef<[u8]>>(export: impl IntoIterator<Item = L>, expected: Expected) -> Verdict {
    let mut verifier = Verifier::new(expected);
    for line in export {
        verifier.line(line.as_ref());
    }
    verifier.finish()
}
