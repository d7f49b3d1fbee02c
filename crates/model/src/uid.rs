//! Ids of our own that leave the database: UUIDs (version 7) whose text orders as they were made.
//!
//! Heroku's ids are [`HerokuId`](crate::HerokuId)s; dense numbers stay inside the database.
//!
//! Invariant: an id that was read and written again is the same text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Moment;

/// Where the hyphens of a UUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The bits of a UUID of version 7 that are neither time nor chance.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7>
fn version_7(at: Moment, chance: [u8; 10]) -> u128 {
    let mut low = [0; 16];
    low[6..].copy_from_slice(&chance);
    let millis = u128::from(u64::try_from(at.0 / 1000).unwrap_or_default()) & 0xffff_ffff_ffff;
    let kept = u128::from_be_bytes(low) & !(0xf << 76) & !(0b11 << 62);
    (millis << 80) | kept | (7 << 76) | (0b10 << 62)
}

fn parse(text: &str) -> Option<u128> {
    let hyphened = text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| (byte == b'-') == HYPHENS.contains(&place));
    let digits: String = text.chars().filter(|letter| *letter != '-').collect();
    let hex = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hyphened && hex { u128::from_str_radix(&digits, 16).ok() } else { None }
}

/// A text that is no id of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoId {
    /// What was looked for.
    pub what: &'static str,
}

impl fmt::Display for NoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "that is no id of a {}", self.what)
    }
}

impl std::error::Error for NoId {}

// One expansion: `pub struct RunId(u128)` with `new`, `Display`, `FromStr`, `Serialize` and `Deserialize`.
macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident, $what:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// A new id, of the moment and of the caller's random bytes.
            #[must_use]
            pub fn new(at: Moment, chance: [u8; 10]) -> Self {
                Self(version_7(at, chance))
            }

            /// The 32 hexadecimal digits, without hyphens.
            #[must_use]
            pub fn digits(self) -> String {
                format!("{:032x}", self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let digits = self.digits();
                let (a, rest) = digits.split_at(8);
                let (b, rest) = rest.split_at(4);
                let (c, rest) = rest.split_at(4);
                let (d, e) = rest.split_at(4);
                f.pad(&format!("{a}-{b}-{c}-{d}-{e}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = NoId;

            fn from_str(text: &str) -> Result<Self, NoId> {
                parse(text).map(Self).ok_or(NoId { what: $what })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// A connector of an installation.
    ConnectorId, "connector";
    /// One sync of a connector.
    RunId, "run";
    /// One thing to be done, in the queue.
    JobId, "job";
    /// A token of a program that uses the API.
    TokenId, "token";
    /// A rule of somebody's own.
    RuleId, "rule";
    /// An account of a person who signs in.
    AccountId, "account";
    /// A session of a browser, or a try to open one.
    SessionId, "session";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_is_shown() {
        let id = RunId::new(Moment(1_795_000_000_000_000), [0xff; 10]);
        assert_eq!(id.to_string(), "01a1ee56-5e00-7fff-bfff-ffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::from_value::<RunId>(serde_json::to_value(id).unwrap()).unwrap(), id);
    }

    #[test]
    fn ids_order_as_they_were_made() {
        let early = JobId::new(Moment(1_000_000), [0xff; 10]);
        let late = JobId::new(Moment(1_001_000), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn what_is_no_uuid_is_no_id() {
        for text in ["", "1", "01a1ed8a9e007fffbfffffffffffffff", "01a1ee56-5e00-7fff-bfff-fffffffffffg"] {
            assert!(text.parse::<ConnectorId>().is_err(), "{text}");
        }
    }
}
