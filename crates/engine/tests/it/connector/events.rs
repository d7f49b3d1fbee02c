//! The two feeds: every event once, in the order of time, whatever the size of a page.

use std::collections::BTreeSet;
use std::sync::Arc;

use metsuke_engine::connector::{Connector, Event, Feed, Happened, Target};
use metsuke_engine::{EngineError, ErrorKind};
use metsuke_model::{FixedClock, Moment, ResourceType};
use metsuke_simulator::{Options, Size};
use metsuke_store::{ChangeKind, Changed};

use super::{connector, settings};
use crate::house::House;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Reads a feed to where it ends for now.
async fn read(
    connector: &Connector,
    feed: Feed,
    mut cursor: Option<Box<str>>,
    since: Option<Moment>,
    limit: usize,
) -> (Vec<Event>, Box<str>) {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let page = connector.events(feed, cursor.as_deref(), since, limit).await.unwrap();
        assert!(page.events.len() <= limit && page.cursor.len() <= 4_096 && page.cursor.is_ascii());
        assert!(page.events.is_sorted_by_key(|event| event.at), "in the order of time");
        events.extend(page.events);
        if !page.more {
            return (events, page.cursor);
        }
        assert_ne!(cursor.as_ref(), Some(&page.cursor), "it goes on");
        cursor = Some(page.cursor);
    }
}

fn ids(events: &[Event]) -> BTreeSet<&str> {
    let ids: BTreeSet<&str> = events.iter().map(|event| &*event.id).collect();
    assert_eq!(ids.len(), events.len(), "each once");
    ids
}

#[tokio::test]
async fn changes_come_once_in_order_whatever_the_page_on_sqlite() {
    changes_come_once_in_order_whatever_the_page(House::on_sqlite(Options::of(Size::Mixed).seed(11)).await)
        .await;
}

#[tokio::test]
async fn changes_come_once_in_order_whatever_the_page_on_postgres() {
    changes_come_once_in_order_whatever_the_page(House::on_postgres(Options::of(Size::Mixed).seed(11)).await)
        .await;
}

async fn changes_come_once_in_order_whatever_the_page(house: House) {
    let first = house.sync().await.version;
    for round in 0..4 {
        house.simulator.edit(|world| {
            let team = world.enterprise_team_names().remove(0);
            world.set_member(&team, &format!("joiner-{round}@example.com"), Some("viewer"));
            let app = world.app_names(Some(&team)).remove(0);
            world.set_collaborator(&app, &format!("joiner-{round}@example.com"), &["view", "debug"]);
            world.rename_app(&app, &format!("renamed-{round}"));
            if round > 0 {
                world.remove_member(&team, &format!("joiner-{}@example.com", round - 1));
            }
        });
        house.sync().await;
        house.sync().await;
    }
    let connector = connector(&house);
    let (all, end) = read(&connector, Feed::Changes, None, None, 1000).await;
    for limit in [1, 3, 7] {
        let (paged, last) = read(&connector, Feed::Changes, None, None, limit).await;
        assert_eq!(ids(&paged), ids(&all));
        assert_eq!((paged, last), (all.clone(), end.clone()));
    }
    let newest = house.snapshot(None).await.sync().version;
    let log = house.store.changes(first, newest).await.unwrap();
    let shown = |kind: ChangeKind| {
        let of_people = |change: &&metsuke_store::Change| match &change.changed {
            Changed::Grant { resource_type, .. } => *resource_type != ResourceType::Space,
            Changed::Object { .. } => false,
        };
        log.iter().filter(of_people).filter(|change| change.change == kind).count()
    };
    let count = |wanted: fn(&Happened) -> bool| all.iter().filter(|event| wanted(&event.happened)).count();
    assert_eq!(count(|happened| matches!(happened, Happened::Granted(_))), shown(ChangeKind::Added));
    assert_eq!(count(|happened| matches!(happened, Happened::Revoked(_))), shown(ChangeKind::Removed));
    assert!(count(|happened| matches!(happened, Happened::Changed { target: Target::App(_), .. })) >= 4);
    let revoked = all.iter().find_map(|event| match &event.happened {
        Happened::Revoked(held) if &*held.slug == "viewer" => Some(held),
        _ => None,
    });
    assert!(revoked.unwrap().user.email.as_deref().unwrap().starts_with("joiner-"));
    let (none, same) = read(&connector, Feed::Changes, Some(end.clone()), None, 10).await;
    assert!(none.is_empty() && same == end);
    house.simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, "late@example.com", Some("viewer"));
    });
    house.sync().await;
    let (more, _) = read(&connector, Feed::Changes, Some(end), None, 1).await;
    assert!(more.iter().any(|event| matches!(&event.happened, Happened::Granted(held)
        if held.user.email.as_deref() == Some("late@example.com"))));
    assert!(ids(&more).is_disjoint(&ids(&all)));
    let later = all.last().unwrap().at;
    let (since, _) = read(&connector, Feed::Changes, None, Some(later), 10).await;
    assert!(since.iter().all(|event| event.at >= later) && since.len() > more.len());
}

