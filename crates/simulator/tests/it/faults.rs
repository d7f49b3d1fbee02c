//! Every fault does what its name says, and only to the request that it is meant for.

use std::time::{Duration, Instant};

use metsuke_simulator::{Fault, FaultKind, Options, Size};

use crate::probe::{Probe, header, json};

async fn with(fault: &str) -> Probe {
    Probe::new(Options::default().fault(fault.parse().expect("a fault"))).await
}

#[tokio::test]
async fn refusals_by_name_have_their_status_and_strike_once() {
    let cases = [
        ("rate-limit-429", 429, "rate_limit"),
        ("server-error-500", 500, "server_error"),
        ("unauthorized-401", 401, "unauthorized"),
        ("forbidden-403", 403, "forbidden"),
        ("not-found-404", 404, "not_found"),
    ];
    for (name, status, id) in cases {
        let probe = with(&format!("{name}@/apps#1")).await;
        assert_eq!(probe.status("/account").await, 200);
        let answer = probe.get("/apps").await;
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(json(answer).await["id"], id);
        assert_eq!(probe.status("/apps").await, 200);
    }
}

#[tokio::test]
async fn router_errors_are_not_json() {
    let answer = with("bad-gateway-html-502").await.get("/apps").await;
    assert_eq!(answer.status(), 502);
    assert_eq!(header(&answer, "content-type").as_deref(), Some("text/html; charset=utf-8"));
    let answer = with("unavailable-503").await.get("/apps").await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.text().await.expect("a body"), "");
}

#[tokio::test]
async fn a_fault_can_be_aimed_at_the_nth_request() {
    let probe = with("server-error-500@n:3").await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(probe.status("/account").await);
    }
    assert_eq!(statuses, [200, 200, 500, 200, 200]);
}

#[tokio::test]
async fn a_truncated_answer_ends_in_the_middle_of_its_body() {
    let probe = with("truncated-body@/apps#1").await;
    let answer = probe.get("/apps").await;
    assert!(answer.status().is_success());
    assert!(answer.bytes().await.is_err());
    assert!(probe.get("/apps").await.bytes().await.is_ok());
    let probe = with("truncated-body@/spaces#1").await;
    assert!(probe.get("/spaces").await.bytes().await.is_err());
}

#[tokio::test]
async fn a_reset_connection_answers_nothing() {
    let probe = with("connection-reset@n:2").await;
    assert_eq!(probe.status("/account").await, 200);
    // The client may try once more by itself on a reused connection, but not twice: the first is counted.
    let path = format!("{}/apps", probe.simulator.url());
    let fresh = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
    let request = fresh.get(path).bearer_auth(&probe.token).header("accept", crate::probe::ACCEPT);
    assert!(request.send().await.is_err());
    assert_eq!(probe.status("/apps").await, 200);
    assert_eq!(probe.simulator.stats().log[1].status, 0);
}

#[tokio::test]
async fn a_wrong_type_is_still_json() {
    let probe = with("wrong-type").await;
    assert!(probe.one("/apps").await.is_object());
    assert!(probe.one("/account").await.is_array());
}

#[tokio::test]
async fn a_slow_answer_takes_its_time_and_is_complete() {
    let probe = with("slow-drip=400@/apps").await;
    let started = Instant::now();
    let rows = probe.one("/apps").await;
    assert!(started.elapsed() >= Duration::from_millis(380));
    assert!(rows.as_array().is_some_and(|rows| rows.len() > 20));
}

#[tokio::test]
async fn a_repeated_page_is_the_one_before_with_its_cursor() {
    let probe = Probe::new(Options::of(Size::Enterprise)).await;
    let first = probe.ranged("/apps", "id ..; max=10").await;
    let next = header(&first, "next-range").expect("a next page");
    let first = json(first).await;
    probe.simulator.faults().add(Fault::always(FaultKind::RepeatedPage).on("/apps").times(1));
    let again = probe.ranged("/apps", &next).await;
    assert_eq!(header(&again, "next-range").as_deref(), Some(next.as_str()));
    assert_eq!(json(again).await, first);
    assert_ne!(json(probe.ranged("/apps", &next).await).await, first);
}

#[tokio::test]
async fn a_repeated_first_page_points_at_itself() {
    let probe = with("repeated-page#1").await;
    let answer = probe.ranged("/apps", "id ..; max=1000").await;
    assert_eq!(header(&answer, "next-range").as_deref(), Some("id ..; max=1000"));
}

#[tokio::test]
async fn hostile_answers_are_as_hostile_as_they_claim() {
    let probe = with("endless-next-range").await;
    let mut cursors = std::collections::BTreeSet::new();
    for _ in 0..5 {
        cursors.insert(header(&probe.get("/apps").await, "next-range").expect("always a next page"));
    }
    assert_eq!(cursors.len(), 5);
    let body = with("deep-json").await.get("/apps").await.bytes().await.expect("a body");
    assert!(body.starts_with(b"[[[[") && body.len() == 400_000);
    let huge = with("huge-body").await.get("/apps").await;
    assert!(huge.content_length().is_some_and(|length| length > 500_000_000));
}

#[tokio::test]
async fn patterns_match_whole_segments() {
    let probe = with("forbidden-403@/teams/*/members").await;
    let team = probe.all("/teams").await[0]["name"].as_str().expect("a name").to_owned();
    assert_eq!(probe.status(&format!("/teams/{team}/members")).await, 403);
    assert_eq!(probe.status(&format!("/teams/{team}/apps")).await, 200);
    let probe = with("forbidden-403@/teams$").await;
    assert_eq!(probe.status("/teams").await, 403);
    assert_eq!(probe.status(&format!("/teams/{team}")).await, 200);
}

#[tokio::test]
async fn a_refused_write_has_no_effect() {
    let probe = with("server-error-500@/teams#1").await;
    let before = probe.simulator.truth().grant_set();
    let team = probe.simulator.edit(|world| world.enterprise_team_names()).expect("a held estate")[0].clone();
    let body = serde_json::json!({"email": "new@example.com", "role": "member"});
    let path = format!("/teams/{team}/members");
    assert_eq!(probe.write(reqwest::Method::PUT, &path, &body).await.0, 500);
    assert_eq!(probe.simulator.truth().grant_set(), before);
}

#[test]
fn faults_are_written_as_they_are_read() {
    for text in ["slow-drip=1500@/apps#2", "forbidden-403@n:17#1", "truncated-body", "wrong-type#4"] {
        assert_eq!(text.parse::<Fault>().expect("a fault").to_string(), text);
    }
    for kind in FaultKind::ALL {
        assert_eq!(kind.as_str().parse::<Fault>().expect("a fault").kind.as_str(), kind.as_str());
    }
    for text in ["", "nonsense", "wrong-type@here", "wrong-type=5", "wrong-type#x"] {
        assert!(text.parse::<Fault>().is_err(), "{text}");
    }
}
