//! Findings that are kept with a memory and without one, at once and in parts: the same, version for version, whoever
//! evaluates in between.

use std::collections::BTreeMap;
use std::path::Path;

use metsuke_engine::findings::{self, Asked, Watched, Which};
use metsuke_engine::rules::{Instance, Limits, Memory};
use metsuke_model::finding::FindingState;
use metsuke_model::{FixedClock, Moment, Version};
use metsuke_store::{FindingFilter, Store};
use metsuke_testkit::{Chance, setting};
use serde_json::{Value as Json, json};

use crate::told::later::later;
use crate::told::{Library, estates};

const BEGUN: Moment = Moment(1_719_831_600_000_000);
const HOUR: i64 = 3_600_000_000;

const QUESTIONS: [&str; 6] = [
    "FIND heroku_account_member AS u THAT HAS AS h << heroku_team AS t WHERE h.role = 'admin' RETURN u.id AS id, u.email AS email, t.id AS team",
    "FIND heroku_application AS app THAT ASSIGNED << heroku_account_member AS u RETURN app.id AS id, app.name AS name, u.id AS user",
    "FIND heroku_application WITH releasedOn < date.now - 60 days AS app RETURN app.id AS id, app.name AS name",
    "FIND heroku_team AS t THAT OWNS >> heroku_application AS app RETURN t.id AS id, count(app) AS apps",
    "FIND heroku_team WITH name = 'core' AS t THAT OWNS >> heroku_application AS app RETURN app.id AS id, app.name AS name",
    "FIND heroku_team WITH name = 'side' AS t THAT OWNS >> heroku_application AS app RETURN app.id AS id, app.name AS name",
];

fn rules() -> Vec<Watched> {
    let rule = |(number, text): (usize, &&str)| {
        let document = json!({
            "name": format!("rule {number}"),
            "triggerActionsOnNewEntitiesOnly": number == 3,
            "question": { "queries": [{ "query": text }] },
            "operations": [{
                "when": { "type": "FILTER", "condition": "{{queries.query0.total > 0}}" },
                "actions": [{ "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "LOW" }, { "type": "CREATE_ALERT" }],
            }],
            "subject": { "key": ["id", "user", "team"] },
            "outputs": ["queries.query0.total"],
        });
        Watched::Own(Box::new(Instance::read(&document).unwrap()))
    };
    QUESTIONS.iter().enumerate().map(rule).collect()
}

/// What is kept of findings, but for their numbers.
async fn kept(store: &Store) -> (BTreeMap<String, Json>, BTreeMap<String, Json>) {
    let all = store.findings(&FindingFilter::default()).await.unwrap();
    let mut findings = BTreeMap::new();
    for row in all {
        let events = store.finding_events(&row.fingerprint).await.unwrap();
        let told: Vec<String> =
            events.iter().map(|event| format!("{:?} {:?}", event.what, event.version)).collect();
        let mut rows: Vec<String> =
            row.document.to_json()["rows"].as_array().unwrap().iter().map(ToString::to_string).collect();
        rows.sort_unstable();
        let says = json!([
            row.state.as_str(),
            row.subject,
            row.level,
            row.opened.0,
            row.times,
            row.missing.map(|m| m.0),
            rows,
            told
        ]);
        findings.insert(row.fingerprint, says);
    }
    let states = store.rule_states().await.unwrap();
    let says = |state: &metsuke_store::RuleStateRow| {
        json!([
            state.state,
            state.version.0,
            state.level,
            state.alert.as_str(),
            state.document["findings"],
            state.document["outputs"]
        ])
    };
    (findings, states.iter().map(|state| (state.rule.clone(), says(state))).collect())
}

/// `most_held`: how many subjects are held before they are stored.
async fn evaluate(
    (store, most_held): (&Store, usize),
    rules: &[Watched],
    version: i64,
    memory: &mut Memory,
) -> findings::Summary {
    let asked = Asked {
        store,
        rules,
        of: Which::Following,
        channels: &[],
        connector: None,
        account_name: None,
        limits: Limits { most_held, ..Limits::default() },
        folder: Path::new("/nonexistent"),
    };
    let clock = FixedClock::at(Moment(BEGUN.0 + version * 30 * HOUR));
    findings::evaluate_with(&asked, Version(version), memory, &clock).await.unwrap()
}

async fn round(mut chance: Chance) {
    let mut told = estates::random(&mut chance);
    let with = Library::on_sqlite(&told, BEGUN).await;
    let without = Library::on_sqlite(&told, BEGUN).await;
    let mut rules = rules();
    let mut memory = Memory::default();
    let mut left_out = None;
    for version in 1..=14 {
        if version > 1 {
            told = later(&mut chance, &told);
            for library in [&with, &without] {
                library.tell(&told, Moment(BEGUN.0 + version * HOUR)).await;
            }
        }
        // Somebody turns a rule off, or on again.
        match left_out.take() {
            Some(rule) => rules.push(rule),
            None if chance.percent(25) => left_out = Some(rules.swap_remove(chance.below(rules.len()))),
            None => {}
        }
        // Another process was there first.
        if chance.percent(15) {
            for library in [&with, &without] {
                evaluate((&library.store, usize::MAX), &rules, version, &mut Memory::default()).await;
            }
        }
        let most_held = [0, 3, 10, usize::MAX][chance.below(4)];
        let one = evaluate((&with.store, most_held), &rules, version, &mut memory).await;
        let other = evaluate((&without.store, usize::MAX), &rules, version, &mut Memory::default()).await;
        let counts = |summary: &findings::Summary| (summary.opened, summary.resolved, summary.standing);
        assert_eq!(counts(&one), counts(&other), "version {version}, {most_held} held");
        assert_eq!(kept(&with.store).await, kept(&without.store).await, "version {version}");
        let open = async |store: &Store| {
            let filter = FindingFilter { states: vec![FindingState::Open], ..FindingFilter::default() };
            store.findings(&filter).await.unwrap().len()
        };
        assert_eq!(open(&with.store).await, one.standing);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_the_same_with_a_memory_and_without_one_at_once_and_in_parts() {
    let first = setting("METSUKE_STORED_SEED", 1_u64);
    eprintln!("METSUKE_STORED_SEED={first}");
    for number in 0..setting("METSUKE_STORED", 12_u64) {
        round(Chance::new(first.wrapping_add(number))).await;
    }
}
