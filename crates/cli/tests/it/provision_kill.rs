//! `kill -9` at any moment of a grant or revoke: no effect is doubled, none is lost, and what is open is settled.
//!
//! Each round asks a simulated Heroku for one change, which it may apply before answering, without answering, late
//! or never; kills who does it, once or more; settles what is open by reading; and carries the change out. Only
//! debug builds can be stopped at a point of the protocol, or sabotaged.
//!
//! Invariant: what took effect is told by the simulator, and never by the program's own database.

#![cfg(debug_assertions)]

mod judge;
mod readded;
mod round;
mod wish;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use metsuke_testkit::{Chance, seed, setting};
use tokio::task::JoinSet;

use judge::Wrong;
use round::Estate;

/// Estates at work at one moment.
const WORKERS: u64 = 8;
/// Rounds after which an estate is used up.
const ROUNDS: usize = 40;

/// What a campaign came to.
#[derive(Debug, Default)]
struct Tally {
    rounds: usize,
    kills: BTreeMap<String, usize>,
    open: usize,
    unknown: usize,
    reconciled: usize,
    doubled: Vec<String>,
    lost: Vec<String>,
    other: Vec<String>,
}

impl Tally {
    fn killed(&self) -> usize {
        self.kills.values().sum()
    }

    fn summary(&self) -> String {
        format!(
            "{} kills in {} rounds: {:?}; doubled {}, lost {}, otherwise wrong {}; {} steps left open, {} processes \
             ended in unknown, {} steps reconciled",
            self.killed(),
            self.rounds,
            self.kills,
            self.doubled.len(),
            self.lost.len(),
            self.other.len(),
            self.open,
            self.unknown,
            self.reconciled,
        )
    }
}

/// So many kills in several estates at once; the first estate that finds a sabotaged protocol out ends it.
async fn campaign(seed: u64, kills: usize, sabotage: Option<&'static str>) -> Tally {
    let tally = Arc::new(Mutex::new(Tally::default()));
    let (killed, found) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let (tally, killed, found) = (Arc::clone(&tally), Arc::clone(&killed), Arc::clone(&found));
        workers.spawn(async move {
            let mut chance = Chance::new(seed.wrapping_add(worker << 32));
            let over = || killed.load(Ordering::SeqCst) >= kills || found.load(Ordering::SeqCst);
            for estate_seed in (seed + worker * 1_000_000).. {
                let mut estate = Estate::new(estate_seed, sabotage).await;
                for at in 0..ROUNDS {
                    if over() {
                        return;
                    }
                    let round = estate.round(&mut chance).await;
                    killed.fetch_add(round.kills.len(), Ordering::SeqCst);
                    let mut tally = tally.lock().unwrap();
                    tally.rounds += 1;
                    tally.open += round.open;
                    tally.unknown += round.unknown;
                    tally.reconciled += round.reconciled;
                    for kill in round.kills {
                        *tally.kills.entry(kill).or_default() += 1;
                    }
                    for wrong in round.wrong {
                        let told =
                            |text| format!("estate {estate_seed}, round {at}: {text}\n{:#?}", round.story);
                        match wrong {
                            Wrong::Doubled(text) => tally.doubled.push(told(text)),
                            Wrong::Lost(text) => tally.lost.push(told(text)),
                            Wrong::Other(text) => tally.other.push(told(text)),
                        }
                    }
                    if sabotage.is_some() && tally.doubled.len() + tally.lost.len() > 0 {
                        found.store(true, Ordering::SeqCst);
                    }
                }
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    drop(workers);
    Arc::into_inner(tally).unwrap().into_inner().unwrap()
}

/// Seed and dose, from the environment where it names them.
fn dose() -> (u64, usize) {
    (seed("METSUKE_KILL_SEED"), setting("METSUKE_PROVISION_KILLS", 300))
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_nine_during_grants_and_revokes_doubles_nothing_and_loses_nothing() {
    let (seed, kills) = dose();
    println!("METSUKE_PROVISION_KILLS={kills}");
    let tally = campaign(seed, kills, None).await;
    println!("{}", tally.summary());
    let wrong: Vec<&String> = tally.doubled.iter().chain(&tally.lost).chain(&tally.other).collect();
    for told in wrong.iter().take(12) {
        println!("{told}");
    }
    assert!(wrong.is_empty(), "seed {seed}: {}", tally.summary());
    assert!(tally.open > 0 && tally.reconciled == tally.open, "{}", tally.summary());
    let missed = metsuke_engine::access::provision::Point::ALL
        .into_iter()
        .find(|point| !tally.kills.contains_key(&format!("at {}", point.as_str())));
    assert!(kills < 200 || missed.is_none(), "no kill at {missed:?}: {}", tally.summary());
}

/// A protocol without one of its precautions, in the same campaign.
#[expect(clippy::print_stdout, reason = "a campaign says what it found, for whoever repeats it")]
async fn is_found_out(sabotage: &'static str) {
    let (seed, kills) = dose();
    println!("METSUKE_PROVISION_KILLS={kills} {sabotage}");
    let tally = campaign(seed, kills, Some(sabotage)).await;
    println!("{}", tally.summary());
    for told in tally.doubled.iter().chain(&tally.lost).take(1) {
        println!("{told}");
    }
    assert!(tally.doubled.len() + tally.lost.len() > 0, "{sabotage} went unnoticed: {}", tally.summary());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_nine_of_grants_finds_out_who_records_after_the_call() {
    is_found_out("record-after-the-call").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_nine_of_grants_finds_out_who_retries_without_reading() {
    is_found_out("retry-without-reading").await;
}
