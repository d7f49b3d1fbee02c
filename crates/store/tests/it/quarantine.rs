//! A sync that would take away too much waits in quarantine: stored, shown, not current, and accepted whole.

use metsuke_model::access::Mask;
use metsuke_model::audit::Event;
use metsuke_model::record::{Invitation, Team};
use metsuke_model::{
    AccessRow, AsOf, Changes, Coverage, Estate, FixedClock, HerokuId, Moment, SyncReport, SyncStatus, Version,
};
use metsuke_store::{Brake, Committed, Store, StoreError};

use crate::database::{Database, commit, report, try_commit};
use crate::document::read;
use crate::generated::{Generator, Reading, plain, resources, whole};

/// Everything that takes away anything is held up.
const ANYTHING: Brake = Brake { percent: 0, least_grants: 0 };

/// So many grants: one on the only team, the rest on the only app, each another person's.
fn crowd(grants: usize) -> Estate {
    let mut estate = plain(1, grants - 1, Mask(1));
    estate.access.retain(|row| row.resource == 1 || row.principal == 0);
    estate
}

/// The same without so many grants on the app.
fn without(estate: &Estate, grants: usize) -> Estate {
    let mut less = estate.clone();
    less.access.truncate(estate.access.len() - grants);
    less
}

/// A second team with so many members, all of them known already.
fn with_small_team(mut estate: Estate, members: u32) -> Estate {
    let mut team = Team::new("small".into());
    (team.name, team.listed) = (Some("small".into()), Some(true));
    estate.teams.push(team);
    // The new team stands second, behind the first one.
    estate.resources = resources(&estate);
    for row in &mut estate.access {
        row.resource += u32::from(row.resource > 0);
    }
    let member = |principal| AccessRow { resource: 1, principal, mask: Mask(2) };
    estate.access.splice(0..0, (0..members).map(member));
    estate
}

async fn accept(store: &Store, version: i64) -> Result<Committed, StoreError> {
    store.accept(Version(version), &FixedClock::at(Moment(1_000_000_000))).await
}

/// Commits both, one after the other, into a database that is braked as usual.
async fn two(database: &Database, first: &Estate, second: &Estate) -> (Store, Committed) {
    let store = database.open_braked(Brake::default()).await;
    let committed = commit(&store, first, &whole(first), 1).await;
    assert!(committed.quarantine.is_empty(), "a first version is never held up");
    let committed = commit(&store, second, &whole(second), 2).await;
    (store, committed)
}

async fn newest(store: &Store) -> Version {
    store.snapshot(None).await.unwrap().unwrap().sync().version
}

async fn exactly_a_tenth_may_go(database: Database) {
    let estate = crowd(100);
    let (store, committed) = two(&database, &estate, &without(&estate, 10)).await;
    assert!(committed.quarantine.is_empty(), "{committed:?}");
    assert_eq!((newest(&store).await, store.waiting().await.unwrap()), (Version(2), None));
}

async fn one_grant_more_is_stored_and_shown_and_not_current(database: Database) {
    let estate = crowd(100);
    let (store, committed) = two(&database, &estate, &without(&estate, 11)).await;
    assert_eq!(committed.quarantine, ["11 of 100 grants would go, more than 10 %"]);
    let removed = Changes { removed: 11, ..Changes::default() };
    assert_eq!(
        (committed.version, committed.counts.grants, committed.changes),
        (Version(2), 89, removed),
        "what it would be"
    );
    let waiting = store.waiting().await.unwrap().unwrap();
    assert_eq!((waiting.version, waiting.status, waiting.waits), (Version(2), SyncStatus::Complete, true));
    assert_eq!(waiting.reasons, committed.quarantine);
    assert_eq!(store.quarantine(Version(2)).await.unwrap(), Some(waiting));
    assert_eq!(store.quarantine(Version(1)).await.unwrap(), None);
    let rows = store.syncs(9).await.unwrap();
    let row = (rows[0].version, rows[0].status, rows[0].counts, rows[0].changes);
    assert_eq!(row, (Version(2), SyncStatus::Quarantined, committed.counts, removed));

    assert_eq!(newest(&store).await, Version(1));
    read(&store, None).await.assert_is(&read(&store, Some(AsOf::Version(Version(1)))).await, "as it was");
    assert!(store.snapshot(Some(AsOf::Version(Version(2)))).await.is_err(), "it is no version");
    let later = store.snapshot(Some(AsOf::Time(Moment(9_000_000)))).await.unwrap().unwrap();
    assert_eq!(later.sync().version, Version(1));
    assert_eq!(store.changes(Version(0), Version(9)).await.unwrap(), []);
}

