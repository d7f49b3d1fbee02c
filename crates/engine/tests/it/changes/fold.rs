//! What all events gave and took, folded over the first version, is the effective access of every later one.

use std::collections::BTreeSet;

use metsuke_engine::access::{GrantFilter, grants};
use metsuke_engine::changes::{self, EventFilter};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::{
    AsOf, Coverage, Estate, FixedClock, Grant, Kind, Moment, SyncReport, SyncStatus, SystemClock, Version,
};
use metsuke_simulator::{Options, Size};
use metsuke_store::{Brake, OpenMode, Store};
use metsuke_testkit::{Chance, setting};

use super::{all, effective, moved, record};
use crate::house::{House, Line, line};
use crate::told::estates;

async fn commit(store: &Store, estate: &Estate, second: i64) -> Version {
    let at = Moment(1_800_000_000_000_000 + second * 1_000_000);
    let report = SyncReport {
        status: SyncStatus::Complete,
        started_at: at,
        finished_at: at,
        requests: 1,
        waited_ms: 0,
        error: None,
        scopes: Vec::new(),
    };
    let mut coverage = Coverage::default();
    for kind in Kind::ALL {
        coverage.cover_kind(kind);
    }
    for resource in &estate.resources {
        coverage.cover_access(resource.clone());
    }
    store.commit(estate.clone(), &coverage, &report, &FixedClock::at(at)).await.unwrap().version
}

async fn lines_of(store: &Store, version: Version) -> BTreeSet<Line> {
    let mut lines = BTreeSet::new();
    let mut snapshot = store.snapshot(Some(AsOf::Version(version))).await.unwrap().unwrap();
    let filter = GrantFilter { effective: true, ..GrantFilter::default() };
    let mut take = |grant: &Grant| {
        if grant.principal.kind == PrincipalKind::User {
            lines.insert(line(grant));
        }
        Ok(())
    };
    grants(&mut snapshot, &filter, &mut take).await.unwrap().unwrap();
    lines
}

/// Folds all events over the first version and compares with every later one.
async fn fold(store: &Store, first: Version, newest: Version, told: &str) {
    let mut held = lines_of(store, first).await;
    let events = all(store, &EventFilter::default(), 7).await;
    let mut events = events.iter().peekable();
    for version in first.0 + 1..=newest.0 {
        let (mut gained, mut lost) = (BTreeSet::new(), BTreeSet::new());
        while let Some(event) = events.next_if(|event| event.version.0 == version) {
            let (came, went) = moved(event);
            for line in came {
                assert!(!held.contains(&line), "{told} {}: {line:?} was held", event.id);
                let text = format!("{line:?}");
                assert!(gained.insert(line), "{told} {}: {text} is told twice", event.id);
            }
            for line in went {
                assert!(held.contains(&line), "{told} {}: {line:?} was not held", event.id);
                let text = format!("{line:?}");
                assert!(lost.insert(line), "{told} {}: {text} is told twice", event.id);
            }
        }
        held = &(&held - &lost) | &gained;
        let now = lines_of(store, Version(version)).await;
        let (missing, extra): (Vec<_>, Vec<_>) =
            (now.difference(&held).collect(), held.difference(&now).collect());
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{told} version {version}: not told {missing:?}, too much {extra:?}"
        );
    }
    assert!(events.next().is_none());
}

