//! From the link in the log to a connector that syncs, and the settings of one.

use metsuke_engine::identity::Role;
use metsuke_simulator::{Options, Simulator, Size};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::estate::Estate;
use crate::house::{House, PASSWORD};

#[tokio::test]
async fn the_first_person_is_led_from_the_link_to_a_connector_that_syncs() {
    let house = House::new().await;
    let simulator = Simulator::local(Options::of(Size::Small)).await.unwrap();
    let link = house.people.offer_setup().await.unwrap().unwrap().expose_secret().to_owned();
    let mut browser = house.browser();
    let first = browser.get(&format!("/setup?link={link}")).await;
    assert!(
        first.body.contains("aria-current=\"step\">You") && first.body.contains("OpenID Connect"),
        "{}",
        first.body
    );
    let fields =
        [("link", link.as_str()), ("email", "ann@example.com"), ("name", ""), ("password", PASSWORD)];
    let next = browser.submit("/setup", &fields).await.header("location").to_owned();
    assert_eq!(next, "/setup/heroku");
    let second = browser.get(&next).await;
    assert!(second.body.contains("aria-current=\"step\">Heroku"), "{}", second.body);
    assert!(
        second.body.contains("value=\"ann@example.com\"") && second.body.contains("metsuke demo"),
        "{}",
        second.body
    );
    let csrf = second.body.split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let (url, token) = (simulator.url(), simulator.token());
    let base = [
        ("csrf_token", csrf),
        ("name", "Heroku"),
        ("owner", "ann@example.com"),
        ("api_url", url.as_str()),
        ("polling_interval", "ONE_DAY"),
        ("hour", "5"),
    ];
    let mut wrong = base.to_vec();
    wrong.extend([("api_token", "HRKU-not-a-token"), ("check", "yes")]);
    let wrong = browser.submit(&next, &wrong).await;
    assert!(wrong.status == 200 && wrong.body.contains("class=\"told\" role=\"status\""), "{}", wrong.body);
    let mut check = base.to_vec();
    check.extend([("api_token", token), ("check", "yes")]);
    let checked = browser.submit(&next, &check).await;
    for told in ["The token is of", "It can see", "A sync sends about", "requests of its hourly budget"] {
        assert!(checked.body.contains(told), "{told}: {}", checked.body);
    }
    assert!(!checked.body.contains(token), "a token stands in a page");
    let mut save = base.to_vec();
    save.push(("api_token", token));
    let saved = browser.submit(&next, &save).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let place = saved.header("location").to_owned();
    let page = browser.get(&place).await;
    assert!(page.body.contains(">Syncing<") && page.body.contains("every day at 05:00 UTC"), "{}", page.body);
}

#[tokio::test]
async fn what_there_is_to_connect_is_searched() {
    let estate = Estate::new().await;
    let mut admin = estate.browser(Role::Admin).await;
    let all = admin.get("/connectors/add").await;
    assert!(all.body.contains("Integrations › Connectors") && all.body.contains("C1Z file"), "{}", all.body);
    let some = admin.get("/connectors/add?q=DYNO+heroku").await;
    assert!(
        some.body.contains("href=\"/connectors/add/heroku\"") && !some.body.contains("C1Z file"),
        "{}",
        some.body
    );
    assert!(admin.get("/connectors/add?q=aws").await.body.contains("Nothing is called so"));
    let list = admin.get("/connectors").await;
    assert!(
        list.body.contains("<h2>Integrations</h2>") && list.body.contains("Add connector"),
        "{}",
        list.body
    );
}

#[tokio::test]
async fn everything_that_an_owner_may_set_is_set_on_the_page() {
    let estate = Estate::new().await;
    let mut owner = {
        estate.house.person("owner@example.com", Role::Viewer).await;
        estate.house.signed_in("owner@example.com").await
    };
    let place = format!("/connectors/{}/settings", estate.connector);
    let page = owner.get(&place).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let edition =
        page.body.split("name=\"edition\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (csrf, url) = (owner.csrf.clone(), estate.simulator.url());
    let fields = [
        ("csrf_token", csrf.as_str()),
        ("edition", edition.as_str()),
        ("name", "Heroku production"),
        ("owner", "owner@example.com"),
        ("co_owners", "bob@example.com\r\ncleo@example.com"),
        ("description", "What we run"),
        ("api_url", url.as_str()),
        ("tag_account_name", "acme"),
        ("tag_production", "yes"),
        ("provisioning", "yes"),
        ("polling_interval", "CRON"),
        ("hour", "3"),
        ("day_of_week", "0"),
        ("cron", "0 6 * * 1-5"),
        ("time_zone", "Europe/Berlin"),
        ("read_addons", "yes"),
        ("read_invitations", "yes"),
        ("upload", "yes"),
        ("account", "a1b2c3"),
        ("scope", "heroku"),
        ("jupiterone_key", "a-key-of-jupiterone"),
        ("export", "yes"),
        ("file", "/tmp/heroku.c1z"),
    ];
    let saved = owner.submit(&place, &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let kept = owner.get(&format!("/api/v1/connectors/{}", estate.connector)).await.json();
    let told = |pointer: &str| kept.pointer(pointer).cloned().unwrap_or(Value::Null);
    assert_eq!(told("/name"), "Heroku production");
    assert_eq!(told("/co_owners/1"), "cleo@example.com");
    assert_eq!(told("/polling_interval/cron"), "0 6 * * 1-5");
    assert_eq!(told("/polling_interval/time_zone"), "Europe/Berlin");
    assert_eq!(told("/skip"), serde_json::json!(["pipelines", "spaces"]));
    assert_eq!(told("/after_sync/jupiterone/scope"), "heroku");
    assert_eq!(told("/after_sync/c1z/file"), "/tmp/heroku.c1z");
    assert_eq!((told("/tag_production"), told("/provisioning")), (true.into(), true.into()));
    let page = owner.get(&place).await;
    assert!(
        page.body.contains("value=\"CRON\" selected") && page.body.contains("Europe/Berlin"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("a-key-of-jupiterone"), "a key stands in a page");

    let stale = owner.submit(&place, &fields).await;
    assert!(stale.status == 412 && stale.body.contains("changed meanwhile"), "{}", stale.body);
    let mut wrong = fields.to_vec();
    let edition =
        page.body.split("name=\"edition\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    wrong[1] = ("edition", &edition);
    wrong[13] = ("cron", "every morning");
    let wrong = owner.submit(&place, &wrong).await;
    assert!(wrong.status == 422 && wrong.body.contains("no cron expression"), "{}", wrong.body);
    let mut viewer = estate.browser(Role::Viewer).await;
    assert_eq!(viewer.get(&place).await.status, 403);
}

#[tokio::test]
async fn the_budget_of_past_syncs_is_drawn_and_told_as_a_table() {
    let estate = Estate::new().await;
    let mut viewer = estate.browser(Role::Viewer).await;
    let page = viewer.get(&format!("/connectors/{}", estate.connector)).await;
    assert!(
        page.body.contains("<h2>Budget</h2>")
            && page.body.contains("role=\"img\" aria-label=\"Requests left:"),
        "{}",
        page.body
    );
    assert!(page.body.contains("As a table") && page.body.contains("<path d=\"M"), "{}", page.body);
    let runs = viewer.get(&format!("/api/v1/connectors/{}/runs", estate.connector)).await.json();
    let budget = &runs["data"][0]["summary"]["budget"];
    assert_eq!(budget["size"], 4_500);
    assert!(budget["left"][0]["left"].as_u64().is_some_and(|left| left < 4_500), "{budget}");
}
