//! Readers of fields whose form differs between lists, and of fields that must not be kept.
//!
//! They are about form only; a role that nobody knows passes through.
//!
//! Invariant: null is always accepted.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::Rest;

/// The name of a permission, verbatim; the well-known ones take no memory of their own.
pub type Slug = Cow<'static, str>;

/// A list of permissions, as names or as objects that have a `name`.
pub(super) fn slugs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Slug>, D::Error> {
    deserializer.deserialize_any(SlugsVisitor)
}

/// What is left of a row, without what could be a secret.
pub(super) fn harmless<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rest, D::Error> {
    let mut rest = Rest::deserialize(deserializer)?;
    drop_secrets(&mut rest);
    Ok(rest)
}

fn drop_secrets(object: &mut Rest) {
    object.retain(|name, value| !is_secret(name, value));
    object.values_mut().for_each(drop_nested_secrets);
}

fn drop_nested_secrets(value: &mut Value) {
    match value {
        Value::Object(object) => drop_secrets(object),
        Value::Array(items) => items.iter_mut().for_each(drop_nested_secrets),
        _ => {}
    }
}

/// Whether a field may give access to something; flags and numbers about secrets are not secrets.
fn is_secret(name: &str, value: &Value) -> bool {
    const MARKS: [&str; 8] = [
        "token",
        "secret",
        "password",
        "api_key",
        "credential",
        "private_key",
        "sms_number",
        "log_input_url",
    ];
    let name = name.to_ascii_lowercase();
    !matches!(value, Value::Bool(_) | Value::Null | Value::Number(_))
        && MARKS.iter().any(|mark| name.contains(mark))
}

struct SlugsVisitor;

impl<'de> Visitor<'de> for SlugsVisitor {
    type Value = Vec<Slug>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of permissions")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut slugs = Vec::new();
        while let Some(OneSlug(slug)) = items.next_element()? {
            slugs.push(slug);
        }
        Ok(slugs)
    }
}

struct OneSlug(Slug);

impl<'de> Deserialize<'de> for OneSlug {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SlugVisitor).map(Self)
    }
}

struct SlugVisitor;

impl<'de> Visitor<'de> for SlugVisitor {
    type Value = Slug;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a permission, or an object with a `name`")
    }

    fn visit_str<E>(self, name: &str) -> Result<Slug, E> {
        Ok(match name {
            "view" => Cow::Borrowed("view"),
            "deploy" => Cow::Borrowed("deploy"),
            "operate" => Cow::Borrowed("operate"),
            "manage" => Cow::Borrowed("manage"),
            "create" => Cow::Borrowed("create"),
            "billing" => Cow::Borrowed("billing"),
            "create_apps" => Cow::Borrowed("create_apps"),
            other => Cow::Owned(other.to_owned()),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Slug, A::Error> {
        let mut found = None;
        while let Some(field) = fields.next_key::<Cow<'de, str>>()? {
            if field == "name" {
                found = Some(fields.next_value::<OneSlug>()?.0);
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| serde::de::Error::missing_field("name"))
    }
}
