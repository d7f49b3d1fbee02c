//! Tokens, scopes, versions, the pool, caching and identifiers of requests.

use metsuke_simulator::{Allowance, Denial, Manners, Options, Size};
use reqwest::Method;

use crate::probe::{ACCEPT, Probe, header, json, text};

async fn small() -> Probe {
    Probe::new(Options::default()).await
}

#[tokio::test]
async fn a_wrong_token_learns_nothing_about_the_account() {
    let mut probe = small().await;
    probe.token = "HRKU-wrong".to_owned();
    let answer = probe.get("/account").await;
    assert_eq!(answer.status(), 401);
    for name in ["ratelimit-remaining", "oauth-scope", "oauth-scope-accepted"] {
        assert_eq!(header(&answer, name), None, "{name}");
    }
    let body = json(answer).await;
    assert_eq!(body, serde_json::json!({"id": "unauthorized", "message": "Invalid credentials provided."}));
}

#[tokio::test]
async fn basic_authentication_takes_the_token_as_password() {
    let probe = small().await;
    for user in ["", "ada@example.com"] {
        let request = probe.client.get(format!("{}/account", probe.simulator.url()));
        let request = request.basic_auth(user, Some(&probe.token)).header("accept", ACCEPT);
        assert_eq!(request.send().await.expect("an answer").status(), 200);
    }
}

#[tokio::test]
async fn only_version_three_is_acceptable() {
    let probe = small().await;
    let cases = [
        ("*/*", 406),
        ("application/json", 406),
        ("application/vnd.heroku+json; version=2", 406),
        ("application/vnd.heroku+json", 406),
        ("application/vnd.heroku+json; version=3", 200),
        ("application/vnd.heroku+json; version=3.sdk", 200),
        ("application/vnd.heroku+json; version=3.whatever", 200),
    ];
    for (accept, expected) in cases {
        let request = probe.client.get(format!("{}/account", probe.simulator.url()));
        let answer =
            request.bearer_auth(&probe.token).header("accept", accept).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), expected, "{accept}");
    }
}

#[tokio::test]
async fn scopes_limit_what_a_token_may_call() {
    let mut probe = small().await;
    let team = text(&probe.all("/teams").await[0], "name");
    let members = format!("/teams/{team}/members");
    let cases = [
        ("read", "/account", 403),
        ("read", "/apps", 200),
        ("read", "/teams", 200),
        ("read", &members, 403),
        ("identity", "/account", 200),
        ("identity", "/apps", 403),
        ("write-protected", "/apps", 200),
        ("write-protected", &members, 403),
        ("identity-read", "/account", 200),
        ("identity-read", "/apps", 200),
        ("global", &members, 200),
    ];
    for (scope, path, expected) in cases {
        probe.token = probe.simulator.token_with(scope);
        let answer = probe.get(path).await;
        assert_eq!(answer.status().as_u16(), expected, "{scope} {path}");
        assert_eq!(header(&answer, "oauth-scope"), Some(scope.replace("identity-read", "identity read")));
        if path == members {
            assert_eq!(header(&answer, "oauth-scope-accepted").as_deref(), Some("global"));
        }
    }
}

#[tokio::test]
async fn an_empty_pool_refuses_everything_but_the_question_what_is_left() {
    let allowance = Allowance { capacity: 3, per_minute: 0, initial: 3 };
    let probe = Probe::new(Options { allowance, ..Options::default() }).await;
    for left in [2, 1, 0] {
        let answer = probe.get("/account").await;
        assert_eq!(header(&answer, "ratelimit-remaining"), Some(left.to_string()));
    }
    assert_eq!(probe.one("/account/rate-limits").await["remaining"], 0);
    let answer = probe.get("/account").await;
    assert_eq!(answer.status(), 429);
    assert_eq!(header(&answer, "retry-after"), None);
    assert_eq!(json(answer).await["id"], "rate_limit");
    assert_eq!(probe.simulator.stats().lowest_remaining, 0);
}

#[tokio::test]
async fn the_pool_refills_evenly() {
    let allowance = Allowance { capacity: 100, per_minute: 6_000, initial: 0 };
    let probe = Probe::new(Options { allowance, ..Options::default() }).await;
    tokio::time::sleep(std::time::Duration::from_millis(120)).await;
    let left = probe.one("/account/rate-limits").await["remaining"].as_u64().expect("a number");
    assert!((8..100).contains(&left), "{left}");
}

