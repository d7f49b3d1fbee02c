//! Who sees which page, and what stands on it.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_engine::identity::Role;
use metsuke_engine::lists;
use metsuke_model::audit::Actor;
use reqwest::Method;

use super::estate::{Estate, link_to, links};
use crate::browser::Ask;

const LISTS: [&str; 16] = [
    "/",
    "/people",
    "/teams",
    "/apps",
    "/enterprise-accounts",
    "/matrix",
    "/graph",
    "/query",
    "/changes",
    "/findings",
    "/rules",
    "/rules/channels",
    "/provisioning",
    "/connectors",
    "/audit",
    "/settings",
];

#[tokio::test]
async fn nobody_sees_a_page_without_signing_in() {
    let estate = Estate::new().await;
    let mut browser = estate.house.browser();
    for page in LISTS {
        let answer = browser.get(page).await;
        assert_eq!(answer.status, 303, "{page}");
        let to = answer.header("location").to_owned();
        assert!(to.starts_with("/auth/sign-in?next=%2F"), "{page} leads to {to}");
        assert_eq!(browser.get(&to).await.status, 200);
    }
}

/// Follows every link of every page, a few of each kind of page.
#[tokio::test]
async fn every_link_leads_to_a_page_that_loads_nothing_of_others() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Admin).await;
    let mut waiting: Vec<String> = LISTS.iter().map(|&page| page.to_owned()).collect();
    waiting.push("/styleguide".to_owned());
    let (mut seen, mut of_kind) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
    while let Some(page) = waiting.pop() {
        if page == "/auth/sign-out" || !seen.insert(page.clone()) {
            continue;
        }
        let path = page.split('?').next().unwrap();
        let kind: String = path.split('/').take(2).collect::<Vec<_>>().join("/");
        let depth = path.matches('/').count();
        let count = of_kind.entry(format!("{kind} {depth} {}", page.contains('?'))).or_default();
        *count += 1;
        if *count > 12 {
            continue;
        }
        let answer = browser.get(&page).await;
        assert_eq!(answer.status, 200, "{page}: {}", answer.body);
        if page.contains("format=json") || page.contains("format=svg") || page.contains("/catalogue") {
            continue;
        }
        if page.contains("format=csv") {
            assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8", "{page}");
            continue;
        }
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{page}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self';"), "{policy}");
        assert!(answer.body.len() < 200_000, "{page} has {} bytes", answer.body.len());
        for inline in [" style=", " onclick=", "<style", "javascript:", "src=\"http", "href=\"http"] {
            assert!(!answer.body.contains(inline), "{page} holds {inline}");
        }
        assert_eq!(answer.body.matches("<h1").count().min(1), 1, "{page} has no head");
        waiting.extend(links(&answer));
    }
    assert!(seen.len() > 60, "only {} pages were found", seen.len());
}

#[tokio::test]
async fn an_app_says_who_can_do_what_and_why() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let mut snapshot = estate.snapshot().await;
    let apps = lists::apps(&mut snapshot).await.unwrap();
    let app = apps.into_iter().rfind(|app| app.team.is_some() && app.locked == Some(false)).unwrap();
    let page = browser.get(&format!("/apps/{}", app.id)).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let name = app.name.unwrap();
    assert!(page.body.contains(&format!("<h1><bdi>{name}</bdi></h1>")), "{}", page.body);
    assert!(page.body.contains("Admin of team") && page.body.contains("can deploy"), "{}", page.body);
    // The name leads to the same page as the id.
    assert_eq!(browser.get(&format!("/apps/{name}")).await.status, 200);
    let person = browser.get(&link_to(&page, "/people/")).await;
    assert!(person.body.contains("What they can reach, and by which path"), "{}", person.body);
}

#[tokio::test]
async fn a_list_is_found_by_words_sorted_and_narrowed() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let all = browser.get("/people").await;
    let some = browser.get("/people?q=new.admin").await;
    assert!(some.body.contains("new.admin@example.com") && some.body.contains(" of "), "{}", some.body);
    assert!(some.body.len() < all.body.len());
    let first = |body: &str, sort: &str| {
        let rows = body.split("<tbody>").nth(1).unwrap_or_default();
        assert!(!rows.is_empty(), "{sort}: {body}");
        rows.split("</bdi>").next().unwrap().rsplit('>').next().unwrap().to_owned()
    };
    let up = first(&browser.get("/apps?sort=name").await.body, "up");
    let down = first(&browser.get("/apps?sort=-name").await.body, "down");
    assert_ne!(up, down);
    let none = browser.get("/apps?q=nothing-is-called-so").await;
    assert!(none.body.contains("Nothing fits") && none.body.contains("Show all"), "{}", none.body);
    let columns = browser.get("/apps?cols=-&cols=space").await;
    assert!(columns.body.contains(">Space</a>") && !columns.body.contains(">Owner</a>"), "{}", columns.body);
}

