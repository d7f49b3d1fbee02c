//! Rules that differ in a name alone, such as those of many teams: what is asked for all of them at once is what each
//! would be told alone, and a memory that is too small forgets and says the same.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_engine::query::Settings;
use metsuke_engine::rules::{
    Again, Evaluation, Ground, Instance, Limits, Memory, Recall, Sabotage, Since, evaluate, evaluate_again,
};
use metsuke_model::Moment;
use metsuke_testkit::{Chance, setting};
use serde_json::json;

use crate::told::later::later;
use crate::told::{Library, estates};

const BEGUN: Moment = Moment(1_719_831_600_000_000);
const HOUR: i64 = 3_600_000_000;

const NAMES: [&str; 4] = ["core", "core-2", "side", "a b"];

/// Questions with a name in them.
const SHAPES: [&str; 9] = [
    "FIND heroku_team WITH name = '@' THAT HAS AS h >> heroku_account_member AS u WHERE h.role = 'admin' RETURN u.id, u.email",
    "FIND heroku_team WITH name = '@' AS t THAT HAS >> heroku_account_member WITH mfaEnabled = false AS u RETURN t.name, u.email",
    "FIND UNIQUE heroku_team WITH name = '@' THAT OWNS >> heroku_application AS app THAT ASSIGNED << heroku_account_member AS u RETURN app.id, app.name, u.id, u.email",
    "FIND heroku_team WITH name = '@' THAT OWNS >> heroku_application AS app THAT ACCESSES AS a << heroku_account_member AS u RETURN app.name, u.email, a.via",
    "FIND heroku_team WITH name = '@' AND listed = true AS t THAT OWNS >> heroku_application AS app RETURN t.id, count(app) AS apps",
    "FIND heroku_application WITH name = '@' AS app THAT ASSIGNED << heroku_account_member AS u RETURN app, u.email",
    "FIND heroku_account_member WITH email = 'ann@acme.com' AS u THAT HAS << heroku_team WITH name = '@' AS t RETURN t.id, u.id",
    "FIND heroku_team WITH name = '@' AS t THAT OWNS >> heroku_application WITH releasedOn < date.now - 30 days AS app RETURN app.id",
    "FIND heroku_application WITH name = '@' AS app THAT HAS >> heroku_addon AS d (THAT USES << heroku_application AS other)? RETURN app.id, d.id, other.name",
];

