//! Says which channels are told of what, and under which id.
//!
//! Invariant: the same news for the same channel has the same id, however often it is worked out.

use metsuke_model::finding::FindingEvent;
use metsuke_model::{Moment, Version};
use metsuke_store::NewDelivery;
use serde_json::{Value as Json, json};

use super::{Alert, Channel, News, Way};
use crate::findings::{Evidence, hash};
use crate::rules::{Evaluation, Level, Rendered};

/// The version, the moment and the connector of what is told.
pub(crate) type Told<'t> = (Version, Moment, Option<&'t str>);

/// What happened to a finding, for every channel that wants to know.
pub(crate) fn finding(channels: &[Channel], news: &News<'_>, told: Told<'_>) -> Vec<NewDelivery> {
    let row = news.finding;
    let wanted = channels.iter().filter(|channel| {
        let gone = news.event == FindingEvent::Resolved;
        channel.wants((&row.rule, &row.rule_name), &row.level) && (!gone || channel.settings.resolved)
    });
    wanted.map(|channel| delivery(channel, news, told)).collect()
}

fn delivery(channel: &Channel, news: &News<'_>, (version, at, connector): Told<'_>) -> NewDelivery {
    let row = news.finding;
    let (event, times) = (news.event.as_str(), row.times.to_string());
    let number = version.0.to_string();
    // A time of acceptance that ends is news of its own, whatever version there is.
    let when = if news.event == FindingEvent::Lapsed { at.to_string() } else { number };
    let id = hash(&[&row.rule, &row.fingerprint, &when, &channel.id, event, &times]);
    let evidence = Evidence::read(&row.document);
    let alert = Alert {
        id: format!("alert_{id}"),
        event: event.to_owned(),
        level: row.level.clone(),
        rule: row.rule.clone(),
        rule_name: row.rule_name.clone(),
        finding: row.fingerprint.clone(),
        subject: row.subject.clone(),
        title: evidence.title,
        explanation: evidence.explanation,
        connector: connector.map(ToOwned::to_owned),
        version: version.0,
        at,
        who: evidence.who,
        path: evidence.path,
        changes: evidence.changes,
        fix: evidence.fix,
        command: evidence.command,
        action: Json::Null,
    };
    stored(channel, &row.fingerprint, &alert)
}

fn stored(channel: &Channel, subject: &str, alert: &Alert) -> NewDelivery {
    NewDelivery {
        id: alert.id.clone(),
        channel: channel.id.clone(),
        subject: subject.to_owned(),
        rule: alert.rule.clone(),
        version: Version(alert.version),
        critical: alert.level == Level::Critical.as_str(),
        document: serde_json::to_value(alert).unwrap_or_default(),
    }
}

/// What a rule's own actions say, each for the channel that it goes through.
pub(crate) fn actions(channels: &[Channel], evaluation: &Evaluation, told: Told<'_>) -> Vec<NewDelivery> {
    let mut deliveries = Vec::new();
    for (nth, action) in evaluation.actions.iter().enumerate() {
        let Some(channel) = through(channels, action) else { continue };
        let (version, at, connector) = told;
        let (number, nth) = (version.0.to_string(), nth.to_string());
        let id = hash(&[&evaluation.rule, "action", &nth, &number, &channel.id]);
        let level = evaluation.level.unwrap_or(Level::Info).as_str().to_owned();
        let alert = Alert {
            id: format!("alert_{id}"),
            event: "action".to_owned(),
            level,
            rule: evaluation.rule.clone(),
            rule_name: evaluation.name.clone(),
            finding: String::new(),
            subject: evaluation.name.clone(),
            title: evaluation.name.clone(),
            explanation: String::new(),
            connector: connector.map(ToOwned::to_owned),
            version: version.0,
            at,
            who: Vec::new(),
            path: Vec::new(),
            changes: Vec::new(),
            fix: String::new(),
            command: None,
            action: json!({ "type": action.kind, "content": action.content }),
        };
        deliveries.push(stored(channel, &evaluation.rule, &alert));
    }
    deliveries
}

/// The channel that an action goes through: the one that it names, else the first that is enabled and of its sort. A request goes
/// only to an address that a channel has.
fn through<'c>(channels: &'c [Channel], action: &Rendered) -> Option<&'c Channel> {
    if action.unsupported.is_some() {
        return None;
    }
    let word = |name: &str| action.content.get(name).and_then(Json::as_str);
    let named = word("integrationInstanceId");
    let fits = |channel: &&Channel| match (&*action.kind, &channel.settings.way) {
        ("SEND_EMAIL", Way::Mail { .. })
        | ("SEND_SLACK_MESSAGE", Way::Slack {})
        | ("CREATE_JIRA_TICKET", Way::Jira { .. }) => true,
        ("WEBHOOK", Way::Webhook { url }) => word("endpoint").or(word("url")) == Some(url),
        ("PUBLISH_SNS_MESSAGE", Way::Sns { topic_arn, .. }) => word("topicArn") == Some(topic_arn),
        ("SEND_SQS_MESSAGE", Way::Sqs { queue_url, .. }) => word("queueUrl") == Some(queue_url),
        _ => false,
    };
    let mut fitting = channels.iter().filter(|channel| channel.enabled).filter(fits);
    let first = fitting.next()?;
    let is = |channel: &&Channel| named.is_some_and(|named| channel.id == named || channel.name == named);
    if is(&first) { Some(first) } else { fitting.find(is).or(Some(first)) }
}
