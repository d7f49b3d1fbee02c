//! Findings, states of rules, channels and rules as people set them: stored together, read back as they were.

use std::collections::HashSet;

use metsuke_model::audit::EventCode;
use metsuke_model::finding::{AlertStatus, FindingEvent, FindingState};
use metsuke_model::{Moment, Version};
use metsuke_store::{
    ChannelRow, Document, Evaluated, FindingEdit, FindingFilter, FindingRow, Happened, NewDelivery, RuleRow,
    RuleStateRow, Said, Store, WantedFindings,
};
use serde_json::json;

use crate::database::Database;

pub(crate) fn finding(fingerprint: &str, number: i64) -> FindingRow {
    FindingRow {
        fingerprint: fingerprint.into(),
        number,
        rule: "D01".into(),
        rule_name: "new-team-admin".into(),
        subject: "ann \u{0}is an admin".into(),
        state: FindingState::Open,
        level: "HIGH".into(),
        opened_at: Moment(1),
        opened: Version(1),
        changed_at: Moment(1),
        seen: Version(1),
        missing: None,
        times: 1,
        until: None,
        reason: None,
        person: None,
        print: "p".into(),
        document: Document::of(&json!({ "rows": [1, "zwei", null] })),
    }
}

fn rule_state() -> RuleStateRow {
    RuleStateRow {
        rule: "D01".into(),
        name: "new-team-admin".into(),
        revision: "r".into(),
        version: Version(1),
        state: "fired".into(),
        why: None,
        level: Some("HIGH".into()),
        alert: AlertStatus::Active,
        alert_at: Moment(1),
        updated_at: Moment(1),
        ended: None,
        document: json!({}),
    }
}

pub(crate) fn delivery(id: &str, channel: &str, subject: &str, critical: bool) -> NewDelivery {
    NewDelivery {
        id: id.into(),
        channel: channel.into(),
        subject: subject.into(),
        rule: "D01".into(),
        version: Version(1),
        critical,
        document: json!({ "id": id }),
    }
}

fn evaluated(edition: i64) -> Evaluated {
    let happened = Happened {
        fingerprint: "aa11".into(),
        what: FindingEvent::Opened,
        version: Some(Version(1)),
        person: None,
        reason: None,
    };
    Evaluated {
        edition,
        version: Some(Version(1)),
        at: Some(Moment(1)),
        rules: vec![rule_state()],
        findings: vec![finding("aa11", 0), FindingRow { level: "LOW".into(), ..finding("aa22", 0) }],
        who: vec![("aa22".into(), "ann@example.com".into())],
        happened: vec![happened],
        deliveries: vec![delivery("d1", "c1", "aa11", false)],
    }
}

async fn an_evaluation_is_stored_whole_or_not_at_all(database: Database) {
    let store = database.open().await;
    assert_eq!(store.finding_standing().await.unwrap().evaluated, None);
    assert!(store.keep_evaluation(&evaluated(0)).await.unwrap());
    assert!(!store.keep_evaluation(&evaluated(0)).await.unwrap(), "somebody wrote since");
    let standing = store.finding_standing().await.unwrap();
    assert_eq!((standing.edition, standing.evaluated), (1, Some(Version(1))));
    assert_eq!(standing.rules, [rule_state()]);
    let subject = "ann \u{fffd}is an admin".to_owned();
    let first = FindingRow { subject, ..finding("aa11", 1) };
    assert_eq!(store.finding("aa11").await.unwrap().unwrap(), first);
    // Again, with the numbers that they were given: nothing doubles.
    let again = Evaluated { findings: vec![first.clone()], happened: Vec::new(), ..evaluated(1) };
    assert!(store.keep_evaluation(&again).await.unwrap());
    assert_eq!(store.findings(&FindingFilter::default()).await.unwrap().len(), 2);
    assert_eq!(store.deliveries(&metsuke_store::DeliveryFilter::default()).await.unwrap().len(), 1);
    assert_eq!(store.finding_events("aa11").await.unwrap().len(), 1);
}

