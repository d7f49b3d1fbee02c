//! Dates and lengths of time, in the calendar.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use metsuke_model::graph::Value;
use metsuke_model::{AsOf, Moment, Version};

use super::Checker;
use super::expr::Context;
use crate::ast::{self, AsOfText, TimeSpan, TimeUnit};
use crate::plan::Expr;

impl Checker<'_> {
    /// The version or time that `AS OF` names.
    pub(super) fn as_of(&mut self, as_of: &AsOfText) -> Option<AsOf> {
        let time = match as_of {
            AsOfText::Version(version) => return Some(AsOf::Version(Version(*version))),
            AsOfText::Time(time) => time,
        };
        let milliseconds = match self.scalar(time, Context::Where)? {
            #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
            Expr::Constant(Value::Number(number)) => Some(number as i64),
            Expr::Constant(Value::Text(text)) => literal(text.trim()),
            _ => None,
        };
        if milliseconds.is_none() {
            let help = "write AS OF and a version's number, date(2024-01-31), or date.now - 7 days";
            self.refuse(time.span, "AS OF needs a fixed time.", help);
        }
        milliseconds.map(|moment| AsOf::Time(Moment(moment.saturating_mul(1000))))
    }
}

/// The milliseconds since 1970 that a date stands for; `None` where it is none, or out of range.
///
/// A date without a zone is UTC, one without a day or an hour begins with the first.
pub(super) fn resolve(date: &ast::Date, now: i64) -> Option<i64> {
    match date {
        ast::Date::Now => Some(now),
        ast::Date::Literal(text) => literal(text.trim()),
    }
}

fn literal(text: &str) -> Option<i64> {
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_millisecond());
    }
    let at = |datetime: DateTime| {
        datetime.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_millisecond())
    };
    if let Ok(datetime) = text.parse::<DateTime>() {
        return at(datetime);
    }
    let digits = text.chars().all(|character| character.is_ascii_digit());
    match text.len() {
        4 if digits => {
            at(Date::new(text.parse().ok()?, 1, 1).ok()?.to_datetime(jiff::civil::Time::midnight()))
        }
        7 => at(format!("{text}-01").parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight())),
        // Minutes without seconds are no RFC 3339, and common in queries.
        17 if text.ends_with('Z') => literal(&format!("{}:00Z", text.get(..16)?)),
        16 => literal(&format!("{text}:00")),
        _ => None,
    }
}

/// So many milliseconds are the units of fixed length; months and years have none.
pub(super) fn milliseconds(span: &TimeSpan) -> Option<f64> {
    let unit = match span.unit {
        TimeUnit::Minute => 60e3,
        TimeUnit::Hour => 3600e3,
        TimeUnit::Day => 86_400e3,
        TimeUnit::Week => 604_800e3,
        TimeUnit::Month | TimeUnit::Year => return None,
    };
    Some(span.amount.parse::<f64>().ok()? * unit)
}

/// A moment so much later, or earlier; months and years are the calendar's, cut to the month's last day.
pub(super) fn moved(from: i64, span: &TimeSpan, back: bool) -> Option<i64> {
    if let Some(length) = milliseconds(span) {
        #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
        let length = length.round() as i64;
        return if back { from.checked_sub(length) } else { from.checked_add(length) };
    }
    let amount: i64 = span.amount.parse().ok()?;
    let months = if span.unit == TimeUnit::Year { amount.checked_mul(12)? } else { amount };
    let length = Span::new().try_months(if back { -months } else { months }).ok()?;
    let zoned = Timestamp::from_millisecond(from).ok()?.to_zoned(TimeZone::UTC);
    zoned.checked_add(length).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_form() {
        let begin = Some(1_704_067_200_000);
        for text in [
            "2024",
            "2024-01",
            "2024-01-01",
            "2024-01-01T00:00Z",
            "2024-01-01T00:00",
            "2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00.000Z",
            "2024-01-01T01:00:00+01:00",
        ] {
            assert_eq!(literal(text), begin, "{text}");
        }
        assert_eq!(literal("yesterday"), None);
    }

    #[test]
    fn a_month_ends_with_its_last_day() {
        let march = literal("2024-03-31").unwrap();
        let month = TimeSpan { amount: "1".into(), unit: TimeUnit::Month };
        assert_eq!(moved(march, &month, true), literal("2024-02-29"));
        let day = TimeSpan { amount: "1.5".into(), unit: TimeUnit::Day };
        assert_eq!(moved(march, &day, false), literal("2024-04-01T12:00:00"));
    }
}
