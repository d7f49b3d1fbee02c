//! Names that would do harm if a page believed them.

use metsuke_engine::identity::Role;

use super::estate::{Estate, FORMULA, link_to};

/// Nothing of a hostile name is markup, and nothing of it reorders the text around it.
fn is_inert(body: &str) -> bool {
    !body.contains("<script>alert") && !body.contains("<img") && !body.contains('\u{202e}')
}

#[tokio::test]
async fn hostile_names_are_shown_inert_on_every_page() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Admin).await;
    let list = browser.get("/apps?q=alert(1)").await;
    assert!(is_inert(&list.body) && list.body.contains("&lt;script&gt;alert(1)"), "{}", list.body);
    assert!(list.body.contains("\\u{202e}"), "{}", list.body);
    let app = browser.get(&link_to(&list, "/apps/")).await;
    assert_eq!(app.status, 200);
    assert!(is_inert(&app.body), "{}", app.body);
    let person = browser.get(&link_to(&app, "/people/")).await;
    for page in [person, browser.get("/changes").await, browser.get("/").await, browser.get("/teams").await] {
        assert!(page.status == 200 && is_inert(&page.body), "{}", page.body);
    }
    let asked = browser.get("/apps?q=%3Cscript%3Ealert(1)%22&sort=%3Cscript%3E&only=%22%3E%3Cimg").await;
    assert!(asked.status == 200 && is_inert(&asked.body), "{}", asked.body);
    let nothing = browser.get("/apps/%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert!(nothing.status == 404 && is_inert(&nothing.body), "{}", nothing.body);
}

#[tokio::test]
async fn a_name_that_is_too_long_is_cut_in_lists_and_told_whole_on_its_page() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let list = browser.get("/apps?q=longlonglong").await;
    assert!(list.body.len() < 40_000, "{} bytes", list.body.len());
    assert!(list.body.contains('…'), "{}", list.body);
    let app = browser.get(&link_to(&list, "/apps/")).await;
    assert!(app.body.contains(&"long".repeat(2_500)), "the whole name is nowhere");
}

#[tokio::test]
async fn no_cell_of_a_file_is_a_formula() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let file = browser.get("/apps?format=csv").await;
    assert!(file.header("content-disposition").contains("apps.csv"));
    assert!(file.body.contains(&format!("'{FORMULA}")), "{}", file.body);
    assert!(
        !file.body.lines().any(|line| line.split(',').any(|cell| cell.starts_with('='))),
        "{}",
        file.body
    );
}
