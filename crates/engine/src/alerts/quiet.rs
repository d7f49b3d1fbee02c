//! Quiet hours: when a channel is told nothing but what may pass.
//!
//! Invariant: hours are those of the zone's clocks, whatever daylight saving does to them.

use std::str::FromStr;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use metsuke_model::Moment;
use serde::{Deserialize, Serialize};

/// How far the end of quiet hours is looked for, in minutes: nine days.
const FARTHEST: i64 = 9 * 24 * 60;

/// When a channel is quiet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Quiet {
    /// From this time of each day, such as `22:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// To this time, of the next day where it is earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Days that are quiet as a whole, such as `saturday`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// Where the clocks hang, such as `Europe/Berlin`.
    pub time_zone: String,
}

/// Quiet hours that were read.
struct Hours {
    span: Option<(Time, Time)>,
    days: Vec<Weekday>,
    zone: TimeZone,
}

impl Quiet {
    /// What is wrong with it.
    ///
    /// # Errors
    ///
    /// The first mistake, in words.
    pub fn check(&self) -> Result<(), String> {
        self.read().map(|_| ())
    }

    /// Whether the channel is quiet now.
    #[must_use]
    pub fn is_quiet(&self, now: Moment) -> bool {
        self.read().is_ok_and(|hours| hours.at(now).is_some_and(|zoned| hours.holds(&zoned)))
    }

    /// When it is quiet no more; now where it is not, or where that is far away.
    #[must_use]
    pub fn ends(&self, now: Moment) -> Moment {
        let Ok(hours) = self.read() else { return now };
        let minute = 60_000_000;
        let next = now.0 - now.0.rem_euclid(minute);
        let later = (0..FARTHEST).map(|nth| Moment(if nth == 0 { now.0 } else { next + nth * minute }));
        let quiet = |moment: &Moment| hours.at(*moment).is_some_and(|zoned| hours.holds(&zoned));
        later.into_iter().find(|moment| !quiet(moment)).unwrap_or(now)
    }

    fn read(&self) -> Result<Hours, String> {
        let time = |text: &String| {
            Time::from_str(&format!("{text}:00")).map_err(|_| format!("`{text}` is no time such as 22:00"))
        };
        let span = match (&self.from, &self.to) {
            (Some(from), Some(to)) => Some((time(from)?, time(to)?)),
            (None, None) => None,
            _ => return Err("quiet hours have both `from` and `to`, or neither".into()),
        };
        let day = |text: &String| weekday(text).ok_or_else(|| format!("`{text}` is no day of the week"));
        let zone = TimeZone::get(&self.time_zone)
            .map_err(|_| format!("there is no time zone `{}`", self.time_zone))?;
        Ok(Hours { span, days: self.days.iter().map(day).collect::<Result<_, _>>()?, zone })
    }
}

impl Hours {
    fn at(&self, moment: Moment) -> Option<Zoned> {
        Timestamp::from_microsecond(moment.0).ok().map(|timestamp| timestamp.to_zoned(self.zone.clone()))
    }

    fn holds(&self, zoned: &Zoned) -> bool {
        let within = self.span.is_some_and(|(from, to)| {
            let time = zoned.time();
            if from <= to { from <= time && time < to } else { time >= from || time < to }
        });
        within || self.days.contains(&zoned.weekday())
    }
}

fn weekday(text: &str) -> Option<Weekday> {
    let days = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    days.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, day)| day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet() -> Quiet {
        let text = r#"{"from":"22:00","to":"07:30","days":["sunday"],"timeZone":"Europe/Berlin"}"#;
        serde_json::from_str(text).unwrap()
    }

    fn at(text: &str) -> Moment {
        Moment::parse(text).unwrap()
    }

    #[test]
    fn hours_are_those_of_the_place_over_midnight_and_summer_time() {
        // 2026-03-29, a Sunday, has an hour less in Berlin.
        for (time, is) in [
            ("2026-03-27T21:00:00Z", true),
            ("2026-03-27T20:59:59Z", false),
            ("2026-03-28T06:29:59Z", true),
            ("2026-03-28T06:30:00Z", false),
            ("2026-03-29T12:00:00Z", true),
            ("2026-03-30T05:29:00Z", true),
            ("2026-03-30T05:30:00Z", false),
        ] {
            assert_eq!(quiet().is_quiet(at(time)), is, "{time}");
        }
        assert_eq!(quiet().ends(at("2026-03-28T21:10:05Z")), at("2026-03-30T05:30:00Z"));
        assert_eq!(quiet().ends(at("2026-03-27T12:00:01Z")), at("2026-03-27T12:00:01Z"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (wrong, told) in [
            (Quiet { to: None, ..quiet() }, "both"),
            (Quiet { from: Some("25:00".into()), ..quiet() }, "25:00"),
            (Quiet { days: vec!["holiday".into()], ..quiet() }, "holiday"),
            (Quiet { time_zone: "Mars/Base".into(), ..quiet() }, "Mars/Base"),
        ] {
            assert!(wrong.check().unwrap_err().contains(told));
        }
    }
}
