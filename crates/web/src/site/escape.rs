//! Text that stands for itself wherever a template puts it.
//!
//! Invariant: whatever a name on Heroku holds, nothing of it is read as markup, and nothing of it moves, hides or reorders the
//! text around it.

use std::fmt::{self, Write};

use askama::filters::Escaper;

/// Escapes for HTML, and spells control, direction and invisible characters out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inert;

impl Escaper for Inert {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        let mut rest = string;
        while let Some(at) = rest.find(is_special) {
            let (before, from) = rest.split_at(at);
            dest.write_str(before)?;
            let mut letters = from.chars();
            if let Some(letter) = letters.next() {
                write_special(&mut dest, letter)?;
            }
            rest = letters.as_str();
        }
        dest.write_str(rest)
    }
}

/// A text in which what moves, hides or reorders text is spelled out; markup stays.
pub(crate) fn spelled(text: &str) -> String {
    let mut spelled = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden(letter) { spelled.extend(letter.escape_unicode()) } else { spelled.push(letter) }
    }
    spelled
}

fn write_special<W: Write>(dest: &mut W, letter: char) -> fmt::Result {
    match letter {
        '&' => dest.write_str("&amp;"),
        '<' => dest.write_str("&lt;"),
        '>' => dest.write_str("&gt;"),
        '"' => dest.write_str("&quot;"),
        '\'' => dest.write_str("&#39;"),
        hidden => write!(dest, "{}", hidden.escape_unicode()),
    }
}

fn is_special(letter: char) -> bool {
    matches!(letter, '&' | '<' | '>' | '"' | '\'') || is_hidden(letter)
}

/// Control characters other than a line's end, and those that reorder the text around them or cannot be seen.
fn is_hidden(letter: char) -> bool {
    (letter.is_control() && letter != '\n' && letter != '\t')
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        Inert.write_escaped_str(&mut out, text).unwrap();
        out
    }

    #[test]
    fn markup_stays_text() {
        assert_eq!(escaped("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
        assert_eq!(escaped("plain Ünïcode 目付"), "plain Ünïcode 目付");
    }

    #[test]
    fn what_would_reorder_or_hide_text_is_spelled_out() {
        assert_eq!(escaped("a\u{202e}b\u{200b}c\0"), "a\\u{202e}b\\u{200b}c\\u{0}");
        assert_eq!(escaped("two\nlines"), "two\nlines");
    }
}
