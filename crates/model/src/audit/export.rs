//! The form in which a log leaves the database: lines of JSON that are verified without it.
//!
//! Writing them to a place, and reading them from one, is the caller's.
//!
//! Invariant: an event's text stands in its line byte for byte, so its leaf hash can be taken from the line.
//!
//! # Format 1
//!
//! ```json
//! {"header":{"format":1,"origin":"…","public_key":"…","created":"2026-11-21T08:00:00Z"}}
//! {"event":{"leaf":"…","body":{…}}}
//! {"checkpoint":"…"}
//! {"last_checkpoint":"…"}
//! ```
//!
//! One header; one line for each event, in order; a line for each stored checkpoint, right after the last
//! event that it covers; and as the last line the checkpoint over all events, signed when the export is made.
//! Nothing protects the time in the header.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::MAX_EVENT_BYTES;
use super::{AuditError, AuditRow, Digest, PublicKey, canonical};
use crate::Moment;

/// The number of the format that this version writes.
pub const EXPORT_FORMAT: u64 = 1;

/// The longest line that is read, in bytes. Whoever reads lines from a stream should stop there.
pub const MAX_LINE_BYTES: usize = MAX_EVENT_BYTES + (1 << 18);

/// The first line. No line has its line end; the caller adds it.
#[must_use]
pub fn header_line(key: &PublicKey, created: Moment) -> String {
    let origin = canonical::string(key.origin().as_str());
    let key = canonical::string(&key.to_string());
    format!(
        r#"{{"header":{{"format":{EXPORT_FORMAT},"origin":{origin},"public_key":{key},"created":"{created}"}}}}"#
    )
}

/// The line of an event.
#[must_use]
pub fn event_line(row: &AuditRow) -> String {
    format!(r#"{{"event":{{"leaf":"{}","body":{}}}}}"#, row.leaf, row.text)
}

/// The line of a stored checkpoint, from its signed note.
#[must_use]
pub fn checkpoint_line(note: &str) -> String {
    format!(r#"{{"checkpoint":{}}}"#, canonical::string(note))
}

/// The last line: the checkpoint over all events, from its signed note.
#[must_use]
pub fn last_checkpoint_line(note: &str) -> String {
    format!(r#"{{"last_checkpoint":{}}}"#, canonical::string(note))
}

/// A line of an export, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The first one.
    Header {
        /// The key that the file names.
        public_key: PublicKey,
        /// When it says it was made.
        created: Moment,
    },
    /// An event.
    Event {
        /// Its text, byte for byte.
        text: &'a str,
        /// The leaf hash that stands beside it.
        leaf: Digest,
    },
    /// The signed note of a checkpoint on the way.
    Checkpoint(String),
    /// The signed note of the checkpoint over all events.
    LastCheckpoint(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Wire<'a> {
    #[serde(borrow)]
    Header(&'a RawValue),
    Event {
        leaf: Digest,
        #[serde(borrow)]
        body: &'a RawValue,
    },
    Checkpoint(String),
    LastCheckpoint(String),
}

#[derive(Deserialize)]
struct Format {
    format: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(rename = "format")]
    _format: u64,
    origin: String,
    public_key: PublicKey,
    created: Moment,
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// [`AuditError::Line`] for what this version does not write, [`AuditError::Format`] for the header of a
    /// newer one, [`AuditError::TooLong`].
    pub fn parse(line: &'a str) -> Result<Self, AuditError> {
        let refused = |error: serde_json::Error| AuditError::Line { reason: error.to_string() };
        if line.len() > MAX_LINE_BYTES {
            return Err(AuditError::TooLong { what: "a line", bytes: line.len(), limit: MAX_LINE_BYTES });
        }
        let header = match serde_json::from_str(line).map_err(refused)? {
            Wire::Event { leaf, body } => return Ok(Self::Event { text: body.get(), leaf }),
            Wire::Checkpoint(note) => return Ok(Self::Checkpoint(note)),
            Wire::LastCheckpoint(note) => return Ok(Self::LastCheckpoint(note)),
            Wire::Header(header) => header.get(),
        };
        let Format { format } = serde_json::from_str(header).map_err(refused)?;
        if format != EXPORT_FORMAT {
            return Err(AuditError::Format { found: format, known: EXPORT_FORMAT });
        }
        let Header { origin, public_key, created, .. } = serde_json::from_str(header).map_err(refused)?;
        if origin != public_key.origin().as_str() {
            let reason = format!("it names the log `{origin}` and the key of `{}`", public_key.origin());
            return Err(AuditError::Line { reason });
        }
        Ok(Self::Header { public_key, created })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Actor, EventCode, Frontier, NewEvent, Origin};

    fn key(name: &str) -> PublicKey {
        PublicKey::new(Origin::parse(name).unwrap(), [5; 32])
    }

    #[test]
    fn every_line_reads_back() {
        let row = NewEvent::new(Moment(0), EventCode::SyncFailed, Actor::connector())
            .detail("reason", "a \"quote\"\nand {\"last_checkpoint\":1}")
            .append(&mut Frontier::default())
            .unwrap();
        let line = event_line(&row);
        assert_eq!(Line::parse(&line).unwrap(), Line::Event { text: &row.text, leaf: row.leaf });
        let line = header_line(&key("log"), Moment(1));
        assert_eq!(Line::parse(&line).unwrap(), Line::Header { public_key: key("log"), created: Moment(1) });
        let note = "log\n1\nroot\n\n\u{2014} log AAAA\n";
        assert_eq!(Line::parse(&checkpoint_line(note)).unwrap(), Line::Checkpoint(note.to_owned()));
        assert_eq!(Line::parse(&last_checkpoint_line(note)).unwrap(), Line::LastCheckpoint(note.to_owned()));
        assert!(!line.contains('\n') && !checkpoint_line(note).contains('\n'));
    }

    #[test]
    fn a_header_of_another_log_or_format_is_refused() {
        let line = header_line(&key("log"), Moment(1));
        let other = line.replacen("\"origin\":\"log\"", "\"origin\":\"lag\"", 1);
        assert!(matches!(Line::parse(&other), Err(AuditError::Line { .. })));
        assert!(matches!(
            Line::parse(r#"{"header":{"format":2,"novelty":true}}"#),
            Err(AuditError::Format { found: 2, .. })
        ));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in ["", "null", "[]", "{}", r#"{"event":{}}"#, r#"{"checkpoint":"","last_checkpoint":""}"#] {
            assert!(matches!(Line::parse(line), Err(AuditError::Line { .. })), "{line}");
        }
        let long = format!("\"{}\"", "x".repeat(MAX_LINE_BYTES));
        assert!(matches!(Line::parse(&long), Err(AuditError::TooLong { .. })));
    }
}
