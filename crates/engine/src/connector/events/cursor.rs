//! Where a feed goes on, as a text that is given out and taken back.
//!
//! Invariant: a cursor has at most 4 096 bytes, all of them plain ASCII, and reads back as it was.

use std::collections::BTreeSet;

use metsuke_model::Moment;
use ring::digest::{SHA256, digest};

/// Events that a cursor of the trail remembers: 3 840 bytes of them.
pub(super) const MOST_SEEN: usize = 320;

/// A place in the change log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Log {
    /// The version.
    pub(super) version: i64,
    /// When its sync ended.
    pub(super) at: Moment,
    /// Entries of it that are done with.
    pub(super) done: usize,
}

impl Log {
    pub(super) fn text(self) -> Box<str> {
        format!("changes-1.{}.{}.{}", self.version, self.at.0, self.done).into()
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("changes-1.")?.split('.');
        let log = Self {
            version: parts.next()?.parse().ok()?,
            at: Moment(parts.next()?.parse().ok()?),
            done: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(log)
    }
}

/// An event's place in time; among events of the same moment a digest of the id decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) at: i64,
    pub(super) digest: u64,
}

impl Mark {
    /// The mark of the event with this id; its digest has 48 bits.
    pub(super) fn of(at: Moment, id: &str) -> Self {
        let digest = digest(&SHA256, id.as_bytes());
        let bytes = digest.as_ref().iter().take(6);
        Self { at: at.0, digest: bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)) }
    }

    /// Before every event of this moment.
    pub(super) const fn before(at: Moment) -> Self {
        Self { at: at.0, digest: 0 }
    }
}

/// What was given out of the trail: all up to the floor, and these after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) floor: Mark,
    pub(super) after: BTreeSet<u64>,
}

impl Seen {
    /// Nothing was given out, and nothing before `since` is wanted.
    pub(super) fn nothing(since: Moment) -> Self {
        Self { floor: Mark::before(since), after: BTreeSet::new() }
    }

    /// Whether the event was given out.
    pub(super) fn has(&self, mark: Mark) -> bool {
        mark <= self.floor || self.after.contains(&mark.digest)
    }

    pub(super) fn text(&self) -> Box<str> {
        let mut text = format!("trail-1.{}.{:012x}.", self.floor.at, self.floor.digest);
        for digest in &self.after {
            // Six bytes are twelve digits.
            text.extend(
                digest.to_be_bytes().iter().skip(2).flat_map(|byte| [byte >> 4, byte & 15]).map(digit),
            );
        }
        text.into()
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("trail-1.")?.split('.');
        let at = parts.next()?.parse().ok()?;
        let digest = u64::from_str_radix(parts.next()?, 16).ok()?;
        let listed = parts.next()?;
        if parts.next().is_some() || !listed.is_ascii() || listed.len() % 12 != 0 {
            return None;
        }
        let after = listed.as_bytes().chunks(12).map(|word| {
            let word = std::str::from_utf8(word).ok()?;
            u64::from_str_radix(word, 16).ok()
        });
        Some(Self { floor: Mark { at, digest }, after: after.collect::<Option<_>>()? })
    }
}

/// A number below 16 as a hexadecimal digit.
fn digit(number: u8) -> char {
    char::from_digit(u32::from(number), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_and_stay_short() {
        let log = Log { version: i64::MAX, at: Moment(i64::MIN), done: usize::MAX };
        assert_eq!(Log::parse(&log.text()), Some(log));
        let after = (0..MOST_SEEN).map(|number| Mark::of(Moment(0), &number.to_string()).digest).collect();
        let seen = Seen { floor: Mark { at: i64::MIN, digest: (1 << 48) - 1 }, after };
        assert!(seen.text().len() <= 4_096 && seen.text().is_ascii());
        assert_eq!(Seen::parse(&seen.text()), Some(seen));
        let none = Seen { floor: Mark::before(Moment(0)), after: BTreeSet::new() };
        assert_eq!(Seen::parse(&none.text()), Some(none));
    }

    #[test]
    fn what_is_no_cursor_of_the_feed_is_none() {
        for text in [
            "",
            "x",
            "changes-1.1.2",
            "changes-1.1.2.3.4",
            "changes-1.a.2.3",
            "trail-1.1.2.abc",
            "trail-1.1.2.é",
        ] {
            assert_eq!((Log::parse(text), Seen::parse(text)), (None, None), "{text}");
        }
    }
}
