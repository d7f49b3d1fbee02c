//! What the client makes of faults, refusals and hostile answers.
//!
//! Invariant: every fault ends in rows or in an error that names the request, in bounded time and calls.

use std::time::{Duration, Instant};

use metsuke_clients::heroku::{Heroku, Settings, endpoint};
use metsuke_clients::{ClientError, ErrorKind};

use super::{Server, TOKEN, Turn, client, settings};

/// Asks for the teams once; the error, and how often it was asked.
async fn refused(server: &Server) -> (ClientError, u32) {
    let heroku = client(server);
    let mut walk = heroku.walk(endpoint::teams());
    let error = walk.next().await.unwrap_err();
    assert!(!walk.finished());
    assert!(!format!("{error:?} {error} {heroku:?}").contains(TOKEN));
    (error, walk.calls())
}

/// Asks for the teams once, and expects them; how often it was asked.
async fn read(server: &Server) -> u32 {
    let heroku = client(server);
    let mut walk = heroku.walk(endpoint::teams());
    let page = walk.next().await.unwrap();
    assert_eq!((page.rows.len(), page.last), (1, true));
    assert_eq!(heroku.usage().requests, u64::from(walk.calls()));
    assert_eq!(heroku.usage().retries, u64::from(walk.calls() - 1));
    walk.calls()
}

fn good() -> Turn {
    Turn::page(&["a"], None)
}

#[tokio::test]
async fn a_429_is_waited_out() {
    let body = r#"{"id":"rate_limit","message":"Your account reached the API rate limit\nPlease wait"}"#;
    let server = Server::script(vec![Turn::new(429, body), good()]).await;
    let start = Instant::now();
    let heroku = client(&server);
    heroku.walk(endpoint::teams()).next().await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(heroku.usage().waited >= Duration::from_secs(2));
    assert!(!heroku.usage().waiting);
}

#[tokio::test]
async fn nothing_is_sent_before_the_time_that_a_429_names() {
    let server = Server::script(vec![
        Turn::new(200, r#"{"id":"me"}"#).with("RateLimit-Remaining", "4000"),
        Turn::new(429, "{}").with("Retry-After", "3").with("RateLimit-Remaining", "0"),
        good().with("RateLimit-Remaining", "3990"),
    ])
    .await;
    let heroku = client(&server);
    heroku.account().await.unwrap();
    let start = Instant::now();
    let (mut first, mut second) = (heroku.walk(endpoint::teams()), heroku.walk(endpoint::teams()));
    let (one, two) = tokio::join!(first.next(), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        second.next().await
    });
    assert!(one.is_ok() && two.is_ok());
    assert!(start.elapsed() >= Duration::from_secs(3) && start.elapsed() < Duration::from_secs(8));
    assert_eq!(server.requests().len(), 4);
    assert_eq!(heroku.usage().remaining, Some(3990));
}

