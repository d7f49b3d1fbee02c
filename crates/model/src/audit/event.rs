//! What one audit event holds, and the bytes of it that the log commits to.
//!
//! When an event is written, and where it is kept, is decided elsewhere.
//!
//! Invariant: what was hashed is kept verbatim. An event's text is written once, by [`NewEvent::append`], and
//! is never written anew from what was read, so an event of a newer version keeps its hash.
//!
//! # Format 1
//!
//! The text is one JSON object in canonical form (RFC 8785 without fractions):
//!
//! ```json
//! {"actor":{"kind":"operator","name":"ann"},"at":"2026-11-21T08:00:00Z","code":"plan.approved",
//!  "details":{"hash":"9f3c","steps":2},"format":1,"sequence":41,"subject":{"plan":"17","team":"core"}}
//! ```
//!
//! (on one line, without the break). The leaf hash is SHA-256 of a zero byte and that text. A new or missing
//! member is a new format; `format` and `sequence` stay where they are in every format. Codes and kinds of
//! actors that this version does not know are no new format: they are kept as they are.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::merkle::{Digest, Frontier, leaf_hash};
use super::{Actor, AuditError, Code, EventCode, canonical};
use crate::Moment;

/// The number of the format that this version writes.
pub const EVENT_FORMAT: u64 = 1;

/// The longest text of one event, in bytes.
pub const MAX_EVENT_BYTES: usize = 1 << 20;

/// The longest name of a subject, and the longest id of one, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 1024;

/// An event as the log holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its place in the log: 0 for the first, then without a hole.
    pub sequence: u64,
    /// When it was recorded.
    pub at: Moment,
    /// What happened.
    pub code: Code,
    /// Who did it.
    pub actor: Actor,
    /// What it was done to: the sort of thing (`team`, `plan`, …) and its id.
    pub subject: BTreeMap<Box<str>, Box<str>>,
    /// Everything else.
    pub details: Map<String, Value>,
}

impl Event {
    /// Reads the text of an event.
    ///
    /// # Errors
    ///
    /// [`AuditError::Format`] for a newer format; [`AuditError::Shape`] and [`AuditError::NotCanonical`] for a
    /// text that [`NewEvent::append`] does not write.
    pub fn decode(text: &str) -> Result<Self, AuditError> {
        match Recorded::read(text)? {
            Recorded::Known(event) => Ok(event),
            Recorded::Newer { format, .. } => Err(AuditError::Format { found: format, known: EVENT_FORMAT }),
        }
    }

    /// The text that the leaf hash covers.
    pub(super) fn encode(&self) -> Result<String, AuditError> {
        if Moment::parse(&self.at.to_string()) != Some(self.at) {
            return Err(AuditError::Time { at: self.at });
        }
        let texts = self.subject.iter().flat_map(|(name, id)| [name, id]);
        for text in texts {
            within("a subject", text.len(), MAX_SUBJECT_BYTES)?;
        }
        let mut value = serde_json::to_value(self).map_err(|source| AuditError::Shape { source })?;
        if let Value::Object(members) = &mut value {
            members.insert("format".to_owned(), EVENT_FORMAT.into());
        }
        let text = canonical::text(&value)?;
        within("an event", text.len(), MAX_EVENT_BYTES)?;
        Ok(text)
    }
}

fn within(what: &'static str, bytes: usize, limit: usize) -> Result<(), AuditError> {
    if bytes > limit { Err(AuditError::TooLong { what, bytes, limit }) } else { Ok(()) }
}

/// What a text says of itself.
pub(super) enum Recorded {
    /// An event of a format that is known here.
    Known(Event),
    /// One of a newer format, of which only this much is promised.
    Newer {
        /// Its format.
        format: u64,
        /// Its place in the log.
        sequence: u64,
    },
}

impl Recorded {
    /// Reads a text of any format.
    pub(super) fn read(text: &str) -> Result<Self, AuditError> {
        #[derive(Deserialize)]
        struct Promised {
            format: u64,
            sequence: u64,
        }
        let shape = |source| AuditError::Shape { source };
        within("an event", text.len(), MAX_EVENT_BYTES)?;
        let mut value: Value = serde_json::from_str(text).map_err(shape)?;
        let Promised { format, sequence } = Promised::deserialize(&value).map_err(shape)?;
        if format != EVENT_FORMAT {
            return Ok(Self::Newer { format, sequence });
        }
        if canonical::text(&value)? != text {
            return Err(AuditError::NotCanonical);
        }
        if let Value::Object(members) = &mut value {
            members.remove("format");
        }
        serde_json::from_value(value).map(Self::Known).map_err(shape)
    }

    /// The place in the log that the text claims.
    pub(super) fn sequence(&self) -> u64 {
        match self {
            Self::Known(event) => event.sequence,
            Self::Newer { sequence, .. } => *sequence,
        }
    }
}

/// What happened, before the log gave it its place.
#[derive(Clone, Debug)]
pub struct NewEvent {
    at: Moment,
    code: EventCode,
    actor: Actor,
    subject: BTreeMap<Box<str>, Box<str>>,
    details: Map<String, Value>,
}

impl NewEvent {
    /// An event about nothing in particular yet.
    #[must_use]
    pub fn new(at: Moment, code: EventCode, actor: Actor) -> Self {
        Self { at, code, actor, subject: BTreeMap::new(), details: Map::new() }
    }