#[tokio::test]
async fn the_cursor_of_another_database_goes_on_by_time() {
    let (one, other) = (
        House::on_sqlite(Options::of(Size::Small).seed(1)).await,
        House::on_sqlite(Options::of(Size::Small).seed(1)).await,
    );
    one.sync().await;
    let (_, cursor) = read(&connector(&one), Feed::Changes, None, None, 10).await;
    other.sync().await;
    other.simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, "late@example.com", Some("viewer"));
    });
    other.sync().await;
    let (events, _) = read(&connector(&other), Feed::Changes, Some(cursor), None, 10).await;
    assert!(events.iter().any(|event| matches!(event.happened, Happened::Granted(_))));
}

/// A connector at a time of its own.
fn at(house: &House, clock: &Arc<FixedClock>) -> Connector {
    let heroku = house.heroku(house.simulator.token());
    Connector::new(house.store.clone(), heroku, settings(Arc::clone(clock) as Arc<_>))
}

/// Tells the trail of the first Enterprise account what happened at so many seconds after `start`.
fn tell(house: &House, start: Moment, seconds: i64) -> String {
    let moment = u64::try_from(start.0 / SECOND + seconds).unwrap();
    let id = house.simulator.edit(|world| {
        let enterprise = world.enterprise_names().remove(0);
        let team = world.enterprise_team_names().remove(0);
        let app = world.app_names(Some(&team)).remove(0);
        let what = [("team_membership", "update"), ("code_release", "create"), ("app", "destroy")];
        let what = what[usize::try_from(seconds.rem_euclid(3)).unwrap()];
        world.tell_event(&enterprise, moment, what, (Some(&team), Some(&app)))
    });
    id.flatten().unwrap().to_string()
}

#[tokio::test]
async fn the_trail_comes_once_though_it_comes_late_and_in_no_order() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(3)).await;
    let start = Moment::parse("2027-03-10T00:00:00Z").unwrap();
    let clock = Arc::new(FixedClock::at(Moment(start.0 + DAY / 2)));
    let told: Vec<String> = (0..40).map(|number| tell(&house, start, number * 37 % 40)).collect();
    for limit in [1, 7, 1000] {
        let connector = at(&house, &clock);
        let (events, _) = read(&connector, Feed::AuditTrail, None, Some(start), limit).await;
        assert_eq!(ids(&events), told.iter().map(String::as_str).collect());
        assert!(events.is_sorted_by_key(|event| event.at));
    }
    let (seen, cursor) = read(&at(&house, &clock), Feed::AuditTrail, None, Some(start), 3).await;
    // Another process goes on, and what happened before is told late.
    let late = [tell(&house, start, 5), tell(&house, start, 3_600), tell(&house, start, -7_200)];
    clock.advance(DAY / 4);
    let (more, cursor) = read(&at(&house, &clock), Feed::AuditTrail, Some(cursor), None, 2).await;
    assert_eq!(ids(&more), late[..2].iter().map(String::as_str).collect(), "from the beginning on");
    assert!(ids(&more).is_disjoint(&ids(&seen)));
    // Days without a look, and then all of them.
    clock.advance(20 * DAY);
    let days: Vec<String> = (1..20).map(|day| tell(&house, start, day * 86_400)).collect();
    let (rest, cursor) = read(&at(&house, &clock), Feed::AuditTrail, Some(cursor), None, 4).await;
    assert_eq!(ids(&rest), days.iter().map(String::as_str).collect());
    let (none, _) = read(&at(&house, &clock), Feed::AuditTrail, Some(cursor), None, 4).await;
    assert!(none.is_empty());
}

