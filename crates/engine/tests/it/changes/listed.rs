//! Lists with filters, single events, and those who follow.

use std::time::Duration;

use metsuke_engine::changes::{self, Event, EventFilter, Line, Watch};
use metsuke_model::Version;
use metsuke_simulator::{Options, Size};
use metsuke_store::ChangeKind;

use super::{all, record};
use crate::house::House;

/// A company in which things happened: a joiner, a lock, a rename.
async fn story(house: &House) -> (String, String) {
    house.sync().await;
    let names = house.simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        let app = world.app_names(Some(&team)).remove(0);
        world.set_member(&team, "Joiner@Example.com", Some("admin"));
        (team, app)
    });
    let (team, app) = names.unwrap();
    house.sync().await;
    house.simulator.edit(|world| world.lock_app(&app, true));
    house.sync().await;
    house.simulator.edit(|world| {
        world.rename_app(&app, "very-new-name");
        world.remove_member(&team, "joiner@example.com");
    });
    house.sync().await;
    record(&house.store).await;
    (team, app)
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| &*event.id).collect()
}

async fn a_list_is_narrowed_down_by_what_is_asked(house: House) {
    let (team, _) = story(&house).await;
    let everything = all(&house.store, &EventFilter::default(), 2).await;
    let matching = |test: &dyn Fn(&Event) -> bool| {
        let ids: Vec<String> =
            everything.iter().filter(|event| test(event)).map(|event| event.id.to_string()).collect();
        assert!(!ids.is_empty());
        ids
    };
    let store = &house.store;
    let asked = |filter: EventFilter| async move {
        let events = all(store, &filter, 2).await;
        events.iter().map(|event| event.id.to_string()).collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    let by_kind = EventFilter { kinds: vec!["app".into(), "team".into()], ..EventFilter::default() };
    assert_eq!(asked(by_kind).await, matching(&|event| matches!(&*event.kind, "app" | "team")));
    let by_change = EventFilter { changes: vec![ChangeKind::Removed], ..EventFilter::default() };
    assert_eq!(asked(by_change).await, matching(&|event| &*event.change == "removed"));
    let concerns = |event: &Event, email: &str| {
        let lines = event.gained.iter().chain(&event.lost);
        let named =
            |value: &serde_json::Value| value.as_str().map(str::to_lowercase).as_deref() == Some(email);
        lines.map(|line| line.principal.email.to_lowercase()).any(|one| one == email)
            || event.what.get("principal").is_some_and(|who| named(&who["email"]))
            || (&*event.kind == "user" && event.what.get("name").is_some_and(named))
    };
    let by_person = EventFilter { principal: text("JOINER@example.com"), ..EventFilter::default() };
    assert_eq!(asked(by_person).await, matching(&|event| concerns(event, "joiner@example.com")));
    let by_team =
        EventFilter { resource: text(&team), kinds: vec!["grant".into()], ..EventFilter::default() };
    let on_team = |event: &Event| event.what.get("resource").is_some_and(|on| on["name"] == *team);
    assert_eq!(asked(by_team).await, matching(&on_team));
    let id = everything.iter().find(|event| on_team(event)).unwrap().what["resource"]["id"].as_str();
    let by_id =
        EventFilter { resource: id.map(Into::into), kinds: vec!["grant".into()], ..EventFilter::default() };
    assert_eq!(asked(by_id).await, matching(&on_team));
    let by_text = EventFilter { text: text("VERY-new"), ..EventFilter::default() };
    assert_eq!(
        asked(by_text).await,
        matching(&|event| serde_json::to_string(&event.what).unwrap().contains("very-new"))
    );
    let by_version =
        EventFilter { after: Some(Version(2)), up_to: Some(Version(3)), ..EventFilter::default() };
    assert_eq!(asked(by_version).await, matching(&|event| event.version == Version(3)));
    let at = everything.last().unwrap().at;
    let by_time = EventFilter { since: Some(at), until: Some(at), ..EventFilter::default() };
    assert_eq!(asked(by_time).await, matching(&|event| event.at == at));
    for nothing in ["no-such-thing", "100%", "_"] {
        for filter in [
            EventFilter { principal: text(nothing), ..EventFilter::default() },
            EventFilter { resource: text(nothing), ..EventFilter::default() },
            EventFilter { text: text(nothing), ..EventFilter::default() },
            EventFilter { actor: text(nothing), ..EventFilter::default() },
        ] {
            let found = asked(filter).await;
            // An underscore stands in names of properties.
            assert!(found.is_empty() || nothing == "_", "{nothing}: {found:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_narrowed_down_by_what_is_asked_on_sqlite() {
    a_list_is_narrowed_down_by_what_is_asked(House::on_sqlite(Options::of(Size::Small).seed(4)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_narrowed_down_by_what_is_asked_on_postgres() {
    a_list_is_narrowed_down_by_what_is_asked(House::on_postgres(Options::of(Size::Small).seed(4)).await)
        .await;
}

/// Asked for something else besides, even if that leaves nothing out, the whole log is read.
async fn what_is_read_off_the_indexes_is_what_the_whole_log_tells(house: House) {
    story(&house).await;
    let store = &house.store;
    let everything = all(store, &EventFilter::default(), 100).await;
    let mut named: Vec<(bool, String)> = Vec::new();
    for event in &everything {
        for line in event.gained.iter().chain(&event.lost) {
            named.push((false, line.resource.id.to_string()));
            named.push((true, line.principal.id.to_string()));
        }
        named.extend(event.what.get("id").and_then(|id| id.as_str()).map(|id| (false, id.to_owned())));
        named.extend(
            event.what.get("name").and_then(|name| name.as_str()).map(|name| (false, name.to_owned())),
        );
        named.extend(event.what.get("resource").map(|on| (false, on["id"].as_str().unwrap().to_owned())));
        named.extend(event.what.get("principal").map(|who| (true, who["id"].as_str().unwrap().to_owned())));
    }
    named.sort();
    named.dedup();
    assert!(named.iter().any(|(person, _)| *person) && named.iter().any(|(person, _)| !person));
    for (place, (person, name)) in named.into_iter().enumerate() {
        let after = (place % 3 == 0).then_some(Version(2));
        let filter = if person {
            EventFilter { principal: Some(name), after, ..EventFilter::default() }
        } else {
            EventFilter { resource: Some(name), after, ..EventFilter::default() }
        };
        let scanned = EventFilter { since: Some(metsuke_model::Moment(0)), ..filter.clone() };
        let (one_by_one, scanned) = (all(store, &filter, 2).await, all(store, &scanned, 100).await);
        assert_eq!(ids(&one_by_one), ids(&scanned), "{filter:?}");
        assert_eq!(one_by_one, scanned);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_off_the_indexes_is_what_the_whole_log_tells_on_sqlite() {
    let house = House::on_sqlite(Options::of(Size::Small).seed(4)).await;
    what_is_read_off_the_indexes_is_what_the_whole_log_tells(house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_off_the_indexes_is_what_the_whole_log_tells_on_postgres() {
    let house = House::on_postgres(Options::of(Size::Small).seed(4)).await;
    what_is_read_off_the_indexes_is_what_the_whole_log_tells(house).await;
}

/// Of lines that differ in the resource alone the first three, the last of which has how many others there are.
fn shortened(lines: &[Line]) -> Vec<Line> {
    let mut shown: Vec<Line> = Vec::new();
    for line in lines {
        let alike = |other: &Line| {
            (&other.principal, &other.entitlements, &other.via)
                == (&line.principal, &line.entitlements, &line.via)
                && other.resource.resource_type == line.resource.resource_type
        };
        if shown.iter().filter(|other| alike(other)).count() < 3 {
            shown.push(line.clone());
        } else {
            shown.iter_mut().rfind(|other| alike(other)).unwrap().others += 1;
        }
    }
    shown
}

async fn events_in_short_name_three_of_what_is_alike_and_count_the_others(house: House) {
    let (team, _) = story(&house).await;
    let everything = all(&house.store, &EventFilter::default(), 100).await;
    for filter in
        [EventFilter::default(), EventFilter { resource: Some(team.clone()), ..EventFilter::default() }]
    {
        let mut short = changes::events_in_short(&house.store, &filter, 1_000).await.unwrap();
        short.reverse();
        assert!(short.iter().flat_map(|event| &event.gained).any(|line| line.others > 0), "{short:#?}");
        for event in short {
            let whole = everything.iter().find(|whole| whole.id == event.id).unwrap();
            let count = |lines: &[Line]| lines.iter().map(|line| 1 + line.others).sum::<u64>();
            assert_eq!(count(&event.gained), whole.gained.len() as u64);
            assert_eq!(count(&event.lost), whole.lost.len() as u64);
            let (gained, lost) = (shortened(&whole.gained), shortened(&whole.lost));
            assert_eq!(event, Event { gained, lost, ..whole.clone() });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_in_short_name_three_of_what_is_alike_and_count_the_others_on_sqlite() {
    let house = House::on_sqlite(Options::of(Size::Small).seed(4)).await;
    events_in_short_name_three_of_what_is_alike_and_count_the_others(house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_in_short_name_three_of_what_is_alike_and_count_the_others_on_postgres() {
    let house = House::on_postgres(Options::of(Size::Small).seed(4)).await;
    events_in_short_name_three_of_what_is_alike_and_count_the_others(house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_comes_says_what_it_opens_and_a_lock_whom_it_shuts_out() {
    let house = House::on_sqlite(Options::of(Size::Small).seed(4)).await;
    let (team, app) = story(&house).await;
    let everything = all(&house.store, &EventFilter::default(), 100).await;
    let joined = everything
        .iter()
        .find(|event| {
            event.version == Version(2) && event.what.get("entitlement").is_some_and(|slug| slug == "admin")
        })
        .unwrap();
    let opened =
        joined.gained.iter().find(|line| *line.resource.name == *app || line.via.starts_with("team"));
    assert_eq!(&*opened.unwrap().via, "team admin");
    assert_eq!(opened.unwrap().entitlements.len(), 4);
    let apps = house.simulator.edit(|world| world.app_names(Some(&team)).len()).unwrap();
    assert_eq!(joined.gained.len(), apps + 1, "the role itself, and every app of the team");
    let locked =
        everything.iter().find(|event| event.version == Version(3) && &*event.kind == "app").unwrap();
    assert_eq!(locked.what["before"]["locked"], false);
    assert_eq!(locked.what["after"]["locked"], true);
    assert!(locked.gained.is_empty());
    assert!(locked.lost.iter().all(|line| line.via.starts_with("team ")
        && *line.resource.id.to_string() == *locked.what["id"].as_str().unwrap()));
    let single = changes::event(&house.store, &locked.id).await.unwrap().unwrap();
    assert_eq!(&single, locked);
    assert!(changes::event(&house.store, "3-999").await.unwrap().is_none());
    assert!(changes::event(&house.store, "nonsense").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_gets_every_event_once_as_it_comes() {
    let house = House::on_sqlite(Options::of(Size::Small).seed(4)).await;
    let watch = Watch::default();
    let mut early = watch.follow(&house.store, EventFilter::default(), None).await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(50), early.next()).await;
    assert!(waiting.is_err(), "nothing has come yet");
    story(&house).await;
    watch.wake();
    let everything = all(&house.store, &EventFilter::default(), 100).await;
    let mut seen = Vec::new();
    for _ in 0..everything.len() {
        seen.push(tokio::time::timeout(Duration::from_secs(5), early.next()).await.unwrap().unwrap());
    }
    assert_eq!(ids(&seen), ids(&everything), "in the order of versions");
    let half = seen[seen.len() / 2].turn;
    let mut late = watch.follow(&house.store, EventFilter::default(), Some(half)).await.unwrap();
    let next = late.next().await.unwrap();
    assert_eq!(next, seen[seen.len() / 2 + 1]);
    assert_eq!(late.turn(), next.turn);
}
