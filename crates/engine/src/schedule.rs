//! When something is due: polling intervals as JupiterOne names them, and cron expressions with a time zone.
//!
//! It keeps nothing and starts nothing; what was planned last comes in, and what to do now goes out.
//!
//! Invariant: a planned moment is served once, however often the clock is put forward or back across it; and whatever
//! the clock does, nothing waits for longer than its own interval.

use std::fmt;
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use metsuke_model::{Clock, Moment};
use metsuke_store::ScheduleRow;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// The hour (UTC) of a day or week for which none is named.
pub const OWN_HOUR: u8 = 3;
/// The day of a week for which none is named: Sunday.
pub const OWN_DAY: u8 = 0;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// 1970-01-01 was a Thursday, the fourth day after Sunday.
const EPOCH_DAY: i64 = 4;

/// The intervals that have a length only.
const LENGTHS: [(&str, i64); 6] = [
    ("FIFTEEN_MINUTES", HOUR / 4),
    ("THIRTY_MINUTES", HOUR / 2),
    ("ONE_HOUR", HOUR),
    ("FOUR_HOURS", 4 * HOUR),
    ("EIGHT_HOURS", 8 * HOUR),
    ("TWELVE_HOURS", 12 * HOUR),
];

/// How often an estate is read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Polling {
    /// Only when somebody asks.
    #[default]
    Disabled,
    /// At intervals of this length, one of six.
    Every(Duration),
    /// Once a day.
    Daily {
        /// The hour, UTC; [`OWN_HOUR`] where none is named.
        hour: Option<u8>,
    },
    /// Once a week.
    Weekly {
        /// The day, 0 for Sunday; [`OWN_DAY`] where none is named.
        day: Option<u8>,
        /// The hour, UTC.
        hour: Option<u8>,
    },
    /// By a cron expression of five fields.
    Cron {
        /// The expression.
        expression: String,
        /// The time zone by its IANA name.
        time_zone: String,
    },
}

impl Polling {
    /// Reads a name (`ONE_HOUR`), `{"interval", "hour"?, "day_of_week"?}` or `{"cron", "time_zone"?}`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for people to read.
    pub fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(name) => Self::named(name, None, None),
            Value::Object(members) => {
                let known = ["interval", "hour", "day_of_week", "cron", "time_zone"];
                if let Some(other) = members.keys().find(|key| !known.contains(&key.as_str())) {
                    return Err(format!("`{other}` is no part of a polling interval"));
                }
                let text = |key| members.get(key).and_then(Value::as_str);
                match (text("interval"), text("cron")) {
                    (Some(name), None) => {
                        Self::named(name, number(members, "day_of_week", 6)?, number(members, "hour", 23)?)
                    }
                    (None, Some(expression)) => Self::cron(expression, text("time_zone").unwrap_or("UTC")),
                    _ => Err("a polling interval has either `interval` or `cron`".into()),
                }
            }
            _ => Err("a polling interval is a name or an object".into()),
        }
    }

    /// A cron expression of five fields in a time zone.
    ///
    /// # Errors
    ///
    /// What is wrong with either, for people to read.
    pub fn cron(expression: &str, time_zone: &str) -> Result<Self, String> {
        let cron = pattern(expression)?;
        let zone = TimeZone::get(time_zone).map_err(|_| format!("there is no time zone `{time_zone}`"))?;
        if cron.find_next_occurrence(&Timestamp::UNIX_EPOCH.to_zoned(zone), false).is_err() {
            return Err(format!("`{expression}` never comes"));
        }
        Ok(Self::Cron { expression: expression.trim().to_owned(), time_zone: time_zone.to_owned() })
    }

    fn named(name: &str, day: Option<u8>, hour: Option<u8>) -> Result<Self, String> {
        let found = LENGTHS.iter().find(|(known, _)| *known == name);
        match (name, found, day, hour) {
            ("ONE_DAY", _, None, hour) => Ok(Self::Daily { hour }),
            ("ONE_WEEK", _, day, hour) => Ok(Self::Weekly { day, hour }),
            ("DISABLED", _, None, None) => Ok(Self::Disabled),
            (_, Some((_, micros)), None, None) => {
                Ok(Self::Every(Duration::from_micros(micros.unsigned_abs())))
            }
            ("ONE_DAY" | "DISABLED", ..) | (_, Some(_), ..) => {
                Err(format!("`{name}` has no such day or hour"))
            }
            _ => Err(format!(
                "there is no polling interval `{name}`; there are DISABLED, {}, ONE_DAY and ONE_WEEK",
                LENGTHS.map(|(name, _)| name).join(", ")
            )),
        }
    }

    /// As [`parse`](Self::parse) reads it.
    #[must_use]
    pub fn document(&self) -> Value {
        match self {
            Self::Disabled => json!("DISABLED"),
            Self::Every(length) => json!(length_name(*length)),
            Self::Daily { hour: None } => json!("ONE_DAY"),
            Self::Daily { hour: Some(hour) } => json!({ "interval": "ONE_DAY", "hour": hour }),
            Self::Weekly { day: None, hour: None } => json!("ONE_WEEK"),
            Self::Weekly { day, hour } => json!({
                "interval": "ONE_WEEK",
                "day_of_week": day.unwrap_or(OWN_DAY),
                "hour": hour.unwrap_or(OWN_HOUR),
            }),
            Self::Cron { expression, time_zone } => json!({ "cron": expression, "time_zone": time_zone }),
        }
    }

    /// The first planned moment after `after`; `anchor` is any moment of an interval that has a length only.
    ///
    /// None where nothing is planned any more.
    #[must_use]
    pub fn next_after(&self, after: Moment, anchor: Moment) -> Option<Moment> {
        match self {
            Self::Disabled => None,
            Self::Every(length) => Some(grid(after, anchor.0, i64::try_from(length.as_micros()).ok()?)),
            Self::Daily { hour } => Some(grid(after, i64::from(hour.unwrap_or(OWN_HOUR)) * HOUR, DAY)),
            Self::Weekly { day, hour } => {
                let days = i64::from(day.unwrap_or(OWN_DAY)) - EPOCH_DAY;
                let anchor = days * DAY + i64::from(hour.unwrap_or(OWN_HOUR)) * HOUR;
                Some(grid(after, anchor, 7 * DAY))
            }
            Self::Cron { expression, time_zone } => {
                let zone = TimeZone::get(time_zone).ok()?;
                let start = Timestamp::from_microsecond(after.0).ok()?.to_zoned(zone);
                let next = pattern(expression).ok()?.find_next_occurrence(&start, false).ok()?;
                Some(Moment::from(next.timestamp())).filter(|next| *next > after)
            }
        }
    }

    /// What is to be planned when this begins at `now`: the first moment, and nothing served yet.
    #[must_use]
    pub fn begin(&self, now: Moment) -> ScheduleRow {
        ScheduleRow { next_at: self.next_after(now, now), slot: None }
    }

    /// What to do now, where this was planned.
    #[must_use]
    pub fn tick(&self, planned: ScheduleRow, clock: &dyn Clock) -> Tick {
        let now = clock.now();
        let Some(next_at) = planned.next_at else {
            let begun = self.begin(now);
            return if begun.next_at.is_some() { Tick::Plan(begun) } else { Tick::Rest };
        };
        let following = |after| self.next_after(after, next_at);
        if *self == Self::Disabled {
            return Tick::Plan(ScheduleRow { next_at: None, ..planned });
        }
        if next_at <= now {
            // What was missed meanwhile is served by the same run.
            return Tick::Due(ScheduleRow { next_at: following(now), slot: Some(now) });
        }
        // The clock was put back across what is served. One such moment is not served again; if there are more, the
        // clock stands in another day, and waiting for the old one would be waiting for too long.
        let first = planned.slot.filter(|served| now < *served).and_then(|_| following(now));
        let second = first.and_then(following);
        match (first, second, planned.slot) {
            (Some(first), Some(second), Some(served)) if second <= served => {
                Tick::Plan(ScheduleRow { next_at: Some(first), slot: None })
            }
            _ => Tick::Rest,
        }
    }
}

