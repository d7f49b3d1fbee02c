//! The list of a roster's server: read to its end, on one host, or an error.

use std::time::Duration;

use metsuke_clients::roster::{Roster, Settings};
use metsuke_clients::{ClientError, ErrorKind};

use crate::{Server, TOKEN, Turn};

fn settings(server: &Server) -> Settings {
    let mut settings = Settings::new(server.url(), TOKEN.into());
    settings.first_delay = Duration::from_millis(1);
    settings.max_delay = Duration::from_millis(10);
    settings.request_timeout = Duration::from_secs(5);
    settings.idle_timeout = Duration::from_secs(2);
    settings
}

async fn read(server: &Server) -> Result<Vec<String>, ClientError> {
    let users = Roster::new(settings(server)).unwrap().users().await?;
    Ok(users.into_iter().map(|user| user.id.unwrap_or_default()).collect())
}

fn page(ids: &[&str]) -> Turn {
    let rows: Vec<String> = ids
        .iter()
        .map(|id| format!(r#"{{"id":"{id}","status":"ACTIVE","profile":{{"email":null}}}}"#))
        .collect();
    Turn::new(200, format!("[{}]", rows.join(",")))
}

fn next(turn: Turn, address: &str) -> Turn {
    turn.with("Link", "<http://127.0.0.1/self>; rel=\"self\"")
        .with("Link", &format!("<{address}>; rel=\"next\""))
}

#[tokio::test]
async fn pages_are_followed_to_the_end_with_the_token_of_its_kind() {
    let server =
        Server::script(vec![next(page(&["a", "b"]), "/api/v1/users?after=b&limit=200"), page(&["c"])]).await;
    assert_eq!(read(&server).await.unwrap(), ["a", "b", "c"]);
    let requests = server.requests();
    assert_eq!(requests[0].path, "/api/v1/users?limit=200");
    assert_eq!(requests[1].path, "/api/v1/users?after=b&limit=200");
    assert!(requests.iter().all(|request| request.header("authorization") == Some(&format!("SSWS {TOKEN}"))));
}

#[tokio::test]
async fn another_host_is_not_asked() {
    let other = Server::script(vec![page(&["x"])]).await;
    for address in [format!("{}api/v1/users", other.url()), "https://127.0.0.1/".into()] {
        let server = Server::script(vec![next(page(&["a"]), &address)]).await;
        let error = read(&server).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Shape && error.to_string().contains("another host"), "{error}");
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = Server::script(vec![Turn::new(302, "").with("Location", "/elsewhere")]).await;
    assert_eq!(read(&server).await.unwrap_err().status(), Some(302));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn passing_faults_are_asked_again_and_lasting_ones_told() {
    let server = Server::script(vec![Turn::new(503, "oops"), Turn::reset(), page(&["a"])]).await;
    assert_eq!(read(&server).await.unwrap(), ["a"]);
    let server = Server::script(vec![Turn::new(500, format!("no, {TOKEN}"))]).await;
    let error = read(&server).await.unwrap_err();
    assert!(error.status() == Some(500) && !error.to_string().contains(TOKEN), "{error}");
    assert_eq!(server.requests().len(), 5);
    let server = Server::script(vec![Turn::new(403, "{}")]).await;
    assert_eq!(read(&server).await.unwrap_err().status(), Some(403));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn after_a_429_the_servers_own_clock_tells_when() {
    let limited = Turn::new(429, "{}")
        .with("Date", "Wed, 21 Oct 2015 07:28:00 GMT")
        .with("X-Rate-Limit-Reset", "1445499681");
    // 21 hours: longer than any wait, so the error is final and says what was asked.
    let server = Server::script(vec![limited]).await;
    let error = read(&server).await.unwrap_err();
    let asked = error.answer().and_then(|answer| answer.retry_after);
    assert!(asked > Some(Duration::from_hours(1)), "{asked:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_list_that_does_not_advance_or_does_not_end_is_an_error() {
    let server = Server::script(vec![next(page(&["a"]), "/api/v1/users?limit=200")]).await;
    assert_eq!(read(&server).await.unwrap_err().kind(), ErrorKind::Repeated);
    let server = Server::start(|request| {
        next(page(&["a"]), &format!("/api/v1/users?after={}&limit=200", request.number))
    })
    .await;
    let mut few = settings(&server);
    few.max_pages = 3;
    let error = Roster::new(few).unwrap().users().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Limit && server.requests().len() == 3, "{error}");
}

#[tokio::test]
async fn what_is_too_large_too_slow_or_no_list_is_an_error() {
    let mut small = settings(&Server::script(vec![page(&["a"])]).await);
    small.max_body_bytes = 10;
    assert_eq!(Roster::new(small).unwrap().users().await.unwrap_err().kind(), ErrorKind::TooLarge);
    let slow = Server::script(vec![page(&["a"]).after(Duration::from_secs(5))]).await;
    let mut hasty = settings(&slow);
    hasty.total_timeout = Duration::from_millis(100);
    assert_eq!(Roster::new(hasty).unwrap().users().await.unwrap_err().kind(), ErrorKind::Timeout);
    for body in ["<html>", "{}", r#"[{"id":7}]"#] {
        let server = Server::script(vec![Turn::new(200, body)]).await;
        assert_eq!(read(&server).await.unwrap_err().kind(), ErrorKind::Shape, "{body}");
    }
}
