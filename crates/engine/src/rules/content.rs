//! Any JSON with expressions in its texts: what actions send.

use serde_json::{Map, Value as Json};

use super::mistake::Found;
use super::template::{Scope, Template, TemplateError};

/// JSON whose texts may hold expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A text with expressions.
    Template(Template),
    /// Anything without one.
    Plain(Json),
    /// A list.
    List(Vec<Content>),
    /// An object.
    Object(Vec<(Box<str>, Content)>),
}

impl Content {
    /// Reads it, naming mistakes by their place.
    pub(super) fn read(json: &Json, place: &str, found: &mut Found) -> Self {
        match json {
            Json::String(text) => match found.template(place, text) {
                Some(template) if !template.is_plain() => Self::Template(template),
                _ => Self::Plain(json.clone()),
            },
            Json::Array(items) => {
                let item = |(nth, item): (usize, &Json)| Self::read(item, &format!("{place}[{nth}]"), found);
                Self::List(items.iter().enumerate().map(item).collect())
            }
            Json::Object(members) => {
                let mut member = |(name, value): (&String, &Json)| {
                    (name.as_str().into(), Self::read(value, &format!("{place}.{name}"), found))
                };
                Self::Object(members.iter().map(&mut member).collect())
            }
            other => Self::Plain(other.clone()),
        }
    }

    /// What it comes to.
    ///
    /// # Errors
    ///
    /// As [`Template::evaluate`].
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Json, TemplateError> {
        match self {
            Self::Template(template) => template.evaluate(scope),
            Self::Plain(value) => Ok(value.clone()),
            Self::List(items) => items.iter().map(|item| item.evaluate(scope)).collect(),
            Self::Object(members) => {
                let member =
                    |(name, value): &(Box<str>, Self)| Ok((name.to_string(), value.evaluate(scope)?));
                members.iter().map(member).collect::<Result<Map<_, _>, _>>().map(Json::Object)
            }
        }
    }
}
