//! Rules in words: how bad, how often, under which condition, and what is done then.
//!
//! What a rule means is the engine's to say; here it is only told.
//!
//! Invariant: what has no words of ours is told as it stands in the rule.

use metsuke_engine::desk::{RuleShown, RuleWatched};
use serde_json::Value;

use crate::site::words::{Name, listed};

/// Intervals as forms offer them, and in words.
pub(super) const INTERVALS: [(&str, &str); 9] = [
    ("ONE_DAY", "once a day"),
    ("FIFTEEN_MINUTES", "every 15 minutes"),
    ("THIRTY_MINUTES", "every 30 minutes"),
    ("ONE_HOUR", "every hour"),
    ("FOUR_HOURS", "every 4 hours"),
    ("EIGHT_HOURS", "every 8 hours"),
    ("TWELVE_HOURS", "every 12 hours"),
    ("ONE_WEEK", "once a week"),
    ("DISABLED", "only when somebody asks"),
];

/// A text in which commands stand between backticks, piece by piece; the flag says that a piece is a command.
pub(in crate::site) fn pieces(text: &str) -> Vec<(bool, String)> {
    let pieces = text.split('`').enumerate().map(|(nth, piece)| (nth % 2 == 1, piece.to_owned()));
    pieces.filter(|(_, piece)| !piece.is_empty()).collect()
}

/// How often a rule is evaluated.
pub(super) fn interval(word: &str) -> String {
    let known = INTERVALS.iter().find(|(known, _)| *known == word);
    known.map_or_else(|| word.to_owned(), |(_, told)| (*told).to_owned())
}

/// How bad a rule says that it is; none where it does not say, or works it out.
pub(super) fn severity(rule: &RuleWatched) -> Option<String> {
    if let Some(level) = rule.rule.severity.as_ref().and_then(Value::as_str) {
        return Some(level.to_owned());
    }
    let sets = |action: &&Value| text(action, "targetProperty") == "alertLevel";
    let level = actions(&rule.rule.document).find(sets).map(|action| text(action, "targetValue"));
    level.filter(|level| !level.is_empty() && !level.contains("{{")).map(ToOwned::to_owned)
}

/// Where a rule comes from.
pub(super) fn from(rule: &RuleShown) -> &'static str {
    if rule.kind == RuleShown::SHIPPED { "shipped" } else { "your own" }
}

/// What a rule looks at.
pub(super) fn looks_at(rule: &RuleWatched) -> &'static str {
    if rule.looks_for == "change" { "changes" } else { "estate" }
}

/// Whether the last evaluation could not be judged.
pub(super) fn is_unjudged(rule: &RuleWatched) -> bool {
    rule.rule.enabled && rule.state.as_deref().is_some_and(|state| !matches!(state, "fired" | "clear"))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Every action of a rule's document.
fn actions(document: &Value) -> impl Iterator<Item = &Value> {
    list(document, "operations").flat_map(|operation| list(operation, "actions"))
}

/// Each operation of a rule in words: when, and what is done then.
pub(super) fn operations(document: &Value) -> Vec<(String, Vec<String>)> {
    let told = |operation: &Value| {
        let when = match operation.get("when") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(all)) => all.iter().map(when).collect(),
            Some(one) => vec![when(one)],
        };
        let when = if when.is_empty() { "always".to_owned() } else { when.join(", and ") };
        (when, list(operation, "actions").map(action).collect())
    };
    list(document, "operations").map(told).collect()
}

fn when(document: &Value) -> String {
    document.get("condition").map_or_else(|| document.to_string(), condition)
}

/// A condition in words.
pub(super) fn condition(tree: &Value) -> String {
    let Value::Array(items) = tree else {
        return tree.as_str().map_or_else(|| tree.to_string(), |text| format!("“{text}” holds"));
    };
    match &items[..] {
        [Value::String(word), rest @ ..] if word == "AND" || word == "OR" => {
            let told: Vec<String> = rest.iter().map(condition).collect();
            match &told[..] {
                [only] => only.clone(),
                _ => told.join(if word == "AND" { ", and " } else { ", or " }),
            }
        }
        [Value::String(left), Value::String(operator), right] => {
            let right = right.as_str().map_or_else(|| right.to_string(), ToOwned::to_owned);
            let compared = match operator.as_str() {
                ">" => "more than",
                ">=" => "at least",
                "<" => "fewer than",
                "<=" => "at most",
                "=" | "==" => "exactly",
                _ => "other than",
            };
            format!("{} {compared} {right}", value(left))
        }
        [inner] => condition(inner),
        _ => tree.to_string(),
    }
}

