//! Crashes at any point between evaluating, storing, sending and recording: nothing is missing, and what comes twice
//! comes under the same id.
//!
//! A crash here is a future that is dropped at some await, with everything that it held; now and then the store is opened
//! anew. Losing what was not yet on the disk is tested beside the store.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use metsuke_model::{Clock as _, Moment};
use metsuke_simulator::receivers::{Mood, Receiver};
use metsuke_store::{MessageClaim, MessageOutcome, Recorded};
use metsuke_testkit::{Chance, seed, setting};
use serde_json::{Value as Json, json};

use super::desk::{House, SECOND, webhook};

const PEOPLE: [&str; 5] = ["a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example"];

/// Runs a future for so many polls at most; `None` where it was dropped before its end.
async fn crashing<T>(polls: usize, run: impl Future<Output = T>) -> Option<T> {
    let mut run = pin!(run);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        run.as_mut().poll(context).map(Some)
    })
    .await
}

/// How a step is run: with crashes until it comes to its end.
struct Crashes {
    chance: Chance,
    count: usize,
    /// About how many polls a step takes.
    usual: usize,
}

impl Crashes {
    /// Runs a step that may be dropped anywhere; `true` where it was.
    async fn strikes<T>(&mut self, step: impl Future<Output = T>) -> bool {
        let polls = self.chance.below(self.usual);
        let crashed = crashing(polls, step).await.is_none();
        self.count += usize::from(crashed);
        // Points near the end are to be met as often as those at the beginning.
        self.usual = if crashed { self.usual + 2 } else { self.usual.saturating_sub(6).max(8) };
        crashed
    }
}

/// What a receiver is to be told: subject, then its events in order with their versions.
type Wanted = BTreeMap<String, Vec<(String, i64)>>;

/// What the receiver was told, in the order of its first coming; an id for each.
fn told(receiver: &Receiver) -> (Wanted, usize) {
    let mut wanted = Wanted::new();
    let mut known: BTreeMap<String, Json> = BTreeMap::new();
    let mut doubles = 0;
    for request in receiver.received().iter().filter(|request| request.taken) {
        let body = request.json();
        let one = [body["data"].clone()];
        let alerts = body["data"]["alerts"].as_array().map_or(&one[..], Vec::as_slice);
        for alert in alerts {
            let id = alert["id"].as_str().unwrap().to_owned();
            if let Some(before) = known.get(&id) {
                assert_eq!(before, alert, "one id, one thing that is told");
                doubles += 1;
                continue;
            }
            known.insert(id, alert.clone());
            let who = alert["who"][0].as_str().unwrap().to_owned();
            let event = alert["event"].as_str().unwrap().to_owned();
            wanted.entry(who).or_default().push((event, alert["version"].as_i64().unwrap()));
        }
    }
    (wanted, doubles)
}

/// Versions with admins by chance, and what each is to be told of.
struct Story {
    admins: BTreeSet<&'static str>,
    ever: BTreeSet<&'static str>,
    wanted: Wanted,
}

impl Story {
    async fn next(&mut self, house: &House, chance: &mut Chance) {
        let mut changed = Vec::new();
        for person in PEOPLE.iter().filter(|_| chance.percent(40)) {
            if !self.admins.remove(person) {
                self.admins.insert(person);
            }
            changed.push(*person);
        }
        let version = house.version(&PEOPLE, &self.admins).await;
        for person in changed {
            let event = match (self.admins.contains(person), self.ever.contains(person)) {
                (false, _) => "resolved",
                (true, true) => "reopened",
                (true, false) => "opened",
            };
            self.ever.insert(person);
            self.wanted.entry(person.to_owned()).or_default().push((event.to_owned(), version.0));
        }
    }
}