async fn below_fifty_grants_anything_may_go(database: Database) {
    let estate = crowd(49);
    let (_, committed) = two(&database, &estate, &without(&estate, 48)).await;
    assert!(committed.quarantine.is_empty(), "{committed:?}");
}

async fn from_fifty_grants_on_the_brake_holds(database: Database) {
    let estate = crowd(50);
    let (_, committed) = two(&database, &estate, &without(&estate, 6)).await;
    assert_eq!(committed.quarantine, ["6 of 50 grants would go, more than 10 %"]);
}

async fn a_whole_small_team_of_a_large_estate_is_held_up(database: Database) {
    let estate = crowd(500);
    let more = with_small_team(estate.clone(), 2);
    let (store, committed) = two(&database, &more, &estate).await;
    let expected = ["nobody would be left on team `small`, which had 2 people"];
    assert_eq!(committed.quarantine, expected, "the team is gone");
    let emptied = with_small_team(estate.clone(), 0);
    let committed = commit(&store, &emptied, &whole(&emptied), 3).await;
    assert_eq!(committed.quarantine, expected, "it is there, and nobody is in it");
    let halved = with_small_team(estate, 1);
    let committed = commit(&store, &halved, &whole(&halved), 4).await;
    assert!(committed.quarantine.is_empty(), "{committed:?}");
}

async fn many_lost_teams_are_counted_and_not_all_named(database: Database) {
    let mut estate = crowd(500);
    for number in 0..23 {
        let mut team = Team::new(HerokuId::new(&format!("team-{number}")));
        (team.name, team.listed) = (Some(format!("team {number}").into()), Some(true));
        estate.teams.push(team);
    }
    estate.resources = resources(&estate);
    for row in &mut estate.access {
        row.resource += 23 * u32::from(row.resource > 0);
    }
    estate.access.splice(0..0, (1..24).map(|resource| AccessRow { resource, principal: 0, mask: Mask(1) }));
    let (_, committed) = two(&database, &estate, &crowd(500)).await;
    assert_eq!(committed.quarantine.len(), 21, "{committed:?}");
    assert!(committed.quarantine[0].ends_with("which had 1 person"), "{committed:?}");
    assert_eq!(committed.quarantine[20], "nobody would be left on 3 more teams");
}

async fn a_pending_invitation_is_no_grant(database: Database) {
    let estate = crowd(60);
    let mut invited = estate.clone();
    for number in 0..100 {
        let mut invitation = Invitation::new(HerokuId::new(&format!("invitation-{number}")));
        invitation.team = Some("team".into());
        invited.invitations.push(invitation);
    }
    let (store, committed) = two(&database, &invited, &estate).await;
    assert_eq!((committed.changes.removed, committed.quarantine.len()), (100, 0));
    let less = without(&invited, 7);
    assert!(!commit(&store, &less, &whole(&less), 3).await.quarantine.is_empty(), "nor do they count before");
}

