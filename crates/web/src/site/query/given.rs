//! What a question leaves open, as fields of a form.
//!
//! Invariant: a value is read as the command line reads it: numbers and lists where they are written or expected, else texts.

use metsuke_engine::questions::{Parameter, names};
use serde_json::Value;

use crate::site::asked::Asked;

/// The most fields of a form.
const MOST: usize = 20;

/// One parameter and what somebody says it is.
pub(super) struct Given {
    pub(super) name: String,
    pub(super) meaning: String,
    pub(super) value: String,
    pub(super) example: String,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    List,
    Unsaid,
}

impl Given {
    /// The value, for the engine.
    pub(super) fn json(&self) -> Value {
        let text = || Value::String(self.value.clone());
        match self.kind {
            Kind::Text => text(),
            Kind::Number => {
                self.value.trim().parse::<serde_json::Number>().map_or_else(|_| text(), Value::Number)
            }
            Kind::List => self.value.split(',').map(|one| Value::String(one.trim().to_owned())).collect(),
            Kind::Unsaid => match serde_json::from_str(&self.value) {
                Ok(Value::Null | Value::Object(_)) | Err(_) => text(),
                Ok(value) => value,
            },
        }
    }
}

/// The parameters of a text, each with the value that the address or the question says.
pub(super) fn given(text: &str, ready: Option<&[Parameter]>, asked: &Asked) -> Vec<Given> {
    let mut found: Vec<Given> = Vec::new();
    for name in names(text) {
        if found.len() == MOST || found.iter().any(|known| known.name == name) {
            continue;
        }
        let known = ready.and_then(|ready| ready.iter().find(|known| *known.name == *name));
        let default = known.and_then(|known| known.default.as_ref());
        let example = known.and_then(|known| known.example.as_ref());
        let said = asked.get(&format!("p.{name}")).map(ToOwned::to_owned);
        let kind = match (known.is_some(), default.or(example)) {
            (_, Some(Value::Number(_))) => Kind::Number,
            (_, Some(Value::Array(_))) => Kind::List,
            (true, _) => Kind::Text,
            (false, _) => Kind::Unsaid,
        };
        found.push(Given {
            meaning: known.map_or_else(|| format!("${{{name}}}"), |known| known.meaning.to_string()),
            value: said.or_else(|| default.map(plain)).unwrap_or_default(),
            example: example.map(plain).unwrap_or_default(),
            name: name.to_owned(),
            kind,
        });
    }
    found
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use metsuke_engine::questions::find;

    use super::*;

    fn asked(query: &str) -> Asked {
        Asked::of(&format!("/query?{query}").parse().unwrap())
    }

    #[test]
    fn a_ready_question_brings_its_defaults_and_says_what_it_needs() {
        let days = find("old-invitations").unwrap();
        let given_days = given(&days.text(), Some(&days.variables), &asked(""));
        assert_eq!(given_days.first().map(|one| (one.value.as_str(), one.json())), Some(("30", 30.into())));
        let app = find("app-access").unwrap();
        let none = given(&app.text(), Some(&app.variables), &asked(""));
        assert!(none.iter().any(|one| one.name == "app" && one.value.is_empty()));
        let some = given(&app.text(), Some(&app.variables), &asked("p.app=123"));
        assert_eq!(some.first().map(Given::json), Some("123".into()));
    }

    #[test]
    fn what_nobody_describes_is_read_as_it_is_written() {
        let values = given(
            "FIND x WITH a = ${n} AND b = ${l} OR c = ${n} ${bad name}",
            None,
            &asked("p.n=7&p.l=%5B%22a%22%5D"),
        );
        let read: Vec<_> = values.iter().map(|one| (one.name.as_str(), one.json())).collect();
        assert_eq!(read, [("n", 7.into()), ("l", serde_json::json!(["a"]))]);
    }
}