/// Crashes until there were enough; what was to be told, and what was.
async fn run(crashes: usize, seed: u64, sabotage: bool) -> (Wanted, Wanted, usize) {
    let receiver = Receiver::local().await.unwrap();
    let mut house = House::new(vec![webhook("ops", &receiver, &json!({}))]).await;
    house.settings.burst = 3;
    let mut chance = Chance::new(seed);
    let mut striking = Crashes { chance: Chance::new(seed ^ 0xdead), count: 0, usual: 60 };
    let mut story = Story { admins: BTreeSet::new(), ever: BTreeSet::new(), wanted: Wanted::new() };
    while striking.count < crashes {
        story.next(&house, &mut chance).await;
        while striking.strikes(Box::pin(house.evaluate())).await {
            if chance.percent(5) {
                house.restart().await;
            }
        }
        for _ in 0..chance.below(4) {
            receiver.set_mood(match chance.below(10) {
                0 => Mood::Down(503),
                1 => Mood::LostAnswer,
                _ => Mood::Up,
            });
            let struck = if sabotage {
                striking.strikes(recorded_before_it_is_sent(&house)).await
            } else {
                striking.strikes(Box::pin(house.deliver())).await
            };
            if struck {
                // Whoever comes after a crash waits for the lease to be over.
                house.clock.advance(house.settings.lease);
            }
        }
        house.clock.advance(SECOND);
    }
    receiver.set_mood(Mood::Up);
    let mut passes = 0;
    house.clock.advance(house.settings.lease);
    while let Some(next) = house.deliver().await.next {
        house.clock.advance((next.0 - house.clock.now().0).max(SECOND));
        passes += 1;
        assert!(passes < 1_000, "it never ends");
    }
    let (told, doubles) = told(&receiver);
    (story.wanted, told, doubles)
}

/// What must not be: a message is recorded as taken before it is sent.
async fn recorded_before_it_is_sent(house: &House) {
    let claim = MessageClaim {
        channel: &house.channels[0].id,
        now: house.clock.now(),
        lease: house.settings.lease,
        only_critical: false,
        digest: None,
        burst: 3,
        most: 20,
    };
    while let Some(claimed) = house.store.claim_message(&claim).await.unwrap() {
        let recorded = Recorded {
            outcome: MessageOutcome::Sent { receipt: None },
            at: Moment(claim.now.0),
            follows: None,
        };
        assert!(house.store.record_message(&claimed, &recorded).await.unwrap());
        let metsuke_engine::alerts::Way::Webhook { url } = &house.channels[0].settings.way else { panic!() };
        let alerts: Vec<metsuke_engine::alerts::Alert> = claimed
            .deliveries
            .iter()
            .map(|row| serde_json::from_value(row.document.clone()).unwrap())
            .collect();
        let body = metsuke_engine::alerts::webhook(&claimed.message, &alerts).to_string();
        let message = metsuke_clients::deliver::Message {
            method: "POST",
            url: url.parse().unwrap(),
            headers: Vec::new(),
            content_type: "application/json",
            body,
        };
        drop(house.outside.send(&message).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alert_crashes_lose_nothing_and_double_nothing_but_under_one_id() {
    let seed = seed("METSUKE_ALERT_SEED");
    let crashes = setting("METSUKE_ALERT_CRASHES", 2_000_usize);
    let (wanted, told, doubles) = Box::pin(run(crashes, seed, false)).await;
    let count: usize = wanted.values().map(Vec::len).sum();
    assert_eq!(told, wanted, "seed {seed}");
    assert!(count > crashes / 20, "{count} alerts in {crashes} crashes");
    println!("{crashes} crashes, {count} alerts, 0 missing, {doubles} came twice under one id");
}

#[tokio::test(flavor = "multi_thread")]
async fn recording_before_sending_would_be_seen() {
    let (wanted, told, _) = Box::pin(run(200, 7, true)).await;
    let count = |told: &Wanted| told.values().map(Vec::len).sum::<usize>();
    assert!(count(&told) < count(&wanted), "alerts that a crash swallowed are not missed");
}
