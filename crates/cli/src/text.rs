//! Text for people: foreign names made harmless, numbers with separators, lists in words, lines that fit.
//!
//! What is said with it is the commands' business.
//!
//! Invariant: whatever a name on Heroku holds, what comes out of [`shown`] cannot move the cursor, hide or
//! reorder text, or end the line.

use std::borrow::Cow;
use std::time::Duration;

use metsuke_model::Moment;
use unicode_width::UnicodeWidthStr as _;

/// The text with control, direction and invisible characters spelled out.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hostile) {
        return text.into();
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hostile(c) {
            clean.extend(c.escape_unicode());
        } else {
            clean.push(c);
        }
    }
    clean.into()
}

/// Control characters, line ends, and those that reorder the text around them or cannot be seen.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

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
pub(crate) fn count(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// `3.4 MB`: a number of bytes, in a fitting unit.
pub(crate) fn bytes(value: u64) -> String {
    let (unit, factor) = match value {
        0..1_000 => return count(value, "byte", "bytes"),
        1_000..1_000_000 => ("kB", 1_000),
        1_000_000..1_000_000_000 => ("MB", 1_000_000),
        _ => ("GB", 1_000_000_000),
    };
    format!("{}.{} {unit}", number(value / factor), value % factor * 10 / factor)
}

/// The length of a list, as a number that can be printed.
pub(crate) fn length<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<S: AsRef<str>>(words: &[S]) -> String {
    let mut text = String::new();
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            text.push_str(if place + 1 == words.len() { " and " } else { ", " });
        }
        text.push_str(word.as_ref());
    }
    text
}

/// A length of time, in the two units that matter.
pub(crate) fn length_of_time(time: Duration) -> String {
    let (seconds, millis) = (time.as_secs(), time.subsec_millis());
    match seconds {
        0 => format!("{millis} ms"),
        1..=9 => format!("{seconds}.{} s", millis / 100),
        10..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A moment to the second, for a table that says UTC elsewhere.
pub(crate) fn time(moment: Moment) -> String {
    let text = moment.to_string();
    match text.split_once('T') {
        Some((date, time)) => format!("{date} {}", time.get(..8).unwrap_or(time)),
        None => text,
    }
}

/// Writes words side by side, wrapped to the width, each line behind the indent.
pub(crate) fn wrapped(words: &[String], indent: usize, width: usize) -> String {
    let mut text = String::new();
    let mut used = 0;
    for word in words {
        let word_width = word.width();
        if used > 0 && used + 1 + word_width > width {
            text.push('\n');
            used = 0;
        }
        if used == 0 {
            text.extend(std::iter::repeat_n(' ', indent));
            text.push_str(word);
            used = indent + word_width;
        } else {
            text.push(' ');
            text.push_str(word);
            used += 1 + word_width;
        }
    }
    text
}

/// Wraps a sentence to the width; lines after the first stand two columns further in.
pub(crate) fn paragraph(sentence: &str, indent: usize, width: usize) -> String {
    let words: Vec<String> = sentence.split(' ').map(str::to_owned).collect();
    let text = wrapped(&words, indent + 2, width);
    text.get(2..).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_fool_a_terminal() {
        assert_eq!(shown("api\u{1b}[31m"), "api\\u{1b}[31m");
        assert_eq!(shown("a\r\nb\u{9b}c"), "a\\u{d}\\u{a}b\\u{9b}c");
        assert_eq!(shown("gpj.\u{202e}exe\u{200b}"), "gpj.\\u{202e}exe\\u{200b}");
        assert!(matches!(shown("Zoë 日本 🦀"), Cow::Borrowed(_)));
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn sizes_are_told_in_fitting_units() {
        let told = [1, 999, 1_250, 3_999_999, 12_000_000_000].map(bytes);
        assert_eq!(told, ["1 byte", "999 bytes", "1.2 kB", "3.9 MB", "12.0 GB"]);
    }

    #[test]
    fn lists_read_as_words() {
        assert_eq!(listed(&["view"]), "view");
        assert_eq!(listed(&["view", "deploy", "operate"]), "view, deploy and operate");
    }

    #[test]
    fn lines_stay_within_the_width() {
        let words = ["aaaa", "bbbb", "cccc"].map(str::to_owned);
        assert_eq!(wrapped(&words, 2, 11), "  aaaa bbbb\n  cccc");
        assert_eq!(paragraph("one two three", 2, 9), "  one\n    two\n    three");
    }

    #[test]
    fn times_are_told_in_fitting_units() {
        let told =
            [420, 1_250, 75_000, 200_000, 8_000_000].map(|ms| length_of_time(Duration::from_millis(ms)));
        assert_eq!(told, ["420 ms", "1.2 s", "75 s", "3 min 20 s", "2 h 13 min"]);
    }
}
