//! Two days of changes, and a checker of what must never be: a finding that is resolved on what was not read, alerts of one
//! subject out of order, a message in quiet hours, and two within one digest. Twins take one of the safeties away, and
//! each must be caught.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use metsuke_clients::deliver::Message;
use metsuke_engine::alerts::{Alert, Quiet, Way, webhook as body_of};
use metsuke_engine::findings::Watched;
use metsuke_model::finding::{DeliveryState, FindingEvent};
use metsuke_model::{Clock as _, SyncStatus, Version};
use metsuke_simulator::receivers::{Received, Receiver};
use metsuke_store::{DeliveryFilter, FindingFilter};
use metsuke_testkit::{Chance, seed};
use serde_json::{Value as Json, json};

use super::desk::{House, SECOND, webhook};
use crate::findings::admins;

const PEOPLE: [&str; 4] = ["ann@x.example", "bob@x.example", "cleo@x.example", "dan@x.example"];
const MINUTE: i64 = 60 * SECOND;
/// How long a digest waits, in minutes.
const WINDOW: i64 = 60;
const STEPS: i64 = 96;

/// A safety that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sabotage {
    /// A sync that could not read everything says that it did.
    SaysComplete,
    /// What came last is told first.
    NewestFirst,
    /// The channel does not know of its quiet hours.
    NoQuiet,
    /// The channel does not know of its digest.
    NoDigest,
}

fn quiet() -> Json {
    json!({ "from": "22:00", "to": "07:00", "timeZone": "Europe/Berlin" })
}

/// The rule, and the same rule that looks away from one person.
fn rule(narrow: bool) -> Watched {
    if !narrow {
        return admins(&json!({}));
    }
    let query = "FIND heroku_team WITH name = 'core' THAT HAS AS h >> heroku_account_member WITH email != 'ann@x.example' AS u \
        WHERE h.role = 'admin' RETURN u.id AS id, u.email AS email, 'core' AS team";
    admins(&json!({ "question": { "queries": [{ "query": query }] } }))
}

/// What happens, and what was noticed.
struct Tale {
    house: House,
    receiver: Receiver,
    sabotage: Option<Sabotage>,
    chance: Chance,
    admins: BTreeSet<&'static str>,
    narrow: bool,
    noticed: BTreeSet<&'static str>,
    /// When the digest was told last.
    digest_at: Option<i64>,
    /// Messages that were looked at, by their ids.
    seen: HashSet<String>,
    /// The newest version that was told of a finding.
    told: BTreeMap<String, i64>,
}

impl Tale {
    async fn begin(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let receiver = Receiver::local().await.unwrap();
        let knows = |other| sabotage != Some(other);
        let hours = if knows(Sabotage::NoQuiet) { json!({ "quiet": quiet() }) } else { json!({}) };
        let minutes = if knows(Sabotage::NoDigest) { WINDOW } else { 0 };
        let channels = vec![
            webhook("plain", &receiver, &json!({})),
            webhook("quiet", &receiver, &hours),
            webhook("digest", &receiver, &json!({ "digestMinutes": minutes })),
        ];
        Self {
            house: House::new(channels).await,
            receiver,
            sabotage,
            chance: Chance::new(seed),
            admins: BTreeSet::new(),
            narrow: false,
            noticed: BTreeSet::new(),
            digest_at: None,
            seen: HashSet::new(),
            told: BTreeMap::new(),
        }
    }

    async fn step(&mut self) {
        let before = self.admins.clone();
        if self.chance.percent(60) {
            let person = *self.chance.one_of(&PEOPLE);
            if !self.admins.remove(person) {
                self.admins.insert(person);
            }
        }
        self.narrow ^= self.chance.percent(30);
        self.house.rules = vec![rule(self.narrow)];
        let partial = self.chance.percent(40);
        let honest = self.sabotage != Some(Sabotage::SaysComplete);
        let status = if partial && honest { SyncStatus::Partial } else { SyncStatus::Complete };
        let version = self.house.version_that_says(&PEOPLE, &self.admins, status).await;
        self.house.evaluate().await;
        if partial {
            let changed = before.symmetric_difference(&self.admins).copied().collect();
            self.nothing_else_resolved(version, &changed).await;
        }
        if self.chance.percent(60) {
            if self.sabotage == Some(Sabotage::NewestFirst) {
                self.newest_first().await;
            }
            self.house.deliver().await;
            self.look();
        }
        self.house.clock.advance(30 * MINUTE);
    }

