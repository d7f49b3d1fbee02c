//! The pipes: what `a | name(b)` makes of a value.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::scope::Scope;
use super::value::{equal, property, text_of};

/// A pipe by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipe {
    /// Each element in the words of a named template, which has it as `item`, with `itemIndex` and `itemCount`.
    MapTemplate,
    /// A property of each element; of several, objects with these.
    MapProperty,
    /// The elements in one text, with something between them.
    Join,
    /// The elements of this list and of others.
    Merge,
    /// The different values of a property.
    UniquePropertyValues,
    /// How many elements, letters or members.
    Length,
}

impl Pipe {
    /// Every pipe.
    pub(super) const ALL: [Self; 6] = [
        Self::MapTemplate,
        Self::MapProperty,
        Self::Join,
        Self::Merge,
        Self::UniquePropertyValues,
        Self::Length,
    ];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MapTemplate => "mapTemplate",
            Self::MapProperty => "mapProperty",
            Self::Join => "join",
            Self::Merge => "merge",
            Self::UniquePropertyValues => "uniquePropertyValues",
            Self::Length => "length",
        }
    }

    /// How few and how many values it may be given beside the one before it.
    pub(super) const fn takes(self) -> (usize, usize) {
        match self {
            Self::MapTemplate | Self::UniquePropertyValues => (1, 1),
            Self::MapProperty | Self::Merge => (1, 16),
            Self::Join => (0, 1),
            Self::Length => (0, 0),
        }
    }

    pub(super) fn apply(
        self,
        scope: &Scope<'_>,
        value: &Json,
        given: &[Cow<'_, Json>],
    ) -> Result<Json, String> {
        let first = given.first().map(|value| text_of(value)).unwrap_or_default();
        let made = match self {
            Self::MapTemplate => return map_template(scope, value, &first),
            Self::MapProperty => {
                let names: Vec<Cow<'_, str>> = given.iter().map(|value| text_of(value)).collect();
                elements(value).iter().map(|item| properties(item, &names)).collect()
            }
            Self::Join => Json::String(joined(value, if given.is_empty() { "," } else { &first })),
            Self::Merge => {
                let lists = std::iter::once(value).chain(given.iter().map(|value| &**value));
                lists.flat_map(elements).cloned().collect()
            }
            Self::UniquePropertyValues => unique(value, &first, scope)?,
            Self::Length => length(value).into(),
        };
        Ok(made)
    }
}

/// The elements of a list; of anything else, itself; of nothing, none.
fn elements(value: &Json) -> &[Json] {
    match value {
        Json::Array(items) => items,
        Json::Null => &[],
        other => std::slice::from_ref(other),
    }
}

fn map_template(scope: &Scope<'_>, value: &Json, name: &str) -> Result<Json, String> {
    let Some(template) = scope.templates.get(name) else {
        let mut known = String::new();
        for name in scope.templates.keys() {
            let _infallible = write!(known, "{}`{name}`", if known.is_empty() { "" } else { ", " });
        }
        let known =
            if known.is_empty() { "the rule has none".to_owned() } else { format!("there are {known}") };
        return Err(format!("there is no template `{name}`: {known}"));
    };
    let items = elements(value);
    let count = Json::from(items.len());
    let mut made = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let index = Json::from(place);
        let inner = scope.with("item", item);
        let inner = inner.with("itemIndex", &index);
        let inner = inner.with("itemCount", &count);
        made.push(
            scope
                .budget
                .within(|| template.evaluate(&inner).map_err(|error| format!("template `{name}` {error}")))?,
        );
    }
    Ok(Json::Array(made))
}

fn properties(item: &Json, names: &[Cow<'_, str>]) -> Json {
    match names {
        [name] => property(item, name).cloned().unwrap_or_default(),
        names => {
            let of = |name: &Cow<'_, str>| {
                (name.clone().into_owned(), property(item, name).cloned().unwrap_or_default())
            };
            Json::Object(names.iter().map(of).collect::<Map<_, _>>())
        }
    }
}

fn joined(value: &Json, between: &str) -> String {
    elements(value).iter().map(|item| text_of(item)).collect::<Vec<_>>().join(between)
}

fn unique(value: &Json, name: &str, scope: &Scope<'_>) -> Result<Json, String> {
    let mut found: Vec<Json> = Vec::new();
    for item in elements(value) {
        let Some(value) = property(item, name).filter(|value| !value.is_null()) else { continue };
        let mut known = false;
        for other in &found {
            scope.budget.step()?;
            if equal(other, value) {
                known = true;
                break;
            }
        }
        if !known {
            found.push(value.clone());
        }
    }
    Ok(Json::Array(found))
}

fn length(value: &Json) -> usize {
    match value {
        Json::Array(items) => items.len(),
        Json::Object(members) => members.len(),
        Json::String(text) => text.chars().count(),
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
    }
}