fn rule(name: &str, text: &str) -> Instance {
    Instance::read(&json!({
        "name": name,
        "question": { "queries": [{ "query": text }] },
        "operations": [{
            "when": { "type": "FILTER", "condition": "{{queries.query0.total > 0}}" },
            "actions": [{ "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "LOW" }, { "type": "CREATE_ALERT" }],
        }],
        "outputs": ["queries.query0.total"],
    }))
    .unwrap()
}

fn rules() -> Vec<Instance> {
    let named = |text: &str| NAMES.iter().map(|name| text.replace('@', name)).collect::<Vec<_>>();
    let texts = SHAPES.iter().flat_map(|text| named(text.strip_prefix(' ').unwrap_or(text)));
    texts.enumerate().map(|(number, text)| rule(&format!("rule {number}"), &text)).collect()
}

/// What an evaluation finds, by subject; order counts for nothing.
fn found(evaluation: &Evaluation) -> BTreeMap<String, Vec<String>> {
    let of = |subject: &metsuke_engine::rules::Subject| {
        let mut rows: Vec<String> = subject.rows.iter().map(|row| row.as_str().to_owned()).collect();
        rows.sort_unstable();
        (subject.fingerprint.clone(), rows)
    };
    evaluation.subjects.iter().map(of).collect()
}

async fn ground(library: &Library, now: Moment, limits: Limits, folder: &tempfile::TempDir) -> Ground {
    Ground::open(&library.store, Settings::at(now), Since::Before, limits, folder.path()).await.unwrap()
}

/// Versions of an estate, each asked with a memory of so many bytes and without one.
async fn round(mut chance: Chance, postgres: bool, mut remembered: Memory, bytes: usize) -> Recall {
    let mut told = estates::random(&mut chance);
    let library = if postgres {
        Library::on_postgres(&told, BEGUN).await
    } else {
        Library::on_sqlite(&told, BEGUN).await
    };
    let folder = tempfile::tempdir().unwrap();
    let rules = rules();
    let mut stands: BTreeMap<usize, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    let mut all = Recall::default();
    let limits = Limits { most_alone: chance.below(3), ..Limits::default() };
    for version in 2..=12 {
        told = later(&mut chance, &told);
        let now = Moment(BEGUN.0 + version * HOUR * 30);
        library.tell(&told, now).await;
        let with = ground(&library, now, limits, &folder).await.remembering(remembered).await.unwrap();
        let alone = Limits { most_alone: usize::MAX, ..limits };
        let without = ground(&library, now, alone, &folder).await;
        for (place, rule) in rules.iter().enumerate() {
            if chance.percent(15) {
                continue;
            }
            let fresh = evaluate(rule, &without, None).await;
            let wanted = found(&fresh);
            let known = stands.entry(place).or_default();
            match evaluate_again(rule, &with, None).await {
                Again::Same => {}
                Again::Whole(evaluation) => *known = found(&evaluation),
                Again::Touched(evaluation, touched) => {
                    assert_eq!((&evaluation.outputs, &evaluation.state), (&fresh.outputs, &fresh.state));
                    known.retain(|subject, _| !touched.contains(subject));
                    known.extend(found(&evaluation));
                }
            }
            assert_eq!(*known, wanted, "{:#?}", rule.document());
        }
        remembered = with.into_memory();
        assert!(remembered.bytes() <= bytes, "{} of {bytes} bytes", remembered.bytes());
        let recall = remembered.recall();
        all.together += recall.together;
        all.unchanged += recall.unchanged;
        all.touched += recall.touched;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_many_at_once_is_what_each_is_told_alone() {
    let first = setting("METSUKE_KIN_SEED", 1_u64);
    eprintln!("METSUKE_KIN_SEED={first}");
    let rounds = setting("METSUKE_KIN", 12_u64);
    let (mut together, mut touched) = (0, 0);
    for number in 0..rounds {
        let recall = round(Chance::new(first.wrapping_add(number)), false, Memory::default(), 64 << 20).await;
        together += recall.together;
        touched += recall.touched;
    }
    for number in 0..rounds.div_ceil(6) {
        round(Chance::new(first.wrapping_add(1_000 + number)), true, Memory::default(), 64 << 20).await;
    }
    eprintln!("{together} answers were asked for together, {touched} evaluations told only of what changed");
    assert!(together > 0 && touched > 0);
}

/// Whether any of some rounds ends as no round may.
async fn is_caught(sabotage: Sabotage) -> bool {
    for seed in 1..40 {
        let memory = Memory::default().sabotaged(sabotage);
        let round = tokio::task::spawn_blocking(move || {
            tokio::runtime::Handle::current().block_on(round(Chance::new(seed), false, memory, 64 << 20))
        });
        if round.await.is_err() {
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twin_that_forgets_changes_is_caught() {
    assert!(is_caught(Sabotage::ForgetsChanges).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twin_that_leaves_the_others_as_they_were_is_caught() {
    assert!(is_caught(Sabotage::KeepsRelatives).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twin_that_tells_nothing_to_who_is_answered_with_others_is_caught() {
    assert!(is_caught(Sabotage::MixesKin).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_that_is_too_small_forgets_and_says_the_same() {
    for (seed, bytes) in [(1, 0), (2, 2_000), (3, 20_000)] {
        round(Chance::new(seed), false, Memory::of_size(bytes), bytes).await;
    }
}

#[tokio::test]
async fn of_an_answer_that_was_cut_as_many_rows_are_seen_after_a_change() {
    let house = super::fixture::company().await;
    house.sync().await;
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { most_rows: 4, ..Limits::default() };
    let people =
        rule("people", "FIND heroku_account_member AS u THAT HAS << heroku_team AS t RETURN u.id, t.name");
    let open = async || {
        let settings = Settings::at(BEGUN);
        Ground::open(&house.store, settings, Since::Before, limits, folder.path()).await.unwrap()
    };
    let ground = open().await;
    let first = evaluate(&people, &ground, None).await;
    assert_eq!((first.subjects.len(), first.complete), (4, false));
    house.simulator.edit(|world| world.set_member("core", "zoe@northwind.example", Some("member"))).unwrap();
    house.sync().await;
    let ground = open().await.remembering(ground.into_memory()).await.unwrap();
    let again = evaluate_again(&people, &ground, None).await;
    let mut subjects: BTreeSet<String> = found(&first).into_keys().collect();
    match again {
        Again::Same => {}
        Again::Whole(evaluation) => subjects = found(&evaluation).into_keys().collect(),
        Again::Touched(evaluation, touched) => {
            assert!(!evaluation.complete);
            subjects.retain(|subject| !touched.contains(subject));
            subjects.extend(found(&evaluation).into_keys());
        }
    }
    assert_eq!(subjects.len(), 4);
}
