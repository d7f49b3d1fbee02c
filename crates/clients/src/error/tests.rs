//! What errors look like to a person; when they arise is tested in `tests/it`.
//!
//! Invariant: lower case, one line, no full stop, foreign text in backticks.

use super::*;

fn call() -> Call {
    Call { method: "GET", path: "/teams/ops/members".into(), attempts: 1 }
}

fn answered(answer: Answer) -> ClientError {
    ClientError::Answered { call: call().into(), answer: Box::new(answer) }
}

fn shown(error: &ClientError) -> String {
    format!("{error}\nhint: {}", error.hint().unwrap_or_default())
}

#[test]
fn a_short_scope_is_named_with_the_remedy() {
    let error = answered(Answer {
        status: 403,
        id: Some("forbidden".into()),
        message: Some("You do not have access to the team ops.".into()),
        request_id: Some("a1,b2".into()),
        accepted_scopes: vec!["global".into()],
        token_scopes: vec!["read".into()],
        retry_after: None,
    });
    insta::assert_snapshot!(shown(&error), @r"
    GET /teams/ops/members was answered 403 `forbidden`: `You do not have access to the team ops.` (request id `a1,b2`)
    hint: the token's scope is `read`, and one of `global` is needed; make a token with `heroku authorizations:create --scope global`
    ");
    assert_eq!(error.kind(), ErrorKind::Forbidden { accepted_scopes: vec!["global".into()] });
}

#[test]
fn statuses_have_their_kinds() {
    let kind = |status| answered(Answer { status, ..Answer::default() }).kind();
    assert_eq!(kind(401), ErrorKind::Unauthorized);
    assert_eq!(kind(402), ErrorKind::Refused);
    assert_eq!(kind(404), ErrorKind::NotFound);
    assert_eq!(kind(429), ErrorKind::RateLimited);
    assert_eq!(kind(302), ErrorKind::Refused);
    assert_eq!(kind(503), ErrorKind::Server);
}

#[test]
fn a_role_that_is_too_low_is_not_called_a_scope() {
    let both = vec!["global".to_owned()];
    let error = answered(Answer {
        status: 403,
        accepted_scopes: both.clone(),
        token_scopes: both,
        ..Answer::default()
    });
    insta::assert_snapshot!(shown(&error), @r"
    GET /teams/ops/members was answered 403
    hint: the user of the token has no sufficient role here; ask an admin of the team for one
    ");
}

#[test]
fn other_failures_read_as_sentences() {
    let errors = [
        ClientError::Connection { call: call().into(), reason: "connection refused".into() },
        ClientError::Timeout {
            call: Call { attempts: 5, ..call() }.into(),
            reason: "no byte for 15 s".into(),
        },
        ClientError::Shape {
            call: call().into(),
            expected: "a list of team members",
            reason: "`<html>`".into(),
        },
        ClientError::Repeated { call: call().into(), page: 3, reason: "its cursor was seen before" },
        ClientError::TooLarge { call: call().into(), limit_bytes: 1024 },
        ClientError::Limit { call: call().into(), pages: 10 },
    ];
    let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(text, @r"
    GET /teams/ops/members got no whole answer: connection refused
    GET /teams/ops/members (5 attempts) timed out: no byte for 15 s
    GET /teams/ops/members was answered with something other than a list of team members: `<html>`
    GET /teams/ops/members repeated itself on page 3: its cursor was seen before
    GET /teams/ops/members was answered with more than 1024 bytes
    GET /teams/ops/members did not end within 10 pages
    ");
}
