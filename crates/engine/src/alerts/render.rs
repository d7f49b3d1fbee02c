//! Alerts in words: one function for each form.
//!
//! Invariant: whatever a name from Heroku holds is shown as a name: it ends no line, adds no header, mentions nobody and
//! turns no text around.

use metsuke_model::Moment;
use serde_json::{Value as Json, json};

use super::inert::{self, line};
use super::{Alert, Way};
use crate::findings::hash;

/// The most characters of a name.
const NAME: usize = 200;
/// Slack: the most characters of a section.
const SECTION: usize = 2_800;

/// What happened, as a heading says it.
fn happened(event: &str) -> &'static str {
    match event {
        "opened" => "New",
        "reopened" => "Back",
        "resolved" => "Resolved",
        "lapsed" => "Accepted until now",
        "changed" => "Worse",
        "action" => "Rule",
        "test" => "Test",
        _ => "Changed",
    }
}

/// An alert in one line.
fn heading(alert: &Alert) -> String {
    let told = line(&alert.subject, NAME);
    format!("{} · {} · {told}", alert.level, happened(&alert.event))
}

/// A value of a property.
fn value(value: &Json) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        Json::String(text) => line(text, NAME),
        Json::Array(items) if items.iter().all(Json::is_string) => {
            let items: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
            line(&items.join(", "), NAME)
        }
        other => line(&other.to_string(), NAME),
    }
}

/// The lines below the heading.
fn body(alert: &Alert) -> Vec<String> {
    if let Some(own) = own_text(alert) {
        return inert::lines(&own, 8_000).lines().map(ToOwned::to_owned).collect();
    }
    let mut lines = Vec::new();
    if !alert.title.is_empty() {
        lines.push(format!("{} ({}).", line(&alert.title, NAME), line(&alert.rule_name, NAME)));
    }
    for change in &alert.changes {
        let (what, property) = (line(&change.what, NAME), line(&change.property, NAME));
        lines.push(format!(
            "Changed: {what}: {property} from {} to {}",
            value(&change.before),
            value(&change.after)
        ));
    }
    if !alert.who.is_empty() {
        let who: Vec<String> = alert.who.iter().map(|who| line(who, NAME)).collect();
        lines.push(format!("Who: {}", who.join(", ")));
    }
    lines.extend(alert.path.iter().map(|path| format!("Path: {}", line(path, 2 * NAME))));
    if alert.event == "resolved" {
        lines.push("It is there no more; nothing is left to do.".to_owned());
    } else {
        if !alert.explanation.is_empty() {
            lines.push(format!("Why: {}", line(&alert.explanation, 600)));
        }
        if !alert.fix.is_empty() {
            lines.push(format!("Undo: {}", line(&alert.fix, 600)));
        }
        if let Some(command) = &alert.command {
            lines.push(format!("Plan it: {}", line(command, 600)));
        }
    }
    let connector =
        alert.connector.as_deref().map(|name| format!(" of {}", line(name, NAME))).unwrap_or_default();
    lines.push(format!("Version {}{connector}, {}. Alert {}.", alert.version, alert.at, alert.id));
    lines
}

/// What a rule's own action says, in its own words.
fn own_text(alert: &Alert) -> Option<String> {
    let content = alert.action.get("content")?;
    let text = ["body", "message", "summary"].iter().find_map(|name| content.get(name));
    Some(match text {
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => content.to_string(),
    })
}

/// Alerts as plain text: mails, issues, the log.
#[must_use]
pub fn text(alerts: &[Alert]) -> String {
    let one = |alert: &Alert| {
        let mut lines = vec![heading(alert)];
        lines.extend(body(alert));
        lines.join("\n")
    };
    alerts.iter().map(one).collect::<Vec<_>>().join("\n\n")
}