async fn listed(store: &Store, filter: FindingFilter) -> Vec<i64> {
    store.findings(&filter).await.unwrap().iter().map(|row| row.number).collect()
}

async fn findings_are_listed_page_by_page_and_found_by_name(database: Database) {
    let store = database.open().await;
    store.keep_evaluation(&evaluated(0)).await.unwrap();
    let all = FindingFilter::default();
    assert_eq!(listed(&store, all.clone()).await, [2, 1]);
    assert_eq!(listed(&store, FindingFilter { limit: 1, ..all.clone() }).await, [2]);
    assert_eq!(listed(&store, FindingFilter { before: Some(2), ..all.clone() }).await, [1]);
    assert_eq!(
        listed(&store, FindingFilter { levels: vec!["LOW".into(), "INFO".into()], ..all.clone() }).await,
        [2]
    );
    let resolved = FindingFilter { states: vec![FindingState::Resolved], ..all.clone() };
    assert!(listed(&store, resolved).await.is_empty());
    assert!(listed(&store, FindingFilter { rule: Some("D02".into()), ..all.clone() }).await.is_empty());
    let about = |email: &str| FindingFilter { who: Some(email.into()), ..FindingFilter::default() };
    assert_eq!(listed(&store, about("Ann@Example.com")).await, [2]);
    assert!(listed(&store, about("bob@example.com")).await.is_empty());
    let of_another_rule = FindingFilter { rule: Some("D02".into()), ..about("ann@example.com") };
    assert!(listed(&store, of_another_rule).await.is_empty());
    assert!(listed(&store, FindingFilter { before: Some(2), ..about("ann@example.com") }).await.is_empty());
    let number = async |asked: &str| store.finding(asked).await.unwrap().map(|row| row.number);
    assert_eq!((number("1").await, number("aa22").await, number("aa2").await), (Some(1), Some(2), None));
    assert_eq!((number("aa11x").await, number("").await), (None, None));
}

async fn what_people_say_is_stored_with_its_event(database: Database) {
    let store = database.open().await;
    store.keep_evaluation(&evaluated(0)).await.unwrap();
    let edit = FindingEdit {
        state: FindingState::Accepted,
        what: FindingEvent::Accepted,
        until: Some(Moment(9)),
        reason: Some("it is meant to be so".into()),
        person: Some("ann".into()),
    };
    let event = || store.event(Moment(2), EventCode::FindingAccepted);
    let row = store.edit_finding("aa11", &edit, Moment(2), |_| true, event()).await.unwrap().unwrap();
    assert_eq!((row.state, row.until, row.changed_at), (FindingState::Accepted, Some(Moment(9)), Moment(2)));
    assert_eq!(store.finding("1").await.unwrap().unwrap(), row);
    let refused = store.edit_finding("aa22", &edit, Moment(3), |_| false, event()).await.unwrap().unwrap();
    assert_eq!(refused.state, FindingState::Open);
    assert!(store.edit_finding("zz", &edit, Moment(3), |_| true, event()).await.unwrap().is_none());
    assert_eq!(store.audit_rows_before(None, 100).await.unwrap().len(), 1);
    assert!(!store.keep_evaluation(&evaluated(1)).await.unwrap(), "an evaluation sees what was said");
    let happened = store.finding_events("aa11").await.unwrap();
    assert_eq!(
        happened.iter().map(|row| row.what).collect::<Vec<_>>(),
        [Some(FindingEvent::Opened), Some(FindingEvent::Accepted)]
    );
    assert_eq!(happened[1].person.as_deref(), Some("ann"));
    let event = || store.event(Moment(4), EventCode::AlertDismissed);
    assert!(store.dismiss_alert("D01", Moment(4), event()).await.unwrap());
    assert!(!store.dismiss_alert("D01", Moment(5), event()).await.unwrap());
    assert_eq!(store.rule_states().await.unwrap()[0].alert, AlertStatus::Dismissed);
}

