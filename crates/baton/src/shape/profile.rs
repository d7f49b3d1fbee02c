//! Profiles: what Heroku said of an object, under Heroku's names.
//!
//! Only properties with a column of their own and a few harmless others are shown; the rest of Heroku's rows (telephone
//! numbers, billing) stays here.
//!
//! Invariant: a profile holds no empty value, and its texts are Heroku's, cut where they are longer than anybody reads.

use std::collections::BTreeMap;

use metsuke_model::Moment;
use prost_types::value::Kind as Content;
use prost_types::{Struct, Timestamp, Value};

use super::text::cut;

/// The longest text in a profile, in bytes.
const LONGEST_TEXT: usize = 4_096;

/// The times that the ecosystem's printers take: the years 1 to 9999, in seconds since 1970.
const PRINTABLE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A profile on its way.
#[derive(Debug, Default)]
pub(super) struct Profile(BTreeMap<String, Value>);

impl Profile {
    /// Adds a text, unless there is none.
    pub(super) fn text(mut self, name: &str, text: Option<&str>) -> Self {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.put(name, Content::StringValue(cut(text, LONGEST_TEXT).to_owned()));
        }
        self
    }

    /// Adds a yes or no, unless it is not known.
    pub(super) fn flag(mut self, name: &str, flag: Option<bool>) -> Self {
        if let Some(flag) = flag {
            self.put(name, Content::BoolValue(flag));
        }
        self
    }

    /// Adds a time, unless it is not known.
    pub(super) fn time(self, name: &str, time: Option<Moment>) -> Self {
        self.text(name, time.map(|time| time.to_string()).as_deref())
    }

    fn put(&mut self, name: &str, content: Content) {
        self.0.insert(name.to_owned(), Value { kind: Some(content) });
    }

    /// The finished profile.
    pub(super) fn into_struct(self) -> Struct {
        Struct { fields: self.0.into_iter().collect() }
    }
}

/// A time as a message; none for one that readers could not print.
pub(super) fn timestamp(time: Moment) -> Option<Timestamp> {
    let seconds = time.0.div_euclid(1_000_000);
    let nanos = i32::try_from(time.0.rem_euclid(1_000_000)).ok()? * 1_000;
    PRINTABLE.contains(&seconds).then_some(Timestamp { seconds, nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_holds_what_is_known() {
        let profile =
            Profile::default().text("name", Some("ann")).text("team", None).flag("locked", Some(false));
        let fields = profile.into_struct().fields;
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["locked", "name"]);
        assert_eq!(fields["name"].kind, Some(Content::StringValue("ann".to_owned())));
    }

    #[test]
    fn times_before_1970_and_beyond_printing_are_kept_apart() {
        let time = |text: &str| timestamp(Moment::parse(text).unwrap());
        assert_eq!(time("1969-12-31T23:59:59.5Z"), Some(Timestamp { seconds: -1, nanos: 500_000_000 }));
        assert_eq!(time("2026-01-02T03:04:05Z").map(|time| time.nanos), Some(0));
        assert_eq!(timestamp(Moment(i64::MAX)), None);
        assert_eq!(time("-009999-01-02T01:59:59Z"), None);
    }
}