#[tokio::test]
async fn three_500s_are_outlived() {
    let fault = Turn::new(500, r#"{"id":"server_error","message":"oops"}"#);
    let server = Server::script(vec![fault.clone(), fault.clone(), fault, good()]).await;
    assert_eq!(read(&server).await, 4);
}

#[tokio::test]
async fn a_lasting_html_502_is_shown_short_and_clean() {
    let body = format!("<html>\n<h1>Bad\u{1b}[31m `Gateway` {TOKEN}</h1>{}</html>", " long".repeat(5_000));
    let server = Server::script(vec![Turn::new(502, body).with("Request-Id", "r1,r2")]).await;
    let (error, calls) = refused(&server).await;
    assert_eq!((error.kind(), error.status(), calls), (ErrorKind::Server, Some(502), 5));
    insta::assert_snapshot!(error, @"GET /teams (5 attempts) was answered 502: `<html> <h1>Bad [31m 'Gateway' [token]</h1> long long long long long long long long long long long long long long long lo…` (request id `r1,r2`)");
}

#[tokio::test]
async fn html_with_status_200_is_not_a_list() {
    let server = Server::script(vec![Turn::new(200, "<!DOCTYPE html><p>sign in</p>")]).await;
    let (error, calls) = refused(&server).await;
    assert_eq!((error.kind(), calls), (ErrorKind::Shape, 2));
    insta::assert_snapshot!(error, @"GET /teams (2 attempts) was answered with something other than a list of teams: `<!DOCTYPE html><p>sign in</p>`");
}

#[tokio::test]
async fn an_object_in_place_of_a_list_is_an_error() {
    let server = Server::script(vec![Turn::new(200, r#"{"id":"x"}"#), good()]).await;
    assert_eq!(read(&server).await, 2);
    let server = Server::script(vec![Turn::new(200, r#"[{"id":"x","name":7}]"#)]).await;
    let (error, _) = refused(&server).await;
    insta::assert_snapshot!(error, @"GET /teams (2 attempts) was answered with something other than a list of teams: invalid type: integer '7', expected a string at line 1 column 19");
}

#[tokio::test]
async fn a_reset_connection_is_tried_again() {
    let server = Server::script(vec![Turn::reset(), good()]).await;
    assert_eq!(read(&server).await, 2);
    let (error, calls) = refused(&Server::script(vec![Turn::reset()]).await).await;
    assert_eq!((error.kind(), calls), (ErrorKind::Connection, 5));
}

#[tokio::test]
async fn an_unreachable_host_is_a_connection_error() {
    let server = Server::script(vec![good()]).await;
    let mut elsewhere = settings(&server);
    // Port 1 is privileged and unused.
    elsewhere.base_url = "http://127.0.0.1:1".parse().unwrap();
    let error = Heroku::new(elsewhere).unwrap().account().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    insta::assert_snapshot!(error, @"GET /account (5 attempts) got no whole answer: Connection refused (os error 111)");
}

#[tokio::test]
async fn a_truncated_body_is_tried_again() {
    let server = Server::script(vec![good().cut_after(5), good()]).await;
    assert_eq!(read(&server).await, 2);
    let server = Server::script(vec![good().cut_after(5).without_length(), good()]).await;
    assert_eq!(read(&server).await, 2);
    let (error, calls) = refused(&Server::script(vec![good().cut_after(5)]).await).await;
    assert_eq!((error.kind(), calls), (ErrorKind::Connection, 5));
}

#[tokio::test]
async fn a_slow_drip_ends_at_the_whole_time_limit() {
    let server = Server::script(vec![good().drip(Duration::from_millis(150)), good()]).await;
    let mut short = settings(&server);
    short.request_timeout = Duration::from_millis(500);
    let mut walk = Heroku::new(short).unwrap().walk(endpoint::teams());
    walk.next().await.unwrap();
    assert_eq!(walk.calls(), 2);
}

#[tokio::test]
async fn silence_in_a_body_ends_at_the_idle_time_limit() {
    let server = Server::script(vec![good().drip(Duration::from_mins(1))]).await;
    let mut short = settings(&server);
    short.idle_timeout = Duration::from_millis(100);
    short.attempts = 2;
    let error = Heroku::new(short).unwrap().walk(endpoint::teams()).next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    insta::assert_snapshot!(error, @"GET /teams (2 attempts) timed out: no byte for 0.1 s");
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    for turn in [good(), good().without_length()] {
        let server = Server::script(vec![turn]).await;
        let mut small = settings(&server);
        small.max_body_bytes = 5;
        let mut walk = Heroku::new(small).unwrap().walk(endpoint::teams());
        assert_eq!(walk.next().await.unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(walk.calls(), 1);
    }
}

#[tokio::test]
async fn deep_json_is_an_error() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let (error, _) = refused(&Server::script(vec![Turn::new(200, deep)]).await).await;
    assert_eq!(error.kind(), ErrorKind::Shape);
    let hidden = format!(r#"[{{"id":"a","x":{}1{}}}]"#, "[".repeat(10_000), "]".repeat(10_000));
    let (error, _) = refused(&Server::script(vec![Turn::new(200, hidden)]).await).await;
    assert_eq!(error.kind(), ErrorKind::Shape);
}

#[tokio::test]
async fn one_401_is_a_hiccup_and_two_are_a_wrong_token() {
    let wrong = Turn::new(401, r#"{"id":"unauthorized","message":"Invalid credentials provided."}"#);
    assert_eq!(read(&Server::script(vec![wrong.clone(), good()]).await).await, 2);
    let server = Server::script(vec![wrong.with("Request-Id", "r1")]).await;
    let (error, calls) = refused(&server).await;
    assert_eq!((error.kind(), calls), (ErrorKind::Unauthorized, 2));
    insta::assert_snapshot!(error, @"GET /teams (2 attempts) was answered 401 `unauthorized`: `Invalid credentials provided.` (request id `r1`)");
}

#[tokio::test]
async fn a_403_carries_the_scopes() {
    let turn = Turn::new(403, r#"{"id":"forbidden","message":"no"}"#)
        .with("Oauth-Scope", "read")
        .with("Oauth-Scope-Accepted", "global identity");
    let server = Server::script(vec![turn]).await;
    let heroku = client(&server);
    let error = heroku.account().await.unwrap_err();
    let accepted_scopes = vec!["global".to_owned(), "identity".to_owned()];
    assert_eq!(error.kind(), ErrorKind::Forbidden { accepted_scopes });
    assert_eq!(heroku.scopes(), Some(vec!["read".to_owned()]));
    assert!(error.hint().unwrap().contains("scope is `read`"));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Server::script(vec![good()]).await;
    let there = target.url();
    let server = Server::script(vec![Turn::new(302, "").with("Location", there.as_str())]).await;
    let (error, calls) = refused(&server).await;
    assert_eq!((error.kind(), error.status(), calls), (ErrorKind::Refused, Some(302), 1));
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn never_more_than_the_allowed_number_are_in_flight() {
    let server = Server::start(|_| good().after(Duration::from_millis(20))).await;
    let mut three = settings(&server);
    three.max_in_flight = 3;
    let heroku = Heroku::new(three).unwrap();
    let walks = (0..30).map(|n| heroku.walk(endpoint::team_members(&n.to_string())));
    let calls = walks.map(|mut walk| async move { walk.next().await.map(|page| page.rows.len()) });
    let rows = futures_join(calls.collect()).await;
    assert_eq!(rows, 30);
    assert_eq!((server.peak(), heroku.usage().peak_in_flight), (3, 3));
}

/// Drives all futures in tasks, which also proves that they are `Send`.
#[expect(clippy::disallowed_methods, reason = "every task is waited for")]
async fn futures_join<F>(futures: Vec<F>) -> usize
where
    F: Future<Output = Result<usize, ClientError>> + Send + 'static,
{
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.unwrap().unwrap();
    }
    sum
}

#[tokio::test]
async fn two_clients_of_one_account_share_its_budget() {
    let server = Server::script(vec![good().with("ratelimit-remaining", "4000")]).await;
    let first = client(&server);
    let second = Heroku::with_budget(settings(&server), std::sync::Arc::clone(first.budget())).unwrap();
    first.walk(endpoint::teams()).next().await.unwrap();
    assert_eq!((second.usage().requests, second.usage().remaining), (0, Some(4000)));
}

#[test]
fn a_client_of_the_real_service_can_be_built() {
    // Building it loads the root certificates of this machine; a machine may have none.
    let real = Settings::new("https://api.heroku.com".parse().unwrap(), TOKEN.into());
    match Heroku::new(real) {
        Ok(heroku) => assert_eq!(heroku.usage().requests, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Config),
    }
}
