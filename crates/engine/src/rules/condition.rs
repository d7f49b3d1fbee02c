//! Conditions of rules: an expression, or a tree of comparisons.
//!
//! Invariant: no tree is deeper than [`MOST_DEPTH`].

use serde_json::Value as Json;

use super::content::Content;
use super::mistake::{Fields, Found};
use super::template::{Operator, Scope, Template, TemplateError, compare, truthy};

/// The greatest depth of a tree.
const MOST_DEPTH: usize = 16;

/// When an operation is carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A text such as `{{queries.query0.total > 0}}`.
    Template(Template),
    /// All of these.
    All(Vec<Condition>),
    /// One of these.
    Any(Vec<Condition>),
    /// `["queries.query0.total", ">", 0]`.
    Comparison {
        /// The value on the left.
        left: Template,
        /// How the two are to stand.
        operator: Operator,
        /// The value on the right.
        right: Content,
    },
    /// A sort of condition that is not known here; it never holds.
    Unknown(Box<str>),
}

impl Condition {
    /// Reads `{type: "FILTER", condition: …}`.
    pub(super) fn read(json: &Json, place: String, found: &mut Found) -> Option<Self> {
        let fields = Fields::of(json, place, found)?;
        let kind = fields.needed_text("type", found)?;
        if kind != "FILTER" {
            found.note(fields.at("type"), format!("`{kind}` is not known here, and never holds"));
            return Some(Self::Unknown(kind.into()));
        }
        for name in ["specVersion", "version"] {
            if fields.get(name).is_some_and(|version| version.as_u64() != Some(1)) {
                found.note(fields.at(name), "only version 1 is known; it is read as that");
            }
        }
        let at = fields.at("condition");
        let Some(condition) = fields.get("condition") else {
            found.mistake(at, "this is missing");
            return None;
        };
        Self::read_tree(condition, &at, found, 0)
    }

    /// Reads a text or a tree.
    pub(super) fn read_tree(json: &Json, place: &str, found: &mut Found, depth: usize) -> Option<Self> {
        match json {
            Json::String(text) => found.template(place, text).map(Self::Template),
            Json::Array(_) if depth == MOST_DEPTH => {
                found.mistake(place, format!("the condition is nested deeper than {MOST_DEPTH}"));
                None
            }
            Json::Array(items) => match &**items {
                [Json::String(word), rest @ ..] if matches!(&**word, "AND" | "OR") => {
                    let before = found.mistakes.len();
                    let inner = |(nth, item): (usize, &Json)| {
                        Self::read_tree(item, &format!("{place}[{}]", nth + 1), found, depth + 1)
                    };
                    let inner: Vec<Self> = rest.iter().enumerate().filter_map(inner).collect();
                    if inner.is_empty() && found.mistakes.len() == before {
                        found.mistake(place, format!("nothing stands behind {word}"));
                    }
                    Some(if word == "AND" { Self::All(inner) } else { Self::Any(inner) })
                }
                [Json::String(left), Json::String(operator), right] => {
                    Self::comparison((left, operator, right), place, found)
                }
                // A tree in one more pair of brackets.
                [inner @ Json::Array(_)] => Self::read_tree(inner, &format!("{place}[0]"), found, depth + 1),
                _ => {
                    found.mistake(
                        place,
                        "this is neither [\"AND\", …], [\"OR\", …] nor [value, operator, value]",
                    );
                    None
                }
            },
            _ => {
                found.mistake(place, "this should be a text or a list");
                None
            }
        }
    }

    fn comparison(
        (left, operator, right): (&str, &str, &Json),
        place: &str,
        found: &mut Found,
    ) -> Option<Self> {
        let known = match operator {
            ">" => Some(Operator::Greater),
            ">=" => Some(Operator::GreaterOrEqual),
            "<" => Some(Operator::Less),
            "<=" => Some(Operator::LessOrEqual),
            "=" | "==" => Some(Operator::Equal),
            "!=" => Some(Operator::Unequal),
            _ => None,
        };
        if known.is_none() {
            found.mistake(
                format!("{place}[1]"),
                format!("`{operator}` is no operator; there are > >= < <= = and !="),
            );
        }
        let read = if left.contains("{{") { Template::parse(left) } else { Template::expression(left) };
        let left = match read {
            Ok(left) => Some(left),
            Err(error) => {
                found.mistake(format!("{place}[0]"), error.to_string());
                None
            }
        };
        let right = Content::read(right, &format!("{place}[2]"), found);
        Some(Self::Comparison { left: left?, operator: known?, right })
    }