async fn a_partial_sync_that_proves_no_loss_goes_through(database: Database) {
    let store = database.open_braked(Brake::default()).await;
    commit(&store, &crowd(100), &whole(&crowd(100)), 1).await;
    let partial = SyncReport { status: SyncStatus::Partial, ..report(2) };
    let clock = FixedClock::at(Moment(2_000_000));
    let nothing = store.commit(Estate::default(), &Coverage::default(), &partial, &clock).await.unwrap();
    assert_eq!((nothing.changes, nothing.quarantine.len()), (Changes::default(), 0));
    let less = without(&crowd(100), 40);
    let held = store.commit(less.clone(), &whole(&less), &partial, &clock).await.unwrap();
    assert_eq!(held.quarantine.len(), 1);
    accept(&store, 3).await.unwrap();
    assert_eq!(store.syncs(1).await.unwrap()[0].status, SyncStatus::Partial, "as it was read");
}

async fn with_the_brake_off_everything_goes_through(database: Database) {
    let estate = with_small_team(crowd(100), 3);
    let store = database.open_braked(Brake { percent: 100, ..Brake::default() }).await;
    commit(&store, &estate, &whole(&estate), 1).await;
    let less = without(&estate, 90);
    assert!(commit(&store, &less, &whole(&less), 2).await.quarantine.is_empty());
    let none = Estate::default();
    let held = commit(&store, &none, &whole(&estate), 3).await;
    assert_eq!(held.quarantine, [] as [&str; 0], "13 grants are below the brake's least");
    commit(&store, &estate, &whole(&estate), 4).await;
    assert_eq!(commit(&store, &none, &whole(&estate), 5).await.quarantine.len(), 2, "two teams");
    let store = store.braked(Brake::OFF);
    assert!(commit(&store, &none, &whole(&estate), 6).await.quarantine.is_empty());
    assert_eq!(store.snapshot(None).await.unwrap().unwrap().sync().counts.grants, 0);
}

async fn the_next_sync_is_compared_with_the_last_version_again(database: Database) {
    let estate = crowd(100);
    let (store, _) = two(&database, &estate, &without(&estate, 50)).await;
    let again = commit(&store, &without(&estate, 50), &whole(&estate), 3).await;
    assert_eq!((again.version, again.changes.removed, again.quarantine.len()), (Version(3), 50, 1));
    let back = commit(&store, &without(&estate, 1), &whole(&estate), 4).await;
    assert_eq!((back.version, back.changes.removed, back.quarantine.len()), (Version(4), 1, 0));
    assert_eq!(store.waiting().await.unwrap(), None);
    assert_eq!(store.changes(Version(1), Version(4)).await.unwrap().len(), 1);
    assert_eq!(store.changes(Version(1), Version(3)).await.unwrap(), []);
}

fn refused(answer: Result<Committed, StoreError>) -> &'static str {
    match answer {
        Err(error @ StoreError::NotAcceptable { reason, .. }) if error.hint().is_some() => reason,
        other => panic!("{other:?}"),
    }
}

async fn only_the_newest_run_can_be_accepted_and_only_once(database: Database) {
    let estate = crowd(100);
    let (store, _) = two(&database, &estate, &without(&estate, 50)).await;
    commit(&store, &without(&estate, 60), &whole(&estate), 3).await;
    assert_eq!(store.record_failure(&report(4)).await.unwrap(), Version(4));
    assert_eq!(refused(accept(&store, 1).await), "it is a version already");
    assert_eq!(refused(accept(&store, 2).await), "a later one has taken its place");
    assert_eq!(refused(accept(&store, 4).await), "it failed");
    assert_eq!(refused(accept(&store, 5).await), "there is no such sync");
    let accepted = accept(&store, 3).await.unwrap();
    assert_eq!(
        (accepted.version, accepted.changes.removed, newest(&store).await),
        (Version(3), 60, Version(3))
    );
    assert_eq!(refused(accept(&store, 3).await), "it is a version already");
    let kept = store.quarantine(Version(3)).await.unwrap().unwrap();
    assert_eq!((kept.waits, kept.reasons.len()), (false, 1), "why it waited is still known");
    let next = commit(&store, &without(&estate, 60), &whole(&estate), 5).await;
    assert_eq!((next.version, next.changes), (Version(5), Changes::default()));
}

