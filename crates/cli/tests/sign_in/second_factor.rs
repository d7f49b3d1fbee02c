//! The second factor: enrolled, asked for, and no code of it taken twice.

use metsuke_engine::identity::Role;
use metsuke_model::Clock as _;
use reqwest::Method;
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::house::{House, MINUTE, PASSWORD};

const ANN: &str = "ann@example.com";
const FACTOR: &str = "/api/v1/session/second-factor";

/// What an authenticator app shows: written anew here, from the RFC.
pub(crate) fn code(house: &House, secret: &str) -> String {
    let mut bits = String::new();
    for letter in secret.chars() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).unwrap();
        bits.extend(format!("{value:05b}").chars());
    }
    let bytes: Vec<u8> =
        (0..bits.len() / 8).map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap()).collect();
    let step = house.clock.now().0 / 30_000_000;
    let tag = sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes), &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// Enrols, and gives the secret and the recovery codes.
pub(crate) async fn enrol(house: &House, browser: &mut Browser) -> (String, Vec<String>) {
    let offer = browser.send(Method::POST, FACTOR, &json!({ "password": PASSWORD })).await;
    assert_eq!(offer.status, 201, "{}", offer.body);
    let secret = offer.json()["secret"].as_str().unwrap().to_owned();
    assert!(
        offer.json()["address"]
            .as_str()
            .unwrap()
            .starts_with("otpauth://totp/Metsuke:ann%40example.com?secret=")
    );
    let done = browser.send(Method::PUT, FACTOR, &json!({ "code": code(house, &secret) })).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let codes: Vec<String> = serde_json::from_value(done.json()["recovery_codes"].clone()).unwrap();
    (secret, codes)
}

#[tokio::test]
async fn once_enrolled_the_password_alone_is_not_enough_and_no_code_is_taken_twice() {
    let house = House::new().await;
    house.person(ANN, Role::Admin).await;
    let mut browser = house.signed_in(ANN).await;
    let (secret, _) = enrol(&house, &mut browser).await;
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "").await, 401);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "000000").await, 401);
    let enrolled_with = code(&house, &secret);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, &enrolled_with).await, 401, "it was used to enrol");
    house.pass(MINUTE);
    let fresh = code(&house, &secret);
    assert_eq!(house.browser().sign_in(ANN, "a wrong password", &fresh).await, 401);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, &fresh).await, 201, "a wrong password uses no code up");
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, &fresh).await, 401, "replayed");
    house.pass(MINUTE);
    let event = &house.events_of("login.succeeded").await[0];
    assert_eq!(event.details["second_factor"], "totp");
}

#[tokio::test]
async fn of_two_with_the_same_code_at_once_one_gets_in() {
    let house = House::new().await;
    house.person(ANN, Role::Admin).await;
    let (secret, codes) = enrol(&house, &mut house.signed_in(ANN).await).await;
    house.pass(MINUTE);
    for code in [code(&house, &secret), codes[0].clone()] {
        let tries = (0..4).map(|_| {
            let (mut browser, code) = (house.browser(), code.clone());
            async move { browser.sign_in(ANN, PASSWORD, &code).await }
        });
        let statuses = futures::future::join_all(tries).await;
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    }
}

#[tokio::test]
async fn a_recovery_code_stands_in_once_and_is_known_however_it_is_typed() {
    let house = House::new().await;
    house.person(ANN, Role::Admin).await;
    let (_, codes) = enrol(&house, &mut house.signed_in(ANN).await).await;
    assert_eq!(codes.len(), 10);
    let typed = codes[3].to_lowercase().replace('-', " ");
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, &typed).await, 201);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, &codes[3]).await, 401);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, &codes[4]).await, 201);
    let event = &house.events_of("login.succeeded").await[0];
    assert_eq!(event.details["second_factor"], "recovery_code");
}

