//! `kill -9` at any moment of a sync that ends in quarantine, and of its acceptance.
//!
//! Invariant: what waits is whole, or was never recorded; what was accepted is whole, or waits still.

use std::process::Stdio;
use std::time::{Duration, Instant};

use metsuke_simulator::{Options, Size};
use metsuke_testkit::{Chance, setting};
use tokio::time::timeout;

use super::checker::{State, check};
use super::remove;
use crate::house::House;

/// Runs the program and kills it after this time; says whether it had ended by itself.
async fn run_for(house: &House, arguments: &[&str], patience: Duration) -> bool {
    let mut command = house.command(arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let ended = timeout(patience, child.wait()).await.is_ok();
    if !ended {
        child.start_kill().unwrap();
        child.wait().await.unwrap();
    }
    ended
}

async fn took(house: &House, arguments: &[&str]) -> Duration {
    let started = Instant::now();
    assert!(run_for(house, arguments, Duration::from_mins(1)).await);
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_leaves_a_quarantined_sync_whole_or_unrecorded() {
    let (kills, mut chance) = (setting("METSUKE_KILLS", 200_usize) / 4, Chance::new(7));
    let mut options = Options::of(Size::Small).seed(3);
    options.rate_limit = false;
    let house = House::new(options).await;
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 0);
    let before = check(&house.database()).await.unwrap().unwrap();
    house.heroku.edit(|world| {
        let team = world.enterprise_team_names().swap_remove(0);
        world.remove_team(&team)
    });
    let truth = State::of_heroku(&house.heroku.truth());
    let (sync, accept) = (["sync", "--quiet"], ["syncs", "accept", "2", "--yes"]);
    let saved = house.folder.path().join("saved.db");
    std::fs::copy(house.database(), &saved).unwrap();
    let usual = took(&house, &sync).await;
    metsuke_testkit::sqlite(&house.database(), "PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    let waiting = house.folder.path().join("waiting.db");
    std::fs::copy(house.database(), &waiting).unwrap();
    let usual_accept = took(&house, &accept).await;
    let (mut recorded, mut accepted) = (0, 0);
    for round in 0..kills {
        let accepting = round % 2 == 1;
        remove(&house.database());
        std::fs::copy(if accepting { &waiting } else { &saved }, house.database()).unwrap();
        if accepting {
            run_for(&house, &accept, chance.within(usual_accept * 11 / 10)).await;
        } else {
            // The last part of it is where it matters: comparing, taking back, recording.
            run_for(&house, &sync, usual / 2 + chance.within(usual * 3 / 5)).await;
        }
        let found = check(&house.database()).await.unwrap().unwrap();
        let syncs = house.lines(&["syncs"]).await;
        if found.version == before.version {
            assert_eq!(found.state, before.state, "round {round}");
            if syncs.len() == 2 {
                recorded += usize::from(!accepting);
                assert_eq!(syncs[0]["status"], "quarantined");
                assert_eq!(house.run(&accept).await.code, 0, "what waits can be accepted");
                let found = check(&house.database()).await.unwrap().unwrap();
                assert_eq!(found.state, truth, "round {round}");
            } else {
                assert!(!accepting && syncs.len() == 1, "round {round}: {syncs:?}");
            }
        } else {
            accepted += 1;
            assert!(accepting && found.state == truth, "round {round}");
            assert_eq!(house.run(&accept).await.code, 1, "it is a version already");
        }
    }
    println!("{kills} kills: {recorded} after a quarantine was recorded, {accepted} after one was accepted");
    assert!(kills < 100 || (recorded > 0 && accepted > 0), "the kills miss");
}