async fn channels_and_rules_are_kept_with_their_events(database: Database) {
    let store = database.open().await;
    let channel = ChannelRow {
        id: "c1".into(),
        name: "ops".into(),
        kind: "slack".into(),
        enabled: true,
        created_at: Moment(1),
        updated_at: Moment(1),
        document: json!({ "way": { "kind": "slack" } }),
        secret: Some(vec![0, 1, 255]),
    };
    let event = || store.event(Moment(1), EventCode::ChannelSaved);
    store.put_channel(&channel, event()).await.unwrap();
    assert_eq!(store.channels().await.unwrap(), std::slice::from_ref(&channel));
    let other = ChannelRow { id: "c2".into(), ..channel.clone() };
    assert!(store.put_channel(&other, event()).await.is_err(), "a name belongs to one channel");
    let without = ChannelRow { secret: None, enabled: false, updated_at: Moment(2), ..channel };
    store.put_channel(&without, event()).await.unwrap();
    assert_eq!(store.channels().await.unwrap(), [without]);
    assert!(store.remove_channel("c1", event()).await.unwrap());
    assert!(!store.remove_channel("c1", event()).await.unwrap());
    let rule = RuleRow {
        id: "D01".into(),
        kind: "shipped".into(),
        enabled: false,
        revision: 1,
        updated_at: Moment(1),
        document: json!({}),
    };
    store.put_rule(&rule, event()).await.unwrap();
    store.put_rule(&RuleRow { enabled: true, ..rule.clone() }, event()).await.unwrap();
    assert_eq!(store.rules().await.unwrap(), [RuleRow { enabled: true, revision: 2, ..rule }]);
    assert!(store.remove_rule("D01", event()).await.unwrap());
    assert_eq!(store.audit_rows_before(None, 100).await.unwrap().len(), 6);
}

async fn an_evaluation_is_told_of_the_findings_that_it_may_change_and_of_no_others(database: Database) {
    let store = database.open().await;
    let of = |fingerprint: &str, rule: &str| FindingRow { rule: rule.into(), ..finding(fingerprint, 0) };
    let findings = vec![
        of("aa11", "D01"),
        FindingRow { print: "old".into(), ..of("aa22", "D01") },
        FindingRow { state: FindingState::Resolved, ..of("aa33", "D01") },
        FindingRow { missing: Some(Version(1)), ..of("aa44", "D01") },
        of("bb11", "D02"),
        of("bb22", "D02"),
        FindingRow { state: FindingState::Accepted, until: Some(Moment(5)), ..of("cc11", "D03") },
        FindingRow { state: FindingState::Accepted, until: Some(Moment(9)), ..of("cc22", "D03") },
        of("dd11", "off"),
    ];
    let written = Evaluated { findings, happened: Vec::new(), deliveries: Vec::new(), ..evaluated(0) };
    assert!(store.keep_evaluation(&written).await.unwrap());
    let standing = store.finding_standing().await.unwrap();
    let open = |rule: &str| (standing.open[rule].count, standing.open[rule].missing);
    assert_eq!((open("D01"), open("D02"), open("D03"), open("off")), ((3, 1), (2, 0), (2, 0), (1, 0)));
    let row = finding("aa11", 0);
    let subject = row.subject.replace('\0', "\u{fffd}");
    let said = Said { rule_name: &row.rule_name, subject: &subject, level: "HIGH", print: "p".into() };
    let watched = HashSet::from(["D01", "D02", "D03"]);
    let wanted = WantedFindings {
        part: None,
        rules: vec!["D01"],
        fingerprints: vec!["bb22", "none"],
        said: ["aa11", "aa22", "aa33", "aa44"].map(|known| (known, said.clone())).into(),
        watched: &watched,
        now: Moment(5),
    };
    let ground = store.finding_ground(&wanted).await.unwrap();
    let told: Vec<&str> = ground.findings.iter().map(|row| &*row.fingerprint).collect();
    assert_eq!(told, ["aa22", "aa33", "aa44", "bb22", "cc11", "dd11"]);
    assert_eq!(ground.same, HashSet::from(["aa11".to_owned()]), "what is as it was is only counted");
    assert_eq!(store.found_last("D01").await.unwrap(), ["aa11", "aa22"].map(String::from).into());
    let standing: Vec<String> = store.standing_of("D01").await.unwrap().into_iter().collect();
    assert_eq!(standing, ["aa11", "aa22", "aa44"]);
    let among = HashSet::from(["aa11".to_owned(), "aa33".to_owned()]);
    let of_part = WantedFindings { part: Some(("D01", &among)), ..wanted };
    let ground = store.finding_ground(&of_part).await.unwrap();
    let told: Vec<&str> = ground.findings.iter().map(|row| &*row.fingerprint).collect();
    assert_eq!(told, ["aa33", "bb22", "cc11", "dd11"]);
    assert_eq!(ground.same, HashSet::from(["aa11".to_owned()]));
}

