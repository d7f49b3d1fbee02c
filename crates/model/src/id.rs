//! Heroku's id of a thing, exactly as Heroku spelled it.
//!
//! Ids of our own (dense numbers inside a database, versions) live where they are made.
//!
//! Invariant: an id that was read and written again is the same text.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Heroku's id of an object: a UUID, or any other text kept verbatim.
///
/// Heroku documents UUIDs everywhere; old recordings and tolerant readers meet other texts, so nothing is
/// refused. A canonical (lower-case, hyphenated) UUID takes 16 bytes. Ids order as their text does.
#[derive(Clone, PartialEq, Eq)]
pub struct HerokuId(Repr);

#[derive(Clone, PartialEq, Eq)]
enum Repr {
    Uuid([u8; 16]),
    Text(Box<str>),
}

/// Where the hyphens of a canonical UUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl HerokuId {
    /// Reads an id; every text is one.
    #[must_use]
    pub fn new(text: &str) -> Self {
        canonical_uuid(text).map_or_else(|| Self(Repr::Text(text.into())), |bytes| Self(Repr::Uuid(bytes)))
    }

    /// The compact form that a database keeps: 16 bytes for a UUID, else zero bytes and the text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.0 {
            Repr::Uuid(bytes) => bytes.to_vec(),
            Repr::Text(text) => {
                let padding = if text.len() == 15 { 2 } else { 1 };
                let mut bytes = vec![0; padding];
                bytes.extend_from_slice(text.as_bytes());
                bytes
            }
        }
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; bytes that are no text become replacement characters.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        if let Ok(uuid) = <[u8; 16]>::try_from(bytes) {
            return Self(Repr::Uuid(uuid));
        }
        let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        let text = bytes.get(start..).unwrap_or_default();
        Self(Repr::Text(String::from_utf8_lossy(text).into()))
    }
}

/// The 16 bytes of a canonical UUID; `None` for any other text (upper case counts as other, it is kept verbatim).
fn canonical_uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() != 36 {
        return None;
    }
    let mut bytes = [0_u8; 16];
    let mut digits = 0;
    for (position, character) in text.iter().enumerate() {
        if HYPHENS.contains(&position) {
            if *character != b'-' {
                return None;
            }
            continue;
        }
        let digit = match character {
            b'0'..=b'9' => character - b'0',
            b'a'..=b'f' => character - b'a' + 10,
            _ => return None,
        };
        let byte = bytes.get_mut(digits / 2)?;
        *byte = (*byte << 4) | digit;
        digits += 1;
    }
    Some(bytes)
}

impl fmt::Display for HerokuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Text(text) => f.pad(text),
            Repr::Uuid(bytes) => {
                let mut text = String::with_capacity(36);
                for (index, byte) in bytes.iter().enumerate() {
                    if matches!(index, 4 | 6 | 8 | 10) {
                        text.push('-');
                    }
                    for digit in [byte >> 4, byte & 15] {
                        text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                    }
                }
                f.pad(&text)
            }
        }
    }
}

impl fmt::Debug for HerokuId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Hash for HerokuId {
    /// Two words of a UUID: a sync looks up a few hundred thousand of them.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::Uuid(bytes) => {
                let number = u128::from_ne_bytes(*bytes);
                #[expect(clippy::cast_possible_truncation, reason = "the two halves of a number")]
                let (low, high) = (number as u64, (number >> 64) as u64);
                state.write_u64(low);
                state.write_u64(high);
            }
            Repr::Text(text) => text.hash(state),
        }
    }
}

impl Ord for HerokuId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (&self.0, &other.0) {
            (Repr::Uuid(left), Repr::Uuid(right)) => left.cmp(right),
            (Repr::Text(left), Repr::Text(right)) => left.cmp(right),
            _ => self.to_string().cmp(&other.to_string()),
        }
    }
}

impl PartialOrd for HerokuId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl From<&str> for HerokuId {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl Serialize for HerokuId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HerokuId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_survives_reading_and_storing(text in "[^\0]{0,40}") {
            let id = HerokuId::new(&text);
            prop_assert_eq!(id.to_string(), text);
            prop_assert_eq!(HerokuId::from_bytes(&id.to_bytes()), id);
        }

        #[test]
        fn uuids_take_sixteen_bytes_and_order_as_their_text(a in any::<[u8; 16]>(), b in any::<[u8; 16]>()) {
            let (a, b) = (HerokuId::from_bytes(&a), HerokuId::from_bytes(&b));
            prop_assert_eq!(HerokuId::new(&a.to_string()).to_bytes().len(), 16);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }

    #[test]
    fn an_upper_case_uuid_is_kept_as_it_was_spelled() {
        let text = "01234567-89AB-CDEF-0123-456789ABCDEF";
        assert_eq!(HerokuId::new(text).to_string(), text);
    }
}