#[tokio::test]
async fn an_unchanged_list_is_not_sent_twice() {
    let probe = small().await;
    let first = probe.get("/apps").await;
    let etag = header(&first, "etag").expect("an ETag");
    assert_eq!(etag.len(), 34);
    assert!(header(&first, "last-modified").is_some_and(|date| date.ends_with("GMT")));
    let again = probe.request(Method::GET, "/apps").header("if-none-match", &etag);
    let again = again.send().await.expect("an answer");
    assert_eq!((again.status().as_u16(), again.content_length().unwrap_or(0)), (304, 0));
    let app = text(&json(first).await[0], "name");
    probe.simulator.edit(|world| world.rename_app(&app, "renamed-app"));
    let again = probe.request(Method::GET, "/apps").header("if-none-match", &etag);
    assert_eq!(again.send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_request_id_of_the_client_is_kept() {
    let probe = small().await;
    let own = "0b2b0d70-5c2e-4d2e-9a50-6d1d5b6b1a11";
    let answer =
        probe.request(Method::GET, "/account").header("request-id", own).send().await.expect("an answer");
    let ids = header(&answer, "request-id").expect("ids");
    assert_eq!(ids.split(',').count(), 4);
    assert!(ids.starts_with(own));
}

#[tokio::test]
async fn a_team_without_a_role_is_forbidden() {
    let probe = Probe::new(Options::of(Size::Enterprise)).await;
    let account = text(&probe.all("/enterprise-accounts").await[0], "id");
    let teams = probe.all(&format!("/enterprise-accounts/{account}/teams")).await;
    let roleless = teams.iter().find(|team| team["role"].is_null()).expect("a team without a role");
    assert_eq!(probe.all("/teams").await.len(), teams.len() - 1);
    for list in ["members", "permissions", "apps"] {
        assert_eq!(probe.status(&format!("/teams/{}/{list}", text(roleless, "id"))).await, 403);
    }
}

#[tokio::test]
async fn standard_teams_turn_permission_listings_down_as_told() {
    for (denial, expected) in [(Denial::Forbidden, 403), (Denial::NotFound, 404), (Denial::Empty, 200)] {
        let manners = Manners { standard_permissions: denial, ..Manners::default() };
        let probe = Probe::new(Options::of(Size::Standard).manners(manners)).await;
        let team = text(&probe.all("/teams").await[0], "name");
        assert_eq!(probe.status(&format!("/teams/{team}/permissions")).await, expected);
    }
}

#[tokio::test]
async fn hidden_apps_are_found_through_their_team() {
    let manners = Manners { unjoined_hidden: true, ..Manners::default() };
    let probe = Probe::new(Options::of(Size::Enterprise).manners(manners)).await;
    let apps = probe.simulator.truth().apps().count();
    assert!(probe.all("/apps").await.len() < apps);
    assert_eq!(probe.grants().await, probe.simulator.truth().grant_set());
}

#[tokio::test]
async fn last_login_is_shown_only_to_the_sdk_variant() {
    let probe = small().await;
    let account = text(&probe.all("/enterprise-accounts").await[0], "name");
    let path = format!("/enterprise-accounts/{account}/members");
    assert!(probe.one(&path).await[0].get("last_login").is_none());
    let request = probe.client.get(format!("{}{path}", probe.simulator.url())).bearer_auth(&probe.token);
    let answer = request.header("accept", "application/vnd.heroku+json; version=3.sdk").send().await;
    assert!(json(answer.expect("an answer")).await[0].get("last_login").is_some());
}

#[tokio::test]
async fn requests_are_counted_and_remembered() {
    let probe = small().await;
    probe.get("/account").await;
    probe.ranged("/apps", "id ..; max=5").await;
    probe.get("/nothing/here").await;
    let stats = probe.simulator.stats();
    assert_eq!((stats.requests, stats.by_route["GET /apps"], stats.by_status[&404]), (3, 1, 1));
    assert_eq!(stats.log[1].range.as_deref(), Some("id ..; max=5"));
    assert_eq!((stats.log[1].path.as_str(), stats.log[1].status), ("/apps", 206));
    assert_eq!(stats.max_in_flight, 1);
}

#[tokio::test]
async fn filtering_apps_answers_only_those_asked_for() {
    let probe = small().await;
    let rows = probe.all("/apps").await;
    let wanted = serde_json::json!({"in": {"id": [rows[1]["id"], rows[3]["id"]]}});
    let (status, body) = probe.write(Method::POST, "/filters/apps", &wanted).await;
    assert_eq!((status, body.as_array().map(Vec::len)), (200, Some(2)));
}
