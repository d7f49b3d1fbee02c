//! How often a rule is evaluated, in JupiterOne's words.

use std::time::Duration;

/// How often a rule is evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollingInterval {
    /// Only by hand.
    Disabled,
    /// Every so often, as JupiterOne names it.
    Every(Period),
    /// A word that is not known here; kept, and not scheduled.
    Other(Box<str>),
}

/// A length of time that JupiterOne has a name for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// 15 minutes.
    FifteenMinutes,
    /// 30 minutes.
    ThirtyMinutes,
    /// An hour.
    OneHour,
    /// Four hours.
    FourHours,
    /// Eight hours.
    EightHours,
    /// Twelve hours.
    TwelveHours,
    /// A day.
    OneDay,
    /// A week.
    OneWeek,
}

impl Period {
    /// Every one, shorter ones first.
    pub const ALL: [Self; 8] = [
        Self::FifteenMinutes,
        Self::ThirtyMinutes,
        Self::OneHour,
        Self::FourHours,
        Self::EightHours,
        Self::TwelveHours,
        Self::OneDay,
        Self::OneWeek,
    ];

    /// The word in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FifteenMinutes => "FIFTEEN_MINUTES",
            Self::ThirtyMinutes => "THIRTY_MINUTES",
            Self::OneHour => "ONE_HOUR",
            Self::FourHours => "FOUR_HOURS",
            Self::EightHours => "EIGHT_HOURS",
            Self::TwelveHours => "TWELVE_HOURS",
            Self::OneDay => "ONE_DAY",
            Self::OneWeek => "ONE_WEEK",
        }
    }

    /// How long it is.
    #[must_use]
    pub const fn length(self) -> Duration {
        match self {
            Self::FifteenMinutes => Duration::from_mins(15),
            Self::ThirtyMinutes => Duration::from_mins(30),
            Self::OneHour => Duration::from_hours(1),
            Self::FourHours => Duration::from_hours(4),
            Self::EightHours => Duration::from_hours(8),
            Self::TwelveHours => Duration::from_hours(12),
            Self::OneDay => Duration::from_hours(24),
            Self::OneWeek => Duration::from_hours(7 * 24),
        }
    }
}

impl PollingInterval {
    /// Reads a word of a document.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        if word == "DISABLED" {
            return Self::Disabled;
        }
        let known = Period::ALL.into_iter().find(|period| period.as_str() == word);
        known.map_or_else(|| Self::Other(word.into()), Self::Every)
    }

    /// The word in documents.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Disabled => "DISABLED",
            Self::Every(period) => period.as_str(),
            Self::Other(word) => word,
        }
    }
}

impl Default for PollingInterval {
    fn default() -> Self {
        Self::Every(Period::OneDay)
    }
}
