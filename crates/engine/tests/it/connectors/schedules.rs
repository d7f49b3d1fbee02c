//! Thirty days of schedules, with a clock that jumps: no sync is lost, and none is doubled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use metsuke_engine::jobs::{Done, Handler, SYNC, Work};
use metsuke_engine::schedule::Polling;
use metsuke_model::{Clock as _, ConnectorId, Moment, RunId};
use metsuke_store::{RunEnd, RunStatus, Settled};
use metsuke_testkit::{Chance, seed};
use serde_json::json;

use super::site::{Site, ann, supervisor};

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A sync that reads nothing.
struct Quick;

impl Handler for Quick {
    fn kind(&self) -> &'static str {
        SYNC
    }

    fn carry_out<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Done> {
        Box::pin(async {
            let now = work.installation.clock().now();
            let fresh = RunId::new(now, work.installation.chance().unwrap());
            let run = work.store.begin_run(&work.claim, fresh, now).await.unwrap();
            let end = RunEnd {
                status: RunStatus::Complete,
                version: None,
                reason: "read".to_owned(),
                document: json!({}),
            };
            let settled = Settled::Finished(None);
            work.store.end_run(&work.claim, run.id, &end, &[], &settled, now).await.unwrap();
            Done::Settled
        })
    }
}

/// What should have come of a schedule: told by its planned moments alone, minute by minute.
struct Expected {
    polling: Polling,
    /// A planned moment from which the others are counted.
    anchor: Moment,
    /// Everything up to here is served.
    served: Moment,
    runs: usize,
}

impl Expected {
    fn look(&mut self, now: Moment) {
        let next = self.polling.next_after(self.served, self.anchor).unwrap();
        if next <= now {
            self.served = now;
            self.runs += 1;
        }
    }
}

async fn thirty_days(site: Site, seed: u64) {
    let mut chance = Chance::new(seed);
    let pollings = [
        Polling::Every(Duration::from_hours(1)),
        Polling::Every(Duration::from_hours(12)),
        Polling::Daily { hour: Some(2) },
        Polling::Weekly { day: Some(3), hour: None },
        Polling::cron("30 1 * * *", "America/New_York").unwrap(),
        Polling::cron("0 */6 * * *", "Europe/Berlin").unwrap(),
    ];
    let mut expected: BTreeMap<ConnectorId, Expected> = BTreeMap::new();
    // In New York the clocks go back in the night of 1 November 2026.
    site.clock.advance(Moment::parse("2026-10-20T12:00:00Z").unwrap().0 - site.clock.now().0);
    for (number, polling) in pollings.into_iter().enumerate() {
        let mut wish = site.wish(&format!("connector {number}"));
        wish.settings.polling_interval = polling.clone();
        let made = site.installation.create(&ann(), wish).await.unwrap();
        let anchor = made.next_sync_at.unwrap();
        let served = site.clock.now();
        expected.insert(made.id, Expected { polling, anchor, served, runs: 1 });
    }
    let another = site.another().await;
    let supervisors = [site.supervisor().with(Arc::new(Quick)), supervisor(&another).with(Arc::new(Quick))];
    supervisors[0].drain(None).await.unwrap();
    let end = site.clock.now().0 + 30 * DAY;
    let mut jumps = 0;
    while site.clock.now().0 < end {
        let steps = i64::try_from(chance.below(160)).unwrap() + 1;
        let jump = match chance.below(100) {
            0..2 => 6 * 60 * MINUTE,
            2..5 => -20 * MINUTE,
            _ => 0,
        };
        jumps += usize::from(jump != 0);
        site.clock.advance(steps * MINUTE + jump);
        for expected in expected.values_mut() {
            expected.look(site.clock.now());
        }
        let (one, other) = tokio::join!(supervisors[0].tick(), supervisors[1].tick());
        let new = one.unwrap().into_iter().chain(other.unwrap());
        assert!(new.into_iter().all(|(_, asked)| asked.new), "every run before has ended (seed {seed})");
        supervisors[chance.below(2)].drain(None).await.unwrap();
    }
    let mut all = 0;
    for (id, expected) in expected {
        let runs = site.installation.runs(id, None, 10_000).await.unwrap();
        assert_eq!(runs.len(), expected.runs, "{} (seed {seed})", expected.polling);
        all += runs.len();
    }
    println!("30 days, {jumps} jumps of the clock, {all} runs: none lost, none doubled (seed {seed})");
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_days_with_clock_jumps_lose_and_double_no_run_on_sqlite() {
    thirty_days(Site::on_sqlite().await, seed("METSUKE_SCHEDULE_SEED")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_days_with_clock_jumps_lose_and_double_no_run_on_postgres() {
    thirty_days(Site::on_postgres().await, seed("METSUKE_SCHEDULE_SEED")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_put_back_by_days_starts_the_schedule_afresh() {
    let site = Site::on_sqlite().await;
    let id = site.create("core").await.id;
    let supervisor = site.supervisor().with(Arc::new(Quick));
    supervisor.drain(None).await.unwrap();
    site.clock.advance(61 * MINUTE);
    assert_eq!(supervisor.tick().await.unwrap().len(), 1);
    supervisor.drain(None).await.unwrap();
    site.clock.advance(-3 * DAY);
    assert!(supervisor.tick().await.unwrap().is_empty());
    let next = site.installation.connector(id).await.unwrap().next_sync_at.unwrap();
    assert!(next.0 - site.clock.now().0 <= 60 * MINUTE, "it waits for no longer than its interval");
    site.clock.advance(60 * MINUTE);
    assert_eq!(supervisor.tick().await.unwrap().len(), 1);
}
