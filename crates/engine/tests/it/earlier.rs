//! Questions about an earlier version, and about what is gone.

use metsuke_engine::query::{self, Answer, Settings};
use metsuke_model::{Clock as _, SystemClock};
use metsuke_simulator::{Options, Size};
use serde_json::{Value as Json, json};

use crate::house::House;

async fn asked(house: &House, text: &str) -> Answer {
    asked_with(house, text, Settings::at(SystemClock.now())).await
}

async fn asked_with(house: &House, text: &str, settings: Settings) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    query::run(&house.store, text, &settings, folder.path())
        .await
        .unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

async fn value(house: &House, text: &str) -> Json {
    let answer = asked(house, text).await.to_json();
    let row = answer["data"][0].as_object().unwrap_or_else(|| panic!("{text}: {answer}")).clone();
    row.into_iter().next().map(|(_, value)| value).unwrap_or_default()
}

/// Two versions: somebody lost a second factor, somebody left a team, an app came.
async fn changed(house: House) {
    house.sync().await;
    let team = house.simulator.edit(|world| world.team_names()).unwrap().remove(0);
    let members = house.simulator.edit(|world| world.members_of(&team)).unwrap();
    let own = house.simulator.edit(|world| world.caller_email()).unwrap();
    let mut others = members.iter().map(|(email, _)| email.clone()).filter(|email| *email != own);
    let (leaver, careless) = (others.next().unwrap(), others.next().unwrap());
    let count = format!("FIND heroku_team WITH name = '{team}' THAT HAS User AS u RETURN count(u)");
    let before = value(&house, &count).await.as_u64().unwrap();
    house.simulator.edit(|world| {
        assert!(world.remove_member(&team, &leaver));
        // Who signs in through an identity provider has no second factor at Heroku.
        world.set_federated(&careless, false);
        world.set_two_factor(&careless, true);
    });
    house.sync().await;
    house.simulator.edit(|world| world.set_two_factor(&careless, false));
    house.sync().await;

    assert_eq!(value(&house, &count).await.as_u64(), Some(before - 1));
    assert_eq!(value(&house, &format!("{count} AS OF 1")).await.as_u64(), Some(before));
    assert_eq!(value(&house, &format!("{count} AS OF 2")).await.as_u64(), Some(before - 1));
    let held = format!("FIND heroku_team WITH name = '{team}' THAT HAS User WITH email = '{leaver}'");
    assert_eq!(asked(&house, &held).await.total(), 0);
    let settings = Settings {
        as_of: Some(metsuke_model::AsOf::Version(metsuke_model::Version(1))),
        ..Settings::at(SystemClock.now())
    };
    assert_eq!(asked_with(&house, &held, settings).await.total(), 1);

    let mfa = format!("FIND User WITH email = '{careless}' AS u RETURN u.mfaEnabled");
    assert_eq!(value(&house, &mfa).await, json!(false));
    assert_eq!(value(&house, &format!("{mfa} AS OF 2")).await, json!(true));
    let edition = format!("FIND User WITH email = '{careless}' AS u RETURN u._version");
    let (now, then) = (value(&house, &edition).await, value(&house, &format!("{edition} AS OF 2")).await);
    assert_eq!(now.as_u64().unwrap(), then.as_u64().unwrap() + 1);
    let times =
        format!("FIND User WITH email = '{careless}' AS u WHERE u._beginOn > u._createdOn RETURN u.email");
    assert_eq!(asked(&house, &times).await.total(), 1);
}

#[tokio::test]
async fn an_earlier_version_answers_as_it_did_then_on_sqlite() {
    changed(House::on_sqlite(Options::of(Size::Small)).await).await;
}

#[tokio::test]
async fn an_earlier_version_answers_as_it_did_then_on_postgresql() {
    changed(House::on_postgres(Options::of(Size::Small)).await).await;
}

#[tokio::test]
async fn what_is_gone_is_found_only_when_it_is_asked_for() {
    let house = House::on_sqlite(Options::of(Size::Small)).await;
    house.sync().await;
    let app = house.simulator.edit(|world| world.app_names(None)).unwrap().remove(0);
    house.simulator.edit(|world| assert!(world.remove_app(&app)));
    house.sync().await;
    let text = format!("FIND heroku_application WITH name = '{app}'");
    assert_eq!(asked(&house, &text).await.total(), 0);
    let settings = Settings { include_deleted: true, ..Settings::at(SystemClock.now()) };
    let found = asked_with(&house, &text, settings).await.to_json();
    assert_eq!(found["data"][0]["entity"]["_deleted"], json!(true), "{found}");
    assert!(found["data"][0]["entity"]["_endOn"].as_f64().is_some(), "{found}");
}
