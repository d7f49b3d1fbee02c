//! A version that changes more than is told entry by entry, and what comes after it.

use metsuke_engine::MOST_ENTRIES;
use metsuke_engine::changes::{EventFilter, Recorded};
use metsuke_engine::connector::Feed;
use metsuke_engine::query::Settings;
use metsuke_engine::rules::{Ground, Instance, Limits, Since, evaluate};
use metsuke_model::access::Entitlement;
use metsuke_model::record::{App, User};
use metsuke_model::{
    AccessRow, AsOf, Coverage, Estate, FixedClock, HerokuId, Moment, Resource, ResourceType, SyncReport,
    SyncStatus, Version,
};
use metsuke_simulator::{Options, Size};
use serde_json::{Value, json};

use super::{all, record};
use crate::connector::connector;
use crate::house::House;

/// People and apps: each person holds something on each app, which is just more than is told one by one.
const EACH: u32 = 317;

/// People and apps that Heroku's are not, everyone with access everywhere but in the first so many pairs.
async fn commit(house: &House, second: i64, without: usize) -> Version {
    let (mut estate, mut coverage) = (Estate::default(), Coverage::default());
    for number in 0..EACH {
        let mut person = User::new(HerokuId::new(&format!("person-{number}")));
        person.email = Some(format!("person-{number}@example.com").into());
        estate.principals.push(person.id.clone());
        estate.users.push(person);
        let mut app = App::new(HerokuId::new(&format!("app-{number}")));
        app.name = Some(format!("app-{number}").into());
        let resource = Resource { resource_type: ResourceType::App, id: app.id.clone() };
        coverage.cover_access(resource.clone());
        estate.resources.push(resource);
        estate.apps.push(app);
    }
    let pairs = (0..EACH).flat_map(|resource| (0..EACH).map(move |principal| (resource, principal)));
    let mask = Entitlement::VIEW.mask();
    let row = |(resource, principal)| AccessRow { resource, principal, mask };
    estate.access = pairs.skip(without).map(row).collect();
    let at = Moment(1_900_000_000_000_000 + second * 1_000_000);
    let report = SyncReport {
        status: SyncStatus::Complete,
        started_at: at,
        finished_at: at,
        requests: 1,
        waited_ms: 0,
        error: None,
        scopes: Vec::new(),
    };
    house.store.commit(estate, &coverage, &report, &FixedClock::at(at)).await.unwrap().version
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_with_too_many_changes_is_one_event_and_the_next_is_told_whole() {
    assert!(u64::from(EACH * EACH) > MOST_ENTRIES && u64::from((EACH - 1).pow(2)) < MOST_ENTRIES);
    let house = House::on_sqlite(Options::of(Size::Small)).await;
    house.sync().await;
    let large = commit(&house, 1, 0).await;
    let next = commit(&house, 2, 3).await;

    let recorded = record(&house.store).await;
    assert!(matches!(recorded, Recorded { events: 4, up_to, .. } if up_to == next), "{recorded:?}");
    let events = all(&house.store, &EventFilter::default(), 7).await;
    let shown: Vec<(&str, &str)> = events.iter().map(|event| (&*event.id, &*event.kind)).collect();
    assert_eq!(shown, [("2-0", "version"), ("3-0", "grant"), ("3-1", "grant"), ("3-2", "grant")]);
    let (first, after) = (&events[0], &events[0].what["after"]);
    assert_eq!((&*first.change, &first.what["name"]), ("changed", &json!("version 2")));
    let added = u64::from(EACH * EACH + 2 * EACH);
    assert_eq!(after, &json!({ "added": added, "removed": 0, "changed": 0 }));
    assert!(first.gained.is_empty() && events[1..].iter().all(|event| event.lost.len() == 1));
    assert_eq!(house.store.changes(Version(1), large).await.unwrap().len() as u64, added, "the log has all");

    let feed = connector(&house).events(Feed::Changes, None, None, 1_000).await.unwrap();
    let ids: Vec<&str> = feed.events.iter().map(|event| &*event.id).collect();
    assert_eq!((ids, feed.more), (vec!["3-0", "3-1", "3-2"], false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_says_which_version_it_could_not_look_at_change_by_change() {
    let house = House::on_sqlite(Options::of(Size::Small)).await;
    house.sync().await;
    commit(&house, 1, 0).await;
    commit(&house, 2, 3).await;
    let rule: Value = json!({
        "name": "lost", "change": { "what": "grant", "resource": "app" },
        "operations": [{ "when": { "type": "FILTER", "condition": "{{changes.total > 0}}" }, "actions": [] }],
    });
    let rule = Instance::read(&rule).unwrap();
    let (folder, now) = (tempfile::tempdir().unwrap(), Moment(1_900_000_010_000_000));
    for (since, notes, subjects) in [(1, 1, 3), (2, 0, 3)] {
        let since = Since::After(AsOf::Version(Version(since)));
        let opened =
            Ground::open(&house.store, Settings::at(now), since, Limits::default(), folder.path()).await;
        let told = evaluate(&rule, &opened.unwrap(), None).await;
        assert_eq!((told.subjects.len(), told.notes.len()), (subjects, notes), "{:?}", told.notes);
        assert!(told.notes.iter().all(|note| note.starts_with("version 2 made more than 100000 changes")));
    }
}
