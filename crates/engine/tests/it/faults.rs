//! Twelve faults at each request of a sync: never a false removal, never a wrong grant, never a lie.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metsuke_model::SyncStatus;
use metsuke_simulator::{Fault, FaultKind, Options, Size, World};

use crate::house::{House, Line};

/// The faults of the promise, with times that a test can wait for.
const FAULTS: [FaultKind; 12] = [
    FaultKind::RateLimit429,
    FaultKind::ServerError500,
    FaultKind::BadGatewayHtml502,
    FaultKind::Unavailable503,
    FaultKind::Unauthorized401,
    FaultKind::Forbidden403,
    FaultKind::NotFound404,
    FaultKind::TruncatedBody,
    FaultKind::WrongType,
    FaultKind::SlowDrip(Duration::from_secs(3)),
    FaultKind::ConnectionReset,
    FaultKind::RepeatedPage,
];

/// Syncs under a fault after the estate has changed, and holds the outcome against the truth.
async fn holds(house: &House, before: &BTreeSet<Line>, label: &str) {
    let truth = house.truth();
    match house.try_sync().await {
        Ok(summary) => {
            let stored = house.direct(None).await;
            let invented: Vec<_> =
                stored.iter().filter(|line| !truth.contains(*line) && !before.contains(*line)).collect();
            let lost: Vec<_> =
                before.iter().filter(|line| truth.contains(*line) && !stored.contains(*line)).collect();
            assert!(invented.is_empty(), "{label}: wrong grants {invented:?}");
            assert!(lost.is_empty(), "{label}: false removals {lost:?}");
            if summary.report.status == SyncStatus::Complete {
                assert_eq!(stored, truth, "{label}: called complete");
            } else {
                assert!(
                    summary.report.scopes.iter().any(|scope| scope.gap),
                    "{label}: partial without a gap"
                );
            }
        }
        Err(failure) => {
            assert!(
                label.contains("unauthorized") && label.contains("/account"),
                "{label}: {}",
                failure.error
            );
            assert_eq!(&house.direct(None).await, before, "{label}: a failed sync changes nothing");
        }
    }
}

/// One path of each route, or two: what differs between the teams of an estate is covered by other tests.
fn representatives(house: &House) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let paths: BTreeSet<String> = house.simulator.stats().log.into_iter().map(|seen| seen.path).collect();
    let route = |path: &str| {
        let words = path.split('/').map(|word| if word.len() > 20 { "{}" } else { word });
        words.collect::<Vec<_>>().join("/")
    };
    let most = if thorough() { usize::MAX } else { 1 };
    paths
        .into_iter()
        .filter(|path| {
            let count = seen.entry(route(path)).or_default();
            *count += 1;
            *count <= most
        })
        .collect()
}

/// `make simulate` sets this: every request instead of one of each route.
#[expect(clippy::disallowed_methods, reason = "a test's dose comes from its environment")]
fn thorough() -> bool {
    std::env::var("METSUKE_THOROUGH").is_ok()
}

/// Somebody joins and somebody else leaves.
fn change(world: &mut World, round: u32) {
    let Some(team) = world.enterprise_team_names().into_iter().next() else { return };
    let caller = world.caller_email();
    let members = world.members_of(&team);
    world.set_member(&team, &format!("new-{round}@example.com"), Some("member"));
    if let Some((email, _)) = members.into_iter().rev().find(|(email, _)| *email != caller) {
        world.remove_member(&team, &email);
    }
}

/// Once at each request (mended by a retry), and always for each path (a gap); healed by the next sync.
async fn campaign(kinds: &[FaultKind], size: Size, seed: u64) {
    let house = House::on_sqlite(Options::of(size).seed(seed)).await;
    house.sync().await;
    let paths = representatives(&house);
    let mut round = 0;
    for kind in kinds {
        for path in &paths {
            for times in [Some(1), None] {
                let slow = matches!(kind, FaultKind::RateLimit429 | FaultKind::SlowDrip(_));
                if slow && times.is_none() && path != "/apps" {
                    continue;
                }
                round += 1;
                let before = house.direct(None).await;
                house.simulator.edit(|world| change(world, round));
                let fault = Fault::always(*kind).on(format!("{path}$"));
                house.simulator.faults().add(match times {
                    Some(times) => fault.times(times),
                    None => fault,
                });
                let label = format!("{} {times:?} at {path}", kind.as_str());
                holds(&house, &before, &label).await;
                let fired = house.simulator.faults().fired().iter().any(|(_, fired)| *fired > 0);
                assert!(fired, "{label}: never fired");
                house.simulator.faults().clear();
                house.sync().await;
                assert_eq!(house.direct(None).await, house.truth(), "{label}: healed by the next sync");
            }
        }
    }
}

#[tokio::test]
async fn refusals_never_remove_or_invent_a_grant() {
    campaign(&FAULTS[4..7], Size::Small, 1).await;
}

#[tokio::test]
async fn server_errors_never_remove_or_invent_a_grant() {
    campaign(&FAULTS[..4], Size::Small, 2).await;
}

#[tokio::test]
async fn broken_answers_never_remove_or_invent_a_grant() {
    campaign(&FAULTS[7..9], Size::Small, 3).await;
}

#[tokio::test]
async fn slow_reset_and_repeated_answers_never_remove_or_invent_a_grant() {
    campaign(&FAULTS[9..], Size::Small, 4).await;
}
