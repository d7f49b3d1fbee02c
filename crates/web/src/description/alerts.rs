//! What findings and channels look like.

use metsuke_model::finding::{FindingEvent, FindingState};
use serde_json::{Value, json};

use super::schemas::Named;
use super::words::{
    anything, count, flag, list, meaning, moment, named, object, one_of, only, or_null, text, with,
};

/// Every schema of findings and channels.
pub(super) fn all() -> Named {
    let told = object([
        ("at", moment()),
        ("what", or_null(one_of(&words(FindingEvent::ALL, FindingEvent::as_str)))),
        ("version", or_null(count())),
        ("person", or_null(text())),
        ("reason", or_null(text())),
    ]);
    let none = || json!({ "type": "object", "properties": {} });
    let acceptance = object([("until", moment()), ("reason", meaning("Why the risk is taken."))]);
    vec![
        ("Finding", finding()),
        ("FindingWithEvents", json!({ "allOf": [named("Finding"), object([("events", list(told))])] })),
        ("Reason", only(with(none(), [("reason", or_null(text()))]))),
        ("Acceptance", only(acceptance)),
        ("Channel", channel()),
        ("WrittenChannel", written()),
    ]
}

fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| word(*one)).collect()
}

fn finding() -> Value {
    object([
        ("connector", or_null(text())),
        ("id", text()),
        ("number", count()),
        ("rule", text()),
        ("rule_name", text()),
        ("subject", text()),
        ("state", one_of(&words(FindingState::ALL, FindingState::as_str))),
        ("level", text()),
        ("opened_at", moment()),
        ("opened", count()),
        ("changed_at", moment()),
        ("missing", or_null(count())),
        ("times", count()),
        ("until", or_null(moment())),
        ("reason", or_null(text())),
        ("person", or_null(text())),
        ("document", json!({})),
    ])
}

fn channel() -> Value {
    object([
        ("id", text()),
        ("name", text()),
        ("kind", text()),
        ("enabled", flag()),
        ("to", or_null(text())),
        ("has_secret", flag()),
        ("created_at", moment()),
        ("updated_at", moment()),
        ("settings", anything()),
        ("waiting", count()),
        ("last_sent_at", or_null(moment())),
        ("failing_since", or_null(moment())),
        ("told", or_null(text())),
    ])
}

fn written() -> Value {
    let name =
        json!({ "type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]([ -~]*[!-~])?$" });
    let secret = json!({ "type": ["string", "null"], "minLength": 1, "writeOnly": true });
    only(with(object([("name", name), ("settings", anything())]), [("enabled", flag()), ("secret", secret)]))
}
