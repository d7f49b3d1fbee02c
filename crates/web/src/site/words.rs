//! Words for people: numbers with separators, moments, names that are too long, and why somebody holds something.
//!
//! Invariant: what is cut says that it is cut, and is told whole where there is room.

use jiff::Timestamp;
use metsuke_engine::access::{Clause, Reason};
use metsuke_model::Moment;

use super::escape::spelled;

/// Letters of a name that are shown in a list, and in the words that appear when one points at it.
const SHOWN: usize = 72;
const POINTED_AT: usize = 400;
/// Letters of a word that no line can break.
const UNBROKEN: usize = 40;

/// `12345` as `12,345`.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 app`, `2 apps`.
pub(crate) fn count(value: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(value as u64), if value == 1 { one } else { many })
}

/// `a, b and c`.
pub(crate) fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A name as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    /// As much of it as there is room for.
    pub(crate) cut: String,
    /// What appears when one points at it; empty where nothing was cut and lines break between its words.
    pub(crate) title: String,
}

impl Name {
    /// A name as lists show it.
    pub(crate) fn new(text: &str) -> Self {
        let cut = shortened(text, SHOWN);
        let plain = cut.len() == text.len() && breaks(text);
        let title = if plain { String::new() } else { shortened(text, POINTED_AT) };
        Self { cut, title }
    }

    /// A name as the head of its own page shows it.
    pub(crate) fn head(text: &str) -> Self {
        let cut = shortened(text, POINTED_AT);
        let title = if cut.len() == text.len() { String::new() } else { cut.clone() };
        Self { cut, title }
    }

    /// A name, or a word for there being none.
    pub(crate) fn or(text: Option<&str>, none: &str) -> Self {
        text.map_or_else(|| Self { cut: none.to_owned(), title: String::new() }, Self::new)
    }
}

/// Whether lines break between the words of a text before they are too long.
fn breaks(text: &str) -> bool {
    spelled(text).split([' ', '-']).all(|word| word.chars().count() <= UNBROKEN)
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A moment as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct When {
    /// For machines.
    pub(crate) iso: String,
    /// For people, exactly.
    pub(crate) shown: String,
    /// For people, from now.
    pub(crate) ago: String,
}

impl When {
    /// A moment as seen from another.
    pub(crate) fn new(moment: Moment, now: Moment) -> Self {
        let Ok(time) = Timestamp::from_microsecond(moment.0) else { return Self::default() };
        let iso = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let shown = time.strftime("%-d %b %Y, %H:%M UTC").to_string();
        Self { iso, shown, ago: distance(moment, now) }
    }

    /// The day alone.
    pub(crate) fn day(moment: Moment, now: Moment) -> Self {
        let Ok(time) = Timestamp::from_microsecond(moment.0) else { return Self::default() };
        Self { shown: time.strftime("%-d %b %Y").to_string(), ..Self::new(moment, now) }
    }
}

fn distance(moment: Moment, now: Moment) -> String {
    let (seconds, past) = if now.0 >= moment.0 {
        (now.since(moment) / 1_000_000, true)
    } else {
        (moment.since(now) / 1_000_000, false)
    };
    let (value, unit) = match seconds {
        0..60 => return if past { "just now".into() } else { "in a moment".into() },
        60..3_600 => (seconds / 60, "min"),
        3_600..86_400 => (seconds / 3_600, "h"),
        86_400..5_184_000 => (seconds / 86_400, if seconds < 172_800 { "day" } else { "days" }),
        _ => (seconds / 2_592_000, "months"),
    };
    if past { format!("{value} {unit} ago") } else { format!("in {value} {unit}") }
}

/// What a browser calls itself, in a few words: `Firefox on Linux`.
pub(crate) fn browser(told: &str) -> String {
    // Later ones call themselves by the names of earlier ones, too.
    let known = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chromium/", "Chromium"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let found = |list: &[(&str, &'static str)]| {
        list.iter().find(|(word, _)| told.contains(word)).map(|(_, name)| *name)
    };
    match (found(&known), found(&systems)) {
        (Some(name), Some(system)) => format!("{name} on {system}"),
        (Some(name), None) => name.to_owned(),
        (None, _) => Name::new(told.split(' ').next().unwrap_or_default()).cut,
    }
}

/// Why somebody holds something, in a few words.
pub(crate) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Direct => "granted directly on the app".into(),
        Reason::Owner => "owns the app".into(),
        Reason::Collaborator => "collaborator of the app".into(),
        Reason::Implied { by } => format!("{by} implies it"),
        Reason::Role { role, team } => format!("{role} of team {}", Name::new(team).cut),
        Reason::Steps(steps) => {
            let step = |(held, on): &(Box<str>, Box<str>)| format!("{held} on {}", Name::new(on).cut);
            steps.iter().map(step).collect::<Vec<_>>().join(", then ")
        }
    }
}

/// Why somebody holds what they hold: each reason once.
pub(crate) fn reasons(clauses: &[Clause]) -> String {
    let said: Vec<String> = clauses.iter().map(|clause| reason(&clause.reason)).collect();
    let mut text = said.join("; ");
    if let Some(first) = text.get(..1).map(str::to_uppercase) {
        text.replace_range(..1, &first);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_and_says_so() {
        let name = Name::new(&"x".repeat(10_000));
        assert_eq!((name.cut.chars().count(), name.title.chars().count()), (SHOWN + 1, POINTED_AT + 1));
        assert!(name.cut.ends_with('…'));
        assert_eq!(Name::new("api"), Name { cut: "api".into(), title: String::new() });
    }

    #[test]
    fn a_browser_is_told_by_its_own_name_and_system() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome on Linux");
        assert_eq!(browser(&format!("{chrome} Edg/140.0")), "Edge on Linux");
        assert_eq!(browser("metsuke/0.1 (probe)"), "metsuke/0.1");
    }

    #[test]
    fn moments_are_told_from_now() {
        let now = Moment::parse("2026-11-21T12:00:00Z").unwrap();
        let ago = |text: &str| When::new(Moment::parse(text).unwrap(), now).ago;
        assert_eq!(ago("2026-11-21T11:59:30Z"), "just now");
        assert_eq!(ago("2026-11-21T09:00:00Z"), "3 h ago");
        assert_eq!(ago("2026-11-20T11:00:00Z"), "1 day ago");
        assert_eq!(ago("2026-11-21T12:05:00Z"), "in 5 min");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
