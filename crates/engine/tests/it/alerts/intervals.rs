//! Rules by their own intervals: looked at on the newest version, once for each moment, whatever happens meanwhile; and rules
//! that cannot be evaluated, of which somebody wants to be told.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use metsuke_engine::alerts::Evaluator;
use metsuke_engine::connectors::{Installation, NewConnector, Settings};
use metsuke_engine::findings::{self, Asked, UNJUDGED, Watched, Which, watched};
use metsuke_engine::jobs::{EVALUATE, JobSelect, JobStatus};
use metsuke_engine::rules::{Limits, shipped};
use metsuke_engine::seal::SealFile;
use metsuke_engine::supervisor::Supervisor;
use metsuke_model::audit::Actor;
use metsuke_model::finding::{AlertStatus, FindingState};
use metsuke_model::{FixedClock, Moment, Version};
use metsuke_simulator::receivers::Receiver;
use metsuke_store::{FindingFilter, OpenMode, RuleRow, Store};
use serde_json::{Value as Json, json};

use super::desk::{House, SECOND, webhook};
use crate::findings::admins;
use crate::rules::fixture::company;

const MINUTE: i64 = 60 * SECOND;

fn document(id: &str, interval: &str, more: &Json) -> Json {
    let mut document = json!({
        "id": id, "name": id, "pollingInterval": interval,
        "question": { "queries": [{ "query": "FIND heroku_team AS t RETURN t.id AS id, t.name AS name" }] },
        "operations": [{
            "when": { "type": "FILTER", "condition": "{{queries.query0.total > 0}}" },
            "actions": [{ "type": "CREATE_ALERT" }],
        }],
        "subject": { "key": ["id"] },
    });
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

async fn open(folder: &Path, clock: &Arc<FixedClock>) -> Installation {
    let url = format!("sqlite:{}", folder.join("metsuke.db").display());
    let main = Store::open(&url, OpenMode::Create).await.unwrap();
    let seal = SealFile::at(folder.join("metsuke.key"));
    Installation::open(main, seal, clock.clone()).await.unwrap()
}

fn supervisor(installation: &Installation) -> Supervisor {
    Supervisor::new(installation.clone()).unwrap().with(Arc::new(Evaluator::default()))
}

/// How many rules the evaluations looked at that followed no version, one number for each that looked at any.
async fn looks(estate: &Store) -> Vec<u64> {
    let select = JobSelect {
        status: Some(JobStatus::Finished),
        kind: Some(EVALUATE.into()),
        before: None,
        limit: 100_000,
    };
    let jobs = estate.jobs(&select).await.unwrap();
    let due = jobs.iter().filter(|job| job.document.get("due").is_some());
    let rules = |job: &metsuke_engine::jobs::Job| job.result.as_ref()?.get("rules")?.as_u64();
    due.filter_map(rules).filter(|rules| *rules > 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_looked_at_in_its_own_interval_and_never_twice_for_one_moment() {
    let (house, folder) = (company().await, tempfile::tempdir().unwrap());
    // Seven minutes past noon.
    let clock = Arc::new(FixedClock::at(Moment::parse("2026-11-20T12:07:00Z").unwrap()));
    let installation = open(folder.path(), &clock).await;
    let main = installation.main();
    for detection in shipped::all() {
        findings::turn(main, &detection.id, false, &shipped::Values::new(), &*clock).await.unwrap();
    }
    for (id, interval) in
        [("quarter", "FIFTEEN_MINUTES"), ("hour", "ONE_HOUR"), ("never", "DISABLED"), ("odd", "SOMETIMES")]
    {
        findings::keep_rule(main, &document(id, interval, &json!({})), true, &*clock).await.unwrap().unwrap();
    }
    let connector = NewConnector {
        name: "northwind".into(),
        settings: Settings {
            owner: "ann@northwind.example".into(),
            api_url: house.simulator.url(),
            ..Settings::default()
        },
        api_token: house.simulator.token().into(),
        jupiterone_key: None,
    };
    let connector = installation.create(&Actor::operator("ann"), connector).await.unwrap();
    // Two servers on one database.
    let other = open(folder.path(), &clock).await;
    let servers = [supervisor(&installation), supervisor(&other)];
    let drain = async || {
        let (one, other) = tokio::join!(servers[0].drain(None), servers[1].drain(None));
        one.unwrap();
        other.unwrap();
    };
    drain().await;
    let estate = installation.estate(connector.id).await.unwrap();
    assert!(looks(&estate).await.is_empty(), "the first version is looked at as a whole");
    for _ in 0..(6 * 60 / 5) {
        clock.advance(5 * MINUTE);
        drain().await;
    }
    let six_hours = looks(&estate).await;
    assert_eq!((six_hours.len(), six_hours.iter().sum::<u64>()), (24, 24 + 6), "{six_hours:?}");
    // The server was away for five hours: what was missed is one look, and then it goes on.
    clock.advance(5 * 60 * MINUTE);
    drain().await;
    let after = looks(&estate).await;
    assert_eq!((after.len(), after.iter().sum::<u64>()), (25, 30 + 2));
    clock.advance(15 * MINUTE);
    drain().await;
    assert_eq!(looks(&estate).await.len(), 26);
    // A rule that comes meanwhile is looked at at its first moment.
    findings::keep_rule(main, &document("late", "THIRTY_MINUTES", &json!({})), true, &*clock)
        .await
        .unwrap()
        .unwrap();
    let before = looks(&estate).await.iter().sum::<u64>();
    for _ in 0..6 {
        clock.advance(5 * MINUTE);
        drain().await;
    }
    assert_eq!(
        looks(&estate).await.iter().sum::<u64>() - before,
        2 + 1,
        "two of a quarter, one of half an hour"
    );
    // What is only looked at when somebody asks was never looked at.
    let states = estate.rule_states().await.unwrap();
    let judged: BTreeSet<&str> = states.iter().map(|state| &*state.rule).collect();
    assert_eq!(judged, BTreeSet::from(["quarter", "hour", "odd", "late"]));
}

async fn evaluate(house: &House, rules: &[Watched], of: Which<'_>, version: Version) -> findings::Summary {
    let asked = Asked {
        store: &house.store,
        rules,
        of,
        channels: &house.channels,
        connector: None,
        account_name: None,
        limits: Limits::default(),
        folder: Path::new("/nonexistent"),
    };
    findings::evaluate(&asked, version, &house.clock).await.unwrap()
}

fn rules_of(documents: &[Json]) -> Vec<Watched> {
    let row = |document: &Json| RuleRow {
        id: document["id"].as_str().unwrap().into(),
        kind: "own".into(),
        enabled: true,
        revision: 1,
        updated_at: Moment(0),
        document: document.clone(),
    };
    let rows: Vec<RuleRow> = documents.iter().map(row).collect();
    let (rules, wrong) = watched(&rows);
    assert!(wrong.is_empty(), "{wrong:?}");
    rules.into_iter().filter(|rule| matches!(rule, Watched::Own(_))).collect()
}

#[tokio::test]
async fn a_rule_that_waits_to_be_asked_is_evaluated_when_it_is_and_keeps_what_it_found() {
    let house = House::new(Vec::new()).await;
    let rules = rules_of(&[document("asked", "DISABLED", &json!({}))]);
    let version = house.version(&["ann@x.example"], &BTreeSet::new()).await;
    assert_eq!(evaluate(&house, &rules, Which::Following, version).await.rules, 0);
    let these = BTreeSet::from(["asked".to_owned()]);
    let summary = evaluate(&house, &rules, Which::These(&these), version).await;
    assert_eq!((summary.rules, summary.opened), (1, 1));
    let version = house.version(&["ann@x.example"], &BTreeSet::new()).await;
    let summary = evaluate(&house, &rules, Which::Following, version).await;
    assert_eq!((summary.rules, summary.resolved, summary.standing), (0, 0, 1));
    assert_eq!(house.store.evaluated_version().await.unwrap(), Some(version));
}

#[tokio::test]
async fn of_a_rule_that_fails_somebody_is_told_once_where_it_says_so() {
    let receiver = Receiver::local().await.unwrap();
    let mut house = House::new(vec![webhook("ops", &receiver, &json!({}))]).await;
    let broken = json!({ "question": { "queries": [{ "query": "FIND heroku_team AS t RETURN x.name" }] } });
    let loud = |interval: &str, broken: &Json| {
        let mut more = broken.clone();
        more["notifyOnFailure"] = json!(true);
        document("loud", interval, &more)
    };
    let told = || -> Vec<String> {
        receiver.received().iter().map(|one| one.json()["type"].as_str().unwrap().to_owned()).collect()
    };
    let failing = async |house: &House| {
        let filter = FindingFilter { rule: Some(UNJUDGED.into()), ..FindingFilter::default() };
        house.store.findings(&filter).await.unwrap().iter().map(|row| row.state).collect::<Vec<_>>()
    };
    let rounds = [
        (vec![loud("ONE_DAY", &broken), document("still", "ONE_DAY", &broken)], vec!["finding.opened"]),
        (vec![loud("ONE_DAY", &broken)], vec!["finding.opened"]),
        (vec![loud("ONE_DAY", &json!({}))], vec!["finding.opened", "finding.opened", "finding.resolved"]),
    ];
    for (documents, wanted) in rounds {
        house.rules = rules_of(&documents);
        let version = house.version(&["ann@x.example"], &BTreeSet::new()).await;
        evaluate(&house, &house.rules, Which::Following, version).await;
        house.deliver().await;
        let mut events = told();
        events.sort();
        assert_eq!(events, wanted);
        house.clock.advance(SECOND);
    }
    assert_eq!(failing(&house).await, [FindingState::Resolved]);
    // It fails again, and is turned off.
    house.rules = rules_of(&[loud("ONE_DAY", &broken)]);
    let version = house.version(&["ann@x.example"], &BTreeSet::new()).await;
    evaluate(&house, &house.rules, Which::Following, version).await;
    assert_eq!(failing(&house).await, [FindingState::Open]);
    house.rules = vec![admins(&json!({}))];
    let version = house.version(&["ann@x.example"], &BTreeSet::new()).await;
    evaluate(&house, &house.rules, Which::Following, version).await;
    assert_eq!(failing(&house).await, [FindingState::Resolved]);
    let states = house.store.rule_states().await.unwrap();
    assert!(states.iter().all(|state| state.rule != "loud" || state.alert == AlertStatus::Inactive));
}