/// The heading of many alerts.
#[must_use]
pub fn digest_text(alerts: &[Alert]) -> String {
    let count = |level: &str| alerts.iter().filter(|alert| alert.level == level).count();
    let levels = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"];
    let counts = levels.iter().map(|level| (count(level), level)).filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, level)| format!("{count} {level}")).collect();
    format!("{} alerts: {}", alerts.len(), counts.join(", "))
}

/// The subject of a mail, the summary of an issue.
#[must_use]
pub fn mail_subject(alerts: &[Alert]) -> String {
    match alerts {
        [one] => line(&format!("[Metsuke] {}", heading(one)), 180),
        many => format!("[Metsuke] {}", digest_text(many)),
    }
}

/// A message in Slack.
#[must_use]
pub fn slack(alerts: &[Alert]) -> Json {
    let plain = |text: &str, most: usize| {
        let text: String = inert::slack(text);
        // Cut where no escape stands, so that none is cut in two.
        let cut = match text.char_indices().nth(most) {
            Some((end, _)) => {
                text.get(..end).and_then(|cut| cut.rfind([' ', '\n']).and_then(|at| cut.get(..at)))
            }
            None => Some(&*text),
        };
        json!({ "type": "plain_text", "text": cut.unwrap_or("…"), "emoji": false })
    };
    let title = match alerts {
        [one] => heading(one),
        many => digest_text(many),
    };
    let mut blocks = vec![json!({ "type": "header", "text": plain(&line(&title, 120), 140) })];
    for alert in alerts {
        let mut lines = body(alert);
        if alerts.len() > 1 {
            lines.insert(0, heading(alert));
        }
        blocks.push(json!({ "type": "section", "text": plain(&lines.join("\n"), SECTION) }));
    }
    json!({ "text": inert::slack(&title), "blocks": blocks })
}

/// The body of a signed request.
#[must_use]
pub fn webhook(message: &str, alerts: &[Alert]) -> Json {
    let inert = |alert: &Alert| {
        let mut json = serde_json::to_value(alert).unwrap_or_default();
        json["text"] = text(std::slice::from_ref(alert)).into();
        json
    };
    let at = alerts.iter().map(|alert| alert.at).max().unwrap_or(Moment(0));
    match alerts {
        [one] => json!({ "type": format!("finding.{}", one.event), "timestamp": at, "data": inert(one) }),
        many => json!({
            "type": "findings.digest",
            "timestamp": at,
            "data": {
                "id": message, "summary": digest_text(many), "alerts": many.iter().map(inert).collect::<Vec<_>>(),
            },
        }),
    }
}

/// The body of a signed request in the form that the way asks for.
pub(super) fn shaped(way: &Way, message: &str, alerts: &[Alert]) -> Json {
    let body = webhook(message, alerts);
    let level = alerts.iter().map(|alert| &*alert.level).max_by_key(|level| rank(level)).unwrap_or("INFO");
    match way {
        Way::Sns { topic_arn, .. } => json!({
            "Type": "Notification",
            "MessageId": uuid(message),
            "TopicArn": topic_arn,
            "Subject": ascii(&mail_subject(alerts), 99),
            "Message": body.to_string(),
            "Timestamp": body["timestamp"],
            "MessageAttributes": { "level": { "Type": "String", "Value": level } },
        }),
        Way::Sqs { queue_url, .. } => json!({
            "QueueUrl": queue_url,
            "MessageBody": body.to_string(),
            "MessageGroupId": alerts.first().map(|alert| &*alert.finding).filter(|id| !id.is_empty()).unwrap_or("metsuke"),
            "MessageDeduplicationId": message,
            "MessageAttributes": { "level": { "DataType": "String", "StringValue": level } },
        }),
        _ => body,
    }
}

fn rank(level: &str) -> Option<crate::rules::Level> {
    level.parse().ok()
}

/// An id in the form of a UUID, the same for the same message.
fn uuid(message: &str) -> String {
    let hash = hash(&[message]);
    let part = |from: usize, to: usize| hash.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

fn ascii(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '-' }).take(most).collect()
}
