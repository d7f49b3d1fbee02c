//! The settings as `config` prints them: the message `c1.config.v1.Configuration` in protobuf's JSON.
//!
//! Settings that matter only where the program runs are left out, and so are the relations among them.
//!
//! Source: the mapping of protobuf to JSON: fields in the order of the message, nothing that equals its zero, 64-bit
//! numbers as words.
//!
//! Invariant: it is made of the table of settings alone, so it cannot disagree with the flags.

use serde::Serialize;

use crate::fields::{self, Field, Kind, Part};

/// The whole message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    fields: Vec<FieldMessage>,
    display_name: &'static str,
    help_url: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FieldMessage {
    name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    display_name: &'static str,
    description: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    is_required: bool,
    #[serde(skip_serializing_if = "is_false")]
    is_ops: bool,
    #[serde(skip_serializing_if = "is_false")]
    is_secret: bool,
    #[serde(flatten)]
    field: Variant,
}

#[derive(Debug, Serialize)]
enum Variant {
    #[serde(rename = "stringField")]
    Text(Shape<&'static str>),
    #[serde(rename = "intField")]
    Number(Shape<String>),
    #[serde(rename = "boolField")]
    Flag(Shape<bool>),
    #[serde(rename = "stringSliceField")]
    List(Shape<Vec<String>>),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Rules>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rules {
    #[serde(skip_serializing_if = "Option::is_none")]
    lte: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gte: Option<String>,
    #[serde(rename = "in", skip_serializing_if = "<[_]>::is_empty")]
    one_of: &'static [&'static str],
    #[serde(skip_serializing_if = "is_false")]
    is_required: bool,
}

/// The document, without a line end.
///
/// # Errors
///
/// Never in practice; the writer's own.
pub(crate) fn document() -> serde_json::Result<String> {
    let operations = fields::all().filter(|field| field.part == Part::Operations);
    let connector = fields::all().filter(|field| matches!(field.part, Part::Connector(_)));
    serde_json::to_string_pretty(&Configuration {
        fields: operations.chain(connector).map(message).collect(),
        display_name: "Heroku",
        help_url: "https://devcenter.heroku.com/articles/platform-api-reference",
    })
}

fn message(field: &Field) -> FieldMessage {
    FieldMessage {
        name: field.name,
        display_name: match field.part {
            Part::Connector(name) => name,
            Part::Local | Part::Operations => "",
        },
        description: field.help,
        is_required: field.required,
        is_ops: field.part == Part::Operations,
        is_secret: field.secret,
        field: variant(field),
    }
}

fn variant(field: &Field) -> Variant {
    let required = field.required.then(|| Rules { is_required: true, ..Rules::default() });
    match field.kind {
        Kind::Text { default, choices } => {
            let one_of = (!choices.is_empty()).then(|| Rules { one_of: choices, ..Rules::default() });
            let default_value = (!default.is_empty()).then_some(default);
            Variant::Text(Shape { default_value, rules: required.or(one_of) })
        }
        Kind::Number { default, least, most } => {
            let bounded = Rules {
                lte: (most != i64::MAX).then(|| most.to_string()),
                gte: Some(least.to_string()),
                ..Rules::default()
            };
            let default_value = (default != 0).then(|| default.to_string());
            Variant::Number(Shape { default_value, rules: Some(bounded) })
        }
        Kind::Flag => Variant::Flag(Shape { default_value: None, rules: None }),
        Kind::List => Variant::List(Shape { default_value: None, rules: required }),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> serde_json::Value {
        let document: serde_json::Value = serde_json::from_str(&document().unwrap()).unwrap();
        let found = document["fields"].as_array().unwrap().iter().find(|field| field["name"] == name);
        found.cloned().unwrap_or_default()
    }

    #[test]
    fn the_token_is_a_required_secret() {
        let told = "{\"description\":\"The Heroku API token; it is better set as BATON_API_TOKEN, because others can read \
                    arguments\",\"displayName\":\"API token\",\"isRequired\":true,\"isSecret\":true,\"name\":\"api-token\",\
                    \"stringField\":{\"rules\":{\"isRequired\":true}}}";
        assert_eq!(field("api-token").to_string(), told);
    }

    #[test]
    fn numbers_are_words_and_what_is_local_is_left_out() {
        assert_eq!(
            field("http-timeout-seconds")["intField"].to_string(),
            "{\"defaultValue\":\"300\",\"rules\":{\"gte\":\"1\",\"lte\":\"1800\"}}"
        );
        assert_eq!(field("health-check")["boolField"].to_string(), "{}");
        for local in ["file", "client-secret", "expand", "create-ticket"] {
            assert!(field(local).is_null(), "{local}");
        }
    }

    #[test]
    fn every_setting_for_others_is_there_and_no_other() {
        let told = document().unwrap();
        let shown = fields::all().filter(|field| field.part != Part::Local).count();
        assert_eq!(told.matches("\"name\":").count(), shown);
    }
}
