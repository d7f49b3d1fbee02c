//! The same questions to the compiler and to the evaluator: one answer, on estates that no server would make up.

use std::collections::BTreeMap;

use metsuke_engine::EngineError;
use metsuke_engine::query::{self, Data, Variable};
use metsuke_j1ql::evaluate::{Answer, Cell, Graph, Refusal, Surroundings, cases, random, ranked};
use metsuke_j1ql::parse;
use metsuke_model::Moment;
use metsuke_model::graph::Value;
use metsuke_testkit::{Chance, setting};

use super::{Library, company, estates, memory};

/// 2024-07-01 at noon, and an hour before.
const NOW: Moment = Moment(1_719_835_200_000_000);
const SYNCED: Moment = Moment(1_719_831_600_000_000);

/// What the compiler says, in the evaluator's words, or why it refuses the text.
async fn compiled(
    library: &Library,
    text: &str,
    variables: &BTreeMap<String, Value>,
) -> Result<Answer, String> {
    let mut settings = query::Settings::at(NOW);
    settings.variables = variables.iter().map(|(name, value)| (name.clone(), variable(value))).collect();
    let folder = tempfile::tempdir().unwrap();
    let found = match query::run(&library.store, text, &settings, folder.path()).await {
        Ok(found) => found,
        Err(EngineError::Query { errors, .. }) => return Err(errors.to_string()),
        Err(error) => panic!("{text}\n{error:?}"),
    };
    Ok(match found.data {
        Data::List(entities) => Answer::List(entities.iter().map(|entity| entity.key.clone()).collect()),
        Data::Table { headings, rows } => Answer::Table {
            columns: headings
                .into_iter()
                .map(|heading| if heading.all { format!("{}.*", heading.name) } else { heading.name })
                .collect(),
            rows: rows.into_iter().map(|row| row.into_iter().map(cell).collect()).collect(),
        },
        Data::Tree { vertices, edges } => Answer::Tree {
            vertices: vertices.iter().map(|entity| entity.key.clone()).collect(),
            edges: edges.iter().map(|edge| edge.key.clone()).collect(),
        },
    })
}

fn cell(cell: query::Cell) -> Cell {
    match cell {
        query::Cell::Value(value) => Cell::Value(value),
        query::Cell::Entity(entity) => Cell::Entity(entity.map(|entity| entity.key.clone())),
        query::Cell::Relationship(edge) => Cell::Relationship(edge.map(|edge| edge.key.clone())),
    }
}

fn variable(value: &Value) -> Variable {
    match value {
        Value::List(values) => Variable::AnyOf(values.clone()),
        one => Variable::One(one.clone()),
    }
}

/// How the two answers differ; `None` where they do not, or where there is too much to walk.
async fn difference(
    (library, graph): (&Library, &Graph),
    text: &str,
    variables: &BTreeMap<String, Value>,
) -> Option<String> {
    let query = match parse(text) {
        Ok(query) => query,
        Err(errors) => return Some(format!("{text}\n  is not read: {errors}")),
    };
    let now_ms = cases::NOW_MS;
    let surroundings = Surroundings { now_ms, variables: variables.clone(), include_deleted: false };
    let expected = ranked(&query, graph, &surroundings);
    if matches!(expected, Err(Refusal::TooMuch)) {
        return None;
    }
    match (expected, compiled(library, text, variables).await) {
        (Ok(ranked), Ok(answer)) => {
            ranked.admits(&answer).err().map(|difference| format!("{text}\n  {difference}"))
        }
        (Err(_), Err(_)) => None,
        (Ok(_), Err(errors)) => Some(format!("{text}\n  only the compiler refuses it: {errors}")),
        (Err(refusal), Ok(_)) => Some(format!("{text}\n  only the evaluator refuses it: {refusal}")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_company_in_the_database_is_the_company_in_memory() {
    let library = Library::on_sqlite(&company::company(), SYNCED).await;
    let (stored, told) = (memory::graph(&library.store, SYNCED).await, cases::graph());
    let told_of = |key: &str| told.entities().iter().find(|entity| entity.key == key).cloned();
    for entity in stored.entities() {
        assert_eq!(Some(entity.clone()), told_of(&entity.key));
    }
    assert_eq!(stored.entities().len(), told.entities().len());
    let ends = |graph: &Graph| {
        let key = |place: usize| graph.entities()[place].key.clone();
        let edges = graph.relationships().iter().filter(|edge| !edge.computed);
        let mut ends: Vec<_> = edges
            .map(|edge| {
                (
                    key(edge.from),
                    edge.relationship_type.clone(),
                    key(edge.to),
                    format!("{:?}", edge.properties),
                )
            })
            .collect();
        ends.sort();
        ends
    };
    assert_eq!(ends(&stored), ends(&told));
}

async fn every_case_holds(library: Library) {
    let variables = cases::surroundings().variables;
    let mut wrong = Vec::new();
    for case in cases::cases() {
        let answer = compiled(&library, case.query, &variables).await;
        wrong.extend(case.check(answer.as_ref().ok()).err());
    }
    assert!(wrong.is_empty(), "{} cases\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_the_rules_holds_on_sqlite() {
    every_case_holds(Library::on_sqlite(&company::company(), SYNCED).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_the_rules_holds_on_postgres() {
    every_case_holds(Library::on_postgres(&company::company(), SYNCED).await).await;
}

/// Random questions about random estates, so many of them on each engine.
async fn both_agree(name: &str, comparisons: usize, postgres: bool) {
    const EACH: usize = 100;
    // The same questions in every run, so that a change is judged by itself; campaigns begin elsewhere.
    let first = setting(name, 1_u64);
    eprintln!("{name}={first}");
    let mut wrong = Vec::new();
    for round in 0..comparisons.div_ceil(EACH) as u64 {
        let mut chance = Chance::new(first.wrapping_add(round));
        let told = estates::random(&mut chance);
        let library = if postgres {
            Library::on_postgres(&told, SYNCED).await
        } else {
            Library::on_sqlite(&told, SYNCED).await
        };
        let graph = memory::graph(&library.store, SYNCED).await;
        for number in 0..EACH {
            let mut roll = |limit: usize| chance.below(limit);
            let variables = random::variables(&graph, &mut roll);
            let text = random::query(&graph, &mut roll);
            if let Some(difference) = difference((&library, &graph), &text, &variables).await {
                wrong.push(format!("{name}={} question {number}: {difference}", first.wrapping_add(round)));
            }
        }
        assert!(wrong.len() < 20, "{}", wrong.join("\n"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn compiler_and_evaluator_agree_on_sqlite() {
    both_agree("METSUKE_ESTATES_SEED", setting("METSUKE_QUERIES", 5_000) * 4 / 5, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn compiler_and_evaluator_agree_on_postgres() {
    both_agree("METSUKE_ESTATES_SEED_POSTGRES", setting("METSUKE_QUERIES", 5_000) / 5, true).await;
}
