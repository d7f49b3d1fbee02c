//! Sessions: opened anew, ended everywhere at once, and not for ever.

use metsuke_engine::identity::{AccountEdit, Role};
use reqwest::Method;
use serde_json::json;

use crate::house::{HOUR, House, MINUTE, PASSWORD};

const ANN: &str = "ann@example.com";

#[tokio::test]
async fn a_session_is_never_one_that_a_browser_brought_along() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let planted = format!("mts_{}", "a".repeat(64));
    let mut browser = house.browser();
    browser.cookies.insert("metsuke_session".into(), planted.clone());
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.sign_in(ANN, PASSWORD, "").await, 201);
    assert_ne!(browser.session(), planted);
    let mut attacker = house.browser();
    attacker.cookies.insert("metsuke_session".into(), planted);
    assert!(!attacker.is_signed_in().await);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_that_the_browser_was_in() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let mut browser = house.signed_in(ANN).await;
    let mut stale = browser.clone();
    assert_eq!(browser.sign_in(ANN, PASSWORD, "").await, 201);
    assert!(browser.is_signed_in().await && !stale.is_signed_in().await);
}

#[tokio::test]
async fn a_cookie_is_no_good_after_signing_out() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let mut browser = house.signed_in(ANN).await;
    let mut copied = browser.clone();
    let page = browser.get("/auth/account").await;
    assert!(page.body.contains(ANN) && page.body.contains(&browser.csrf));
    let token = browser.csrf.clone();
    let out = browser.submit("/auth/sign-out", &[("csrf_token", &token)]).await;
    assert_eq!((out.status, out.header("location")), (303, "/auth/sign-in"));
    assert!(browser.session().is_empty() && !copied.is_signed_in().await);
    assert_eq!(copied.send(Method::DELETE, "/api/v1/session", &json!({})).await.status, 401);
    assert_eq!(
        house.browser().get("/auth/account").await.header("location"),
        "/auth/sign-in?next=/auth/account"
    );
}

#[tokio::test]
async fn a_session_ends_unused_after_two_hours_and_used_after_twelve() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let mut idle = house.signed_in(ANN).await;
    let mut busy = house.signed_in(ANN).await;
    for _ in 0..11 {
        house.pass(HOUR);
        assert!(busy.is_signed_in().await);
    }
    assert!(!idle.is_signed_in().await);
    house.pass(59 * MINUTE);
    assert!(busy.is_signed_in().await);
    house.pass(MINUTE);
    assert!(!busy.is_signed_in().await);
}

#[tokio::test]
async fn whoever_is_disabled_or_has_another_role_is_out_at_once_everywhere() {
    let house = House::new().await;
    house.person("root@example.com", Role::Admin).await;
    let ann = house.person(ANN, Role::Operator).await;
    let mut root = house.signed_in("root@example.com").await;
    let changes = [(json!({ "role": "viewer" }), true), (json!({ "disabled": true }), false)];
    for (change, may_return) in changes {
        let (mut one, mut other) = (house.signed_in(ANN).await, house.signed_in(ANN).await);
        let path = format!("/api/v1/accounts/{}", ann.id);
        let answer = root.send(Method::PATCH, &path, &change).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(!one.is_signed_in().await && !other.is_signed_in().await, "{change}");
        assert_eq!(one.sign_in(ANN, PASSWORD, "").await, if may_return { 201 } else { 401 });
        one.send(Method::DELETE, "/api/v1/session", &json!({})).await;
    }
    house.people.edit(ANN, AccountEdit { disabled: Some(false), ..Default::default() }).await.unwrap();
    let mut again = house.signed_in(ANN).await;
    let ended = root.send(Method::DELETE, &format!("/api/v1/accounts/{}/sessions", ann.id), &json!({})).await;
    assert_eq!(ended.json()["ended"], 1);
    assert!(!again.is_signed_in().await && root.is_signed_in().await);
}

