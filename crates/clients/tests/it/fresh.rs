//! The reads that decide about a write, and the part of the pool that is kept for them.
//!
//! Invariant: a fresh read is the whole list or an error.

use std::time::Duration;

use metsuke_clients::ErrorKind;
use metsuke_clients::heroku::{Heroku, TeamRole, WriteAnswer, WriteCall, endpoint, item};

use super::{Server, Turn, client, provisioning, settings};

const SOON: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_team_is_read_with_all_its_members_and_past_every_cache() {
    let server = Server::script(vec![
        Turn::page(&["a", "b"], Some("id ]b..; max=1000")),
        Turn::page(&["c"], None),
        Turn::page(&[], None),
        Turn::new(200, r#"{"id":"t1","name":"ops"}"#),
        Turn::new(200, r#"{"id":"a1","name":"shop","locked":true}"#),
        Turn::new(200, r#"{"id":"u1"}"#),
        Turn::page(&["d"], None),
    ])
    .await;
    let door = provisioning(&server);
    assert_eq!(door.all(endpoint::team_members("ops")).await.unwrap().len(), 3);
    assert!(door.all(endpoint::team_invitations("ops")).await.unwrap().is_empty());
    assert_eq!(door.one(&item::team("ops")).await.unwrap().name.as_deref(), Some("ops"));
    assert_eq!(door.one(&item::app("shop")).await.unwrap().locked, Some(true));
    assert_eq!(door.one(&item::account()).await.unwrap().id, "u1");
    assert_eq!(door.all(endpoint::collaborators("shop")).await.unwrap()[0].id, "d");
    let requests = server.requests();
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    let members = "/teams/ops/members";
    let others =
        ["/teams/ops/invitations", "/teams/ops", "/apps/shop", "/account", "/apps/shop/collaborators"];
    assert_eq!(paths, [&[members, members][..], &others].concat());
    assert!(requests.iter().all(|request| request.header("cache-control") == Some("no-cache")));
}

#[tokio::test]
async fn a_sync_does_not_ask_past_caches() {
    let server = Server::script(vec![Turn::page(&["a"], None)]).await;
    client(&server).walk(endpoint::teams()).next().await.unwrap();
    assert_eq!(server.requests()[0].header("cache-control"), None);
}

#[tokio::test]
async fn half_a_list_is_an_error() {
    let server =
        Server::script(vec![Turn::page(&["a"], Some("id ]a..; max=1000")), Turn::new(403, "{}")]).await;
    let error = provisioning(&server).all(endpoint::team_members("ops")).await.unwrap_err();
    assert_eq!(error.status(), Some(403));
}

#[tokio::test]
async fn an_object_of_another_shape_is_an_error() {
    for body in ["[]", r#"{"name":"ops"}"#, ""] {
        let server = Server::script(vec![Turn::new(200, body)]).await;
        assert!(provisioning(&server).one(&item::team("ops")).await.is_err(), "{body}");
    }
    let server = Server::script(vec![Turn::new(404, r#"{"id":"not_found"}"#)]).await;
    let error = provisioning(&server).one(&item::app("shop")).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::NotFound, 1));
}

#[test]
fn hostile_names_stay_one_segment() {
    assert_eq!(item::app("a/../b?c").path(), "/apps/a%2F..%2Fb%3Fc");
    assert_eq!(item::team("..").path(), "/teams/%252E%252E");
}

#[tokio::test]
async fn a_feature_is_on_only_when_the_list_says_so() {
    let on = r#"[{"id":"1","name":"org-access-controls","enabled":true,"state":"general"},
        {"id":"2","name":"team-invite-acceptance","enabled":false},{"id":"3","name":"new","enabled":null},
        {"id":"4","enabled":true}]"#;
    let server = Server::script(vec![
        Turn::new(200, on),
        Turn::new(200, r#"[{"id":"2","name":"team-invite-acceptance","enabled":true}]"#),
        Turn::new(200, "[]"),
    ])
    .await;
    let door = provisioning(&server);
    let mut found = Vec::new();
    for _ in 0..3 {
        let features = door.team_features("ops").await.unwrap();
        assert!(!features.has("new"));
        found.push((features.has_app_permissions(), features.wants_invitations()));
    }
    assert_eq!(found, [(true, false), (false, true), (false, false)]);
    assert_eq!(server.requests()[0].path, "/teams/ops/features");
}

/// A client with a pool of 100 and 10 of it in reserve, of which `left` are left.
async fn with_left(left: &str, max_in_flight: usize) -> (Server, Heroku) {
    let turn = Turn::new(200, r#"{"id":"a"}"#).with("RateLimit-Remaining", left);
    let list = Turn::page(&["a"], None).with("RateLimit-Remaining", left);
    let server = Server::start(move |request| {
        if request.path.ends_with("/members") && request.method == "GET" { &list } else { &turn }.clone()
    })
    .await;
    let mut settings = settings(&server);
    (settings.pool, settings.refill_per_minute, settings.max_in_flight) = (100, 1, max_in_flight);
    let heroku = Heroku::new(settings).unwrap();
    heroku.account().await.unwrap();
    (server, heroku)
}

fn write() -> WriteCall {
    WriteCall::set_member("ops", "ann@example.com", TeamRole::Admin).unwrap()
}

#[tokio::test]
async fn provisioning_uses_the_reserve_that_a_sync_leaves() {
    let (server, heroku) = with_left("8", 8).await;
    let mut sync = heroku.walk(endpoint::teams());
    assert!(tokio::time::timeout(SOON, sync.next()).await.is_err());
    assert!(tokio::time::timeout(SOON, heroku.account()).await.is_err());
    assert_eq!(server.requests().len(), 1);
    let door = heroku.provisioning().unwrap();
    assert!(matches!(door.send_write(&write()).await, WriteAnswer::Confirmed { .. }));
    assert_eq!(door.all(endpoint::team_members("ops")).await.unwrap().len(), 1);
    door.one(&item::team("ops")).await.unwrap();
    assert_eq!(server.requests().len(), 4);
    // The client that it came from is still one of a sync.
    assert!(tokio::time::timeout(SOON, sync.next()).await.is_err());
    assert_eq!(heroku.usage().requests, 4);
}

#[tokio::test]
async fn a_sync_that_waits_for_the_budget_holds_no_place_in_flight() {
    let (server, heroku) = with_left("8", 1).await;
    let door = heroku.provisioning().unwrap();
    let (mut sync, write) = (heroku.walk(endpoint::teams()), write());
    tokio::select! {
        biased;
        page = sync.next() => panic!("{page:?}"),
        answer = door.send_write(&write) => assert_eq!(answer.status(), Some(200)),
        () = tokio::time::sleep(Duration::from_secs(5)) => panic!("the write never had its turn"),
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn provisioning_waits_when_the_pool_is_empty() {
    let (server, heroku) = with_left("0", 8).await;
    let door = heroku.provisioning().unwrap();
    let (write, mut asked) = (write(), 0);
    let sending = door.send_write_if(&write, |number| {
        asked = number;
        true
    });
    assert!(tokio::time::timeout(SOON, sending).await.is_err());
    assert_eq!((server.requests().len(), asked), (1, 0));
}
