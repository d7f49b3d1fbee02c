//! Which texts are dates, and which words are units of time.

use jiff::civil;

use crate::ast::TimeUnit;

/// Whether `text` is a year, a month, a day, or a day with a time, with or without a zone.
#[must_use]
pub fn is_date(text: &str) -> bool {
    let (day, time) = match text.split_once(['T', 't', ' ']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    match time {
        None => match text.len() {
            4 => is_day(&format!("{text}-01-01")),
            7 => is_day(&format!("{text}-01")),
            _ => is_day(text),
        },
        Some(time) => is_day(day) && is_time(time.trim()),
    }
}

fn is_day(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut part = |digits: usize| {
        let part = parts.next()?;
        (part.len() == digits && is_digits(part)).then(|| part.parse::<i16>().ok()).flatten()
    };
    let date = (part(4), part(2), part(2));
    let (Some(year), Some(month), Some(day)) = date else { return false };
    let small = |number: i16| i8::try_from(number).unwrap_or(0);
    parts.next().is_none() && civil::Date::new(year, small(month), small(day)).is_ok()
}

fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    is_clock(clock) && is_zone(zone)
}

/// `10`, `10:00`, `10:00:00` or `10:00:00.123`.
fn is_clock(text: &str) -> bool {
    let (whole, fraction) =
        text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let parts: Vec<&str> = whole.split(':').collect();
    let limits = [24, 60, 60];
    let fits =
        parts.len() <= limits.len() && parts.iter().zip(limits).all(|(part, limit)| is_below(part, limit));
    fits && fraction.is_none_or(|fraction| parts.len() == 3 && is_digits(fraction) && fraction.len() <= 9)
}

/// Nothing, `Z`, `+02`, `+02:00` or `+0200`.
fn is_zone(text: &str) -> bool {
    if matches!(text, "" | "Z" | "z") {
        return true;
    }
    let Some(offset) = text.strip_prefix(['+', '-']) else { return false };
    let (hours, minutes) = match offset.split_once(':') {
        Some(both) => both,
        None if offset.len() == 4 && offset.is_ascii() => offset.split_at(2),
        None => (offset, "00"),
    };
    is_below(hours, 15) && is_below(minutes, 60)
}

fn is_below(text: &str, limit: u32) -> bool {
    text.len() == 2 && is_digits(text) && text.parse::<u32>().is_ok_and(|number| number < limit)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The unit that a word names, in any case.
pub(super) fn time_unit(word: &str) -> Option<TimeUnit> {
    Some(match word.to_ascii_lowercase().as_str() {
        "minute" | "minutes" | "min" | "mins" => TimeUnit::Minute,
        "hour" | "hours" | "hr" | "hrs" | "h" => TimeUnit::Hour,
        "day" | "days" | "d" => TimeUnit::Day,
        "week" | "weeks" | "wk" | "wks" | "w" => TimeUnit::Week,
        "month" | "months" | "mo" | "mos" => TimeUnit::Month,
        "year" | "years" | "yr" | "yrs" | "y" => TimeUnit::Year,
        _ => return None,
    })
}

/// The unit as it is printed.
pub(crate) const fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Minute => "minutes",
        TimeUnit::Hour => "hours",
        TimeUnit::Day => "days",
        TimeUnit::Week => "weeks",
        TimeUnit::Month => "months",
        TimeUnit::Year => "years",
    }
}

#[cfg(test)]
mod tests {
    use super::is_date;

    #[test]
    fn years_months_days_and_times_are_dates() {
        for text in [
            "2024",
            "2024-01",
            "2024-02-29",
            "2024-01-31T10:00",
            "2024-01-31T10:00Z",
            "2024-01-31T10:00:00.123Z",
            "2024-01-31T10:00:00+02:00",
            "2024-01-31T10:00:00-0530",
            "2024-01-31 10:00:00",
        ] {
            assert!(is_date(text), "{text}");
        }
    }

    #[test]
    fn days_that_no_calendar_has_are_no_dates() {
        for text in [
            "",
            "24",
            "2024-13",
            "2023-02-29",
            "2024-1-1",
            "2024-01-31T25:00",
            "2024-01-31T",
            "now",
            "1700000000000",
            "20é4",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }
}