#[tokio::test]
async fn another_password_ends_every_session_but_the_one_it_was_changed_in() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let (mut here, mut elsewhere) = (house.signed_in(ANN).await, house.signed_in(ANN).await);
    let before = here.session();
    let path = "/api/v1/session/password";
    let wrong = json!({ "current": "a wrong password", "new": "another good password" });
    assert_eq!(here.send(Method::PUT, path, &wrong).await.status, 422);
    let weak = json!({ "current": PASSWORD, "new": "short" });
    assert_eq!(here.send(Method::PUT, path, &weak).await.status, 422);
    assert!(elsewhere.is_signed_in().await);
    let right = json!({ "current": PASSWORD, "new": "another good password" });
    let answer = here.send(Method::PUT, path, &right).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(here.is_signed_in().await && here.session() != before);
    assert!(!elsewhere.is_signed_in().await);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "").await, 401);
    assert_eq!(house.browser().sign_in(ANN, "another good password", "").await, 201);
}

#[tokio::test]
async fn a_stolen_session_cannot_guess_the_password() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let mut stolen = house.signed_in(ANN).await;
    for number in 0..10 {
        let guess = json!({ "current": format!("guess number {number}"), "new": "another good password" });
        assert_eq!(stolen.send(Method::PUT, "/api/v1/session/password", &guess).await.status, 422);
    }
    let right = json!({ "current": PASSWORD, "new": "another good password" });
    assert_eq!(stolen.send(Method::PUT, "/api/v1/session/password", &right).await.status, 429);
}

#[tokio::test]
async fn every_other_session_of_ones_own_ends_at_once_and_nobody_elses() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    house.person("eve@example.com", Role::Admin).await;
    let mut eve = house.signed_in("eve@example.com").await;
    let mut others = [house.signed_in(ANN).await, house.signed_in(ANN).await];
    let mut here = house.signed_in(ANN).await;
    let ended = here.send(Method::DELETE, "/api/v1/sessions", &json!({})).await;
    assert_eq!((ended.status, &ended.json()["ended"]), (200, &json!(2)), "{}", ended.body);
    for other in &mut others {
        assert!(!other.is_signed_in().await);
    }
    assert!(here.is_signed_in().await && eve.is_signed_in().await);
    assert_eq!(here.send(Method::DELETE, "/api/v1/sessions", &json!({})).await.json()["ended"], 0);
    let csrf = here.csrf.clone();
    assert!(!here.get("/settings").await.body.contains("End every other session"));
    let mut again = house.signed_in(ANN).await;
    assert!(here.get("/settings").await.body.contains("End every other session"));
    let form = [("csrf_token", csrf.as_str())];
    let sent = here.submit("/settings/other-sessions/end", &form).await;
    assert_eq!((sent.status, sent.header("location")), (303, "/settings?done=sessions"), "{}", sent.body);
    assert!(!again.is_signed_in().await && here.is_signed_in().await);
}

#[tokio::test]
async fn somebody_lists_the_own_sessions_and_ends_one_of_them() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    house.person("eve@example.com", Role::Admin).await;
    let mut here = house.signed_in(ANN).await;
    house.pass(MINUTE);
    let mut there = house.signed_in(ANN).await;
    let mut eve = house.signed_in("eve@example.com").await;
    let told = here.get("/api/v1/sessions").await.json();
    let rows = told["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{told}");
    let currents: Vec<_> = rows.iter().map(|row| row["current"].as_bool().unwrap()).collect();
    assert_eq!(currents, [false, true], "the newest first");
    assert_eq!(rows[0]["address"], "127.0.0.1");
    assert!(!told.to_string().contains(&here.session()), "a cookie stands in the list");
    let path = format!("/api/v1/sessions/{}", rows[0]["id"].as_str().unwrap());
    assert_eq!(eve.send(Method::DELETE, &path, &json!({})).await.status, 404, "somebody else's");
    let token = house.token(Role::Admin).await;
    let ask = crate::browser::Ask::default().with("authorization", format!("Bearer {token}"));
    assert_eq!(house.browser().bare(Method::GET, "/api/v1/sessions", ask).await.code(), "session_needed");
    assert_eq!(here.send(Method::DELETE, &path, &json!({})).await.status, 200);
    assert!(!there.is_signed_in().await && here.is_signed_in().await && eve.is_signed_in().await);
    assert_eq!(here.send(Method::DELETE, &path, &json!({})).await.status, 404, "it has ended");
    let own = format!("/api/v1/sessions/{}", rows[1]["id"].as_str().unwrap());
    assert_eq!(here.send(Method::DELETE, &own, &json!({})).await.status, 200);
    assert!(here.session().is_empty() && !here.is_signed_in().await);
}
