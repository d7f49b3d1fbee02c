//! Looking back: how often a rule would have fired, held against what is known to have happened.

use std::time::Duration;

use metsuke_engine::query::Settings;
use metsuke_engine::rules::shipped::{self, Values};
use metsuke_engine::rules::{Bounds, Instance, Replay, Replayed, replay};
use metsuke_model::{Clock as _, SystemClock};
use serde_json::json;

use super::fixture::{company, insider};
use crate::house::House;

const ADMINS: &str = "FIND heroku_team WITH name = 'core' THAT HAS AS h >> heroku_account_member AS u \
    WHERE h.role = 'admin' RETURN u.id AS id, u.email AS email";

fn admins() -> Instance {
    let document = json!({
        "id": "r1",
        "name": "admins",
        "question": { "queries": [{ "query": ADMINS }] },
        "operations": [{
            "when": { "type": "FILTER", "condition": ["queries.query0.total", ">", 0] },
            "actions": [{ "type": "CREATE_ALERT" }],
        }],
        "subject": { "key": ["id"], "name": "{{item.email}}" },
    });
    Instance::read(&document).unwrap()
}

/// Four versions: ann and another are admins; dan comes; dan goes; dan comes back with eve.
async fn history() -> House {
    let house = company().await;
    house.sync().await;
    for step in [&[("dan", "admin")][..], &[("dan", "member")], &[("dan", "admin"), ("eve", "admin")]] {
        house.simulator.edit(|world| {
            for (person, role) in step {
                insider(world, &format!("{person}@northwind.example"), "core", role);
            }
        });
        house.sync().await;
    }
    house
}

async fn back(house: &House, rule: Replayed<'_>, bounds: Bounds) -> Replay {
    replay(&house.store, rule, bounds, &Settings::at(SystemClock.now())).await.unwrap()
}

#[tokio::test]
async fn a_question_is_asked_of_the_versions_that_are_kept_and_counts_each_time_that_somebody_comes() {
    let house = history().await;
    let rule = admins();
    let told = back(&house, Replayed::Own(&rule), Bounds::default()).await;
    assert_eq!((told.kept, told.looked_at, told.most, told.out_of_time), (4, 4, Some(12), false));
    assert_eq!(told.fired, told.at_first + 3, "dan, then dan again and eve: {told:?}");
    let new: Vec<_> = told.versions.iter().map(|seen| seen.new).collect();
    assert_eq!(new, [2, 0, 1, told.at_first]);
    assert!(told.versions[2].names[0].starts_with("dan@"), "{told:?}");
    // Of two versions alone, what came and went between them is not seen.
    let few = back(&house, Replayed::Own(&rule), Bounds { versions: 2, ..Bounds::default() }).await;
    assert_eq!((few.looked_at, few.fired), (2, few.at_first + 2), "{few:?}");
    let no_time = Bounds { time: Duration::ZERO, ..Bounds::default() };
    let none = back(&house, Replayed::Own(&rule), no_time).await;
    assert!(none.out_of_time && none.looked_at < 4, "{none:?}");
}

#[tokio::test]
async fn a_rule_for_changes_is_held_against_every_one_of_them() {
    let house = history().await;
    let values = Values::default();
    let told =
        back(&house, Replayed::Shipped(shipped::find("D01").unwrap(), &values), Bounds::default()).await;
    assert_eq!((told.most, told.fired, told.at_first, told.looked_at), (None, 3, 0, 4), "{told:?}");
    assert!(
        told.versions.iter().all(|seen| seen.names.iter().all(|name| name.contains("admin of team core")))
    );
    // What the product does not read is never told as a time at which nothing was found.
    let mut unread = serde_json::to_value(shipped::find("D01").unwrap()).unwrap();
    unread["notObservable"] = json!("it is not read");
    let unread: &shipped::Detection = Box::leak(Box::new(serde_json::from_value(unread).unwrap()));
    let none = back(&house, Replayed::Shipped(unread, &values), Bounds::default()).await;
    assert!(none.why.is_some() && none.fired == 0, "{none:?}");
}