async fn a_run_after_which_a_version_was_committed_is_outdated(database: Database) {
    let estate = crowd(100);
    let (store, _) = two(&database, &estate, &without(&estate, 50)).await;
    commit(&store, &estate, &whole(&estate), 3).await;
    let before = read(&store, None).await;
    assert_eq!(refused(accept(&store, 2).await), "a later one has taken its place");
    commit(&store, &without(&estate, 50), &whole(&estate), 4).await;
    // As if another process had committed a version between the comparison and the record of it.
    database.sql("UPDATE quarantine SET base = 1 WHERE sync_id = 4").await;
    assert_eq!(store.waiting().await.unwrap(), None);
    assert_eq!(refused(accept(&store, 4).await), "a later one has taken its place");
    read(&store, None).await.assert_is(&before, "nothing was applied");
}

/// Two databases read the same: one lets everything through, the other holds every loss up, and accepts it.
async fn accepting_gives_what_a_commit_would_have_given(database: Database) {
    let on_sqlite = database.is_sqlite();
    let fresh = || if on_sqlite { Database::sqlite() } else { Database::postgres() };
    for seed in if on_sqlite { 0..12 } else { 50..53 } {
        let (left, right) = (fresh(), fresh());
        let (free, held) = (left.open().await, right.open_braked(ANYTHING).await);
        let mut generator = Generator::new(seed);
        let mut accepted = 0;
        for number in 1..=7 {
            let told = format!("seed {seed}, version {number}");
            let Reading { mut estate, coverage } = generator.next();
            let team = estate.teams.first().map(|team| (team.id.clone(), Mask(3)));
            estate.listing_manners.extend(team);
            let through = commit(&free, &estate, &coverage, number).await;
            let mut came = commit(&held, &estate, &coverage, number).await;
            if !came.quarantine.is_empty() {
                let waited = came;
                came = accept(&held, number).await.unwrap();
                assert_eq!((waited.counts, waited.changes), (came.counts, came.changes), "{told}");
                accepted += 1;
            }
            assert_eq!(came, through, "{told}");
            read(&held, None).await.assert_is(&read(&free, None).await, &told);
        }
        assert!(accepted > 2, "seed {seed}: only {accepted}");
        assert_eq!(held.syncs(9).await.unwrap(), free.syncs(9).await.unwrap());
        let log = held.changes(Version(0), Version(9)).await.unwrap();
        assert_eq!(log, free.changes(Version(0), Version(9)).await.unwrap(), "seed {seed}");
        for number in 1..=7 {
            let as_of = Some(AsOf::Version(Version(number)));
            read(&held, as_of).await.assert_is(&read(&free, as_of).await, "as of then");
        }
        let manners = async |store: &Store| {
            store.snapshot(None).await.unwrap().unwrap().listing_manners().await.unwrap()
        };
        assert_eq!(manners(&held).await, manners(&free).await);
        // Another handle, the same reading again: packed heads and checkpoints say what the tables say.
        let (free, held) = (left.open().await, right.open().await);
        let Reading { estate, coverage } = generator.next();
        let (one, other) =
            (commit(&free, &estate, &coverage, 8).await, commit(&held, &estate, &coverage, 8).await);
        assert_eq!(one, other, "seed {seed}");
        let again = commit(&held, &estate, &coverage, 9).await;
        assert_eq!(again.changes, Changes::default(), "seed {seed}");
    }
}

async fn a_text_that_the_database_spells_otherwise_is_no_change_after_accepting(database: Database) {
    let store = database.open_braked(Brake::default()).await;
    let mut estate = crowd(100);
    commit(&store, &estate, &whole(&estate), 1).await;
    estate.users.edit(|users| users[3].name = Some("Ann\0 Other".into()));
    let less = without(&estate, 30);
    assert_eq!(commit(&store, &less, &whole(&less), 2).await.changes.changed, 1);
    accept(&store, 2).await.unwrap();
    assert_eq!(commit(&store, &less, &whole(&less), 3).await.changes, Changes::default());
}

