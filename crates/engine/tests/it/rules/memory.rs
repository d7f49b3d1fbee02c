//! What is remembered between runs: an answer is kept only where nothing that it depends on changed.
//!
//! Small estates change one thing at a time, and random questions are asked before and after.

use std::collections::BTreeSet;

use metsuke_engine::query::{self, Data, Prepared, Read, Reads, Settings, Variable};
use metsuke_engine::rules::touches;
use metsuke_j1ql::evaluate::{cases, random};
use metsuke_model::access::Entitlement;
use metsuke_model::graph::Value;
use metsuke_model::{Moment, Version};
use metsuke_testkit::{Chance, setting};

use crate::told::later::later;
use crate::told::{Library, estates, memory};

/// 2024-07-01 at eleven; every version comes an hour later.
const BEGUN: Moment = Moment(1_719_831_600_000_000);
const HOUR: i64 = 3_600_000_000;

/// A way to leave something out of what answers depend on, which the test must notice.
type Sabotage = (&'static str, fn(Read) -> Option<Read>);

const SABOTAGES: [Sabotage; 7] = [
    ("presence", |read| (!matches!(read, Read::Presence(_))).then_some(read)),
    ("properties", |read| (!matches!(read, Read::Property(..))).then_some(read)),
    ("properties of users", |read| {
        (!matches!(read, Read::Property(metsuke_model::Kind::User, _))).then_some(read)
    }),
    ("history", |read| (!matches!(read, Read::History(_))).then_some(read)),
    ("access", |read| (!matches!(read, Read::Access(..))).then_some(read)),
    ("all access but admins'", |read| {
        Some(match read {
            Read::Access(resource, _) => Read::Access(resource, Entitlement::ADMIN.mask()),
            other => other,
        })
    }),
    ("people", |read| (read != Read::People).then_some(read)),
];

/// An answer in which order counts for nothing.
fn unordered(data: &Data) -> Vec<String> {
    let mut lines: Vec<String> = match data {
        Data::List(entities) => entities.iter().map(|entity| format!("{entity:?}")).collect(),
        Data::Table { rows, .. } => rows.iter().map(|row| format!("{row:?}")).collect(),
        Data::Tree { vertices, edges } => {
            let edges = edges.iter().map(|edge| format!("{edge:?}"));
            vertices.iter().map(|entity| format!("{entity:?}")).chain(edges).collect()
        }
    };
    lines.sort_unstable();
    lines
}

fn variable(value: Value) -> Variable {
    match value {
        Value::List(values) => Variable::AnyOf(values),
        one => Variable::One(one),
    }
}

/// What became of the questions.
#[derive(Default)]
struct Tally {
    kept: usize,
    asked: usize,
    noticed: BTreeSet<&'static str>,
}

impl Tally {
    /// Asks random questions of each version of an estate that changes by and by.
    async fn round(&mut self, mut chance: Chance, postgres: bool) {
        let mut told = estates::random(&mut chance);
        let library = if postgres {
            Library::on_postgres(&told, BEGUN).await
        } else {
            Library::on_sqlite(&told, BEGUN).await
        };
        let store = &library.store;
        let graph = memory::graph(store, BEGUN).await;
        let mut questions = Vec::new();
        while questions.len() < 60 {
            let mut roll = |limit: usize| chance.below(limit);
            let mut settings = Settings::at(Moment(cases_now()));
            let variables = random::variables(&graph, &mut roll);
            settings.variables = variables.into_iter().map(|(name, value)| (name, variable(value))).collect();
            settings.include_deleted = chance.percent(20);
            let text = random::query(&graph, &mut |limit| chance.below(limit));
            // Which rows a limit leaves is anybody's choice.
            let chosen = text.contains("LIMIT") || text.contains("SKIP");
            if !chosen && let Ok(prepared) = Prepared::new(&text, &settings, store) {
                let found = query::answered(store, &prepared, &settings, Version(1)).await.unwrap();
                questions.push((text, settings, prepared, unordered(&found.data)));
            }
        }
        for version in 2..=9 {
            let people = store.people_hash().await.unwrap();
            told = later(&mut chance, &told);
            library.tell(&told, Moment(BEGUN.0 + version * HOUR)).await;
            let people = people != store.people_hash().await.unwrap();
            let touched = store.touched(Version(version - 1), Version(version)).await.unwrap();
            for (text, settings, prepared, before) in &mut questions {
                let found = query::answered(store, prepared, settings, Version(version)).await.unwrap();
                let now = unordered(&found.data);
                let may_differ =
                    |reads: &Reads| touches(reads, &touched) || (people && reads.contains_key(&Read::People));
                let reads = prepared.reads();
                let differs = now != *before;
                if may_differ(&reads) {
                    self.asked += 1;
                } else {
                    self.kept += 1;
                    assert!(!differs, "{text}\n{reads:?}\n{touched:?}\n{before:#?}\n{now:#?}");
                }
                for (name, sabotage) in SABOTAGES {
                    let less = reads.iter().filter_map(|(read, at)| Some((sabotage(*read)?, at.clone())));
                    let less: Reads = less.collect();
                    if differs && !may_differ(&less) {
                        self.noticed.insert(name);
                    }
                }
                *before = now;
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number of milliseconds of this century")]
fn cases_now() -> i64 {
    cases::NOW_MS as i64 * 1000
}

async fn nothing_that_is_kept_differs(rounds: u64, postgres: bool) -> Tally {
    let first = setting("METSUKE_READS_SEED", 1_u64);
    eprintln!("METSUKE_READS_SEED={first}");
    let mut tally = Tally::default();
    for round in 0..rounds {
        tally.round(Chance::new(first.wrapping_add(round)), postgres).await;
    }
    eprintln!("kept {}, asked {}, noticed {:?}", tally.kept, tally.asked, tally.noticed);
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_change_touches_has_the_same_answer_and_leaving_anything_out_is_noticed() {
    let tally = nothing_that_is_kept_differs(setting("METSUKE_READS", 20), false).await;
    let all: BTreeSet<&str> = SABOTAGES.iter().map(|(name, _)| *name).collect();
    assert_eq!(tally.noticed, all);
    assert!(tally.kept > tally.asked / 3, "{} kept, {} asked", tally.kept, tally.asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_change_touches_has_the_same_answer_on_postgres() {
    nothing_that_is_kept_differs(setting("METSUKE_READS", 15) / 8, true).await;
}
