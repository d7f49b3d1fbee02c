//! Random operations on random estates: whatever is asked for, the server's own state and journal show no harm.
//!
//! Invariant: what is judged is the server's; the product's records are held against it, never the reverse.

mod checker;
mod refusals;
mod scene;
mod script;
mod together;
mod wish;

use std::collections::{BTreeMap, BTreeSet};

use metsuke_simulator::Size;
use metsuke_testkit::{Chance, setting};

use script::{Connector, Played, Script, play};

/// Operations in one estate.
const LENGTH: usize = 250;

/// How many operations of the connector each test does.
fn dose() -> usize {
    setting("METSUKE_SAFETY_OPS", 10_000) / 2
}

fn script(sizes: &[Size], seed: u64, connector: Connector) -> Script {
    let mut chance = Chance::new(seed);
    let size = *chance.one_of(sizes);
    Script { size, seed, steps: (0..LENGTH).map(|_| chance.number()).collect(), connector }
}

/// The shortest script that was found to break the same rule.
async fn shrunk(mut script: Script, rule: &str) -> (Script, Played) {
    let mut last = play(&script, false).await;
    script.steps.truncate(last.done);
    let mut chunk = script.steps.len() / 2;
    let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while chunk > 0 {
        let mut at = 0;
        while at < script.steps.len() && std::time::Instant::now() < until {
            let mut shorter = script.clone();
            shorter.steps.drain(at..(at + chunk).min(script.steps.len()));
            let played = play(&shorter, false).await;
            if played.broken.iter().any(|broken| broken.rule == rule) {
                (script, last) = (shorter, played);
            } else {
                at += chunk;
            }
        }
        chunk /= 2;
    }
    (script, last)
}

async fn no_operation_does_harm(sizes: &[Size], first_seed: u64) {
    let began = std::time::Instant::now();
    let (mut outcomes, mut changes, mut released, mut done) = (BTreeMap::<String, u64>::new(), 0, 0, 0);
    let mut seed = first_seed;
    while done < dose() {
        let script = script(sizes, seed, Connector::Real);
        let played = play(&script, false).await;
        if let Some(first) = played.broken.first() {
            let (shortest, played) = shrunk(script, first.rule).await;
            panic!(
                "seed {seed} ({:?}) after {} operations: {:#?}\nwith {} operations {:?}: {:#?}",
                shortest.size,
                done,
                first,
                shortest.steps.len(),
                shortest.steps,
                played.broken
            );
        }
        (done, changes, released) =
            (done + played.done, changes + played.changes, released + played.released);
        for (outcome, count) in played.outcomes {
            *outcomes.entry(outcome).or_default() += count;
        }
        seed += 1;
    }
    let took = began.elapsed().as_secs_f64();
    eprintln!(
        "{done} operations, seeds {first_seed} to {seed}, {took:.0} s: {changes} changes, {released} released, {outcomes:#?}"
    );
    let count = |words: &str| -> u64 {
        outcomes.iter().filter(|(outcome, _)| outcome.contains(words)).map(|(_, count)| count).sum()
    };
    for words in ["Applied", "unchanged", "R1", "R2", "R3", "Frozen", "R11", "released"] {
        assert!(count(words) > 0, "{words} must come up: {outcomes:#?}");
    }
    assert!(count("Applied") * 5 > done as u64, "too little is done to prove anything: {outcomes:#?}");
}

#[tokio::test]
async fn no_operation_does_harm_in_small_and_standard_estates() {
    no_operation_does_harm(&[Size::Small, Size::Standard], 1_000).await;
}

#[tokio::test]
async fn no_operation_does_harm_in_mixed_and_enterprise_estates() {
    no_operation_does_harm(&[Size::Small, Size::Enterprise, Size::Mixed], 9_000_000).await;
}

/// The rules that a connector without scruples is seen to break.
async fn broken_by(connector: Connector) -> BTreeSet<&'static str> {
    let mut rules = BTreeSet::new();
    for seed in 1..=4 {
        let played = play(&script(&[Size::Small], seed, connector), true).await;
        rules.extend(played.broken.into_iter().map(|broken| broken.rule));
    }
    rules
}

#[tokio::test]
async fn a_connector_without_caps_is_caught() {
    assert_eq!(broken_by(Connector::Uncapped).await, BTreeSet::from(["R4"]));
}

#[tokio::test]
async fn a_connector_without_rules_is_caught() {
    let rules = broken_by(Connector::Reckless).await;
    assert!(rules.is_superset(&BTreeSet::from(["R1", "R2", "R3", "R4", "R11"])), "{rules:?}");
}
