//! Shared texts: what many objects have in common stands in memory once.

use std::collections::HashSet;
use std::sync::Arc;

use metsuke_clients::heroku::wire;
use metsuke_model::{HerokuId, Moment};
use serde_json::{Map, Value, json};

/// Documents of properties, each distinct one once.
#[derive(Debug, Default)]
pub(super) struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// The canonical text of a row's remaining properties: names sorted, nulls left out.
    pub(super) fn properties(&mut self, mut rest: Map<String, Value>) -> Arc<str> {
        rest.retain(|_, value| !value.is_null());
        let text = Value::Object(rest).to_string();
        if let Some(shared) = self.0.get(text.as_str()) {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = text.into();
        self.0.insert(Arc::clone(&shared));
        shared
    }
}

/// A text column's value.
pub(super) fn text(value: Option<&str>) -> Option<Box<str>> {
    value.map(Into::into)
}

/// A time column's value; a text that is no time counts as none.
pub(super) fn time(value: Option<&str>) -> Option<Moment> {
    value.and_then(Moment::parse)
}

/// A reference column's value.
pub(super) fn reference(value: Option<&str>) -> Option<HerokuId> {
    value.filter(|id| !id.is_empty()).map(HerokuId::new)
}

/// A number column's value; fractions are cut.
#[expect(
    clippy::cast_possible_truncation,
    reason = "sizes that are sent as fractions are cut, out-of-range ones saturate"
)]
pub(super) fn number(value: Option<&serde_json::Number>) -> Option<i64> {
    value.and_then(|number| number.as_i64().or_else(|| number.as_f64().map(|fraction| fraction as i64)))
}

/// A named thing as a property: its name where it has one, else its id.
pub(super) fn named(value: Option<&wire::Named>) -> Value {
    value
        .and_then(|named| named.name.as_deref().or(named.id.as_deref()))
        .map_or(Value::Null, |name| json!(name))
}

/// An identity provider as a property.
pub(super) fn provider(value: Option<&wire::IdentityProvider>) -> Value {
    value.map_or(Value::Null, |provider| {
        json!(provider.name.as_deref().or(provider.slug.as_deref()).or(provider.id.as_deref()))
    })
}