async fn what_cannot_be_recorded_is_not_done(database: Database) {
    let estate = crowd(100);
    let less = without(&estate, 50);
    let (store, _) = two(&database, &estate, &less).await;
    let before = read(&store, None).await;
    database.sql("CREATE TABLE saved AS SELECT * FROM audit_frontier; DELETE FROM audit_frontier").await;
    accept(&store, 2).await.unwrap_err();
    try_commit(&store, less.clone(), &whole(&less), 3).await.unwrap_err();
    try_commit(&store, estate.clone(), &whole(&estate), 3).await.unwrap_err();
    store.record_failure(&report(3)).await.unwrap_err();
    read(&store, None).await.assert_is(&before, "no event, no version");
    assert_eq!(store.syncs(9).await.unwrap().len(), 2);
    assert_eq!(store.waiting().await.unwrap().unwrap().version, Version(2), "and it waits still");
    database.sql("INSERT INTO audit_frontier SELECT * FROM saved").await;
    database.sql("UPDATE quarantine SET packed = substr(packed, 1, length(packed) - 3)").await;
    let error = accept(&store, 2).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    read(&store, None).await.assert_is(&before, "damaged, so it is not applied");
    assert_eq!(commit(&store, &less, &whole(&less), 3).await.quarantine.len(), 1);
    accept(&store, 3).await.unwrap();
}

async fn every_run_is_an_event_of_the_audit_trail(database: Database) {
    let estate = crowd(100);
    let (store, _) = two(&database, &estate, &without(&estate, 50)).await;
    store.record_failure(&SyncReport { error: Some("no".into()), ..report(3) }).await.unwrap();
    accept(&store, 2).await.unwrap();
    let partial = SyncReport { status: SyncStatus::Partial, ..report(4) };
    store.commit(estate, &Coverage::default(), &partial, &FixedClock::at(Moment(4))).await.unwrap();
    let rows = store.audit_rows_before(None, 9).await.unwrap();
    let events: Vec<Event> = rows.iter().rev().map(|row| Event::decode(&row.text).unwrap()).collect();
    let told: Vec<(&str, &str)> =
        events.iter().map(|event| (event.code.as_str(), &*event.subject["sync"])).collect();
    assert_eq!(
        told,
        [
            ("sync.completed", "1"),
            ("sync.quarantined", "2"),
            ("sync.failed", "3"),
            ("sync.accepted", "2"),
            ("sync.partial", "4"),
        ]
    );
    let details = &events[1].details;
    assert_eq!((&details["changes"]["removed"], &details["counts"]["grants"]), (&50.into(), &50.into()));
    assert_eq!(details["reasons"][0], "50 of 100 grants would go, more than 10 %");
    assert_eq!(events[2].details["error"], "no");
    assert_eq!(events[3].at, Moment(1_000_000_000), "when it was accepted, not when it was read");
}

on_both_engines!(
    exactly_a_tenth_may_go,
    one_grant_more_is_stored_and_shown_and_not_current,
    below_fifty_grants_anything_may_go,
    from_fifty_grants_on_the_brake_holds,
    a_whole_small_team_of_a_large_estate_is_held_up,
    many_lost_teams_are_counted_and_not_all_named,
    a_pending_invitation_is_no_grant,
    a_partial_sync_that_proves_no_loss_goes_through,
    with_the_brake_off_everything_goes_through,
    the_next_sync_is_compared_with_the_last_version_again,
    only_the_newest_run_can_be_accepted_and_only_once,
    a_run_after_which_a_version_was_committed_is_outdated,
    accepting_gives_what_a_commit_would_have_given,
    a_text_that_the_database_spells_otherwise_is_no_change_after_accepting,
    what_cannot_be_recorded_is_not_done,
    every_run_is_an_event_of_the_audit_trail,
);
