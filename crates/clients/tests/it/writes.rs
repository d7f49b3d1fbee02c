//! What is known after a write, for every way a server can behave.
//!
//! Invariant: each test counts the requests; only a 429 may be followed by another.

use std::time::{Duration, Instant};

use metsuke_clients::heroku::{
    AppPermission, Heroku, ScopeCheck, Settings, TeamRole, WriteAnswer, WriteCall, WriteTarget, WrittenRow,
};

use super::{Server, TOKEN, Turn, client, provisioning, settings};

fn write() -> WriteCall {
    WriteCall::set_member("ops", "ann@example.com", TeamRole::Admin).unwrap()
}

/// Sends the write once to an impatient client; the answer, and how many requests came.
async fn send(turns: Vec<Turn>, change: impl FnOnce(&mut Settings)) -> (WriteAnswer, usize) {
    let server = Server::script(turns).await;
    let mut settings = settings(&server);
    change(&mut settings);
    let answer = Heroku::new(settings).unwrap().provisioning().unwrap().send_write(&write()).await;
    assert!(!format!("{answer:?} {answer} {:?}", answer.hint()).contains(TOKEN));
    (answer, server.requests().len())
}

fn name(answer: &WriteAnswer) -> &'static str {
    match answer {
        WriteAnswer::Confirmed { .. } => "confirmed",
        WriteAnswer::Refused { .. } => "refused",
        WriteAnswer::Unknown { .. } => "unknown",
        WriteAnswer::NotSent { .. } => "not sent",
    }
}

#[tokio::test]
async fn every_status_has_its_meaning_and_is_asked_for_once() {
    let meanings = [
        ("confirmed", &[200, 201, 202, 204, 206, 299][..]),
        ("refused", &[400, 401, 402, 403, 404, 406, 409, 410, 412, 416, 422, 423, 451, 498]),
        ("unknown", &[300, 301, 302, 303, 304, 307, 308, 408, 499, 500, 501, 502, 503, 504, 520, 599]),
    ];
    for (meaning, statuses) in meanings {
        for &status in statuses {
            let (answer, requests) = send(vec![Turn::new(status, "")], |_| {}).await;
            assert_eq!((name(&answer), requests), (meaning, 1), "{status}");
            assert_eq!((answer.status(), answer.call().attempts), (Some(status), 1));
        }
    }
}

#[tokio::test]
async fn a_confirmation_carries_the_row_and_the_request_id() {
    let row = r#"{"id":"m1","role":"admin","user":{"id":"u1","email":"ann@example.com"}}"#;
    let (answer, _) = send(vec![Turn::new(201, row).with("Request-Id", "r1,r2")], |_| {}).await;
    insta::assert_snapshot!(answer, @"PUT /teams/ops/members was confirmed with 201 (request id `r1,r2`)");
    let WriteAnswer::Confirmed { row: Some(row), .. } = answer else { panic!("{answer}") };
    let WrittenRow::Member(member) = *row else { panic!("{row:?}") };
    assert_eq!((member.id.as_str(), member.role.as_deref()), ("m1", Some("admin")));
}

#[tokio::test]
async fn each_write_reads_its_own_kind_of_row() {
    let row = r#"{"id":"r1","token":"accept-me","permissions":[{"name":"view"}]}"#;
    let server = Server::script(vec![Turn::new(200, row)]).await;
    let door = provisioning(&server);
    let invite = WriteCall::invite("ops", "ann@example.com", TeamRole::Member).unwrap();
    let grant = WriteCall::set_permissions("shop", "ann@example.com", [AppPermission::View]).unwrap();
    let (invited, granted) = (door.send_write(&invite).await, door.send_write(&grant).await);
    assert!(!format!("{invited:?}").contains("accept-me"));
    let WriteAnswer::Confirmed { row: Some(row), .. } = invited else { panic!("{invited}") };
    assert!(matches!(*row, WrittenRow::Invitation(_)), "{row:?}");
    let WriteAnswer::Confirmed { row: Some(row), .. } = granted else { panic!("{granted}") };
    assert!(matches!(*row, WrittenRow::Collaborator(row) if row.permissions == ["view"]));
}

#[tokio::test]
async fn a_2xx_with_an_unreadable_body_is_confirmed() {
    let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(500));
    for turn in [
        Turn::new(200, ""),
        Turn::new(200, "<html>done</html>"),
        Turn::new(200, "[1]"),
        Turn::new(200, long.clone()).cut_after(20),
        Turn::new(200, long.clone()).drip(Duration::from_secs(1)),
        Turn::new(200, long.clone()).drip(Duration::from_millis(10)),
        Turn::new(200, long).without_length(),
    ] {
        let (answer, requests) = send(vec![turn.with("Request-Id", "r1")], |settings| {
            settings.max_body_bytes = 400;
            settings.idle_timeout = Duration::from_millis(200);
            settings.request_timeout = Duration::from_millis(500);
        })
        .await;
        assert!(matches!(answer, WriteAnswer::Confirmed { status: 200, row: None, .. }), "{answer:?}");
        assert_eq!((answer.request_id(), requests), (Some("r1"), 1));
    }
}

