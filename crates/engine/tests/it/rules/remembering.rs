//! Runs of rules with a memory and without one: the same evaluations, version for version.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_engine::query::{Prepared, Settings};
use metsuke_engine::rules::shipped::{self, Values};
use metsuke_engine::rules::{
    Again, Evaluation, Ground, Instance, Limits, Memory, Recall, Since, State, evaluate, evaluate_again,
};
use metsuke_j1ql::evaluate::random;
use metsuke_model::{AsOf, Moment, Version};
use metsuke_testkit::{Chance, setting};
use serde_json::{Value as Json, json};

use super::fixture::company;
use crate::told::later::later;
use crate::told::{Library, estates, memory};

const BEGUN: Moment = Moment(1_719_831_600_000_000);
const HOUR: i64 = 3_600_000_000;

/// Rules with random questions; some count only what is new, ask further questions, or look for changes as well.
fn rules(chance: &mut Chance, library: &Library, graph: &metsuke_j1ql::evaluate::Graph) -> Vec<Instance> {
    let settings = Settings::at(BEGUN);
    let question = |chance: &mut Chance| loop {
        let text = random::query(graph, &mut |limit| chance.below(limit));
        let chosen = ["LIMIT", "SKIP", "${"].iter().any(|word| text.contains(word));
        if !chosen && Prepared::new(&text, &settings, &library.store).is_ok() {
            return text;
        }
    };
    let mut rules = Vec::new();
    for number in 0..25 {
        let mut document = json!({
            "name": format!("rule {number}"),
            "triggerActionsOnNewEntitiesOnly": chance.percent(20),
            "ignorePreviousResults": chance.percent(10),
            "question": { "queries": [{ "query": question(chance), "includeDeleted": chance.percent(15) }] },
            "operations": [{
                "when": { "type": "FILTER", "condition": "{{queries.query0.total > 0}}" },
                "actions": [{ "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "LOW" }, { "type": "CREATE_ALERT" }],
            }],
            "outputs": ["queries.query0.total", "alertLevel"],
        });
        if chance.percent(25) {
            let more = json!({ "name": "more", "query": question(chance) });
            document["question"]["queries"].as_array_mut().unwrap().push(more);
        }
        if chance.percent(20) {
            let further = json!({ "type": "FOR_EACH_ITEM", "items": [1], "actions": [
                { "type": "JUPITERONE_QUERY", "name": "further", "query": question(chance) },
                { "type": "WEBHOOK", "url": "https://example.com", "body": "{{queries.further.total}}" },
            ] });
            document["operations"][0]["actions"].as_array_mut().unwrap().push(further);
        }
        if chance.percent(10) {
            document["change"] = json!({});
        }
        rules.push(Instance::read(&document).unwrap());
    }
    rules
}

async fn ground(library: &Library, now: Moment, folder: &tempfile::TempDir) -> Ground {
    let settings = Settings::at(now);
    Ground::open(&library.store, settings, Since::Before, Limits::default(), folder.path()).await.unwrap()
}

/// An evaluation in which order counts for nothing.
fn unordered(evaluation: &Evaluation) -> Json {
    let mut told = serde_json::to_value(evaluation).unwrap();
    for list in ["subjects", "actions"] {
        for item in told[list].as_array_mut().unwrap() {
            if let Some(rows) = item.get_mut("rows").and_then(Json::as_array_mut) {
                rows.sort_by_key(ToString::to_string);
            }
        }
        told[list].as_array_mut().unwrap().sort_by_key(ToString::to_string);
    }
    told
}

/// An evaluation in which nothing is new.
fn aged(evaluation: &Evaluation) -> Json {
    let mut evaluation = evaluation.clone();
    evaluation.subjects.iter_mut().for_each(|subject| subject.new = false);
    unordered(&evaluation)
}

async fn detections(ground: &Ground) -> Vec<Json> {
    let mut told = Vec::new();
    for detection in shipped::all() {
        told.push(unordered(&detection.evaluate(ground, &Values::new(), None).await.unwrap()));
    }
    told
}

async fn round(mut chance: Chance, postgres: bool) -> Recall {
    let mut told = estates::random(&mut chance);
    let library = if postgres {
        Library::on_postgres(&told, BEGUN).await
    } else {
        Library::on_sqlite(&told, BEGUN).await
    };
    let graph = memory::graph(&library.store, BEGUN).await;
    let mut rules = rules(&mut chance, &library, &graph);
    let folder = tempfile::tempdir().unwrap();
    let mut remembered = Memory::default();
    let mut before: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut last: BTreeMap<usize, Json> = BTreeMap::new();
    let mut all = Recall::default();
    for version in 2..=9 {
        // Now and then nothing new is read, and only the time goes on.
        if chance.percent(85) {
            told = later(&mut chance, &told);
            library.tell(&told, Moment(BEGUN.0 + version * HOUR)).await;
        }
        if chance.percent(20) {
            let place = chance.below(rules.len());
            let mut document = Json::Object(rules[place].document().clone());
            document["operations"][0]["actions"][0]["targetValue"] = json!("HIGH");
            rules[place] = Instance::read(&document).unwrap();
        }
        let now = Moment(BEGUN.0 + version * HOUR * 30);
        let with = ground(&library, now, &folder).await.remembering(remembered).await.unwrap();
        let without = ground(&library, now, &folder).await;
        for (place, rule) in rules.iter().enumerate() {
            // Rules have intervals of their own, so not every run has all.
            if chance.percent(30) {
                continue;
            }
            let previous = before.get(&place);
            let other = evaluate(rule, &without, previous).await;
            let found = |evaluation: Json| evaluation["subjects"].clone();
            match evaluate_again(rule, &with, previous).await {
                Again::Whole(one) => assert_eq!(unordered(&one), unordered(&other), "{:#?}", rule.document()),
                // The one before found the same, but for what was new then.
                Again::Same => assert_eq!(last[&place], found(aged(&other)), "{:#?}", rule.document()),
                Again::Touched(one, touched) => {
                    let told = |evaluation: &Evaluation, of_these: bool| {
                        let mut told = evaluation.clone();
                        told.subjects.retain(|subject| touched.contains(&subject.fingerprint) == of_these);
                        told
                    };
                    assert_eq!(unordered(&one), unordered(&told(&other, true)), "{:#?}", rule.document());
                    let of_others =
                        |subject: &Json| !touched.contains(subject["fingerprint"].as_str().unwrap());
                    let stood: Vec<Json> = last[&place]
                        .as_array()
                        .unwrap()
                        .iter()
                        .filter(|one| of_others(one))
                        .cloned()
                        .collect();
                    let stand = found(aged(&told(&other, false)));
                    assert_eq!(Json::Array(stood), stand, "{:#?}", rule.document());
                }
            }
            last.insert(place, found(aged(&other)));
            before.insert(place, other.subjects.into_iter().map(|subject| subject.fingerprint).collect());
        }
        if chance.percent(30) {
            assert_eq!(detections(&with).await, detections(&without).await);
        }
        remembered = with.into_memory();
        let recall = remembered.recall();
        all.asked += recall.asked;
        all.pieces += recall.pieces;
        all.together += recall.together;
        all.known += recall.known;
        all.evaluated += recall.evaluated;
        all.touched += recall.touched;
        all.unchanged += recall.unchanged;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_remembers_says_what_one_without_a_memory_says() {
    let first = setting("METSUKE_MEMORY_SEED", 1_u64);
    eprintln!("METSUKE_MEMORY_SEED={first}");
    let rounds = setting("METSUKE_MEMORY", 8_u64);
    for number in 0..rounds {
        let recall = round(Chance::new(first.wrapping_add(number)), false).await;
        eprintln!("{recall:?}");
        assert!(recall.unchanged > 20 && recall.known + recall.unchanged > recall.asked / 2, "{recall:?}");
    }
    for number in 0..rounds.div_ceil(8) {
        round(Chance::new(first.wrapping_add(1_000 + number)), true).await;
    }
}

#[tokio::test]
async fn what_is_asked_twice_is_asked_once_and_nothing_is_asked_again_of_the_same_version() {
    let house = company().await;
    house.sync().await;
    let folder = tempfile::tempdir().unwrap();
    let rule = |name: &str| {
        Instance::read(&json!({
            "name": name,
            "question": { "queries": [{ "query": "FIND heroku_team AS t RETURN t.name" }] },
            "operations": [{ "when": { "type": "FILTER", "condition": "{{queries.query0.total > 0}}" }, "actions": [] }],
        }))
        .unwrap()
    };
    let open = async || {
        let settings = Settings::at(BEGUN);
        Ground::open(&house.store, settings, Since::Before, Limits::default(), folder.path()).await.unwrap()
    };
    let ground = open().await;
    for name in ["one", "two", "three"] {
        assert_eq!(evaluate(&rule(name), &ground, None).await.state, State::Fired);
    }
    let memory = ground.into_memory();
    assert_eq!(memory.recall(), Recall { asked: 1, known: 2, evaluated: 3, ..Recall::default() });

    let ground = open().await.remembering(memory).await.unwrap();
    assert!(matches!(evaluate_again(&rule("one"), &ground, None).await, Again::Same));
    assert!(matches!(evaluate_again(&rule("four"), &ground, None).await, Again::Whole(_)));
    let again = evaluate(&rule("two"), &ground, None).await;
    assert!(again.subjects.len() == 3 && again.subjects.iter().all(|subject| subject.new));
    let memory = ground.into_memory();
    assert_eq!(memory.recall(), Recall { known: 2, evaluated: 2, unchanged: 1, ..Recall::default() });

    house.simulator.edit(|world| world.set_role("core", "bob@northwind.example", Some("viewer"))).unwrap();
    house.sync().await;
    let ground = open().await.remembering(memory).await.unwrap();
    assert!(matches!(evaluate_again(&rule("one"), &ground, None).await, Again::Same));
    let memory = ground.into_memory();
    assert_eq!(memory.recall(), Recall { unchanged: 1, ..Recall::default() });

    house.simulator.edit(|world| world.rename_team("core", "heart")).unwrap();
    house.sync().await;
    let ground = open().await.remembering(memory).await.unwrap();
    let Again::Touched(told, touched) = evaluate_again(&rule("one"), &ground, None).await else { panic!() };
    assert!(told.subjects.len() == 1 && touched.len() == 2, "{told:?}");
    assert_eq!(told.subjects[0].name, "heart");
    let memory = ground.into_memory();
    assert_eq!(memory.recall(), Recall { pieces: 1, known: 1, touched: 1, ..Recall::default() });

    // What is remembered of a later version says nothing of an earlier one.
    let settings = Settings { as_of: Some(AsOf::Version(Version(1))), ..Settings::at(BEGUN) };
    let ground =
        Ground::open(&house.store, settings, Since::Before, Limits::default(), folder.path()).await.unwrap();
    let ground = ground.remembering(memory).await.unwrap();
    let told = evaluate(&rule("one"), &ground, None).await;
    assert!(told.subjects.iter().any(|subject| subject.name == "core"), "{told:?}");
}
