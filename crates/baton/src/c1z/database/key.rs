//! Entries of an index as keys whose bytes sort as SQLite sorts the entries.
//!
//! Only what the tables' indexes hold: nothing, and texts; the number of the row is always the last part.
//!
//! Invariant: [`entry`] makes of a key what [`append_column`] and [`append_row`] were given.

use super::record::{self, Value};

/// The most columns that an index has, the number of the row not counted.
const MOST: usize = 3;

/// What stands before nothing, and before a text.
const NOTHING: u8 = 1;
const TEXT: u8 = 2;
/// Ends a text, and stands before the two letters that would otherwise end it, or hide that something stands here.
const END: u8 = 0;
const ESCAPE: u8 = 1;

/// Appends a column; `false` where it is neither nothing nor a text.
pub(super) fn append_column(value: Value<'_>, key: &mut Vec<u8>) -> bool {
    match value {
        Value::Null => key.push(NOTHING),
        Value::Text(text) => {
            key.push(TEXT);
            append_text(text, key);
            key.push(END);
        }
        Value::Int(_) | Value::Real(_) | Value::Blob(_) => return false,
    }
    true
}

fn append_text(text: &[u8], key: &mut Vec<u8>) {
    if text.iter().all(|byte| *byte > ESCAPE) {
        key.extend_from_slice(text);
        return;
    }
    for byte in text {
        match *byte {
            END => key.extend_from_slice(&[ESCAPE, 1]),
            ESCAPE => key.extend_from_slice(&[ESCAPE, 2]),
            other => key.push(other),
        }
    }
}

/// Appends the number of the row.
pub(super) fn append_row(row: i64, key: &mut Vec<u8>) {
    key.extend_from_slice(&row.to_be_bytes());
}

/// The part of a key before the number of its row; what is unique has it once.
pub(super) fn columns(key: &[u8]) -> &[u8] {
    key.split_at_checked(key.len().saturating_sub(8)).map_or(key, |(columns, _)| columns)
}

/// Whether a column holds nothing, so that what is unique may repeat.
pub(super) fn holds_nothing(columns: &[u8]) -> bool {
    let mut texts = Vec::new();
    let (parts, count) = split(columns, &mut texts);
    parts.iter().take(count).any(Option::is_none)
}

/// The first column, as far as it is a text.
pub(super) fn first_column(columns: &[u8]) -> String {
    let mut texts = Vec::new();
    let (parts, _) = split(columns, &mut texts);
    let first = parts.first().and_then(|part| text(*part, &texts));
    String::from_utf8_lossy(first.unwrap_or(&[])).into_owned()
}

/// Appends the entry: the columns, the number of the row where it is a column too, and the number of the row.
pub(super) fn entry(key: &[u8], numbers: usize, texts: &mut Vec<u8>, out: &mut Vec<u8>) {
    texts.clear();
    let front = columns(key);
    let row = key.get(front.len()..).and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_be_bytes);
    let (parts, count) = split(front, texts);
    let mut values = [Value::Null; MOST + 2];
    for (value, part) in values.iter_mut().zip(parts).take(count) {
        *value = text(part, texts).map_or(Value::Null, Value::Text);
    }
    values.iter_mut().skip(count).take(numbers).for_each(|value| *value = Value::Int(row));
    record::append(values.get(..count + numbers).unwrap_or(&values), out);
}

/// Where a column's text begins and ends; nothing has no place.
type Part = Option<(usize, usize)>;

fn text(part: Part, texts: &[u8]) -> Option<&[u8]> {
    part.and_then(|(start, end)| texts.get(start..end))
}

/// Takes columns apart, and counts them; the texts go to `texts`.
fn split(mut columns: &[u8], texts: &mut Vec<u8>) -> ([Part; MOST], usize) {
    let mut parts = [None; MOST];
    let mut count = 0;
    for part in &mut parts {
        let Some((tag, mut rest)) = columns.split_first() else { break };
        count += 1;
        if *tag == NOTHING {
            columns = rest;
            continue;
        }
        let start = texts.len();
        loop {
            let end = rest.iter().position(|byte| *byte <= ESCAPE).unwrap_or(rest.len());
            texts.extend_from_slice(rest.get(..end).unwrap_or(rest));
            let Some([ESCAPE, letter]) = rest.get(end..end + 2) else {
                columns = rest.get(end + 1..).unwrap_or(&[]);
                break;
            };
            texts.push(letter.wrapping_sub(1));
            rest = rest.get(end + 2..).unwrap_or(&[]);
        }
        *part = Some((start, texts.len()));
    }
    (parts, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(columns: &[Value<'_>], row: i64) -> Vec<u8> {
        let mut key = Vec::new();
        assert!(columns.iter().all(|column| append_column(*column, &mut key)));
        append_row(row, &mut key);
        key
    }

    #[test]
    fn keys_sort_as_entries_do() {
        let ordered = [
            key(&[Value::Null, Value::text("z")], 9),
            key(&[Value::text(""), Value::text("z")], 9),
            key(&[Value::text("\0"), Value::text("")], 9),
            key(&[Value::text("\0\0"), Value::text("")], 1),
            key(&[Value::text("\u{1}"), Value::text("")], 1),
            key(&[Value::text("a"), Value::Null], 1),
            key(&[Value::text("a"), Value::text("")], 1),
            key(&[Value::text("a"), Value::text("b")], 1),
            key(&[Value::text("a"), Value::text("b")], 2),
            key(&[Value::text("a\0"), Value::text("a")], 0),
            key(&[Value::text("aa"), Value::text("a")], 0),
        ];
        assert!(ordered.is_sorted());
    }

    #[test]
    fn an_entry_is_what_the_key_was_made_of() {
        let columns = [Value::text("a\0\u{1}b"), Value::Null, Value::text("")];
        let key = key(&columns, 70_000);
        let (mut texts, mut made, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        entry(&key, 2, &mut texts, &mut made);
        let row = Value::Int(70_000);
        record::append(&[columns[0], columns[1], columns[2], row, row], &mut expected);
        assert_eq!(made, expected);
        assert!(holds_nothing(super::columns(&key)));
        assert_eq!(first_column(super::columns(&key)), "a\0\u{1}b");
    }

    #[test]
    fn what_is_no_text_is_no_column_of_an_index() {
        assert!(!append_column(Value::Blob(b"a"), &mut Vec::new()));
    }
}
