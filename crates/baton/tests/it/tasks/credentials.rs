//! Who we are to C1, the tokens that we get, and the greeting.

use std::time::Duration;

use metsuke_baton::tasks::ServiceError;
use metsuke_engine::c1::{self, Roots, Tokens};
use metsuke_model::clock::SystemClock;
use metsuke_simulator::c1::{C1Call, C1Fault, C1Options};
use std::sync::Arc;

use super::hand::Hand;
use super::house::{c1, called, calls, finished, grant, in_order, replica, replica_with, settings, tokens};

const UNAVAILABLE: C1Fault = C1Fault::Refused(14);

#[tokio::test]
async fn c1_is_greeted_before_it_is_asked_for_tasks() {
    let c1 = c1(C1Options { key_id: Some("key-1".to_owned()), ..C1Options::default() }).await;
    let replica = replica(&c1, &Hand::quick(1), settings("pod-1"));
    called(&c1, C1Call::GetTask, 2).await;
    replica.stop().await.unwrap();
    let order: Vec<C1Call> = c1.calls().iter().map(|called| called.call).take(3).collect();
    assert_eq!(order, [C1Call::Token, C1Call::Hello, C1Call::GetTask]);
    let hello = &c1.hellos()[0];
    assert_eq!((hello.host_id.as_str(), hello.task_id.as_str()), ("pod-1", ""));
    assert_eq!(hello.connector_metadata.as_ref().unwrap().display_name, "Heroku");
    assert_eq!(hello.build_info.as_ref().unwrap().package, "baton-heroku");
    assert_eq!(c1.tokens_given(), 1, "one token serves all calls");
    in_order(&c1);
}

#[tokio::test]
async fn a_greeting_is_repeated_while_that_may_help() {
    let c1 = c1(C1Options::default()).await;
    c1.fail(C1Call::Hello, &[UNAVAILABLE, C1Fault::Refused(13), C1Fault::Cut(0)]);
    c1.fail(C1Call::Token, &[C1Fault::Refused(503)]);
    let replica = replica(&c1, &Hand::quick(1), settings("pod-1"));
    called(&c1, C1Call::GetTask, 1).await;
    replica.stop().await.unwrap();
    let codes: Vec<i32> = calls(&c1, C1Call::Hello).iter().map(|called| called.code).collect();
    assert_eq!(codes.last(), Some(&0));
    assert!(codes.len() >= 4, "{codes:?}");
}

#[tokio::test]
async fn a_greeting_that_is_refused_for_good_ends_the_service_with_its_code() {
    for code in [7, 3, 12, 9, 5] {
        let c1 = c1(C1Options::default()).await;
        c1.fail(C1Call::Hello, &[C1Fault::Refused(code)]);
        let error = replica(&c1, &Hand::quick(1), settings("pod-1")).end().await.unwrap_err();
        assert!(matches!(error, ServiceError::Refused { .. }), "{error}");
        assert_eq!(error.code(), code);
        assert_eq!(calls(&c1, C1Call::Hello).len(), 1);
    }
}

#[tokio::test]
async fn a_key_that_c1_does_not_know_ends_the_service_and_shows_nowhere() {
    let (here, other) = (c1(C1Options::default()).await, c1(C1Options::default()).await);
    let credentials = c1::credentials(here.client_id(), other.client_secret().into()).unwrap();
    let mut asked = c1::Settings::new(credentials);
    asked.roots = Roots::Only(here.authority().to_owned());
    let tokens = Tokens::new(asked, Arc::new(SystemClock)).unwrap();
    let error = replica_with(tokens, &Hand::quick(1), settings("pod-1")).end().await.unwrap_err();
    assert_eq!(error.code(), 16);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("C1 does not accept the client id and its secret"), "{shown}");
    assert!(!shown.contains(other.client_secret().rsplit(':').next().unwrap()), "{shown}");
    assert_eq!(here.violations(), ["token: the signature is not one of the registered key"]);
}

#[tokio::test]
async fn another_host_is_asked_where_one_is_set_and_the_assertion_stays_the_tenants() {
    let options = C1Options { tenant: Some("acme.conductor.example".to_owned()), ..C1Options::default() };
    let c1 = c1(options).await;
    let credentials = c1::credentials(c1.client_id(), c1.client_secret().into()).unwrap();
    let mut asked = c1::Settings::new(credentials);
    asked.api_host = Some(c1.host());
    asked.roots = Roots::Only(c1.authority().to_owned());
    let tokens = Tokens::new(asked, Arc::new(SystemClock)).unwrap();
    let replica = replica_with(tokens, &Hand::quick(1), settings("pod-1"));
    called(&c1, C1Call::GetTask, 1).await;
    replica.stop().await.unwrap();
    in_order(&c1);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let c1 = c1(C1Options { token_life: Duration::from_secs(2), ..C1Options::default() }).await;
    let replica = replica(&c1, &Hand::quick(1), settings("pod-1"));
    assert!(c1.until(Duration::from_secs(10), |c1| c1.tokens_given() >= 3).await);
    replica.stop().await.unwrap();
    let refused = c1.calls().into_iter().filter(|called| called.code == 16).count();
    assert_eq!(refused, 0, "no call was made with a token that had ended");
    in_order(&c1);
}

#[tokio::test]
async fn a_token_that_c1_forgot_is_renewed_once_and_the_call_repeated() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::quick(1);
    let replica = replica(&c1, &hand, settings("pod-1"));
    called(&c1, C1Call::GetTask, 1).await;
    c1.forget_tokens();
    c1.give(grant("app:a1:view"));
    finished(&c1, 1).await;
    assert_eq!(c1.tokens_given(), 2);
    replica.stop().await.unwrap();
    assert_eq!(hand.runs().len(), 1);
}

#[tokio::test]
async fn a_call_that_is_refused_with_a_new_token_as_well_is_not_repeated_on_and_on() {
    let c1 = c1(C1Options::default()).await;
    c1.fail(C1Call::Hello, &[C1Fault::Refused(16), C1Fault::Refused(16)]);
    let error = replica(&c1, &Hand::quick(1), settings("pod-1")).end().await.unwrap_err();
    assert_eq!((error.code(), calls(&c1, C1Call::Hello).len(), c1.tokens_given()), (16, 2, 2));
}

#[tokio::test]
async fn no_secret_shows_in_debug_texts() {
    let c1 = c1(C1Options::default()).await;
    let tokens = tokens(&c1);
    let access = tokens.current().await.unwrap();
    let shown = format!("{tokens:?} {access:?}");
    assert!(!shown.contains("access-0") && !shown.contains(":v1:"), "{shown}");
}
