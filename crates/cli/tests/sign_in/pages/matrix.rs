//! The matrix: who can do what on which app, forwards and backwards, and as a file.

use metsuke_engine::identity::Role;

use super::estate::{Estate, links};
use crate::browser::Answer;

/// The rows or the apps that a page shows.
fn shown<'a>(page: &'a Answer, head: &'static str) -> Vec<&'a str> {
    page.body.split(head).skip(1).filter_map(|rest| rest.split("</th>").next()).collect()
}

const PEOPLE: &str = "<th scope=\"row\">";
const APPS: &str = "<th scope=\"col\" class=\"app\">";

fn to(page: &Answer, name: &str) -> String {
    links(page).into_iter().find(|link| link.contains(&format!("{name}="))).unwrap_or_default()
}

#[tokio::test]
async fn apps_and_people_are_paged_both_ways() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let first = browser.get("/matrix").await;
    assert!(first.status == 200 && first.body.contains("hold something on these 16 of"), "{}", first.body);
    assert!(to(&first, "left").is_empty(), "there is nothing before the first app");
    let second = browser.get(&to(&first, "right")).await;
    let back = browser.get(&to(&second, "left")).await;
    assert_ne!(shown(&first, APPS), shown(&second, APPS));
    assert_eq!(shown(&first, APPS), shown(&back, APPS));
    assert_eq!(shown(&first, PEOPLE), shown(&back, PEOPLE));
    assert!(to(&back, "left").is_empty(), "there is nothing before the first app");
}

#[tokio::test]
async fn it_is_narrowed_to_people_apps_and_what_they_can_do() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let one = browser.get("/matrix?q=new.admin").await;
    assert_eq!(shown(&one, PEOPLE).len(), 1, "{}", one.body);
    assert!(one.body.contains("view, deploy, operate and manage"), "{}", one.body);
    let all = browser.get("/matrix?q=new.admin&can=manage&as_of=1").await;
    assert!(all.body.contains("Nobody whom you mean"), "that admin came later: {}", all.body);
    let hostile = browser.get("/matrix?app=alert(1)").await;
    assert!(shown(&hostile, APPS).len() == 1 && !hostile.body.contains("<script>alert"), "{}", hostile.body);
    assert_eq!(browser.get("/matrix?right=made-up").await.status, 422);
}

#[tokio::test]
async fn the_file_holds_what_the_lists_of_access_hold() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let file = browser.get("/matrix?q=new.admin&format=csv").await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    let admin = |line: &&str| line.contains("new.admin@example.com") && line.ends_with("true,true,true,true");
    let lines: Vec<&str> = file.body.lines().skip(1).collect();
    assert!(!lines.is_empty() && lines.iter().all(admin), "{}", file.body);
    assert!(
        !file.body.lines().any(|line| line.split(',').any(|cell| cell.starts_with('='))),
        "{}",
        file.body
    );
}