#[tokio::test]
async fn a_busy_day_is_read_to_its_end_with_a_short_cursor() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(3)).await;
    let start = Moment::parse("2027-03-10T00:00:00Z").unwrap();
    let clock = Arc::new(FixedClock::at(Moment(start.0 + DAY / 2)));
    let told: Vec<String> = (0..1_500).map(|number| tell(&house, start, number / 4)).collect();
    let (events, cursor) = read(&at(&house, &clock), Feed::AuditTrail, None, Some(start), 100).await;
    assert_eq!(ids(&events), told.iter().map(String::as_str).collect());
    let late = tell(&house, start, 1_499 / 4 + 1);
    let (more, _) = read(&at(&house, &clock), Feed::AuditTrail, Some(cursor), None, 100).await;
    assert_eq!(ids(&more), BTreeSet::from([late.as_str()]));
}

#[tokio::test]
async fn an_event_of_the_trail_names_what_is_worth_reading() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(3)).await;
    let start = Moment::parse("2027-03-10T00:00:00Z").unwrap();
    let clock = Arc::new(FixedClock::at(Moment(start.0 + DAY / 2)));
    let ids: Vec<String> = (0..3).map(|number| tell(&house, start, number)).collect();
    let (events, _) = read(&at(&house, &clock), Feed::AuditTrail, None, Some(start), 10).await;
    let words: Vec<&str> = events.iter().map(|event| &*event.word).collect();
    assert_eq!(words, ["team_membership.update", "code_release.create", "app.destroy"]);
    assert!(matches!(&events[0].happened, Happened::Changed { target: Target::Team(_), parent: Some(_) }));
    assert!(matches!(&events[1].happened, Happened::Used { target: Target::App(_), by }
        if Some(by) == events[1].actor.as_ref().map(|actor| &actor.id)));
    assert!(matches!(&events[2].happened, Happened::Changed { target: Target::App(_), parent: Some(_) }));
    assert_eq!(events[0].at, start);
    assert_eq!(events.iter().map(|event| event.id.to_string()).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn a_trail_that_nobody_may_read_and_a_strange_cursor_are_errors() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(3)).await;
    house.simulator.edit(|world| {
        let own = world.caller_email();
        for enterprise in world.enterprise_names() {
            world.set_enterprise_member(&enterprise, &own, &["view"]);
        }
    });
    let connector = connector(&house);
    let error = connector.events(Feed::AuditTrail, None, None, 10).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    for feed in Feed::ALL {
        assert_eq!(Feed::from_word(feed.as_str()), Some(feed));
        let error = connector.events(feed, Some("nonsense"), None, 10).await.unwrap_err();
        assert!(matches!(error, EngineError::BadCursor { .. }) && error.kind() == ErrorKind::Invalid);
    }
    let alone = House::on_sqlite(Options::of(Size::Personal).seed(3)).await;
    let page = super::connector(&alone).events(Feed::AuditTrail, None, None, 10).await.unwrap();
    assert!(page.events.is_empty() && !page.more, "no Enterprise account, no trail");
}