/// What stands on the left of a comparison.
fn value(left: &str) -> String {
    let counted = left.strip_prefix("queries.").and_then(|rest| rest.strip_suffix(".total"));
    match (counted, left) {
        (Some(name), _) => format!("the rows of {name} are"),
        (None, "changes.total") => "the changes that fit are".to_owned(),
        (None, other) => format!("{other} is"),
    }
}

/// One action in words.
fn action(action: &Value) -> String {
    let of = |name: &str| Name::new(text(action, name)).cut;
    match text(action, "type") {
        "SET_PROPERTY" if text(action, "targetProperty") == "alertLevel" => {
            format!("The level is {}.", of("targetValue").to_lowercase())
        }
        "SET_PROPERTY" => format!("{} becomes {}.", of("targetProperty"), of("targetValue")),
        "CREATE_ALERT" => {
            "A finding is opened for each subject, and the channels that want it are told.".into()
        }
        "SEND_EMAIL" => {
            let people: Vec<&str> = list(action, "recipients").filter_map(Value::as_str).collect();
            format!("A mail goes to {}.", Name::new(&listed(&people)).cut)
        }
        "SEND_SLACK_MESSAGE" => "A message goes to Slack.".into(),
        "WEBHOOK" => format!("{} is called.", Name::new(text(action, "endpoint")).cut),
        "CREATE_JIRA_TICKET" => format!("A ticket is made in Jira’s project {}.", of("project")),
        "PUBLISH_SNS_MESSAGE" => format!("A message goes to the topic {}.", of("topicArn")),
        "SEND_SQS_MESSAGE" => format!("A message goes to the queue {}.", of("queueUrl")),
        "FOR_EACH_ITEM" => {
            let inner: Vec<String> = list(action, "actions").map(self::action).collect();
            format!("For each item: {}", inner.join(" "))
        }
        "JUPITERONE_QUERY" => "A further question is asked.".into(),
        other => format!("{} is kept and not carried out here.", Name::new(other).cut),
    }
}

/// What a change rule looks for, one line each.
pub(super) fn change(change: &Value) -> Vec<(&'static str, String)> {
    let words = |name: &str| match change.get(name) {
        Some(Value::String(word)) => Some(word.clone()),
        Some(Value::Array(all)) => {
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            Some(listed(&all))
        }
        _ => None,
    };
    let by = words("by").map(|by| if by == "others" { "others than Metsuke".to_owned() } else { by });
    let mut told = vec![
        ("Looks at", words("what").unwrap_or_else(|| "everything".to_owned())),
        ("That was", words("change").unwrap_or_else(|| "added, removed or changed".to_owned())),
    ];
    told.extend(words("resource").map(|words| ("On a", words.replace('_', " "))));
    told.extend(words("entitlement").map(|words| ("Of the right", words)));
    told.extend(words("properties").map(|words| ("Where these differ", words)));
    told.extend(by.map(|by| ("Done by", by)));
    told.extend(change.get("when").map(|tree| ("And where", condition(tree))));
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_are_told_in_words_and_what_has_none_as_it_stands() {
        for (tree, told) in [
            (json!(["queries.admins.total", ">", 10]), "the rows of admins are more than 10"),
            (
                json!(["OR", ["changes.total", ">=", 1], "{{alertLevel == 'LOW'}}"]),
                "the changes that fit are at least 1, or “{{alertLevel == 'LOW'}}” holds",
            ),
            (json!([["AND", ["alertLevel", "=", "LOW"]]]), "alertLevel is exactly LOW"),
            (json!(7), "7"),
        ] {
            assert_eq!(condition(&tree), told);
        }
        let rule = json!({ "operations": [{ "actions": [{ "type": "TAG_ENTITIES" }] }] });
        assert_eq!(
            operations(&rule),
            [("always".to_owned(), vec!["TAG_ENTITIES is kept and not carried out here.".to_owned()])]
        );
    }
}