    /// When it happens.
    #[must_use]
    pub const fn at(&self) -> Moment {
        self.at
    }

    /// Who does it.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Names what it is about: the sort of thing (`team`, `plan`, …) and its id.
    #[must_use]
    pub fn about(mut self, what: &str, id: impl fmt::Display) -> Self {
        self.subject.insert(what.into(), id.to_string().into());
        self
    }

    /// Adds a detail. Fractions are refused when the event is written.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Gives the event the next place of the log and returns what is to be stored.
    ///
    /// The frontier and the row belong into one transaction: where the row is not stored, the frontier must
    /// not be stored either.
    ///
    /// # Errors
    ///
    /// [`AuditError::Number`], [`AuditError::TooDeep`], [`AuditError::TooLong`] or [`AuditError::Time`] for
    /// what cannot be written down; the frontier is then as it was.
    pub fn append(self, frontier: &mut Frontier) -> Result<AuditRow, AuditError> {
        let Self { at, code, actor, subject, details } = self;
        let sequence = frontier.size();
        let text = Event { sequence, at, code: Code::Known(code), actor, subject, details }.encode()?;
        let leaf = leaf_hash(text.as_bytes());
        frontier.append(leaf);
        Ok(AuditRow { sequence, text, leaf })
    }
}

/// An event as it is stored: its text verbatim, and its leaf hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place in the log.
    pub sequence: u64,
    /// The canonical text, for [`Event::decode`].
    pub text: String,
    /// The leaf hash of the text.
    pub leaf: Digest,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const AT: Moment = Moment(1_795_000_000_000_000);

    fn approved() -> NewEvent {
        NewEvent::new(AT, EventCode::PlanApproved, Actor::operator("ann"))
            .about("team", "core")
            .about("plan", 17)
            .detail("steps", 2)
            .detail("hash", "9f3c")
    }

    #[test]
    fn the_text_is_the_one_that_the_format_describes() {
        let mut frontier = Frontier::default();
        let row = approved().append(&mut frontier).unwrap();
        let wanted = r#"{"actor":{"kind":"operator","name":"ann"},"at":"2026-11-18T11:06:40Z","code":"plan.approved","details":{"hash":"9f3c","steps":2},"format":1,"sequence":0,"subject":{"plan":"17","team":"core"}}"#;
        assert_eq!(row.text, wanted);
        assert_eq!(row.leaf, leaf_hash(wanted.as_bytes()));
        assert_eq!(frontier.root(), row.leaf);
    }

    #[test]
    fn events_read_back_with_dense_numbers() {
        let mut frontier = Frontier::default();
        for sequence in 0..5 {
            let row = approved().append(&mut frontier).unwrap();
            let event = Event::decode(&row.text).unwrap();
            assert_eq!((row.sequence, event.sequence), (sequence, sequence));
            assert_eq!(event.code, Code::Known(EventCode::PlanApproved));
            assert_eq!(event.encode().unwrap(), row.text);
        }
    }

    #[test]
    fn codes_and_actors_of_a_newer_version_survive_verbatim() {
        let text = r#"{"actor":{"kind":"robot","name":"r2"},"at":"2026-11-18T11:06:40Z","code":"moon.landed","details":{},"format":1,"sequence":7,"subject":{}}"#;
        let event = Event::decode(text).unwrap();
        assert_eq!(event.code, Code::Other("moon.landed".into()));
        assert_eq!(event.actor.kind.as_str(), "robot");
        assert_eq!(event.encode().unwrap(), text);
    }

    #[test]
    fn a_newer_format_still_tells_its_place() {
        let text = r#"{"sequence":7,"format":2,"novelty":1.5}"#;
        assert_eq!(Recorded::read(text).unwrap().sequence(), 7);
        assert!(matches!(Event::decode(text), Err(AuditError::Format { found: 2, known: 1 })));
    }

    #[test]
    fn another_spelling_of_an_event_is_refused() {
        let row = approved().append(&mut Frontier::default()).unwrap();
        let spaced = row.text.replacen(':', ": ", 1);
        let twice = row.text.replacen("\"format\":1", "\"format\":1,\"format\":1", 1);
        let longer = row.text.replacen("\"format\":1", "\"extra\":1,\"format\":1", 1);
        assert!(matches!(Event::decode(&spaced), Err(AuditError::NotCanonical)));
        assert!(matches!(Event::decode(&twice), Err(AuditError::NotCanonical)));
        assert!(Event::decode(&longer).is_err());
    }

    #[test]
    fn what_cannot_be_written_down_leaves_the_frontier_as_it_was() {
        let mut frontier = Frontier::default();
        approved().append(&mut frontier).unwrap();
        let before = frontier.clone();
        let long = "x".repeat(MAX_EVENT_BYTES);
        let refused = [
            approved().detail("share", 0.5),
            approved().detail("text", json!([long.as_str()])),
            approved().about("app", &long),
            NewEvent::new(Moment(i64::MAX), EventCode::SyncFailed, Actor::connector()),
        ];
        for event in refused {
            assert!(event.append(&mut frontier).is_err());
            assert_eq!(frontier, before);
        }
    }
}
