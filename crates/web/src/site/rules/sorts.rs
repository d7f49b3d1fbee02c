//! The fields of each sort of channel, and the settings that a form says.
//!
//! Invariant: what the form does not know of a channel stays as it is.

use serde_json::{Map, Value};

use crate::form::Form;

/// The sorts of channels, and what each is.
pub(super) const KINDS: [(&str, &str, &str); 7] = [
    ("slack", "Slack", "A message by an incoming webhook of Slack."),
    ("mail", "Mail", "A mail through a mail server of yours."),
    ("webhook", "Webhook", "A signed request to an address, in the manner of Standard Webhooks."),
    ("jira", "Jira", "An issue in a project of Jira."),
    ("sns", "SNS", "A request with a body in the form of an SNS notification."),
    ("sqs", "SQS", "A request with a body in the form of SQS’s SendMessage."),
    ("log", "Log", "A line in the log of the server."),
];

/// A field of a sort of channel.
pub(super) struct Spec {
    pub(super) kinds: &'static [&'static str],
    /// The member of the settings.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) example: &'static str,
    pub(super) needed: bool,
}

pub(super) const FIELDS: [Spec; 12] = [
    Spec {
        kinds: &["webhook", "sns", "sqs", "jira"],
        name: "url",
        label: "Address",
        example: "https://alerts.example.com/metsuke",
        needed: true,
    },
    Spec {
        kinds: &["sns"],
        name: "topicArn",
        label: "Topic",
        example: "arn:aws:sns:eu-west-1:123456789012:alerts",
        needed: true,
    },
    Spec {
        kinds: &["sqs"],
        name: "queueUrl",
        label: "Queue",
        example: "https://sqs.eu-west-1.amazonaws.com/123456789012/alerts",
        needed: true,
    },
    Spec { kinds: &["mail"], name: "host", label: "Mail server", example: "smtp.example.com", needed: true },
    Spec { kinds: &["mail"], name: "port", label: "Port", example: "the usual one", needed: false },
    Spec {
        kinds: &["mail"],
        name: "encryption",
        label: "Encryption: tls or starttls",
        example: "tls",
        needed: false,
    },
    Spec { kinds: &["mail", "jira"], name: "user", label: "User", example: "", needed: false },
    Spec { kinds: &["mail"], name: "from", label: "From", example: "metsuke@example.com", needed: true },
    Spec {
        kinds: &["mail"],
        name: "to",
        label: "To, with commas between",
        example: "security@example.com",
        needed: true,
    },
    Spec { kinds: &["jira"], name: "project", label: "Project’s key", example: "SEC", needed: true },
    Spec { kinds: &["jira"], name: "issueType", label: "Type of issue", example: "Task", needed: false },
    Spec {
        kinds: &["jira"],
        name: "resolvedStatus",
        label: "Status once it is resolved",
        example: "Done",
        needed: false,
    },
];

/// A sort of channel; the first where there is none of this word.
pub(super) fn kind_of(kind: &str) -> (&'static str, &'static str, &'static str) {
    let [first, ..] = KINDS;
    KINDS.into_iter().find(|(known, ..)| *known == kind).unwrap_or(first)
}

/// What the secret of a sort is; empty where it has none.
pub(super) fn secret_of(kind: &str) -> &'static str {
    match kind {
        "slack" => "Address of the incoming webhook",
        "webhook" | "sns" | "sqs" => "Signing secret",
        "mail" => "Password of the user",
        "jira" => "Token",
        _ => "",
    }
}

/// A value as a field shows it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The settings that a form says, over those that were there before.
pub(super) fn settings(form: &Form, kind: &str, before: Map<String, Value>) -> Map<String, Value> {
    let mut settings = before;
    let mut way = settings.get("way").and_then(Value::as_object).cloned().unwrap_or_default();
    way.insert("kind".into(), kind.into());
    for spec in FIELDS.iter().filter(|spec| spec.kinds.contains(&kind)) {
        let text = form.text(spec.name).trim().to_owned();
        match (spec.name, text.is_empty()) {
            (_, true) => _ = way.remove(spec.name),
            ("to", false) => {
                let people = text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(Value::from);
                way.insert("to".into(), people.collect());
            }
            ("port", false) => {
                way.insert("port".into(), text.parse::<u16>().map_or_else(|_| text.into(), Value::from));
            }
            (name, false) => _ = way.insert(name.into(), text.into()),
        }
    }
    settings.insert("way".into(), Value::Object(way));
    settings.insert("level".into(), form.text("level").into());
    settings.insert("resolved".into(), (!form.text("resolved").is_empty()).into());
    let digest = form.text("digest").trim().to_owned();
    let minutes = if digest.is_empty() {
        Value::from(0)
    } else {
        digest.parse::<u32>().map_or_else(|_| digest.into(), Value::from)
    };
    settings.insert("digestMinutes".into(), minutes);
    let rules: Vec<Value> =
        form.text("rules").split(',').map(str::trim).filter(|one| !one.is_empty()).map(Value::from).collect();
    if rules.is_empty() {
        settings.remove("rules");
    } else {
        settings.insert("rules".into(), rules.into());
    }
    settings
}

#[cfg(test)]
mod tests {
    use metsuke_engine::alerts::ChannelSettings;

    use super::*;

    #[test]
    fn every_sort_of_channel_that_the_form_fills_in_is_one_that_is_taken() {
        for (kind, ..) in KINDS {
            let fields: Vec<String> = FIELDS
                .iter()
                .filter(|spec| spec.kinds.contains(&kind) && !matches!(spec.name, "port" | "user"))
                .map(|spec| format!("{}={}", spec.name, spec.example.replace(' ', "+")))
                .collect();
            let body = format!("{}&level=HIGH&resolved=yes&rules=D01,+D02&port=", fields.join("&"));
            let written = Value::Object(settings(&Form::read(body.as_bytes()), kind, Map::new()));
            let read =
                ChannelSettings::read(&written).unwrap_or_else(|why| panic!("{kind}: {why}: {written}"));
            assert_eq!((read.way.kind(), &*read.rules), (kind, &["D01".to_owned(), "D02".to_owned()][..]));
        }
    }
}
