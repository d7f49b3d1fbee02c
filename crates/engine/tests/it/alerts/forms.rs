//! What each sort of channel is sent, and what no name can do to it.

use metsuke_clients::deliver::verify;
use metsuke_engine::alerts::{Alert, digest_text, mail_subject, slack, text, try_channel, webhook as body};
use metsuke_engine::findings::Difference;
use metsuke_model::{Clock as _, Moment};
use metsuke_simulator::receivers::{MailServer, Receiver};
use serde_json::{Value as Json, json};

use super::desk::{House, SECRET, channel, webhook};

fn alert() -> Alert {
    Alert {
        id: "alert_0f".into(),
        event: "opened".into(),
        level: "HIGH".into(),
        rule: "D01".into(),
        rule_name: "new-team-admin".into(),
        finding: "aa11".into(),
        subject: "bob@northwind.example is now an admin of team core".into(),
        title: "Somebody became an admin of a team".into(),
        explanation: "An admin can do everything on every app of the team.".into(),
        connector: Some("northwind".into()),
        version: 7,
        at: Moment::parse("2026-11-20T12:00:00Z").unwrap(),
        who: vec!["bob@northwind.example".into()],
        path: vec!["bob@northwind.example: admin on team core, by Heroku's own row".into()],
        changes: vec![Difference {
            what: "bob@northwind.example on team core".into(),
            property: "entitlement".into(),
            before: Json::Null,
            after: "admin".into(),
        }],
        fix: "Ask who wanted it. Without a reason, give them the role that they had.".into(),
        command: Some("metsuke grant --user bob@northwind.example --team core --role member".into()),
        action: Json::Null,
    }
}

fn resolved() -> Alert {
    Alert { event: "resolved".into(), id: "alert_1f".into(), level: "LOW".into(), ..alert() }
}

/// With names as somebody who means harm would choose them.
fn hostile() -> Alert {
    let name = "x\r\nBcc: eve@evil.example\r\n\r\n<!channel> <https://evil.example|here> & \u{202e}txt\u{200b}\u{1b}[31m";
    Alert {
        subject: name.into(),
        connector: Some(name.into()),
        who: vec![name.into()],
        path: vec![name.into()],
        changes: vec![Difference {
            what: name.into(),
            property: name.into(),
            before: name.into(),
            after: json!([name]),
        }],
        command: Some(name.into()),
        ..alert()
    }
}

#[test]
fn the_words_of_a_mail() {
    insta::assert_snapshot!(text(&[alert(), resolved()]));
    insta::assert_snapshot!("the_subject_of_a_mail", mail_subject(&[alert()]));
    assert_eq!(digest_text(&[alert(), resolved(), alert()]), "3 alerts: 2 HIGH, 1 LOW");
}

#[test]
fn the_blocks_of_slack() {
    insta::assert_json_snapshot!(slack(&[alert()]));
    insta::assert_json_snapshot!("the_blocks_of_slack_of_many", slack(&[alert(), resolved()]));
}

#[test]
fn the_body_of_a_webhook() {
    insta::assert_json_snapshot!(body("alert_0f", &[alert()]));
    insta::assert_json_snapshot!("the_body_of_a_digest", body("digest_77", &[alert(), resolved()]));
}

#[test]
fn no_name_breaks_out_of_a_message() {
    insta::assert_snapshot!("hostile_names_in_a_mail", text(&[hostile()]));
    let (slack, subject) = (slack(&[hostile()]).to_string(), mail_subject(&[hostile()]));
    assert!(!slack.contains('<') && !slack.contains("\\u001b") && !slack.contains('\u{202e}'), "{slack}");
    for words in [text(&[hostile()]), subject.clone(), slack] {
        assert!(
            words.chars().all(|c| c == '\n' || !(c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c)))
        );
        assert!(!words.lines().any(|line| line.starts_with("Bcc")), "{words}");
    }
    assert!(!subject.contains('\n') && subject.chars().count() <= 180);
    let long = Alert { subject: "<&>".repeat(5_000), explanation: "é ".repeat(5_000), ..alert() };
    let many: Vec<Alert> = (0..40).map(|_| long.clone()).collect();
    for block in metsuke_engine::alerts::slack(&many)["blocks"].as_array().unwrap() {
        let text = block["text"]["text"].as_str().unwrap();
        assert!(text.chars().count() <= 3_000);
        assert!(!text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").contains('&'), "{text}");
    }
}

