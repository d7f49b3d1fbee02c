//! Who made a change: our own plans by name, others as far as Heroku's trail tells.

use std::time::Duration;

use metsuke_engine::access::provision::{Ask, On, Outcome, Planned, Provisioner, Settings};
use metsuke_engine::changes::{EventFilter, How};
use metsuke_model::SystemClock;
use metsuke_simulator::{Options, Size};

use super::{all, record};
use crate::house::House;

async fn a_change_of_ours_is_told_with_its_plan(house: House) {
    house.sync().await;
    let team = house.simulator.edit(|world| world.enterprise_team_names().remove(0)).unwrap();
    let settings = Settings {
        allow_writes: true,
        late_window: Duration::from_millis(300),
        verify_patience: Duration::from_secs(3),
        poll: Duration::from_millis(20),
        ..Settings::default()
    };
    let heroku = house.heroku(house.simulator.token());
    let provisioner = Provisioner::new(&heroku, &house.store, settings, &SystemClock, &()).unwrap();
    let on = On::Team { team: team.clone(), role: "member".into() };
    let ask = Ask::Grant { user: "ours@example.com".into(), on };
    let Planned::Plan(plan) = provisioner.plan(&ask, Some("a ticket")).await.unwrap() else {
        panic!("a plan")
    };
    let applied = provisioner.apply(&plan.id(), None).await.unwrap();
    assert_eq!(applied.outcome, Outcome::Applied);
    house.simulator.edit(|world| world.set_member(&team, "theirs@example.com", Some("member")));
    house.sync().await;
    record(&house.store).await;
    let events = all(&house.store, &EventFilter::default(), 10).await;
    let of = |email: &str| {
        let grant = events.iter().find(|event| {
            event.what.get("principal").is_some_and(|who| who["email"] == email) && &*event.change == "added"
        });
        grant.unwrap().by.clone()
    };
    let ours = of("ours@example.com").unwrap();
    assert_eq!((ours.how, ours.plan.as_deref()), (How::Plan, Some(&*plan.id())));
    assert_eq!((ours.actor.as_deref(), ours.reason.as_deref()), (Some(&*plan.actor), Some("a ticket")));
    assert_eq!(of("theirs@example.com"), None, "nobody was asked, so nobody is named");
    let by = EventFilter { actor: Some(plan.actor.to_uppercase()), ..EventFilter::default() };
    let found = all(&house.store, &by, 10).await;
    assert!(
        !found.is_empty()
            && found.iter().all(|event| event.by.as_ref().is_some_and(|by| by.how == How::Plan))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_ours_is_told_with_its_plan_on_sqlite() {
    a_change_of_ours_is_told_with_its_plan(House::on_sqlite(Options::of(Size::Enterprise).seed(3)).await)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_ours_is_told_with_its_plan_on_postgres() {
    a_change_of_ours_is_told_with_its_plan(House::on_postgres(Options::of(Size::Enterprise).seed(3)).await)
        .await;
}
