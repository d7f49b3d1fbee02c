//! Heroku's audit trail: what it tells is read again and gets a name, each entry once, and never more than that.

use metsuke_engine::changes::{By, EventFilter, FeedSettings, How, Skipped, audit_feed, read_again};
use metsuke_engine::sync::Target;
use metsuke_model::{Clock, FixedClock, Moment, SystemClock};
use metsuke_simulator::{Options, Size};

use super::{all, record};
use crate::house::House;

/// Polls, reads again and records, as a server does each minute; returns fresh entries and what was read.
async fn turn(house: &House) -> (u64, Vec<Target>) {
    let heroku = house.heroku(house.simulator.token());
    let feed = audit_feed(&house.store, &heroku, &FeedSettings::default(), &SystemClock).await.unwrap();
    let mut read = Vec::new();
    loop {
        let again = read_again(&house.store, &heroku, &SystemClock, 5).await.unwrap();
        read.extend(again.read);
        if !again.more {
            break;
        }
    }
    record(&house.store).await;
    (feed.fresh, read)
}

/// Noon of today, so that a few minutes do not change the day.
fn noon() -> FixedClock {
    let now = SystemClock.now().0;
    FixedClock::at(Moment(now - now.rem_euclid(86_400_000_000) + 43_200_000_000))
}

async fn author_of(house: &House, email: &str, change: &str) -> (Option<By>, u32) {
    let filter = EventFilter { principal: Some(email.into()), ..EventFilter::default() };
    let events = all(&house.store, &filter, 100).await;
    let found = events.into_iter().rev().find(|event| {
        &*event.change == change && event.what.get("principal").is_some_and(|who| who["email"] == email)
    });
    found.map(|event| (event.by, event.edition)).unwrap()
}