async fn the_worst_findings_come_first_and_all_are_counted(database: Database) {
    let store = database.open().await;
    let of = |fingerprint: &str, level: &str, opened_at: i64, state: FindingState| FindingRow {
        level: level.into(),
        opened_at: Moment(opened_at),
        state,
        ..finding(fingerprint, 0)
    };
    let open = FindingState::Open;
    let findings = vec![
        of("b1", "LOW", 9, open),
        of("b2", "HIGH", 3, open),
        of("b3", "high", 5, FindingState::Acknowledged),
        of("b4", "CRITICAL", 1, open),
        of("b5", "CRITICAL", 8, FindingState::Resolved),
        of("b6", "HIGH", 3, open),
        of("b7", "unheard-of", 99, open),
    ];
    let evaluated = Evaluated { findings, who: Vec::new(), happened: Vec::new(), ..evaluated(0) };
    store.keep_evaluation(&evaluated).await.unwrap();
    let states = [FindingState::Open, FindingState::Acknowledged];
    let (mut levels, worst) = store.worst_findings(&states, 3).await.unwrap();
    levels.sort();
    let told: Vec<(&str, u64)> = levels.iter().map(|(level, count)| (&**level, *count)).collect();
    assert_eq!(told, [("CRITICAL", 1), ("HIGH", 2), ("LOW", 1), ("high", 1), ("unheard-of", 1)]);
    // Of b2 and b6, which were opened at once, the later one; all in the order of a list.
    let told: Vec<&str> = worst.iter().map(|row| &*row.fingerprint).collect();
    assert_eq!(told, ["b6", "b4", "b3"]);
    // What was counted is forgotten with the next write, by whichever handle.
    let other = store.clone();
    assert_eq!(other.worst_findings(&states, 3).await.unwrap().1, worst);
    let findings = vec![of("b4", "CRITICAL", 1, FindingState::Resolved), of("b8", "LOW", 10, open)];
    let evaluated = Evaluated { findings, who: Vec::new(), happened: Vec::new(), ..evaluated };
    store.keep_evaluation(&Evaluated { edition: 1, ..evaluated }).await.unwrap();
    let (levels, worst) = other.worst_findings(&states, 2).await.unwrap();
    let told: Vec<(&str, u64)> = levels.iter().map(|(level, count)| (&**level, *count)).collect();
    assert_eq!(told, [("HIGH", 2), ("LOW", 2), ("high", 1), ("unheard-of", 1)]);
    let told: Vec<&str> = worst.iter().map(|row| &*row.fingerprint).collect();
    assert_eq!(told, ["b6", "b3"]);
    let open: usize = store.finding_standing().await.unwrap().open.values().map(|open| open.count).sum();
    assert_eq!(open, 6);
}

on_both_engines!(
    the_worst_findings_come_first_and_all_are_counted,
    an_evaluation_is_told_of_the_findings_that_it_may_change_and_of_no_others,
    an_evaluation_is_stored_whole_or_not_at_all,
    findings_are_listed_page_by_page_and_found_by_name,
    what_people_say_is_stored_with_its_event,
    channels_and_rules_are_kept_with_their_events,
);