    /// Whether it holds.
    ///
    /// # Errors
    ///
    /// As [`Template::evaluate`].
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, TemplateError> {
        match self {
            Self::Template(template) => template.evaluate(scope).map(|value| truthy(&value)),
            Self::All(inner) => {
                for condition in inner {
                    if !condition.holds(scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(inner) => {
                for condition in inner {
                    if condition.holds(scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Comparison { left, operator, right } => {
                Ok(compare(*operator, &left.evaluate(scope)?, &right.evaluate(scope)?))
            }
            Self::Unknown(_) => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::template::{Budget, Templates};
    use super::*;

    fn read(condition: &Json) -> Result<Condition, Vec<String>> {
        let mut found = Found::default();
        let document = json!({ "type": "FILTER", "condition": condition });
        let read = Condition::read(&document, "when".into(), &mut found);
        let told: Vec<String> = found.mistakes.iter().map(ToString::to_string).collect();
        read.filter(|_| told.is_empty()).ok_or(told)
    }

    fn holds(condition: &Json) -> bool {
        let inputs = json!({ "queries": { "a": { "total": 2 }, "b": { "total": 0 } }, "alertLevel": "LOW" });
        let (templates, budget) = (Templates::new(), Budget::default());
        let scope = Scope::new(inputs.as_object().unwrap(), &templates, &budget);
        read(condition).unwrap().holds(&scope).unwrap()
    }

    #[test]
    fn both_forms_say_the_same() {
        for (tree, text) in [
            (json!(["queries.a.total", ">", 0]), "{{queries.a.total > 0}}"),
            (json!(["queries.b.total", "!=", 0]), "{{queries.b.total != 0}}"),
            (
                json!(["AND", ["queries.a.total", ">=", 2], ["alertLevel", "=", "LOW"]]),
                "{{queries.a.total >= 2 && alertLevel == 'LOW'}}",
            ),
            (
                json!(["OR", ["queries.b.total", ">", 0], ["AND", ["queries.a.total", "<", 2]]]),
                "{{queries.b.total > 0 || queries.a.total < 2}}",
            ),
            (
                json!([["queries.a.total", "=", "{{queries.b.total + 2}}"]]),
                "{{queries.a.total == queries.b.total + 2}}",
            ),
            (
                json!(["OR", "{{queries.a.total == 2}}", ["queries.c.total", "<", 9]]),
                "{{queries.a.total == 2}}",
            ),
        ] {
            assert_eq!(holds(&tree), holds(&json!(text)), "{text}");
        }
        assert!(holds(&json!("{{queries.a.total > 0}}")) && !holds(&json!("{{queries.c.total > 0}}")));
    }

    #[test]
    fn mistakes_are_named_by_their_place() {
        let deep = (0..20).fold(json!(["a", ">", 0]), |inner, _| json!(["AND", inner]));
        for (condition, told) in [
            (json!(["queries.a.total", "~", 0]), "when.condition[1]: `~` is no operator"),
            (json!(["AND", ["a b", ">", 0]]), "when.condition[1][0]: at character 3"),
            (json!(["AND"]), "when.condition: nothing stands behind AND"),
            (json!("{{queries.a.total >}}"), "when.condition: at character 20"),
            (json!(7), "when.condition: this should be a text or a list"),
            (json!(["x", 1]), "when.condition: this is neither"),
            (deep, "nested deeper than 16"),
        ] {
            let mistakes = read(&condition).unwrap_err();
            assert!(mistakes.iter().any(|mistake| mistake.contains(told)), "{told}: {mistakes:?}");
        }
    }
}