#[tokio::test]
async fn codes_count_as_tries() {
    let house = House::new().await;
    house.person(ANN, Role::Admin).await;
    let (secret, _) = enrol(&house, &mut house.signed_in(ANN).await).await;
    house.pass(MINUTE);
    let right = code(&house, &secret);
    let wrong = if right == "123456" { "654321" } else { "123456" };
    for _ in 0..10 {
        assert_eq!(house.browser().sign_in(ANN, PASSWORD, wrong).await, 401);
    }
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, &right).await, 429);
}

#[tokio::test]
async fn enrolling_wants_the_password_and_a_code_and_nobody_enrols_twice() {
    let house = House::new().await;
    house.person(ANN, Role::Admin).await;
    let mut browser = house.signed_in(ANN).await;
    assert_eq!(browser.send(Method::PUT, FACTOR, &json!({ "code": "123456" })).await.status, 409);
    let wrong = json!({ "password": "a wrong password" });
    assert_eq!(browser.send(Method::POST, FACTOR, &wrong).await.status, 422);
    let (_, _) = enrol(&house, &mut browser).await;
    assert_eq!(browser.send(Method::POST, FACTOR, &json!({ "password": PASSWORD })).await.status, 409);
}

#[tokio::test]
async fn an_admin_can_reset_it_which_ends_the_sessions() {
    let house = House::new().await;
    let ann = house.person(ANN, Role::Viewer).await;
    house.person("root@example.com", Role::Admin).await;
    let mut browser = house.signed_in(ANN).await;
    enrol(&house, &mut browser).await;
    let mut root = house.signed_in("root@example.com").await;
    let path = format!("/api/v1/accounts/{}/second-factor", ann.id);
    let answer = root.send(Method::DELETE, &path, &Value::Null).await;
    assert_eq!((answer.status, answer.json()["second_factor"].as_bool()), (200, Some(false)));
    assert!(!browser.is_signed_in().await);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "").await, 201);
}

#[tokio::test]
async fn it_is_turned_off_by_password_and_code_together_and_guessing_is_slow() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let (mut here, mut elsewhere) = (house.signed_in(ANN).await, house.signed_in(ANN).await);
    let off = "/api/v1/session/second-factor/removal";
    let nothing = json!({ "password": PASSWORD, "code": "123456" });
    assert_eq!(here.send(Method::POST, off, &nothing).await.status, 409, "there is none");
    let (secret, codes) = enrol(&house, &mut here).await;
    let used = json!({ "password": PASSWORD, "code": code(&house, &secret) });
    assert_eq!(here.send(Method::POST, off, &used).await.status, 422, "that code has enrolled it");
    house.pass(MINUTE);
    let fresh = code(&house, &secret);
    let wrong = json!({ "password": "a wrong password", "code": fresh });
    assert_eq!(here.send(Method::POST, off, &wrong).await.status, 422);
    let right = json!({ "password": PASSWORD, "code": fresh });
    let done = here.send(Method::POST, off, &right).await;
    assert_eq!(done.status, 200, "{}", done.body);
    done.json()["csrf_token"].as_str().unwrap().clone_into(&mut here.csrf);
    assert!(here.is_signed_in().await && !elsewhere.is_signed_in().await);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "").await, 201);
    assert_eq!(house.events_of("account.totp_reset").await[0].details["how"], "own wish");
    let again = json!({ "password": PASSWORD, "code": codes[0] });
    assert_eq!(here.send(Method::POST, off, &again).await.status, 409, "its codes went with it");

    house.pass(MINUTE);
    enrol(&house, &mut here).await;
    house.pass(MINUTE);
    let mut statuses = Vec::new();
    for number in 0..11 {
        let guess = json!({ "password": PASSWORD, "code": format!("{number:06}") });
        statuses.push(here.send(Method::POST, off, &guess).await.status);
    }
    assert!(statuses[..8].iter().all(|status| *status == 422) && statuses[10] == 429, "{statuses:?}");
}
