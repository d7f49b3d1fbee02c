//! Lists of several pages, and servers whose lists do not end.
//!
//! Invariant: a list that was not read whole is never reported as finished.

use std::time::Duration;

use metsuke_clients::heroku::{Walk, endpoint, wire};
use metsuke_clients::{ClientError, ErrorKind};

use super::{Server, Turn, client, settings};

async fn all(walk: &mut Walk<wire::Team>) -> Result<Vec<String>, ClientError> {
    let mut ids = Vec::new();
    while !walk.finished() {
        ids.extend(walk.next().await?.rows.into_iter().map(|team| team.id));
    }
    Ok(ids)
}

#[tokio::test]
async fn three_pages_are_read_in_three_calls() {
    let server = Server::script(vec![
        Turn::page(&["a", "b"], Some("id ]b..; max=1000")),
        Turn::page(&["c"], Some("id ]c..; max=1000")),
        Turn::page(&["d"], None),
    ])
    .await;
    let mut walk = client(&server).walk(endpoint::teams());
    assert_eq!(all(&mut walk).await.unwrap(), ["a", "b", "c", "d"]);
    assert_eq!((walk.pages(), walk.rows(), walk.calls()), (3, 4, 3));
    let requests = server.requests();
    let ranges: Vec<_> = requests.iter().map(|request| request.header("range").unwrap()).collect();
    assert_eq!(ranges, ["id ..; max=1000", "id ]b..; max=1000", "id ]c..; max=1000"]);
    assert_eq!(requests[0].header("accept"), Some("application/vnd.heroku+json; version=3"));
    assert_eq!(requests[0].header("accept-encoding"), None);
    assert_eq!(requests[0].header("authorization").unwrap(), format!("Bearer {}", super::TOKEN));
    assert!(requests[0].header("user-agent").unwrap().starts_with("metsuke/"));
}

