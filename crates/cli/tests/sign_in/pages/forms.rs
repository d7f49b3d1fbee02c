//! What can be done by forms, and by whom.

use metsuke_engine::identity::Role;

use super::estate::{Estate, link_to};

#[tokio::test]
async fn a_connector_is_added_paused_and_removed_by_forms() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Admin).await;
    let csrf = browser.csrf.clone();
    let (url, token) = (estate.simulator.url(), estate.simulator.token());
    let form = |name: &'static str, token: &str, check: &'static str| {
        vec![
            ("csrf_token", csrf.clone()),
            ("name", name.to_owned()),
            ("owner", "admin@example.com".to_owned()),
            ("api_token", token.to_owned()),
            ("api_url", url.clone()),
            ("polling_interval", "DISABLED".to_owned()),
            ("check", check.to_owned()),
        ]
    };
    let fields = |form: &[(&'static str, String)]| form.to_vec();
    let sent = fields(&form("", token, ""));
    let wrong = browser.submit("/connectors/add/heroku", &pairs(&sent)).await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    assert!(wrong.body.contains("class=\"wrong\""), "{}", wrong.body);
    assert!(!wrong.body.contains(token), "a token stands in a page");
    let sent = form("Second", token, "yes");
    let checked = browser.submit("/connectors/add/heroku", &pairs(&sent)).await;
    assert!(checked.status == 200 && checked.body.contains("It can see"), "{}", checked.body);
    assert!(!checked.body.contains(token), "a token stands in a page");
    let sent = form("Second", token, "");
    let made = browser.submit("/connectors/add/heroku", &pairs(&sent)).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let place = made.header("location").to_owned();
    let page = browser.get(&place).await;
    assert!(page.body.contains("Syncing") && page.body.contains("Second"), "{}", page.body);
    // With two connectors, there is a choice between them.
    assert!(browser.get("/apps").await.body.contains("All connectors"));
    let own = [("csrf_token", csrf.as_str())];
    assert_eq!(browser.submit(&format!("{place}/pause"), &own).await.status, 303);
    assert!(browser.get(&place).await.body.contains("Resume"));
    let not_meant = [("csrf_token", csrf.as_str()), ("name", "second")];
    assert_eq!(browser.submit(&format!("{place}/remove"), &not_meant).await.status, 422);
    let meant = [("csrf_token", csrf.as_str()), ("name", "Second")];
    let removed = browser.submit(&format!("{place}/remove"), &meant).await;
    assert_eq!((removed.status, removed.header("location")), (303, "/connectors"), "{}", removed.body);
    assert_eq!(browser.get(&place).await.status, 404);
}

fn pairs<'a>(form: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    form.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test]
async fn whoever_may_not_is_offered_nothing_and_refused() {
    let estate = Estate::new().await;
    let mut viewer = estate.browser(Role::Viewer).await;
    let place = format!("/connectors/{}", estate.connector);
    let page = viewer.get(&place).await;
    assert!(page.status == 200 && !page.body.contains("Sync now"), "{}", page.body);
    assert!(!page.body.contains("Remove for good") && !page.body.contains("Log of the last run"));
    assert!(!viewer.get("/connectors").await.body.contains("Add connector"));
    assert_eq!(viewer.get("/connectors/add").await.status, 403);
    let csrf = viewer.csrf.clone();
    for form in ["sync", "pause", "test", "token", "remove"] {
        let answer = viewer.submit(&format!("{place}/{form}"), &[("csrf_token", csrf.as_str())]).await;
        assert_eq!(answer.status, 403, "{form}");
        assert!(answer.body.contains("not yours to see"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_form_without_the_sessions_token_does_nothing() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Admin).await;
    let place = format!("/connectors/{}", estate.connector);
    for fields in [vec![], vec![("csrf_token", "other")]] {
        assert_eq!(browser.submit(&format!("{place}/pause"), &fields).await.status, 403);
    }
    assert!(!browser.get(&place).await.body.contains("Resume"));
}

#[tokio::test]
async fn a_finding_is_seen_accepted_and_opened_again() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Reviewer).await;
    let csrf = browser.csrf.clone();
    let list = browser.get("/findings").await;
    let place = link_to(&list, "/findings/");
    let page = browser.get(&place).await;
    assert!(page.status == 200 && page.body.contains("I have seen it"), "{}", page.body);
    let own = [("csrf_token", csrf.as_str()), ("reason", "known")];
    assert_eq!(browser.submit(&format!("{place}/acknowledge"), &own).await.status, 303);
    let until = [("csrf_token", csrf.as_str()), ("reason", "until the move"), ("until", "2027-01-31")];
    assert_eq!(browser.submit(&format!("{place}/accept"), &until).await.status, 303);
    let page = browser.get(&place).await;
    assert!(page.body.contains("accepted") && page.body.contains("until the move"), "{}", page.body);
    assert_eq!(browser.submit(&format!("{place}/reopen"), &own).await.status, 303);
    let mut viewer = estate.browser(Role::Viewer).await;
    assert!(!viewer.get(&place).await.body.contains("I have seen it"));
}

#[tokio::test]
async fn a_look_is_kept_and_leads_back() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let csrf = browser.csrf.clone();
    let dark = [("csrf_token", csrf.as_str()), ("theme", "dark"), ("next", "/apps?q=x")];
    let answer = browser.submit("/settings/theme", &dark).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/apps?q=x"));
    assert!(browser.get("/").await.body.contains("data-theme=\"dark\""));
    let outside = [("csrf_token", csrf.as_str()), ("theme", ""), ("next", "//evil.example")];
    assert_eq!(browser.submit("/settings/theme", &outside).await.header("location"), "/");
    assert!(!browser.get("/").await.body.contains("data-theme"));
}