/// What a look at a schedule comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// Nothing.
    Rest,
    /// Something else is planned.
    Plan(ScheduleRow),
    /// It is due; and what is planned from then on.
    Due(ScheduleRow),
}

impl fmt::Display for Polling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => f.write_str("only when asked"),
            Self::Every(length) => match length.as_secs() / 60 {
                60 => f.write_str("every hour"),
                minutes if minutes < 60 => write!(f, "every {minutes} minutes"),
                minutes => write!(f, "every {} hours", minutes / 60),
            },
            Self::Daily { hour } => write!(f, "every day at {:02}:00 UTC", hour.unwrap_or(OWN_HOUR)),
            Self::Weekly { day, hour } => {
                let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
                let day = days.get(usize::from(day.unwrap_or(OWN_DAY))).unwrap_or(&"week");
                write!(f, "every {day} at {:02}:00 UTC", hour.unwrap_or(OWN_HOUR))
            }
            Self::Cron { expression, time_zone } => write!(f, "at `{expression}` in {time_zone}"),
        }
    }
}

impl Serialize for Polling {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Polling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The first moment after `after` that lies a multiple of `length` from `anchor`.
fn grid(after: Moment, anchor: i64, length: i64) -> Moment {
    let past = after.0.saturating_sub(anchor).rem_euclid(length.max(1));
    Moment(after.0.saturating_add(length - past))
}

fn length_name(length: Duration) -> &'static str {
    let micros = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
    LENGTHS.iter().find(|(_, known)| *known == micros).map_or("ONE_HOUR", |(name, _)| name)
}

fn number(members: &serde_json::Map<String, Value>, key: &str, most: u8) -> Result<Option<u8>, String> {
    match members.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_u64()
            .and_then(|number| u8::try_from(number).ok())
            .filter(|number| *number <= most)
            .map(Some)
            .ok_or_else(|| format!("`{key}` is a number from 0 to {most}")),
    }
}

fn pattern(expression: &str) -> Result<Cron, String> {
    if expression.len() > 200 {
        return Err("a cron expression is not that long".into());
    }
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(expression)
        .map_err(|error| format!("`{expression}` is no cron expression: {error}"))
}

#[cfg(test)]
mod tests;
