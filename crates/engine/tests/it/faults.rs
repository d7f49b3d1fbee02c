//! Twelve faults at each request of a sync: never a false removal, never a wrong grant, never a lie.

use std::collections::BTreeSet;
use std::time::Duration;

use metsuke_model::SyncStatus;
use metsuke_simulator::{Fault, FaultKind, Options, Size};

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
            let invented: Vec<_> = stored.iter().filter(|line| !truth.contains(*line) && !before.contains(*line)).collect();
            let lost: Vec<_> = before.iter().filter(|line| truth.contains(*line) && !stored.contains(*line)).collect();
            assert!(invented.is_empty(), "{label}: wrong grants {invented:?}");
            assert!(lost.is_empty(), "{label}: false removals {lost:?}");
            if summary.report.status == SyncStatus::Complete {
                assert_eq!(stored, truth, "{label}: called complete");
            } else {
                assert!(summary.report.scopes.iter().any(|scope| scope.gap), "{label}: partial without a gap");
            }
        }
        Err(failure) => {
            assert!(label.contains("unauthorized") && label.contains("/account"), "{label}: {}", failure.error);
            assert_eq!(&house.direct(None).await, before, "{label}: a failed sync changes nothing");
        }
    }
}

/// Once at each request (`#1`, mended by a retry), and always for each path (`always`, a gap).
async fn campaign(kinds: &[FaultKind], size: Size, seed: u64) {
    let house = House::on_sqlite(Options::of(size).seed(seed)).await;
    house.sync().await;
    let paths: BTreeSet<String> = house.simulator.stats().log.into_iter().map(|seen| seen.path).collect();
    for kind in kinds {
        for path in &paths {
            for times in [Some(1), None] {
                // A throttled account waits for seconds on purpose; once for each path is enough.
                if matches!(kind, FaultKind::RateLimit429) && (times.is_none() || path != "/apps") {
                    continue;
                }
                if matches!(kind, FaultKind::SlowDrip(_)) && times.is_none() && path.len() > 20 {
                    continue;
                }
                let before = house.direct(None).await;
                let team = house.simulator.edit(|world| world.enterprise_team_names()).unwrap_or_default();
                house.simulator.edit(|world| {
                    if let Some(team) = team.first() {
                        let number = world.members_of(team).len();
                        world.set_member(team, &format!("new-{number}@example.com"), Some("member"));
                        if let Some((email, _)) = world.members_of(team).get(2).cloned() {
                            world.remove_member(team, &email);
                        }
                    }
                });
                let exact = format!("{path}$");
                let fault = Fault::always(*kind).on(exact);
                house.simulator.faults().add(match times {
                    Some(times) => fault.times(times),
                    None => fault,
                });
                let label = format!("{} {times:?} at {path}", kind.as_str());
                holds(&house, &before, &label).await;
                assert!(house.simulator.faults().fired().iter().any(|(_, fired)| *fired > 0), "{label}: never fired");
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
