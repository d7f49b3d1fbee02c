//! Points in time and lengths of time, in milliseconds since 1970.
//!
//! What the time is now is the caller's to say.
//!
//! Invariant: a time without a zone is in UTC; months and years are those of the calendar.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::ast::TimeUnit;

/// The point in time that a text names: a year, a month, a day, or a day with a time.
pub(super) fn read(text: &str) -> Option<f64> {
    let text = text.trim();
    let moment = text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<DateTime>().ok().or_else(|| {
            let day = if text.len() == 4 { format!("{text}-01-01") } else { format!("{text}-01") };
            day.parse::<Date>().ok().map(|day| day.at(0, 0, 0, 0))
        })?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    Some(milliseconds(moment))
}

#[expect(clippy::cast_precision_loss, reason = "years up to 9999 are within the exact range")]
fn milliseconds(moment: Timestamp) -> f64 {
    moment.as_millisecond() as f64
}

/// A time with a length of time added; `None` where the calendar ends.
pub(super) fn shifted(time: f64, amount: f64, unit: TimeUnit) -> Option<f64> {
    const MINUTE: f64 = 60_000.0;
    let months = match unit {
        TimeUnit::Minute => return Some(time + amount * MINUTE),
        TimeUnit::Hour => return Some(time + amount * 60.0 * MINUTE),
        TimeUnit::Day => return Some(time + amount * 24.0 * 60.0 * MINUTE),
        TimeUnit::Week => return Some(time + amount * 7.0 * 24.0 * 60.0 * MINUTE),
        TimeUnit::Month => amount,
        TimeUnit::Year => amount * 12.0,
    };
    let span = Span::new().try_months(whole(months)?).ok()?;
    let moment = Timestamp::from_millisecond(whole(time)?).ok()?;
    let later = moment.to_zoned(TimeZone::UTC).datetime().checked_add(span).ok()?;
    Some(milliseconds(later.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

#[expect(clippy::cast_possible_truncation, reason = "whole and within the exact range")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_a_month_a_day_and_a_time_are_points_in_time() {
        assert_eq!(read("1971"), Some(31_536_000_000.0));
        assert_eq!(read("1970-02"), Some(31.0 * 86_400_000.0));
        assert_eq!(read("1970-01-02"), Some(86_400_000.0));
        assert_eq!(read("1970-01-01T00:01:00"), Some(60_000.0));
        assert_eq!(read("1970-01-01T01:00Z"), Some(3_600_000.0));
        assert_eq!(read("1970-01-01T01:00+01:00"), Some(0.0));
        assert_eq!(read("1970-01-01T01"), read("1970-01-01T01:00"));
        assert_eq!(read("1970-01-01 01:00:00.5"), Some(3_600_500.0));
        assert_eq!(read("1970-01-01T01:00+01"), Some(0.0));
        assert_eq!(read("1970-01-01t01:00-0130"), Some(9_000_000.0));
        assert_eq!(read("1970-01-01T01:00:00.5z"), Some(3_600_500.0));
        assert_eq!(read("last week"), None);
    }

    #[test]
    fn a_month_ends_with_the_calendar() {
        let end_of_january = read("2024-01-31").unwrap();
        assert_eq!(shifted(end_of_january, 1.0, TimeUnit::Month), read("2024-02-29"));
        assert_eq!(shifted(read("2024-02-29").unwrap(), -1.0, TimeUnit::Year), read("2023-02-28"));
        assert_eq!(shifted(0.0, 1.5, TimeUnit::Day), Some(129_600_000.0));
        assert_eq!(shifted(0.0, 1e9, TimeUnit::Year), None);
    }
}
