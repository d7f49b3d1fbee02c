//! Makes what comes from outside inert: nothing that controls, hides or turns the text around it.
//!
//! It does not judge what a text says; who reads it is told that it is data.
//!
//! Invariant: the shape of an answer stays, and so do line breaks and tabs, which JSON writes as two letters.

use serde_json::{Map, Value};

/// The longest excerpt of what a client sent that is told back.
const EXCERPT: usize = 100;

/// The same, with a visible sign for each hostile letter, in values and names alike.
pub(super) fn value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(inert(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(self::value).collect()),
        Value::Object(members) => {
            let member = |(name, value)| (inert(name), self::value(value));
            Value::Object(members.into_iter().map(member).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// One short line of what a client sent.
pub(super) fn line(text: &str) -> String {
    let visible = |c: char| if c == '\n' || c == '\t' || c == '`' || hostile(c) { '\u{fffd}' } else { c };
    text.chars().take(EXCERPT).map(visible).collect()
}

fn inert(text: String) -> String {
    if text.chars().any(hostile) {
        text.chars().map(|c| if hostile(c) { '\u{fffd}' } else { c }).collect()
    } else {
        text
    }
}

/// Control characters, and those that hide, or turn the text around them; among them the ones that nobody sees and models
/// read all the same.
fn hostile(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_turns_or_hides_and_the_shape_stays() {
        let told = json!({ "a\u{202e}b": ["x\u{1b}[31m", { "y": "z\u{e0041}\n" }], "n": 1, "t": true });
        let inert = json!({ "a\u{fffd}b": ["x\u{fffd}[31m", { "y": "z\u{fffd}\n" }], "n": 1, "t": true });
        assert_eq!(value(told), inert);
        assert_eq!(line("a\n`b`"), "a\u{fffd}\u{fffd}b\u{fffd}");
    }
}
