//! `Range` and what comes back.

use metsuke_simulator::{Manners, Options, Size};

use crate::probe::{Probe, header, json, text};

async fn large() -> Probe {
    let manners = Manners { large_team: true, ..Manners::default() };
    Probe::new(Options::of(Size::Enterprise).manners(manners)).await
}

#[tokio::test]
async fn a_list_without_range_is_cut_at_two_hundred() {
    let probe = large().await;
    let answer = probe.get("/apps").await;
    assert_eq!(answer.status(), 206);
    assert_eq!(header(&answer, "accept-ranges").as_deref(), Some("id, name, updated_at"));
    let next = header(&answer, "next-range").expect("a next page");
    let span = header(&answer, "content-range").expect("a span");
    let rows = json(answer).await;
    let rows = rows.as_array().expect("rows");
    let (first, last) = (text(&rows[0], "id"), text(&rows[199], "id"));
    assert_eq!(rows.len(), 200);
    assert_eq!(next, format!("id ]{last}..; max=200"));
    assert_eq!(span, format!("id {first}..{last}"));
}

#[tokio::test]
async fn a_page_never_has_more_than_a_thousand_rows() {
    let probe = large().await;
    let answer = probe.ranged("/apps", "id ..; max=5000").await;
    let next = header(&answer, "next-range").expect("a next page");
    assert!(next.ends_with("; max=1000"), "{next}");
    assert_eq!(json(answer).await.as_array().map(Vec::len), Some(1_000));
}

#[tokio::test]
async fn walking_reaches_every_row_once_in_every_order() {
    let probe = large().await;
    let apps = probe.simulator.truth().apps().count();
    let ranges =
        ["id ..; max=100", "id ..; max=7, order=desc", "name ..; max=333,order=asc", "name ..; max=90;"];
    for range in ranges {
        let mut seen = std::collections::BTreeSet::new();
        let mut next = Some(range.to_owned());
        let mut rows = 0;
        while let Some(range) = next {
            let answer = probe.ranged("/apps", &range).await;
            next = header(&answer, "next-range");
            for row in json(answer).await.as_array().expect("rows") {
                rows += 1;
                seen.insert(text(row, "id"));
            }
            if rows > 3_000 {
                break;
            }
            if range.contains("max=7") && rows > 100 {
                break;
            }
        }
        if !range.contains("max=7") {
            assert_eq!((rows, seen.len()), (apps, apps), "{range}");
        }
    }
}

#[tokio::test]
async fn a_start_is_inclusive_unless_it_says_otherwise() {
    let probe = Probe::new(Options::default()).await;
    let rows = probe.all("/apps").await;
    let id = text(&rows[4], "id");
    for (range, expected) in [
        (format!("id {id}..; max=1"), 4),
        (format!("id [{id}..; max=1"), 4),
        (format!("id ]{id}..; max=1"), 5),
    ] {
        let page = json(probe.ranged("/apps", &range).await).await;
        assert_eq!(text(&page[0], "id"), text(&rows[expected], "id"), "{range}");
    }
    let whole = json(probe.ranged("/apps", &format!("id {}..{id}", text(&rows[2], "id"))).await).await;
    assert_eq!(whole.as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn malformed_ranges_are_bad_requests() {
    let probe = Probe::new(Options::default()).await;
    let bad = [
        "max=10",
        "id ..; max=10; order=desc",
        "id",
        "id ..; max=0",
        "id ..; max=x",
        "id ..; sort=asc",
        "id ..",
    ];
    for range in bad {
        let answer = probe.ranged("/apps", range).await;
        let expected = if range == "id .." { 200 } else { 400 };
        assert_eq!(answer.status().as_u16(), expected, "{range}");
        if expected == 400 {
            assert_eq!(json(answer).await["id"], "bad_request");
        }
    }
}

#[tokio::test]
async fn an_order_that_a_list_lacks_is_not_satisfiable() {
    let probe = Probe::new(Options::default()).await;
    let app = probe.all("/apps").await[0].clone();
    let path = format!("/teams/apps/{}/collaborators", text(&app, "name"));
    for (path, range) in [("/apps", "email .."), (&path, "email ..")] {
        let answer = probe.ranged(path, range).await;
        assert_eq!(answer.status(), 416, "{path}");
        assert_eq!(json(answer).await["id"], "requested_range_not_satisfiable");
    }
}

#[tokio::test]
async fn lists_that_are_not_paged_ignore_range() {
    let probe = Probe::new(Options::default()).await;
    let answer = probe.ranged("/teams/permissions", "nonsense").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(json(answer).await.as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn a_permissions_listing_is_paged_only_when_asked() {
    let probe = large().await;
    let team = "/teams/northwind-everything/permissions";
    let whole = probe.get(team).await;
    assert_eq!((whole.status().as_u16(), header(&whole, "next-range")), (200, None));
    assert_eq!(json(whole).await.as_array().map(Vec::len), Some(1_120));
    let page = probe.ranged(team, "id ..; max=1000").await;
    assert_eq!(page.status(), 206);
    assert_eq!(probe.all(team).await.len(), 1_120);
    assert_eq!(probe.all("/teams/northwind-everything/members").await.len(), 1_050);
}