#[tokio::test]
async fn every_sort_of_channel_is_told_in_its_form() {
    let (receiver, mail) = (Receiver::local().await.unwrap(), MailServer::local().await.unwrap());
    let url = |path: &str| format!("{}/{path}", receiver.url());
    let channels = vec![
        channel("slack", &json!({ "way": { "kind": "slack" } }), Some(&url("slack"))),
        webhook("hook", &receiver, &json!({ "rules": ["admins"] })),
        webhook("not-this", &receiver, &json!({ "rules": ["D02"] })),
        webhook("only-new", &receiver, &json!({ "resolved": false })),
        channel(
            "sns",
            &json!({ "way": { "kind": "sns", "url": url("sns"), "topicArn": "arn:aws:sns:eu:1:t" } }),
            Some(SECRET),
        ),
        channel(
            "sqs",
            &json!({ "way": { "kind": "sqs", "url": url("sqs"), "queueUrl": "https://sqs/q" } }),
            Some(SECRET),
        ),
        channel(
            "jira",
            &json!({ "way": { "kind": "jira", "url": receiver.url(), "user": "bot@x.example", "project": "SEC", "resolvedStatus": "Done" } }),
            Some("jira-token"),
        ),
        channel(
            "mail",
            &json!({ "way": { "kind": "mail", "host": "127.0.0.1", "port": mail.port(), "encryption": "none",
                "from": "metsuke@x.example", "to": ["ops@x.example"] } }),
            None,
        ),
        channel("log", &json!({ "way": { "kind": "log" } }), None),
    ];
    let house = House::new(channels).await;
    let people = ["ann@x.example", "bob@x.example"];
    house.version(&people, &[people[0]].into()).await;
    house.evaluate().await;
    assert_eq!(house.deliver().await.sent, 8);
    house.version(&people, &[].into()).await;
    house.evaluate().await;
    assert_eq!(house.deliver().await.sent, 7, "one wants no more than what is new");
    let requests = receiver.received();
    let of = |path: &str| {
        requests.iter().filter(|request| request.what == format!("POST /{path}")).collect::<Vec<_>>()
    };
    assert_eq!((of("not-this").len(), of("only-new").len(), of("slack").len()), (0, 1, 2));
    assert_eq!(of("slack")[0].json()["blocks"][0]["type"], "header");
    let hook = of("hook")[0];
    let header = |name: &str| hook.headers[name].as_str();
    let now = house.clock.now().0 / 1_000_000;
    let (id, time, signature) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    assert!(verify(&SECRET.into(), now, id, time, signature, hook.body.as_bytes()));
    let body = hook.json();
    assert_eq!(
        (&body["type"], &body["data"]["id"], &body["data"]["version"]),
        (&json!("finding.opened"), &json!(id), &json!(1))
    );
    assert_eq!(body["data"]["connector"], "northwind");
    let sns = of("sns")[0].json();
    let inner: Json = serde_json::from_str(sns["Message"].as_str().unwrap()).unwrap();
    assert_eq!((&sns["Type"], &inner["type"]), (&json!("Notification"), &json!("finding.opened")));
    let sqs = of("sqs")[0].json();
    assert_eq!(
        (&sqs["QueueUrl"], &sqs["MessageGroupId"]),
        (&json!("https://sqs/q"), &body["data"]["finding"])
    );
    let issues = receiver.issues();
    assert_eq!((issues.len(), issues[0].key.as_str(), issues[0].status.as_str()), (1, "SEC-1", "Done"));
    let mails = mail.mails();
    assert_eq!((mails.len(), mails[0].to.as_slice()), (2, &["ops@x.example".to_owned()][..]));
    assert!(mails[0].text.contains("Path:") && mails[1].text.contains("Resolved"), "{}", mails[0].text);
}

#[tokio::test]
async fn a_rules_own_actions_go_through_channels_and_nowhere_else() {
    let (receiver, mail) = (Receiver::local().await.unwrap(), MailServer::local().await.unwrap());
    let settings = json!({ "level": "CRITICAL", "way": { "kind": "mail", "host": "127.0.0.1", "port": mail.port(),
        "encryption": "none", "from": "metsuke@x.example", "to": ["ops@x.example"] } });
    let hook = webhook("hook", &receiver, &json!({ "level": "CRITICAL" }));
    let url = format!("{}/hook", receiver.url());
    let mut house = House::new(vec![channel("mail", &settings, None), hook]).await;
    let other = format!("{}/other", receiver.url());
    house.rules = vec![crate::findings::admins(&json!({ "operations": [{ "actions": [
        { "type": "SEND_EMAIL", "recipients": ["boss@x.example"], "body": "{{queries.query0.total}} admins" },
        { "type": "WEBHOOK", "endpoint": url, "method": "POST", "body": { "count": "{{queries.query0.total}}" } },
        { "type": "WEBHOOK", "endpoint": other, "method": "POST", "body": {} },
    ] }] }))];
    let people = ["ann@x.example"];
    house.version(&people, &people.into()).await;
    house.evaluate().await;
    assert_eq!(house.deliver().await.sent, 2, "an address that no channel has is not asked");
    assert_eq!(receiver.received()[0].json(), json!({ "count": 1 }));
    assert_eq!(mail.mails()[0].to, ["boss@x.example"]);
    assert!(mail.mails()[0].text.contains("1 admins"));
    house.version(&people, &people.into()).await;
    house.evaluate().await;
    assert_eq!(house.deliver().await.sent, 0, "what is known is not told at each version");
}

#[tokio::test]
async fn a_channel_can_be_tried() {
    let receiver = Receiver::local().await.unwrap();
    let house = House::new(vec![webhook("hook", &receiver, &json!({}))]).await;
    try_channel(&house.outside, &house.channels[0], &house.clock).await.unwrap();
    assert_eq!(receiver.received()[0].json()["type"], "finding.test");
    let unsealed = metsuke_engine::alerts::Channel { secret: None, ..house.channels[0].clone() };
    assert!(try_channel(&house.outside, &unsealed, &house.clock).await.is_err());
}
