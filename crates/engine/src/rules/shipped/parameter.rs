//! What a detection leaves open: trusted domains, numbers of days, words.
//!
//! Invariant: a value becomes J1QL only after it was read as its sort, so that none can end a query and begin another.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Something that a detection leaves open, as `${name}`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub name: Box<str>,
    /// What it stands for.
    pub meaning: Box<str>,
    /// What it may hold.
    pub kind: ParameterKind,
    /// What it is where nobody says; without it, domains are that of the account that reads the estate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Json>,
}

/// What a parameter may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    /// A whole number.
    Number,
    /// Mail domains; addresses match them in any case.
    Domains,
    /// Words that stand alone in the part of an address before its `@`.
    Words,
}

impl ParameterKind {
    /// A value as it stands in a query.
    pub(super) fn literal(self, value: &Json) -> Result<String, String> {
        match self {
            Self::Number => value
                .as_u64()
                .map(|number| number.to_string())
                .ok_or_else(|| "it takes a whole number".into()),
            Self::Domains => listed(value, "it takes domains, such as example.com", |domain| {
                let domain = domain.trim_start_matches('@').to_lowercase();
                let fits = |letter: char| {
                    letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '.' | '-')
                };
                (domain.contains('.') && domain.chars().all(fits))
                    .then(|| format!("/@{}/i", domain.replace('.', "\\.")))
            }),
            Self::Words => listed(value, "it takes words of letters and digits", |word| {
                let fits = !word.is_empty() && word.chars().all(|letter| letter.is_ascii_alphanumeric());
                fits.then(|| format!("/(^|[._+-]){word}[0-9]*([._+-]|@)/i"))
            }),
        }
    }
}

/// One value of a list or more, each as a regular expression.
fn listed(value: &Json, wrong: &str, read: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let values = match value {
        Json::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    let read: Option<Vec<String>> = values.iter().map(|value| read(value.as_str()?.trim())).collect();
    match read {
        Some(read) if !read.is_empty() => Ok(format!("({})", read.join(" OR "))),
        _ => Err(wrong.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_its_sort_or_refused() {
        let domains = |value| ParameterKind::Domains.literal(&value);
        assert_eq!(domains(json!("@Example.COM")).unwrap(), "(/@example\\.com/i)");
        assert_eq!(
            domains(json!(["a.example", "b.example"])).unwrap(),
            "(/@a\\.example/i OR /@b\\.example/i)"
        );
        for wrong in [
            json!("a b.example"),
            json!("x/ OR name"),
            json!([]),
            json!(7),
            json!("localhost"),
            json!(["a.b", 1]),
        ] {
            assert!(domains(wrong.clone()).is_err(), "{wrong}");
        }
        assert_eq!(ParameterKind::Number.literal(&json!(30)).unwrap(), "30");
        assert!(
            ParameterKind::Number.literal(&json!("30")).is_err()
                && ParameterKind::Number.literal(&json!(-1)).is_err()
        );
        assert!(ParameterKind::Words.literal(&json!("a)")).is_err());
    }
}