async fn made_up_estates_fold(rounds: u64, postgres: bool) {
    let first_seed = setting("METSUKE_CHANGES_SEED", 1_u64);
    for seed in first_seed..first_seed + rounds {
        let folder = tempfile::tempdir().unwrap();
        let database = postgres.then(metsuke_testkit::fresh_database);
        let url = match &database {
            Some(database) => database.url.clone(),
            None => format!("sqlite:{}", folder.path().join("metsuke.db").display()),
        };
        let store = Store::open(&url, OpenMode::Create).await.unwrap().braked(Brake::OFF);
        let mut chance = Chance::new(seed);
        let mut newest = Version(0);
        for number in 0..5 {
            newest = commit(&store, &estates::random(&mut chance).estate, number).await;
            if chance.percent(50) {
                record(&store).await;
            }
        }
        record(&store).await;
        fold(&store, Version(1), newest, &format!("METSUKE_CHANGES_SEED={seed}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_and_went_of_made_up_estates_adds_up_on_sqlite() {
    made_up_estates_fold(setting("METSUKE_CHANGES", 25), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_and_went_of_made_up_estates_adds_up_on_postgres() {
    made_up_estates_fold(setting("METSUKE_CHANGES", 25) / 8, true).await;
}

/// Changes something of a simulated estate by chance.
fn edit(house: &House, chance: &mut Chance, round: usize) {
    house.simulator.edit(|world| {
        let teams = world.team_names();
        let team = chance.one_of(&teams).clone();
        let apps = world.app_names(Some(&team));
        let app = chance.pick(&apps).cloned().unwrap_or_default();
        let person = match world.members_of(&team).get(chance.below(4)) {
            Some((email, _)) => email.clone(),
            None => format!("new-{round}@example.com"),
        };
        match chance.below(12) {
            0 => drop(world.set_member(&team, &person, Some(*chance.one_of(&["admin", "member", "viewer"])))),
            1 => drop(world.set_member(&team, &format!("joiner-{round}@example.com"), Some("member"))),
            2 => drop(world.remove_member(&team, &person)),
            3 => drop(world.set_collaborator(&app, &person, &["view", "deploy"])),
            4 => drop(world.set_collaborator(&app, &person, &["view"])),
            5 => drop(world.remove_collaborator(&app, &person)),
            6 => drop(world.lock_app(&app, chance.percent(50))),
            7 => drop(world.move_app(&app, &team)),
            8 => drop(world.remove_app(&app)),
            9 => drop(world.add_app(Some(&team), &format!("new-app-{round}"))),
            10 => drop(world.remove_person(&person)),
            _ => drop(world.rename_app(&app, &format!("renamed-{round}"))),
        }
    });
}

async fn edits_of_a_simulated_company_fold(house: House, rounds: usize) {
    let mut chance = Chance::new(5);
    let first = house.sync().await.version;
    let ground = effective(&house, first).await;
    assert!(!ground.is_empty());
    let mut newest = first;
    for round in 0..rounds {
        for _ in 0..=chance.below(4) {
            edit(&house, &mut chance, round);
        }
        newest = house.sync().await.version;
    }
    let recorded = record(&house.store).await;
    assert_eq!((recorded.up_to, i64::from(recorded.versions)), (newest, newest.0));
    fold(&house.store, first, newest, "simulated").await;
    let before = all(&house.store, &EventFilter::default(), 50).await;
    assert_eq!(before.len() as u64, recorded.events);
    let again = changes::record(&house.store, newest, &SystemClock).await.unwrap();
    assert_eq!((again.versions, again.events, again.up_to), (0, 0, newest));
    assert_eq!(
        all(&house.store, &EventFilter::default(), 3).await,
        before,
        "recording twice changes nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_and_went_of_a_simulated_company_adds_up_on_sqlite() {
    let options = Options::of(Size::Mixed).seed(9);
    edits_of_a_simulated_company_fold(House::on_sqlite(options).await, 14).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_and_went_of_a_simulated_company_adds_up_on_postgres() {
    let options = Options::of(Size::Mixed).seed(10);
    edits_of_a_simulated_company_fold(House::on_postgres(options).await, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_record_at_once_write_every_event_once() {
    let house = House::on_sqlite(Options::of(Size::Small).seed(2)).await;
    let mut chance = Chance::new(3);
    for round in 0..4 {
        edit(&house, &mut chance, round);
        house.sync().await;
    }
    let newest = house.snapshot(None).await.sync().version;
    let (one, other) = tokio::join!(
        changes::record(&house.store, newest, &SystemClock),
        changes::record(&house.store, newest, &SystemClock),
    );
    let written = one.unwrap().events + other.unwrap().events;
    let events = all(&house.store, &EventFilter::default(), 100).await;
    assert_eq!(events.len() as u64, written);
    fold(&house.store, Version(1), newest, "at once").await;
}
