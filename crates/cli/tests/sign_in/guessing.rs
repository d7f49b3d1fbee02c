//! How often somebody may try.

use metsuke_engine::identity::Role;

use crate::house::{House, MINUTE, PASSWORD};

const ANN: &str = "ann@example.com";

#[tokio::test]
async fn ten_wrong_tries_in_a_quarter_of_an_hour_are_looked_at_and_no_more() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    for _ in 0..10 {
        assert_eq!(house.browser().sign_in(ANN, "a wrong password", "").await, 401);
        house.pass(MINUTE);
    }
    let answer = house.browser().try_sign_in(ANN, PASSWORD, "").await;
    assert_eq!((answer.status, answer.code().as_str()), (429, "too_many_tries"), "even the right one");
    assert_eq!(answer.header("retry-after"), "300", "the first try counts for five minutes more");
    house.pass(4 * MINUTE);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "").await, 429);
    house.pass(MINUTE);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "").await, 201);
    assert_eq!(house.events_of("login.locked").await.len(), 1, "told once, not with every try");
    assert_eq!(house.events_of("login.failed").await.len(), 10);
}

#[tokio::test]
async fn of_many_tries_at_once_no_more_are_looked_at() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let tries = (0..40).map(|number| {
        let mut browser = house.browser();
        async move { browser.sign_in(ANN, &format!("wrong password {number}"), "").await }
    });
    let statuses = futures::future::join_all(tries).await;
    let of = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((of(401), of(429)), (10, 30), "{statuses:?}");
}

#[tokio::test]
async fn guessing_elsewhere_keeps_nobody_out_of_their_own_browser() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let mut own = house.signed_in(ANN).await;
    own.cookies.remove("metsuke_session");
    for _ in 0..11 {
        house.browser().sign_in(ANN, "a wrong password", "").await;
    }
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "").await, 429);
    assert_eq!(own.sign_in(ANN, PASSWORD, "").await, 201);

    // The known browser has tries of its own, which end as well.
    own.cookies.remove("metsuke_session");
    for _ in 0..10 {
        assert_eq!(own.sign_in(ANN, "a wrong password", "").await, 401);
    }
    assert_eq!(own.sign_in(ANN, PASSWORD, "").await, 429);
}

#[tokio::test]
async fn a_browser_that_is_known_to_one_person_has_no_tries_for_another() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    house.person("eve@example.com", Role::Viewer).await;
    let mut eve = house.signed_in("eve@example.com").await;
    for _ in 0..10 {
        assert_eq!(eve.sign_in(ANN, "a wrong password", "").await, 401);
    }
    assert_eq!(eve.sign_in(ANN, "a wrong password", "").await, 429);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "").await, 429, "they counted for the account");
}

#[tokio::test]
async fn what_somebody_planted_in_a_browser_is_never_made_known() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let planted = format!("mtd_{}", "a".repeat(64));
    let mut browser = house.browser();
    browser.cookies.insert("metsuke_device".into(), planted.clone());
    assert_eq!(browser.sign_in(ANN, PASSWORD, "").await, 201);
    let given = browser.cookies["metsuke_device"].clone();
    assert_ne!(given, planted);
    assert_eq!(browser.sign_in(ANN, PASSWORD, "").await, 201);
    assert_eq!(browser.cookies["metsuke_device"], given);
}

#[tokio::test]
async fn signing_in_does_not_give_a_guesser_new_tries() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    for _ in 0..9 {
        house.browser().sign_in(ANN, "a wrong password", "").await;
    }
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "").await, 201);
    assert_eq!(house.browser().sign_in(ANN, "a wrong password", "").await, 401);
    assert_eq!(house.browser().sign_in(ANN, "a wrong password", "").await, 429);
}

#[tokio::test]
async fn one_address_cannot_try_a_password_on_everybody() {
    let house = House::new().await;
    let mut statuses = Vec::new();
    for number in 0..52 {
        let email = format!("person{number}@example.com");
        statuses.push(house.browser().sign_in(&email, "Spring 2026, maybe", "").await);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 50);
    assert_eq!(statuses.last(), Some(&429));
}

#[tokio::test]
async fn nothing_tells_whether_an_account_exists() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let bob = house.person("bob@example.com", Role::Viewer).await;
    let edit = metsuke_engine::identity::AccountEdit { disabled: Some(true), ..Default::default() };
    house.people.edit(&bob.id, edit).await.unwrap();
    let mut told = Vec::new();
    for (email, password) in
        [(ANN, "a wrong password"), ("nobody@example.com", PASSWORD), ("bob@example.com", PASSWORD)]
    {
        let answer = house.browser().try_sign_in(email, password, "").await;
        let mut json = answer.json();
        json["request_id"] = serde_json::Value::Null;
        told.push((answer.status, json));
        let fields = [("email", email), ("password", password), ("code", ""), ("next", "")];
        let page = house.browser().submit("/auth/sign-in", &fields).await;
        told.push((page.status, page.body.replace(email, "").into()));
    }
    assert!(told[0] == told[2] && told[2] == told[4], "{told:?}");
    assert!(told[1] == told[3] && told[3] == told[5]);
    for _ in 0..8 {
        house.browser().sign_in("nobody@example.com", PASSWORD, "").await;
    }
    assert_eq!(
        house.browser().sign_in("nobody@example.com", PASSWORD, "").await,
        429,
        "it locks all the same"
    );
}

#[tokio::test]
async fn an_address_that_has_no_account_is_not_written_down() {
    let house = House::new().await;
    house.browser().sign_in("my password typed here", "x", "").await;
    let trail: Vec<String> = house.events().await.iter().map(|event| format!("{event:?}")).collect();
    assert!(!trail.iter().any(|event| event.contains("typed here")), "{trail:?}");
    assert_eq!(house.events_of("login.failed").await[0].details["why"], "unknown");
}