#[tokio::test]
async fn a_refusal_keeps_what_heroku_said() {
    let body = format!(
        r#"{{"id":"invalid_params","message":"A team must have\nat least one `admin` {TOKEN}.","url":"x"}}"#
    );
    let (answer, requests) = send(vec![Turn::new(422, body).with("Request-Id", "r1,r2")], |_| {}).await;
    assert_eq!((requests, answer.status(), answer.request_id()), (1, Some(422), Some("r1,r2")));
    assert_eq!(answer.answer().unwrap().id.as_deref(), Some("invalid_params"));
    insta::assert_snapshot!(answer, @"PUT /teams/ops/members was refused with 422 `invalid_params`: `A team must have at least one 'admin' [token].` (request id `r1,r2`)");
}

#[tokio::test]
async fn a_403_for_its_scope_comes_with_the_remedy() {
    let turn = Turn::new(403, r#"{"id":"forbidden","message":"no"}"#)
        .with("Oauth-Scope", "read")
        .with("Oauth-Scope-Accepted", "global");
    let (answer, _) = send(vec![turn], |_| {}).await;
    assert!(answer.hint().is_some_and(|hint| hint.contains("--scope global")));
}

#[tokio::test]
async fn a_fault_of_heroku_keeps_its_request_id_and_leaves_the_write_in_doubt() {
    let turn = Turn::new(503, "<html>maintenance</html>").with("Request-Id", "r1");
    let (answer, requests) = send(vec![turn], |_| {}).await;
    assert_eq!((requests, answer.request_id()), (1, Some("r1")));
    insta::assert_snapshot!(answer, @"PUT /teams/ops/members may or may not have been applied: it was answered 503: `<html>maintenance</html>` (request id `r1`)");
}

#[tokio::test]
async fn a_connection_that_ends_after_the_request_leaves_the_write_in_doubt() {
    let (answer, requests) = send(vec![Turn::reset()], |_| {}).await;
    assert_eq!((name(&answer), requests, answer.call().attempts), ("unknown", 1, 1));
    assert_eq!((answer.status(), answer.answer()), (None, None));
    insta::assert_snapshot!(answer, @"PUT /teams/ops/members may or may not have been applied: connection closed before message completed");
}

#[tokio::test]
async fn a_slow_server_leaves_the_write_in_doubt() {
    let slow = Turn::new(200, "{}").after(Duration::from_mins(1));
    let (answer, requests) =
        send(vec![slow], |settings| settings.request_timeout = Duration::from_millis(200)).await;
    assert_eq!((name(&answer), requests), ("unknown", 1));
    insta::assert_snapshot!(answer, @"PUT /teams/ops/members may or may not have been applied: no whole answer within 0.2 s");
}

#[tokio::test]
async fn an_answer_that_is_not_http_leaves_the_write_in_doubt() {
    let (answer, requests) = send(vec![Turn::new(200, "{}").with("Content-Length", "none")], |_| {}).await;
    assert_eq!((name(&answer), requests), ("unknown", 1));
}

#[tokio::test]
async fn a_refused_connection_sends_nothing() {
    let (answer, requests) = send(vec![Turn::new(200, "{}")], |settings| {
        // Port 1 is privileged and unused.
        settings.base_url = "http://127.0.0.1:1".parse().unwrap();
    })
    .await;
    assert_eq!((name(&answer), requests, answer.call().attempts), ("not sent", 0, 0));
    insta::assert_snapshot!(answer, @"PUT /teams/ops/members was not sent: Connection refused (os error 111)");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_gets_nothing() {
    let server = Server::script(vec![Turn::new(200, "{}")]).await;
    let mut settings = settings(&server);
    settings.base_url = server.url().as_str().replace("http:", "https:").parse().unwrap();
    settings.idle_timeout = Duration::from_millis(500);
    // Building it loads the root certificates of this machine; a machine may have none.
    let Ok(door) = Heroku::new(settings).and_then(|heroku| heroku.provisioning()) else { return };
    let answer = door.send_write(&write()).await;
    assert_eq!((name(&answer), server.requests().len()), ("not sent", 0), "{answer}");
}

#[tokio::test]
async fn a_write_never_travels_on_a_connection_that_was_idle() {
    let server = Server::script(vec![Turn::new(200, r#"{"id":"me"}"#).keep()]).await;
    let heroku = client(&server);
    let door = heroku.provisioning().unwrap();
    for _ in 0..3 {
        heroku.account().await.unwrap();
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
    for _ in 0..3 {
        assert_eq!(name(&door.send_write(&write()).await), "confirmed");
    }
    assert_eq!((server.requests().len(), server.connections()), (6, 4));
}

#[tokio::test]
async fn a_429_is_waited_out_and_each_sending_is_announced() {
    let limited = Turn::new(429, r#"{"id":"rate_limit"}"#).with("Retry-After", "3");
    let server = Server::script(vec![limited, Turn::new(200, r#"{"id":"m"}"#)]).await;
    let heroku = client(&server);
    let (start, mut seen) = (Instant::now(), Vec::new());
    let door = heroku.provisioning().unwrap();
    let answer = door
        .send_write_if(&write(), |number| {
            seen.push((number, server.requests().len()));
            true
        })
        .await;
    assert_eq!((name(&answer), answer.call().attempts), ("confirmed", 2));
    assert_eq!(seen, [(1, 0), (2, 1)]);
    assert!(start.elapsed() >= Duration::from_secs(3), "{:?}", start.elapsed());
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!((&requests[0].path, &requests[0].body), (&requests[1].path, &requests[1].body));
    assert_eq!((heroku.usage().requests, heroku.usage().retries), (2, 1));
}

#[tokio::test]
async fn a_lasting_429_is_a_refusal() {
    let limited = Turn::new(429, r#"{"id":"rate_limit"}"#).with("Request-Id", "r1");
    let (answer, requests) = send(vec![limited.clone()], |settings| settings.attempts = 2).await;
    assert_eq!((name(&answer), requests, answer.call().attempts), ("refused", 2, 2));
    insta::assert_snapshot!(answer, @"PUT /teams/ops/members (2 attempts) was refused with 429 `rate_limit` (request id `r1`)");
    let (answer, requests) = send(vec![limited.with("Retry-After", "100000")], |_| {}).await;
    assert_eq!((name(&answer), requests), ("refused", 1));
}

#[tokio::test]
async fn what_follows_a_429_is_not_sent_again() {
    let (answer, requests) = send(vec![Turn::new(429, "{}"), Turn::reset()], |_| {}).await;
    assert_eq!((name(&answer), requests, answer.call().attempts), ("unknown", 2, 2));
}

#[tokio::test]
async fn a_write_that_is_held_back_is_not_sent() {
    let server = Server::script(vec![Turn::new(429, "{}")]).await;
    let door = provisioning(&server);
    let answer = door.send_write_if(&write(), |_| false).await;
    assert_eq!((name(&answer), server.requests().len(), answer.call().attempts), ("not sent", 0, 0));
    assert_eq!(answer.to_string(), "PUT /teams/ops/members was not sent: it was held back");
    let answer = door.send_write_if(&write(), |number| number == 1).await;
    assert_eq!((name(&answer), server.requests().len(), answer.call().attempts), ("not sent", 1, 1));
}

#[tokio::test]
async fn a_sending_can_move_between_threads() {
    fn is_send(_: &impl Send) {}
    let server = Server::script(vec![Turn::new(200, "{}")]).await;
    let (door, write) = (provisioning(&server), write());
    is_send(&door.send_write(&write));
    is_send(&door.send_write_if(&write, |_| true));
}

#[tokio::test]
async fn the_scope_is_judged_as_soon_as_it_is_known() {
    let turn = Turn::new(200, r#"{"id":"me"}"#).with("Oauth-Scope", "write");
    let server = Server::script(vec![turn]).await;
    let heroku = client(&server);
    assert_eq!(heroku.may_write(WriteTarget::TeamMember), ScopeCheck::Unknown);
    heroku.account().await.unwrap();
    assert_eq!(heroku.may_write(WriteTarget::Collaborator), ScopeCheck::Enough);
    let token_scopes = vec!["write".to_owned()];
    let short = ScopeCheck::Short { token_scopes, accepted_scopes: &["global"] };
    assert_eq!(heroku.may_write(WriteTarget::TeamMember), short);
    assert!(server.requests().iter().all(|request| request.method == "GET"));
}

#[test]
fn a_client_that_can_write_shows_no_secret() {
    let real = Settings::new("https://api.heroku.com".parse().unwrap(), TOKEN.into());
    let Ok(door) = Heroku::new(real).and_then(|heroku| heroku.provisioning()) else { return };
    assert!(!format!("{door:?} {:?}", write()).contains(TOKEN));
}
