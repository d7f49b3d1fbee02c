//! Lists as CSV: one line a row, the columns that the list names.
//!
//! Invariant: no cell is a formula for a spreadsheet, and every row has the same columns.

use serde_json::Value;

use crate::site::escape::spelled;

/// The columns of a list: what each is called, and where it stands in a row's JSON.
pub(crate) type Columns = &'static [(&'static str, &'static str)];

/// Rows as CSV.
pub(crate) fn csv(columns: Columns, rows: &[Value]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail.
    drop(writer.write_record(columns.iter().map(|(name, _)| *name)));
    for row in rows {
        drop(writer.write_record(columns.iter().map(|(_, place)| cell(row.pointer(place)))));
    }
    writer.into_inner().unwrap_or_default()
}

/// Rows as CSV whose columns are members that only the rows know.
pub(crate) fn sheet(columns: &[String], rows: &[Value]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail.
    drop(writer.write_record(columns.iter().map(|name| harmless(name))));
    for row in rows {
        drop(writer.write_record(columns.iter().map(|name| cell(row.get(name)))));
    }
    writer.into_inner().unwrap_or_default()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => harmless(text),
        Some(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
        Some(value) => harmless(&value.to_string()),
    }
}

/// Puts an apostrophe before what a spreadsheet would take for a formula, and spells out what steers a terminal or reorders text.
///
/// Source: <https://owasp.org/www-community/attacks/CSV_Injection>
fn harmless(text: &str) -> String {
    let text = spelled(text);
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_what_is_absent_is_empty() {
        let columns: Columns = &[("name", "/name"), ("id", "/on/id"), ("direct", "/direct")];
        let rows = [json!({"name": "=1+1", "direct": true}), json!({"name": "a,b", "on": {"id": "x"}})];
        let text = String::from_utf8(csv(columns, &rows)).unwrap();
        assert_eq!(text, "name,id,direct\n'=1+1,,true\n\"a,b\",x,\n");
        let steering = [json!({"name": "a\u{1b}[31m\u{202e}\nb"})];
        let text = String::from_utf8(csv(columns, &steering)).unwrap();
        assert_eq!(text, "name,id,direct\n\"a\\u{1b}[31m\\u{202e}\nb\",,\n");
    }
}
