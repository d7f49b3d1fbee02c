//! Makes names from outside inert: one line, nothing that controls, hides or turns text around.
//!
//! Invariant: what comes out has no line break, no control character and no character that changes the direction of text.

/// One line of at most so many characters.
pub(super) fn line(text: &str, most: usize) -> String {
    let mut out = String::new();
    let words = text.split(|c: char| c.is_whitespace() || hostile(c)).filter(|word| !word.is_empty());
    for (nth, word) in words.enumerate() {
        if nth > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
    if out.chars().count() > most {
        out = out.chars().take(most.saturating_sub(1)).chain(std::iter::once('…')).collect();
    }
    out
}

/// A text of several lines, each of them inert.
pub(super) fn lines(text: &str, most: usize) -> String {
    let mut out: Vec<String> = text.lines().map(|text| line(text, 2_000)).collect();
    out.truncate(200);
    let out = out.join("\n");
    if out.chars().count() > most {
        out.chars().take(most.saturating_sub(1)).chain(['…']).collect()
    } else {
        out
    }
}

/// Slack: these three are its own; whatever else stands in a text is shown.
///
/// Source: <https://docs.slack.dev/messaging/formatting-message-text/#escaping>
pub(super) fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Control characters, and those that hide, or turn the text around them.
fn hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_turns_hides_or_breaks_a_line() {
        assert_eq!(line("a\r\nBcc: x\u{202e}y\u{200b}z \u{0}", 99), "a Bcc: x y z");
        assert_eq!(line("äöü and more", 5), "äöü …");
        assert_eq!(lines("one\n\u{1b}[31mtwo\r\nthree", 99), "one\n[31mtwo\nthree");
        assert_eq!(slack("<!channel> & <http://x|y>"), "&lt;!channel&gt; &amp; &lt;http://x|y&gt;");
    }
}