async fn what_the_trail_tells_is_read_and_named(house: House) {
    house.sync().await;
    assert_eq!(turn(&house).await.1, [], "what a sync has read is not read again");
    let team = house.simulator.edit(|world| {
        world.act_as("mallory@example.com", "198.51.100.9");
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, "new@example.com", Some("admin"));
        team
    });
    let team = team.unwrap();
    let requests = house.simulator.stats().requests;
    let (fresh, read) = turn(&house).await;
    assert!(fresh >= 1 && read.len() == 1, "{fresh} {read:?}");
    assert!(house.simulator.stats().requests - requests < 12, "the touched team alone is read");
    assert_eq!(house.direct(None).await, house.truth());
    let (by, edition) = author_of(&house, "new@example.com", "added").await;
    let by = by.unwrap();
    assert_eq!(
        (by.how, by.actor.as_deref(), by.ip.as_deref()),
        (How::AuditTrail, Some("mallory@example.com"), Some("198.51.100.9"))
    );
    assert_eq!((by.audit_events.len(), edition), (1, 1));
    assert_eq!(turn(&house).await, (0, Vec::new()), "an entry is acted on once");
    // Whoever leaves a team leaves its apps: these are read as well.
    house.simulator.edit(|world| {
        world.act_as("carol@example.com", "198.51.100.7");
        let app = world.app_names(Some(&team)).remove(0);
        world.set_collaborator(&app, "new@example.com", &["view", "deploy"]);
    });
    turn(&house).await;
    house.simulator.edit(|world| world.remove_member(&team, "new@example.com"));
    turn(&house).await;
    assert_eq!(house.direct(None).await, house.truth());
    let (by, _) = author_of(&house, "new@example.com", "removed").await;
    assert_eq!(by.unwrap().actor.as_deref(), Some("carol@example.com"));
    let asked = EventFilter { actor: Some("Carol@example.com".into()), ..EventFilter::default() };
    assert!(all(&house.store, &asked, 10).await.len() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_trail_tells_is_read_and_named_on_sqlite() {
    let options = Options::of(Size::Enterprise).seed(3).live_clock();
    what_the_trail_tells_is_read_and_named(House::on_sqlite(options).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_trail_tells_is_read_and_named_on_postgres() {
    let options = Options::of(Size::Enterprise).seed(3).live_clock();
    what_the_trail_tells_is_read_and_named(House::on_postgres(options).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_entry_names_who_made_a_change_that_was_told_before() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(3).live_clock()).await;
    house.sync().await;
    house.simulator.edit(|world| {
        world.act_as("mallory@example.com", "198.51.100.9");
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, "new@example.com", Some("viewer"));
    });
    house.sync().await;
    record(&house.store).await;
    assert_eq!(author_of(&house, "new@example.com", "added").await, (None, 1));
    turn(&house).await;
    let (by, edition) = author_of(&house, "new@example.com", "added").await;
    assert_eq!((by.unwrap().actor.as_deref(), edition), (Some("mallory@example.com"), 2));
    turn(&house).await;
    assert_eq!(author_of(&house, "new@example.com", "added").await.1, 2, "it is told otherwise once");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_entries_of_several_people_fit_nobody_is_named() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(3).live_clock()).await;
    house.sync().await;
    house.simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        for (actor, joiner) in
            [("ann@example.com", "one@example.com"), ("bob@example.com", "two@example.com")]
        {
            world.act_as(actor, "198.51.100.9");
            world.set_member(&team, joiner, Some("viewer"));
        }
    });
    // Two edits by two people, in one: the second's rows are the last actor's.
    house.simulator.edit(|world| {
        world.act_as("ann@example.com", "198.51.100.9");
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, "three@example.com", Some("viewer"));
    });
    house.sync().await;
    turn(&house).await;
    let (by, _) = author_of(&house, "three@example.com", "added").await;
    let by = by.unwrap();
    assert_eq!((by.actor, by.actor_id, by.ip), (None, None, None));
    assert_eq!(by.audit_events.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_that_is_refused_and_a_pool_that_runs_low_cost_little() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(3).live_clock()).await;
    house.sync().await;
    house.simulator.edit(|world| {
        let own = world.caller_email();
        for enterprise in world.enterprise_names() {
            world.set_enterprise_member(&enterprise, &own, &["view"]);
        }
    });
    let heroku = house.heroku(house.simulator.token());
    let clock = noon();
    let settings = FeedSettings::default();
    let feed = audit_feed(&house.store, &heroku, &settings, &clock).await.unwrap();
    assert!(feed.refused >= 1 && feed.accounts == 0 && feed.fresh == 0);
    let asked = house.simulator.stats().requests;
    clock.advance(30 * 60_000_000);
    let again = audit_feed(&house.store, &heroku, &settings, &clock).await.unwrap();
    assert_eq!((again.refused, house.simulator.stats().requests), (feed.refused, asked));
    house.simulator.set_remaining(600);
    heroku.account().await.unwrap();
    let feed = audit_feed(&house.store, &heroku, &settings, &clock).await.unwrap();
    assert_eq!(feed.skipped, Some(Skipped::Budget));
    let alone = House::on_sqlite(Options::of(Size::Personal).seed(3)).await;
    alone.sync().await;
    let heroku = alone.heroku(alone.simulator.token());
    let feed = audit_feed(&alone.store, &heroku, &settings, &SystemClock).await.unwrap();
    assert_eq!(feed.skipped, Some(Skipped::NoAccount));
}

#[tokio::test(flavor = "multi_thread")]
async fn yesterday_is_read_now_and_then_and_today_each_time() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(3).live_clock()).await;
    house.sync().await;
    let heroku = house.heroku(house.simulator.token());
    let clock = noon();
    let settings = FeedSettings::default();
    let mut asked = Vec::new();
    for _ in 0..12 {
        let before = house.simulator.stats().requests;
        let feed = audit_feed(&house.store, &heroku, &settings, &clock).await.unwrap();
        asked.push((house.simulator.stats().requests - before) / u64::from(feed.accounts));
        clock.advance(60_000_000);
    }
    assert_eq!(asked, [2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1]);
}
