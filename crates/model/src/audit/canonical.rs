//! One spelling for one JSON value, so that a hash of the text is a hash of the value.
//!
//! It does not know what the value means.
//!
//! Invariant: the text is that of RFC 8785 (JSON Canonicalization Scheme): members sorted by the UTF-16 code
//! units of their names, no spaces, the shortest escapes. Fractions and whole numbers of more than 53 bits,
//! which are where implementations differ, are refused. Nothing here leaves the spelling to a library.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc8785>

use std::fmt::Write as _;

use serde_json::{Number, Value};

use super::AuditError;

/// The largest whole number that every JSON reader understands: 2^53 - 1.
pub(super) const LARGEST: u64 = (1 << 53) - 1;

/// How deep arrays and objects may stand inside each other.
const DEPTH: usize = 64;

/// The canonical text of a value.
///
/// # Errors
///
/// [`AuditError::Number`] and [`AuditError::TooDeep`].
pub(super) fn text(value: &Value) -> Result<String, AuditError> {
    let mut out = String::new();
    write_value(value, DEPTH, &mut out)?;
    Ok(out)
}

/// The canonical text of a string, quotes included.
pub(super) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    out
}

fn write_value(value: &Value, depth: usize, out: &mut String) -> Result<(), AuditError> {
    let inner = || depth.checked_sub(1).ok_or(AuditError::TooDeep { limit: DEPTH });
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out)?,
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            let inner = inner()?;
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, inner, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            let inner = inner()?;
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            out.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(name, out);
                out.push(':');
                write_value(member, inner, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_number(number: &Number, out: &mut String) -> Result<(), AuditError> {
    let refused = || AuditError::Number { number: number.to_string() };
    let size = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64()).ok_or_else(refused)?;
    if size > LARGEST {
        return Err(refused());
    }
    if number.is_i64() && !number.is_u64() {
        out.push('-');
    }
    out.push_str(&size.to_string());
    Ok(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            // Writing into a string cannot fail.
            '\0'..'\u{20}' => drop(write!(out, "\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Any JSON value without fractions.
    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::hash_map(any::<String>(), inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_reads_back_and_is_spelled_the_same_again(value in any_value()) {
            let once = text(&value).unwrap();
            let read: Value = serde_json::from_str(&once).unwrap();
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(text(&read).unwrap(), once);
        }
    }

    #[test]
    fn the_example_of_the_standard_is_spelled_as_it_says() {
        // RFC 8785, 3.2.3: sorted by UTF-16, which puts a surrogate pair before U+FB33.
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis",
        });
        let wanted = [
            r#"{"\r":"Carriage Return","1":"One","#,
            "\"\u{80}\":\"Control\",\"\u{f6}\":\"Latin Small Letter O With Diaeresis\",",
            "\"\u{20ac}\":\"Euro Sign\",\"\u{1f600}\":\"Emoji: Grinning Face\",",
            "\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
        ];
        assert_eq!(text(&value).unwrap(), wanted.concat());
        assert_eq!(
            text(&json!("\u{20ac}$\u{f}\nA'B\"\\\\\"/")).unwrap(),
            "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\""
        );
    }

    #[test]
    fn numbers_that_readers_understand_differently_are_refused() {
        for number in ["1.5", "1e3", "-0", "9007199254740992", "-9007199254740992", "18446744073709551615"] {
            let value: Value = serde_json::from_str(number).unwrap();
            assert!(matches!(text(&value), Err(AuditError::Number { .. })), "{number}");
        }
        assert_eq!(text(&json!([0, -1, LARGEST])).unwrap(), "[0,-1,9007199254740991]");
    }

    #[test]
    fn depth_has_a_limit() {
        let nested = |depth: usize| (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert!(text(&nested(DEPTH)).is_ok());
        assert!(matches!(text(&nested(DEPTH + 1)), Err(AuditError::TooDeep { .. })));
    }
}