#[tokio::test]
async fn somebody_who_types_is_sent_the_list_alone() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let part = browser.bare(Method::GET, "/people?q=new", Ask::default().with("x-part", "list")).await;
    assert_eq!(part.status, 200);
    assert!(part.body.contains("data-list") && !part.body.contains("<html"), "{}", part.body);
}

#[tokio::test]
async fn the_date_is_carried_from_link_to_link() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let page = browser.get("/people?as_of=1").await;
    assert!(page.body.contains("You look at the past"), "{}", page.body);
    assert!(!page.body.contains("new.admin@example.com"), "that admin came later");
    let carried = |link: &String| link.contains("as_of=1") || link == "/people" || link == "/";
    let all = links(&page);
    assert!(all.iter().all(carried), "{all:?}");
    assert_eq!(browser.get("/people?as_of=yesterday").await.status, 422);
    let before = browser.get("/people?as_of=2001-01-01").await;
    assert!(before.body.contains("Nothing to show"), "{}", before.body);
}

#[tokio::test]
async fn a_person_is_compared_with_another_date_and_changes_are_told() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let person = browser.get("/people/new.admin@example.com?compare=1").await;
    assert!(person.body.contains("Gained") && person.body.contains("privileged"), "{}", person.body);
    let changes = browser.get("/changes?q=new.admin").await;
    assert!(changes.body.contains("now holds") && changes.body.contains("gained"), "{}", changes.body);
    let one = browser.get(&link_to(&changes, "/changes/")).await;
    assert_eq!(one.status, 200, "{}", one.body);
}

#[tokio::test]
async fn what_is_not_there_is_told_as_a_page() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    for page in ["/apps/nothing", "/people/nobody@example.com", "/teams/none", "/changes/9-9", "/findings/0"]
    {
        let answer = browser.get(page).await;
        assert_eq!(answer.status, 404, "{page}");
        assert!(answer.body.contains("There is nothing here"), "{page}: {}", answer.body);
    }
    let lost = browser.bare(Method::GET, "/nowhere", Ask::default().with("accept", "text/html")).await;
    assert!(lost.status == 404 && lost.body.contains("no page at this address"), "{}", lost.body);
}

#[tokio::test]
async fn what_pages_load_is_kept_for_good() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let page = browser.get("/").await;
    for kind in ["css\"", "js\"", "svg\""] {
        let end = page.body.find(kind).unwrap() + kind.len() - 1;
        let start = page.body[..end].rfind('"').unwrap() + 1;
        let asset = browser.get(&page.body[start..end]).await;
        assert_eq!(asset.status, 200, "{kind}");
        assert!(asset.header("cache-control").contains("immutable"), "{kind}");
    }
    assert_eq!(browser.get("/assets/other.css").await.status, 404);
}

#[tokio::test]
async fn changes_of_several_connectors_are_one_feed_each_naming_its_own() {
    let estate = Estate::new().await;
    let second = estate.another("Second").await;
    let team = lists::teams(&mut estate.snapshot().await).await.unwrap().remove(0).name.unwrap();
    for count in 0..40 {
        let member = format!("late.{count}@example.com");
        estate.simulator.edit(|world| world.set_member(&team, &member, Some("member")));
    }
    estate.house.installation.sync_now(&Actor::operator("test"), second).await.unwrap();
    estate.later(|_| {}).await;
    let mut browser = estate.browser(Role::Viewer).await;
    let (mut page, mut places, mut names) = (browser.get("/changes").await, Vec::new(), BTreeSet::new());
    loop {
        assert_eq!(page.status, 200, "{}", page.body);
        for name in ["Example", "Second"] {
            if page.body.contains(&format!("in <bdi title=\"\">{name}</bdi>")) {
                names.insert(name);
            }
        }
        let found = links(&page).into_iter().filter(|link| link.starts_with("/changes/"));
        places.extend(found.filter(|link| link.contains("connector=")));
        let Some(next) = links(&page).into_iter().find(|link| link.contains("cursor=")) else { break };
        page = browser.get(&next).await;
    }
    assert_eq!(names.len(), 2, "{names:?}");
    let of_second = places.iter().filter(|place| place.contains(&second.to_string())).count();
    assert!(of_second >= 40 && places.len() > of_second, "{of_second} of {}", places.len());
    let mut each = places.clone();
    each.sort_unstable();
    each.dedup();
    assert!(each.len() >= 80, "{}", each.len());
    let shown = browser.get(places.iter().find(|place| place.contains(&second.to_string())).unwrap()).await;
    assert_eq!(shown.status, 200);
    let narrowed = browser.get(&format!("/changes?connector={second}")).await;
    assert!(!narrowed.body.contains("in <bdi title=\"\">"), "{}", narrowed.body);
}
