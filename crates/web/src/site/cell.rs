//! What stands in one cell of a table, and the small parts that pages share.
//!
//! Invariant: a part holds texts as they are; escaping is the templates' business alone.

use std::borrow::Cow;

use super::words::{Name, When, number};

/// What stands in one cell.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    /// Nothing, because there is nothing.
    Nothing,
    /// A word of ours.
    Word(String),
    /// Somebody else's text.
    Text(Name),
    /// A text that leads somewhere, and what stands below it.
    Link(Name, String, Option<Name>),
    /// A number.
    Number(String),
    /// A number that leads to the list behind it.
    Tally(String, String),
    /// A moment.
    When(When),
    /// A word of state.
    Badge(Badge),
    /// Whether it is so.
    Mark(bool),
    /// What can be turned on and off.
    Switch(Switch),
}

/// What can be turned on and off where it stands, by a form.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    /// Where the form goes.
    pub(crate) action: String,
    pub(crate) csrf: String,
    pub(crate) on: bool,
    /// The page to come back to.
    pub(crate) next: String,
    /// What is turned.
    pub(crate) label: Name,
    /// A word about it; empty without.
    pub(crate) note: &'static str,
}

impl Cell {
    /// Whether it stands at the right, where numbers do.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Tally(..))
    }

    /// A text that may be absent.
    pub(crate) fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(Name::new(text)))
    }

    /// A number; none where it is nothing.
    pub(crate) fn number(value: u64) -> Self {
        if value == 0 { Self::Nothing } else { Self::Number(number(value)) }
    }

    /// A number that leads to the list behind it.
    pub(crate) fn tally(value: u64, href: String) -> Self {
        if value == 0 { Self::Nothing } else { Self::Tally(number(value), href) }
    }
}

/// How a word of state looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Calm,
    Good,
    Warn,
    Bad,
    Worst,
    Busy,
}

/// A word of state.
#[derive(Clone, Debug)]
pub(crate) struct Badge {
    pub(crate) tone: Tone,
    pub(crate) word: String,
}

impl Badge {
    pub(crate) fn new(tone: Tone, word: impl Into<String>) -> Self {
        Self { tone, word: word.into() }
    }

    /// The level of a finding or rule.
    pub(crate) fn level(level: &str) -> Self {
        let tone = match level.to_ascii_lowercase().as_str() {
            "critical" => Tone::Worst,
            "high" => Tone::Bad,
            "medium" => Tone::Warn,
            _ => Tone::Calm,
        };
        Self::new(tone, level.to_ascii_lowercase())
    }

    /// The style of it.
    pub(crate) const fn class(&self) -> &'static str {
        match self.tone {
            Tone::Calm => "badge",
            Tone::Good => "badge good",
            Tone::Warn => "badge warn",
            Tone::Bad => "badge bad",
            Tone::Worst => "badge worst",
            Tone::Busy => "badge busy live",
        }
    }
}

/// A number with its name, which may lead to the list behind it.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) value: String,
    pub(crate) name: &'static str,
    pub(crate) href: Option<String>,
    pub(crate) current: bool,
}

impl Figure {
    pub(crate) fn new(value: u64, name: &'static str, href: Option<String>) -> Self {
        Self { value: number(value), name, href, current: false }
    }
}

/// A column's name at the head of a table.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) label: Cow<'static, str>,
    /// Where one goes to sort by it; none where it cannot be.
    pub(crate) href: Option<String>,
    /// `ascending` or `descending`; empty where the table is not sorted by it.
    pub(crate) sorted: &'static str,
    pub(crate) number: bool,
}

impl Head {
    pub(crate) const fn plain(label: &'static str) -> Self {
        Self { label: Cow::Borrowed(label), href: None, sorted: "", number: false }
    }

    pub(crate) const fn number(label: &'static str) -> Self {
        Self { label: Cow::Borrowed(label), href: None, sorted: "", number: true }
    }
}

/// A table; the first cell of a row names it.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// What it lists, for those who do not see it.
    pub(crate) caption: String,
    pub(crate) heads: Vec<Head>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Whether anything in it leads somewhere, so that the keyboard comes to it and can scroll it.
    pub(crate) fn leads_on(&self) -> bool {
        let leads = |cell: &Cell| match cell {
            Cell::Link(_, href, _) => !href.is_empty(),
            Cell::Tally(..) | Cell::Switch(_) => true,
            _ => false,
        };
        self.heads.iter().any(|head| head.href.is_some()) || self.rows.iter().flatten().any(leads)
    }
}