    /// Of a version that was not read whole nobody is resolved but those whose row changed.
    async fn nothing_else_resolved(&mut self, version: Version, changed: &BTreeSet<&str>) {
        for row in self.house.store.findings(&FindingFilter::default()).await.unwrap() {
            let events = self.house.store.finding_events(&row.fingerprint).await.unwrap();
            let resolved = |event: &metsuke_store::FindingEventRow| {
                event.version == Some(version) && event.what == Some(FindingEvent::Resolved)
            };
            if events.iter().any(resolved) && !changed.iter().any(|person| row.subject.contains(person)) {
                self.noticed.insert("resolved on what was not read");
            }
        }
    }

    /// What must not be: what waits is sent from its end.
    async fn newest_first(&self) {
        let channel = &self.house.channels[0];
        let waiting = DeliveryFilter { state: Some(DeliveryState::Waiting), ..DeliveryFilter::default() };
        let mut rows = self.house.store.deliveries(&waiting).await.unwrap();
        rows.retain(|row| row.channel == channel.id);
        rows.sort_by_key(|row| std::cmp::Reverse(row.sequence));
        let Way::Webhook { url } = &channel.settings.way else { panic!() };
        for row in rows {
            let alert: Alert = serde_json::from_value(row.document).unwrap();
            let message = Message {
                method: "POST",
                url: url.parse().unwrap(),
                headers: Vec::new(),
                content_type: "application/json",
                body: body_of(&row.id, &[alert]).to_string(),
            };
            self.house.outside.send(&message).await.unwrap();
        }
    }

    /// Looks at what was received since the last time, all of it at this moment.
    fn look(&mut self) {
        let now = self.house.clock.now();
        let hours: Quiet = serde_json::from_value(quiet()).unwrap();
        for received in self.receiver.received() {
            let body = received.json();
            let id = body["data"]["id"].as_str().unwrap().to_owned();
            if !self.seen.insert(format!("{} {id}", received.what)) {
                continue;
            }
            match received.what.as_str() {
                "POST /quiet" if hours.is_quiet(now) => _ = self.noticed.insert("told in quiet hours"),
                "POST /digest" => {
                    let last = self.digest_at.replace(now.0);
                    if last.is_some_and(|last| now.0 - last < WINDOW * MINUTE) {
                        self.noticed.insert("told twice within one digest");
                    }
                }
                "POST /plain" => self.in_order(&received),
                _ => {}
            }
        }
    }

    fn in_order(&mut self, received: &Received) {
        let body = received.json();
        let alone = vec![body["data"].clone()];
        for alert in body["data"]["alerts"].as_array().unwrap_or(&alone) {
            let version = alert["version"].as_i64().unwrap();
            let last = self.told.insert(alert["finding"].as_str().unwrap().to_owned(), version);
            if last.is_some_and(|last| last > version) {
                self.noticed.insert("told out of order");
            }
        }
    }
}

async fn noticed(seed: u64, sabotage: Option<Sabotage>) -> BTreeSet<&'static str> {
    let mut tale = Tale::begin(seed, sabotage).await;
    for _ in 0..STEPS {
        tale.step().await;
    }
    assert!(tale.seen.len() > 30, "{} messages in two days", tale.seen.len());
    tale.noticed
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_resolved_unread_told_out_of_order_in_quiet_hours_or_beside_a_digest() {
    let seed = seed("METSUKE_TWINS_SEED");
    assert_eq!(noticed(seed, None).await, BTreeSet::new(), "METSUKE_TWINS_SEED={seed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twin_that_resolves_on_what_was_not_read_is_caught() {
    assert!(noticed(1, Some(Sabotage::SaysComplete)).await.contains("resolved on what was not read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twin_that_tells_the_newest_first_is_caught() {
    assert!(noticed(2, Some(Sabotage::NewestFirst)).await.contains("told out of order"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twin_without_quiet_hours_is_caught() {
    assert!(noticed(3, Some(Sabotage::NoQuiet)).await.contains("told in quiet hours"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twin_without_a_digest_is_caught() {
    assert!(noticed(4, Some(Sabotage::NoDigest)).await.contains("told twice within one digest"));
}
