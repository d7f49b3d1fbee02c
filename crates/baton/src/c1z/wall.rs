//! Times as the database in a file has them: wall clock without a zone.
//!
//! Readers of the ecosystem compare these texts byte by byte, so the layout is part of the format. We write UTC, whatever
//! zone this machine is in.
//!
//! Invariant: what [`text`] writes, [`moment`] reads back.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use metsuke_model::Moment;

/// `YYYY-MM-DD HH:MM:SS`, with a fraction without trailing zeros where there is one.
pub(super) fn text(moment: Moment) -> String {
    let timestamp = Timestamp::from_microsecond(moment.0).unwrap_or_default();
    let time = Offset::UTC.to_datetime(timestamp);
    let whole = time.strftime("%Y-%m-%d %H:%M:%S").to_string();
    match time.subsec_nanosecond() {
        0 => whole,
        fraction => format!("{whole}.{fraction:09}").trim_end_matches('0').to_owned(),
    }
}

/// Reads such a time, and the RFC 3339 that some writers use; `None` where it is neither.
pub(super) fn moment(text: &str) -> Option<Moment> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(Moment::from(timestamp));
    }
    let time: DateTime = text.parse().ok()?;
    Offset::UTC.to_timestamp(time).ok().map(Moment::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_lose_their_trailing_zeros() {
        for (micros, expected) in [
            (0, "1970-01-01 00:00:00"),
            (1_500_000, "1970-01-01 00:00:01.5"),
            (1_790_000_000_000_001, "2026-09-21 14:13:20.000001"),
        ] {
            assert_eq!(text(Moment(micros)), expected);
            assert_eq!(moment(expected), Some(Moment(micros)));
        }
    }

    #[test]
    fn other_layouts_are_read_too() {
        let expected = Moment::parse("2026-11-22T06:42:00Z");
        for text in ["2026-11-22T06:42:00Z", "2026-11-22 06:42:00", "2026-11-22 07:42:00+01:00"] {
            assert_eq!(moment(text), expected, "{text}");
        }
        assert_eq!(moment("yesterday"), None);
    }
}