#[tokio::test]
async fn the_cursor_counts_and_not_the_status() {
    let mut first = Turn::page(&["a"], None);
    first = first.with("next-range", "id ]a..; max=1000");
    let server = Server::script(vec![first, Turn::new(206, r#"[{"id":"b"}]"#)]).await;
    assert_eq!(all(&mut client(&server).walk(endpoint::teams())).await.unwrap(), ["a", "b"]);
}

#[tokio::test]
async fn an_empty_list_is_one_page() {
    let server = Server::script(vec![Turn::page(&[], None)]).await;
    let mut walk = client(&server).walk(endpoint::teams());
    let page = walk.next().await.unwrap();
    assert!(page.last && page.rows.is_empty() && walk.finished());
    assert!(walk.next().await.unwrap().rows.is_empty());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_cursor_that_does_not_advance_is_an_error() {
    let server = Server::start(|request| {
        let id = format!("row-{}", request.number);
        Turn::page(&[&id], Some("id ]same..; max=1000"))
    })
    .await;
    let mut walk = client(&server).walk(endpoint::teams());
    walk.next().await.unwrap();
    let error = walk.next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Repeated);
    assert_eq!((walk.calls(), walk.finished()), (6, false));
}

#[tokio::test]
async fn a_loop_of_several_cursors_is_an_error() {
    let server = Server::start(|request| {
        let id = format!("row-{}", request.number);
        Turn::page(&[&id], Some(["one", "two", "three"][request.number % 3]))
    })
    .await;
    let error = all(&mut client(&server).walk(endpoint::teams())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Repeated);
}

#[tokio::test]
async fn a_page_that_comes_again_is_asked_for_again() {
    let server = Server::script(vec![
        Turn::page(&["a", "b"], Some("two")),
        Turn::page(&["a", "b"], Some("three")),
        Turn::page(&["c"], None),
    ])
    .await;
    let mut walk = client(&server).walk(endpoint::teams());
    assert_eq!(all(&mut walk).await.unwrap(), ["a", "b", "c"]);
    assert_eq!((walk.pages(), walk.calls()), (2, 3));
    assert_eq!(server.requests()[2].header("range"), Some("two"));
}

#[tokio::test]
async fn an_unreadable_cursor_is_not_the_end() {
    let server = Server::script(vec![Turn::page(&["a"], None).with("Next-Range", "")]).await;
    let error = all(&mut client(&server).walk(endpoint::teams())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Shape);
}

#[tokio::test]
async fn endless_pages_end_at_the_limit() {
    let server = Server::start(|request| {
        let n = request.number;
        Turn::page(&[&format!("row-{n}")], Some(&format!("id ]row-{n}..")))
    })
    .await;
    let mut few = settings(&server);
    few.max_pages = 20;
    let mut walk = metsuke_clients::heroku::Heroku::new(few).unwrap().walk(endpoint::teams());
    let error = all(&mut walk).await.unwrap_err();
    assert_eq!((error.kind(), walk.pages(), walk.finished()), (ErrorKind::Limit, 20, false));
    assert_eq!(error.to_string(), "GET /teams did not end within 20 pages");
}

#[tokio::test]
async fn a_refused_variant_is_left_out_for_the_whole_walk() {
    let server = Server::start(|request| {
        let sdk = request.header("accept").unwrap().ends_with("version=3.sdk");
        match (sdk, request.header("range")) {
            (true, _) => Turn::new(406, r#"{"id":"not_acceptable"}"#),
            (false, Some("two")) => Turn::page(&["b"], None),
            (false, _) => Turn::page(&["a"], Some("two")),
        }
    })
    .await;
    let mut walk = client(&server).walk(endpoint::enterprise_members("acme"));
    while !walk.finished() {
        walk.next().await.unwrap();
    }
    assert_eq!((walk.rows(), walk.calls()), (2, 3));
}

#[tokio::test]
async fn a_406_without_a_variant_is_final() {
    let server = Server::script(vec![Turn::new(406, r#"{"id":"not_acceptable"}"#)]).await;
    let mut walk = client(&server).walk(endpoint::enterprise_members("acme"));
    assert_eq!(walk.next().await.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(walk.calls(), 2);
}

#[tokio::test]
async fn a_refused_range_is_left_out_once() {
    let server = Server::start(|request| match request.header("range") {
        Some("id ]a..; max=200") => Turn::page(&["b"], None),
        Some(_) => Turn::new(416, r#"{"id":"requested_range_not_satisfiable"}"#),
        None => Turn::page(&["a"], Some("id ]a..; max=200")),
    })
    .await;
    let mut walk = client(&server).walk(endpoint::teams());
    assert_eq!(all(&mut walk).await.unwrap(), ["a", "b"]);
    assert_eq!(walk.calls(), 3);
}

#[tokio::test]
async fn filtering_posts_its_ids_with_every_page() {
    let server = Server::script(vec![Turn::page(&["a"], Some("two")), Turn::page(&["b"], None)]).await;
    let mut walk = client(&server).walk(endpoint::filter_apps(&["a".into(), "b".into()]));
    while !walk.finished() {
        walk.next().await.unwrap();
    }
    for request in server.requests() {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/filters/apps"));
        assert_eq!(request.body, r#"{"in":{"id":["a","b"]}}"#);
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn a_dropped_call_leaves_the_walk_usable() {
    let server = Server::start(|request| match request.number {
        0 => Turn::page(&["a"], Some("two")),
        1 => Turn::page(&["b"], None).after(Duration::from_secs(30)),
        _ => Turn::page(&["b"], None),
    })
    .await;
    let mut walk = client(&server).walk(endpoint::teams());
    walk.next().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(200), walk.next()).await.is_err());
    assert_eq!((walk.pages(), walk.calls()), (1, 2));
    assert_eq!(all(&mut walk).await.unwrap(), ["b"]);
    assert_eq!((walk.pages(), walk.calls()), (2, 3));
}

#[tokio::test]
async fn a_list_in_an_object_goes_on_at_the_cursor_of_its_body() {
    let server = Server::script(vec![
        Turn::new(200, r#"{"data":[{"id":"a"},{"id":"b"}],"cursor":"x/y"}"#),
        Turn::new(200, r#"{"data":[{"id":"c"}],"cursor":"z"}"#),
        Turn::new(200, r#"{"data":[],"cursor":"z"}"#),
    ])
    .await;
    let mut walk = client(&server).walk(endpoint::enterprise_events("acme", "2026-11-21"));
    let mut ids = Vec::new();
    while !walk.finished() {
        ids.extend(walk.next().await.unwrap().rows.into_iter().map(|event| event.id));
    }
    assert_eq!(ids, ["a", "b", "c"]);
    let paths: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    let first = "/enterprise-accounts/acme/events?day=2026-11-21";
    assert_eq!(paths, [first.to_owned(), format!("{first}&cursor=x%2Fy"), format!("{first}&cursor=z")]);
    let server = Server::script(vec![Turn::new(200, r#"[{"id":"a"}]"#)]).await;
    let mut walk = client(&server).walk(endpoint::enterprise_events("acme", "2026-11-21"));
    assert!(walk.next().await.unwrap().last, "a bare list is one, too");
}
