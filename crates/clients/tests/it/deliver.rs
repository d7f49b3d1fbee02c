//! Messages to receivers: what is sent, what becomes of answers, and what no name can do to a mail.

use std::time::Duration;

use metsuke_clients::deliver::jira::{Issue, Jira};
use metsuke_clients::deliver::mail::{self, Encryption, Mail, Server};
use metsuke_clients::deliver::{FailedKind, Message, Outside, OutsideSettings, Signer, Taken, verify};
use metsuke_simulator::receivers::{MailServer, Mood, Receiver};
use secrecy::SecretString;
use url::Url;

/// The way out of a house whose receivers stand in it.
pub(crate) fn outside() -> Outside {
    Outside::new(OutsideSettings {
        allow_plain: true,
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        request_timeout: Duration::from_secs(5),
        ..OutsideSettings::default()
    })
}

fn message(receiver: &Receiver, headers: Vec<(String, SecretString)>) -> Message {
    let url = Url::parse(&format!("{}/hook", receiver.url())).unwrap();
    Message { method: "POST", url, headers, content_type: "application/json", body: "{\"a\":1}".into() }
}

#[tokio::test]
async fn a_signed_message_verifies_at_the_receiver() {
    let receiver = Receiver::local().await.unwrap();
    let secret: SecretString = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into();
    let headers = Signer::new(&secret).unwrap().headers("alert_1", 1_000, "{\"a\":1}");
    let taken = outside().send(&message(&receiver, headers)).await.unwrap();
    assert_eq!(taken, Taken { status: 200, body: "ok".into() });
    let got = receiver.received().pop().unwrap();
    let header = |name: &str| got.headers[name].clone();
    assert_eq!((got.what.as_str(), header("webhook-id").as_str()), ("POST /hook", "alert_1"));
    let (time, signature) = (header("webhook-timestamp"), header("webhook-signature"));
    assert!(verify(&secret, 1_010, "alert_1", &time, &signature, got.body.as_bytes()));
}

#[tokio::test]
async fn a_refusal_a_redirect_and_a_long_answer_are_told_apart() {
    let receiver = Receiver::local().await.unwrap();
    let secret: SecretString = "a-secret-of-the-header".into();
    let sent = async |mood: Mood| {
        receiver.set_mood(mood);
        let header = ("authorization".to_owned(), secret.clone());
        outside().send(&message(&receiver, vec![header])).await
    };
    let failed = sent(Mood::Down(429)).await.unwrap_err();
    assert_eq!(
        (failed.kind, failed.why.as_str()),
        (FailedKind::Answered(429), "it was answered 429: told to be down")
    );
    let failed = sent(Mood::Redirect(302, receiver.url())).await.unwrap_err();
    assert_eq!(failed.kind, FailedKind::Answered(302));
    assert_eq!(sent(Mood::Talkative(64 * 1024)).await.unwrap().body.len(), 64 * 1024);
    assert_eq!(sent(Mood::Talkative(64 * 1024 + 1)).await.unwrap().body, "", "no more is read than 64 KiB");
    assert_eq!(receiver.received().len(), 4, "no redirect is followed, nothing is sent twice");
    let header = ("Content-Length".to_owned(), secret.clone());
    let failed = outside().send(&message(&receiver, vec![header])).await.unwrap_err();
    assert_eq!(failed.kind, FailedKind::Settings);
    let plain = Outside::new(OutsideSettings { allow_plain: false, ..OutsideSettings::default() });
    assert_eq!(plain.send(&message(&receiver, Vec::new())).await.unwrap_err().kind, FailedKind::Guarded);
}

#[tokio::test]
async fn an_issue_is_made_once_and_moved_on() {
    let receiver = Receiver::local().await.unwrap();
    let base = Url::parse(&format!("{}/wiki/", receiver.url())).unwrap();
    let (outside, token) = (outside(), SecretString::from("jira-token"));
    for user in [Some("bot@example.com"), None] {
        let jira = Jira { outside: &outside, base: &base, user, token: &token };
        let label = format!("metsuke-{}", user.is_some());
        let issue = Issue {
            project: "SEC",
            kind: "Task",
            summary: "ann is an admin",
            text: "first\n\nsecond {noformat} x",
            label: &label,
            fields: &serde_json::Map::new(),
        };
        let key = jira.create(&issue, false).await.unwrap();
        assert_eq!(jira.create(&issue, true).await.unwrap(), key, "one that bears the label is found again");
        jira.resolve(&key, "done").await.unwrap();
        assert_eq!(jira.resolve(&key, "Nowhere").await.unwrap_err().kind, FailedKind::Answered(409));
    }
    let issues = receiver.issues();
    assert_eq!(issues.iter().map(|issue| &*issue.key).collect::<Vec<_>>(), ["SEC-1", "SEC-2"]);
    assert!(issues.iter().all(|issue| issue.status == "Done"));
    assert_eq!(issues[0].fields["description"]["content"][2]["content"][0]["text"], "second {noformat} x");
    assert_eq!(issues[1].fields["description"], "{noformat}\nfirst\n\nsecond { noformat} x\n{noformat}");
    let bearer = receiver.received().pop().unwrap();
    assert_eq!(bearer.headers["authorization"], "Bearer jira-token");
}

#[tokio::test]
async fn no_name_adds_a_header_to_a_mail() {
    let server = MailServer::local().await.unwrap();
    let to = ["Ann Other <ann@example.com>".to_owned(), "bob@example.com".to_owned()];
    let at =
        Server { host: "127.0.0.1", port: Some(server.port()), encryption: Encryption::Plain, login: None };
    let password: SecretString = "mail-password".into();
    let plain = Mail {
        from: "Metsuke <metsuke@example.com>",
        to: &to,
        subject: "ann is an admin",
        text: "one\n.\n..two\nünï",
        id: "alert_1",
        seconds: 1_700_000_000,
    };
    mail::send(&outside(), &at, &plain).await.unwrap();
    let login = Server { login: Some(("user", &password)), ..at };
    let hostile = "x\r\nBcc: eve@evil.example\r\n\r\nbody \u{202e}";
    mail::send(&outside(), &login, &Mail { subject: hostile, ..plain.clone() }).await.unwrap();
    let mails = server.mails();
    assert_eq!(mails[0].to, ["ann@example.com", "bob@example.com"]);
    assert_eq!(mails[0].header("Message-ID").unwrap(), "<alert_1@example.com>");
    assert_eq!(mails[0].header("Auto-Submitted").unwrap(), "auto-generated");
    assert_eq!(mails[0].header_names(), mails[1].header_names(), "{}", mails[1].text);
    assert_eq!(mails[1].to.len(), 2);
    server.refuse(Some(451));
    assert_eq!(mail::send(&outside(), &at, &plain).await.unwrap_err().kind, FailedKind::Answered(451));
    let wrong = Mail { to: &["ann@example.com\r\nRCPT TO:<eve@evil.example>".to_owned()], ..plain.clone() };
    assert_eq!(mail::send(&outside(), &at, &wrong).await.unwrap_err().kind, FailedKind::Settings);
    let guarded = Outside::new(OutsideSettings::default());
    assert_eq!(mail::send(&guarded, &at, &plain).await.unwrap_err().kind, FailedKind::Guarded);
}
