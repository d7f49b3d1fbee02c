//! The arguments of a tool: what is known of them before an operation reads them.
//!
//! Invariant: an argument that the tool does not have is refused, and so is a call without one that it needs.

use serde_json::{Map, Value};

use crate::error::ApiError;

/// Rows where nobody says how many.
const ROWS: u64 = 50;
/// The most rows: more than that nobody reads, neither a person nor a model.
pub(super) const MOST_ROWS: u64 = 500;

/// The arguments of one call.
#[derive(Debug)]
pub(super) struct Arguments(pub(super) Map<String, Value>);

impl Arguments {
    /// Holds them against the schema of the tool.
    pub(super) fn read(given: Option<&Value>, schema: &Value) -> Result<Self, ApiError> {
        let given = match given {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(given)) => given.clone(),
            Some(_) => return Err(ApiError::invalid("arguments", "they are an object")),
        };
        let given: Map<String, Value> = given.into_iter().filter(|(_, value)| !value.is_null()).collect();
        let known = schema["properties"].as_object();
        if let Some(other) = given.keys().find(|name| !known.is_some_and(|known| known.contains_key(*name))) {
            let names: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let told = format!("this tool has no such argument; it has: {}", names.join(", "));
            return Err(ApiError::invalid(&super::inert::line(other), told));
        }
        let needed = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in needed {
            if !given.contains_key(name) {
                return Err(ApiError::invalid(name, "it is needed"));
            }
        }
        Ok(Self(given))
    }

    /// A text that is there.
    pub(super) fn take_text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
            Some(_) => Err(ApiError::invalid(name, "it is a text that is not empty")),
        }
    }

    pub(super) fn need_text(&mut self, name: &str) -> Result<String, ApiError> {
        self.take_text(name)?.ok_or_else(|| ApiError::invalid(name, "it is needed"))
    }

    /// The number of rows, by whichever name, as an operation takes it.
    pub(super) fn bound(&mut self, name: &str) -> Result<(), ApiError> {
        let asked = match self.0.get(name) {
            None => ROWS,
            Some(value) => value.as_u64().unwrap_or_default(),
        };
        if asked == 0 || asked > MOST_ROWS {
            return Err(ApiError::invalid(name, format!("it is a number from 1 to {MOST_ROWS}")));
        }
        self.0.insert(name.to_owned(), asked.into());
        Ok(())
    }

    /// Gives an argument the name that the operation knows it by.
    pub(super) fn rename(&mut self, own: &str, theirs: &str) {
        if let Some(value) = self.0.remove(own) {
            self.0.insert(theirs.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_and_missing_arguments_are_refused_by_name() {
        let schema = json!({ "properties": { "app": {}, "limit": {} }, "required": ["app"] });
        let read = |given: Value| Arguments::read(Some(&given), &schema);
        assert!(read(json!({ "app": "x", "limit": null })).is_ok());
        for (given, wrong) in
            [(json!({}), "app"), (json!({ "app": "x", "y": 1 }), "y"), (json!([]), "arguments")]
        {
            assert_eq!(read(given).unwrap_err().fields[0].name, wrong);
        }
        let mut arguments = read(json!({ "app": "x", "limit": 501 })).unwrap();
        assert!(arguments.bound("limit").is_err());
        arguments.0.remove("limit");
        arguments.bound("limit").unwrap();
        assert_eq!(arguments.0["limit"], ROWS);
    }
}
