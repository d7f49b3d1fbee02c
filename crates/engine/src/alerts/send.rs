//! Sends a message through a channel, once.
//!
//! Invariant: the message's id is in what is sent, so that a receiver can tell a second time from another message.

use metsuke_clients::deliver::jira::{Issue, Jira};
use metsuke_clients::deliver::mail::{self, Mail, Server};
use metsuke_clients::deliver::{Failed, FailedKind, Message, Outside, Signer, Taken};
use metsuke_model::Clock;
use secrecy::SecretString;
use serde_json::Value as Json;
use url::Url;

use super::channel::Encryption;
use super::render;
use super::{Alert, Channel, Way};

/// A message on its way.
#[derive(Debug)]
pub(super) struct Sending<'s> {
    pub(super) id: &'s str,
    pub(super) alerts: &'s [Alert],
    /// It was tried before.
    pub(super) again: bool,
    /// What the receiver called the last one about the same.
    pub(super) receipt: Option<String>,
}

/// Sends an alert that says that it is a trial.
///
/// # Errors
///
/// [`Failed`] where it was not taken.
pub async fn try_channel(outside: &Outside, channel: &Channel, clock: &dyn Clock) -> Result<(), Failed> {
    let now = clock.now();
    let id = format!("alert_{}", crate::findings::hash(&["test", &channel.id, &now.to_string()]));
    let alert = Alert {
        id: id.clone(),
        event: "test".into(),
        level: "INFO".into(),
        rule: "test".into(),
        rule_name: "test".into(),
        finding: String::new(),
        subject: "a trial of this channel".into(),
        title: "Somebody tried this channel; nothing was found".into(),
        explanation: String::new(),
        connector: None,
        version: 0,
        at: now,
        who: Vec::new(),
        path: Vec::new(),
        changes: Vec::new(),
        fix: String::new(),
        command: None,
        action: Json::Null,
    };
    let sending = Sending { id: &id, alerts: &[alert], again: false, receipt: None };
    send(outside, channel, &sending, clock).await.map(|_| ())
}

/// Sends a message and gives what the receiver calls it.
pub(super) async fn send(
    outside: &Outside,
    channel: &Channel,
    sending: &Sending<'_>,
    clock: &dyn Clock,
) -> Result<Option<String>, Failed> {
    match &channel.settings.way {
        Way::Log {} => {
            for alert in sending.alerts {
                let told = serde_json::to_string(alert).unwrap_or_default();
                tracing::warn!(target: "metsuke::alert", alert = told, "{} alert {}", alert.level, alert.id);
            }
            Ok(None)
        }
        Way::Slack {} => {
            let url = outside.secret_url(secret(channel)?)?;
            let body = render::slack(sending.alerts).to_string();
            request(outside, url, Vec::new(), body).await.map(|_| None)
        }
        way @ (Way::Webhook { url } | Way::Sns { url, .. } | Way::Sqs { url, .. }) => {
            let mut body = render::shaped(way, sending.id, sending.alerts);
            if let ([alert], Way::Webhook { .. }) = (sending.alerts, way)
                && let Some(own) = alert.action.pointer("/content/body")
            {
                body = own.clone();
            }
            let body = body.to_string();
            let seconds = clock.now().0.div_euclid(1_000_000);
            let headers = Signer::new(secret(channel)?)?.headers(sending.id, seconds, &body);
            request(outside, outside.url(url)?, headers, body).await.map(|_| None)
        }
        Way::Mail { .. } => letter(outside, channel, sending, clock).await.map(|_| None),
        Way::Jira { .. } => issue(outside, channel, sending).await,
    }
}

fn secret(channel: &Channel) -> Result<&SecretString, Failed> {
    channel.secret.as_ref().ok_or_else(|| {
        let what = channel.settings.way.needs().unwrap_or("a secret");
        Failed::new(FailedKind::Settings, format!("the channel needs {what}"))
    })
}

async fn request(
    outside: &Outside,
    url: Url,
    headers: Vec<(String, SecretString)>,
    body: String,
) -> Result<Taken, Failed> {
    outside.send(&Message { method: "POST", url, headers, content_type: "application/json", body }).await
}

/// A member of a rule's own action.
fn own<'a>(alerts: &'a [Alert], name: &str) -> Option<&'a Json> {
    match alerts {
        [one] => one.action.get("content")?.get(name),
        _ => None,
    }
}

async fn letter(
    outside: &Outside,
    channel: &Channel,
    sending: &Sending<'_>,
    clock: &dyn Clock,
) -> Result<Taken, Failed> {
    let Way::Mail { host, port, encryption, user, from, to } = &channel.settings.way else {
        return Err(Failed::new(FailedKind::Settings, "the channel sends no mail"));
    };
    let encryption = match encryption {
        Encryption::Tls => mail::Encryption::Tls,
        Encryption::StartTls => mail::Encryption::StartTls,
        Encryption::None => mail::Encryption::Plain,
    };
    let login = match user {
        Some(user) => Some((&**user, secret(channel)?)),
        None => None,
    };
    let recipients =
        own(sending.alerts, "recipients").and_then(|list| serde_json::from_value(list.clone()).ok());
    let to: Vec<String> = recipients.unwrap_or_else(|| to.clone());
    let (subject, text) = (render::mail_subject(sending.alerts), render::text(sending.alerts));
    let seconds = u64::try_from(clock.now().0.div_euclid(1_000_000)).unwrap_or(0);
    let mail = Mail { from, to: &to, subject: &subject, text: &text, id: sending.id, seconds };
    mail::send(outside, &Server { host, port: *port, encryption, login }, &mail).await
}

async fn issue(
    outside: &Outside,
    channel: &Channel,
    sending: &Sending<'_>,
) -> Result<Option<String>, Failed> {
    let Way::Jira { url, user, project, issue_type, resolved_status, fields } = &channel.settings.way else {
        return Err(Failed::new(FailedKind::Settings, "the channel makes no issues"));
    };
    let base = outside.url(url)?;
    let jira = Jira { outside, base: &base, user: user.as_deref(), token: secret(channel)? };
    if let [one] = sending.alerts
        && one.event == "resolved"
    {
        // Where no issue stands for it, or none is to be moved, nothing is left to say.
        if let (Some(key), Some(status)) = (&sending.receipt, resolved_status) {
            match jira.resolve(key, status).await {
                // It is there already, or was closed by hand.
                Ok(()) | Err(Failed { kind: FailedKind::Answered(409 | 404), .. }) => {}
                Err(failed) => return Err(failed),
            }
        }
        return Ok(sending.receipt.clone());
    }
    let text = |name: &str| own(sending.alerts, name).and_then(Json::as_str);
    let summary = text("summary")
        .map_or_else(|| render::mail_subject(sending.alerts), |text| super::inert::line(text, 200));
    let issue = Issue {
        project: text("project").unwrap_or(project),
        kind: text("issueType").unwrap_or(issue_type),
        summary: &summary,
        text: &render::text(sending.alerts),
        label: sending.id,
        fields: own(sending.alerts, "additionalFields").and_then(Json::as_object).unwrap_or(fields),
    };
    jira.create(&issue, sending.again).await.map(Some)
}
