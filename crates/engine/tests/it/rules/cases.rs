//! Each shipped detection on an estate where it fires on exactly the right subjects, and on one where it does not.

mod apps;
mod changes;
mod people;

use std::collections::BTreeSet;

use metsuke_engine::rules::shipped::{self, Values};
use metsuke_engine::rules::{Evaluation, Level, Since, State};
use metsuke_simulator::{Fault, FaultKind, World};

use super::fixture::{GROUP, company, ground, insider, roster};
use crate::house::House;

type Edit = fn(&mut World);

const NOTHING: Edit = |_| {};
const ANN: &str = "ann@northwind.example";
const BOB: &str = "bob@northwind.example";
const OUT: &str = "zoe@agency.example";

async fn evaluation(house: &House, id: &str) -> Evaluation {
    let (ground, _folder) = ground(house, None, Since::Before).await;
    shipped::find(id).unwrap().evaluate(&ground, &Values::new(), None).await.unwrap()
}

/// Two syncs with a change between them, and what a detection finds then.
async fn after(id: &str, before: Edit, change: Edit) -> Evaluation {
    let house = company().await;
    house.simulator.edit(before).unwrap();
    house.sync().await;
    house.simulator.edit(change).unwrap();
    house.sync().await;
    evaluation(&house, id).await
}

#[track_caller]
fn found(evaluation: &Evaluation, level: Level, subjects: &[&str]) {
    assert_eq!(evaluation.state, State::Fired, "{evaluation:#?}");
    let named: Vec<&str> = evaluation.subjects.iter().map(|subject| &*subject.name).collect();
    let set: BTreeSet<&str> = named.iter().copied().collect();
    assert_eq!(set, subjects.iter().copied().collect(), "{}", evaluation.rule);
    assert_eq!(set.len(), named.len(), "one subject once");
    let worst = evaluation.subjects.iter().filter_map(|subject| subject.level).max();
    assert_eq!(worst.or(evaluation.level), Some(level));
    assert!(evaluation.complete, "{evaluation:#?}");
}

#[track_caller]
fn clear(evaluation: &Evaluation) {
    assert_eq!((&evaluation.state, &*evaluation.subjects), (&State::Clear, &[][..]), "{evaluation:#?}");
}

fn commands(evaluation: &Evaluation) -> Vec<String> {
    let detection = shipped::find(&evaluation.rule).unwrap();
    evaluation.subjects.iter().filter_map(|subject| detection.command(subject)).collect()
}
