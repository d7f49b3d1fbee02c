//! Makes text that came from outside fit to be shown: in an error, on a terminal, in a log line.
//!
//! It does not judge what the text says.
//!
//! Invariant: what comes out is one line, holds no control or direction character, no backtick, and
//! not the token.

use secrecy::{ExposeSecret, SecretString};

/// The longest excerpt of a foreign body that is shown, in characters.
const EXCERPT: usize = 120;
/// The longest message, id or header that is shown, in characters.
const MESSAGE: usize = 300;

/// Cleans foreign text for people to read.
#[derive(Clone)]
pub(crate) struct Cleaner {
    token: SecretString,
}

impl Cleaner {
    pub(crate) fn new(token: SecretString) -> Self {
        Self { token }
    }

    /// Whether a token is the one that is kept out of sight here.
    pub(crate) fn is_of(&self, token: &SecretString) -> bool {
        self.token.expose_secret() == token.expose_secret()
    }

    /// A message, an id or a header value, cleaned and bounded.
    pub(crate) fn message(&self, text: &str) -> String {
        self.clean(text, MESSAGE)
    }

    /// The start of a body that is not what it should be.
    pub(crate) fn excerpt(&self, body: &[u8]) -> String {
        let start = body.get(..4096).unwrap_or(body);
        self.clean(&String::from_utf8_lossy(start), EXCERPT)
    }

    fn clean(&self, text: &str, limit: usize) -> String {
        // The token goes first: cutting or cleaning before could leave a part of it unrecognised.
        one_line(&text.replace(self.token.expose_secret(), "[token]"), limit)
    }
}

/// Text that no server sent, such as a stored path, cleaned and bounded.
pub(crate) fn stored(text: &str) -> String {
    one_line(text, MESSAGE)
}

fn one_line(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut length = 0_usize;
    for word in text.split(|c: char| c.is_whitespace() || is_hostile(c)).filter(|word| !word.is_empty()) {
        if length > 0 {
            out.push(' ');
            length += 1;
        }
        for c in word.chars() {
            if length >= limit {
                out.push('…');
                return out;
            }
            out.push(if c == '`' { '\'' } else { c });
            length += 1;
        }
    }
    out
}

/// Control characters, and those that reorder or hide the text around them.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaner() -> Cleaner {
        Cleaner::new(SecretString::from("HRKU-secret"))
    }

    #[test]
    fn control_and_direction_characters_are_removed() {
        let dirty = b"<html>\r\n\x1b[31m bad\xe2\x80\xae `gateway`\0</html>";
        assert_eq!(cleaner().excerpt(dirty), "<html> [31m bad 'gateway' </html>");
    }

    #[test]
    fn the_token_is_never_shown() {
        assert_eq!(cleaner().message("you sent HRKU-secret!"), "you sent [token]!");
        let late = format!("{}HRKU-secret", "x".repeat(EXCERPT - 4));
        assert!(!cleaner().excerpt(late.as_bytes()).contains("HRKU"));
    }

    #[test]
    fn an_excerpt_is_short() {
        let text = cleaner().excerpt("é".repeat(5_000).as_bytes());
        assert_eq!(text.chars().count(), EXCERPT + 1);
    }
}
