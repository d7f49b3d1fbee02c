//! Employees by their pages: a roster taken in, who left, and accounts settled by hand.

use metsuke_engine::identity::Role;

use super::estate::{Estate, links};
use crate::browser::{Answer, Browser};

const HERE: &str = "/people/employees";

/// The addresses of accounts, in the order of the list of people.
async fn addresses(browser: &mut Browser) -> Vec<String> {
    let list = browser.get("/people?format=csv").await;
    let address = |line: &str| line.split(',').find(|cell| cell.contains('@')).map(ToOwned::to_owned);
    list.body.lines().filter_map(address).collect()
}

/// The page of the first account on a list, and where the form beside it goes.
fn first(page: &Answer) -> (String, String) {
    let id = |link: String| link.strip_prefix("/people/").filter(|id| id.len() == 36).map(ToOwned::to_owned);
    let id = links(page).into_iter().find_map(id).unwrap();
    (format!("/people/{id}"), format!("{HERE}/{id}"))
}

async fn taken(browser: &mut Browser, text: &str) -> Answer {
    let csrf = browser.csrf.clone();
    let form = [("csrf_token", &*csrf), ("name", "hr"), ("kind", "csv"), ("text", text)];
    browser.submit("/people/employees/add", &form).await
}

async fn listed(browser: &mut Browser, only: &str, held: &[&str], not: &[&str]) -> Answer {
    let page = browser.get(&format!("{HERE}?only={only}")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    for word in held {
        assert!(page.body.contains(word), "no {word} in {only}: {}", page.body);
    }
    for word in not {
        assert!(!page.body.contains(word), "{word} in {only}: {}", page.body);
    }
    page
}

#[tokio::test]
async fn a_roster_is_taken_in_and_who_left_with_an_account_stands_first() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Operator).await;
    listed(&mut browser, "", &["There is no roster yet", "Take a roster in"], &["<tbody>"]).await;
    let wrong = taken(&mut browser, "shoe size\n41\n").await;
    assert!(wrong.status == 422 && wrong.body.contains("shoe size\n41"), "{}", wrong.body);
    let accounts = addresses(&mut browser).await;
    let (left, here) = (accounts[0].as_str(), accounts[1].as_str());
    let text = format!("email,name,status\n{left},<b>Ann</b> Left,left\n{here},Ben Here,active\n");
    let page = taken(&mut browser, &text).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("was taken in") && page.body.contains("accounts matched"), "{}", page.body);
    listed(&mut browser, "", &["&lt;b&gt;Ann", left, "by e-mail"], &["Ben Here", "<b>Ann"]).await;
    listed(&mut browser, "all", &["&lt;b&gt;Ann", "Ben Here", "works here"], &[]).await;
    listed(&mut browser, "without", &["There is nobody of this sort"], &[]).await;
    let file = browser.get(&format!("{HERE}?format=csv")).await;
    assert!(file.body.starts_with("connector,key,name") && file.body.contains(left), "{}", file.body);
    assert!(browser.get("/people").await.body.contains("href=\"/people/employees\""));
    // Each account's page says whose it is.
    for (email, held, not) in [(left, "&lt;b&gt;Ann", "works here"), (here, "Ben Here", ">left<")] {
        let page = browser.get(&format!("/people/{email}")).await;
        assert!(page.body.contains(held) && page.body.contains("by e-mail"), "{}", page.body);
        assert!(!page.body.contains(not), "{not}: {}", page.body);
    }
    let (mut unknown, mut nobodys) = (0, 0);
    for email in &accounts[2..] {
        let page = browser.get(&format!("/people/{email}")).await;
        unknown += usize::from(page.body.contains("nobody knows whose"));
        nobodys += usize::from(page.body.contains("nobody’s"));
    }
    // The account whose token reads is nobody's.
    assert_eq!((unknown, nobodys), (accounts.len() - 3, 1));
}

#[tokio::test]
async fn an_account_is_settled_by_hand_and_that_is_taken_back() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Operator).await;
    let csrf = browser.csrf.clone();
    assert_eq!(taken(&mut browser, "email,name\nben@elsewhere.example,Ben Here\n").await.status, 200);
    let open = listed(&mut browser, "open", &["nobody fits", "Theirs"], &[]).await;
    let (account, place) = first(&open);
    let nobody_chosen = browser.submit(&place, &[("csrf_token", &*csrf)]).await;
    assert_eq!(nobody_chosen.status, 422, "{}", nobody_chosen.body);
    let theirs = [("csrf_token", &*csrf), ("employee", "ben@elsewhere.example")];
    let settled = browser.submit(&place, &theirs).await;
    assert_eq!((settled.status, settled.header("location")), (303, "/people/employees?only=open"));
    listed(&mut browser, "settled", &[&account, "Ben Here", "Take it back"], &[]).await;
    let file = browser.get(&format!("{HERE}?only=settled&format=csv")).await;
    let mut lines = file.body.lines();
    assert_eq!(lines.next(), Some("connector,id,email,employee,employee_name"));
    let line = lines.next().unwrap_or_default();
    let id = account.strip_prefix("/people/").unwrap();
    assert!(line.contains(id) && line.ends_with(",Ben Here"), "{}", file.body);
    assert_eq!(lines.next(), None);
    listed(&mut browser, "open", &[], &[&account]).await;
    let nobodys = [("csrf_token", &*csrf), ("nobody", "yes"), ("employee", "ben@elsewhere.example")];
    assert_eq!(browser.submit(&place, &nobodys).await.status, 303);
    listed(&mut browser, "settled", &[&account, "nobody’s"], &["Ben Here"]).await;
    assert_eq!(browser.submit(&format!("{place}/undo"), &[("csrf_token", &*csrf)]).await.status, 303);
    listed(&mut browser, "settled", &["Nothing was settled by hand"], &[&account]).await;
    listed(&mut browser, "open", &[&account], &[]).await;
}

#[tokio::test]
async fn a_roster_that_cannot_be_fetched_is_told_of_without_its_token() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Operator).await;
    let csrf = browser.csrf.clone();
    for url in ["nonsense", "https://127.0.0.1:1"] {
        let form = [("csrf_token", &*csrf), ("name", "okta"), ("url", url), ("token", "s3cr3t-of-okta")];
        let page = browser.submit("/people/employees/add/fetch", &form).await;
        assert!((400..500).contains(&page.status), "{}: {}", page.status, page.body);
        assert!(page.body.contains(url) && page.body.contains("role=\"alert\""), "{}", page.body);
        assert!(!page.body.contains("s3cr3t-of-okta"), "a token stands in a page");
    }
}

#[tokio::test]
async fn whoever_only_looks_settles_nothing_and_takes_nothing_in() {
    let estate = Estate::new().await;
    let mut operator = estate.browser(Role::Operator).await;
    assert_eq!(taken(&mut operator, "email,name\nben@elsewhere.example,Ben Here\n").await.status, 200);
    let open = listed(&mut operator, "open", &["Theirs"], &[]).await;
    let (_, place) = first(&open);
    let mut viewer = estate.browser(Role::Viewer).await;
    let csrf = viewer.csrf.clone();
    listed(&mut viewer, "open", &["nobody fits"], &["Theirs", "Take a roster in"]).await;
    assert_eq!(viewer.get("/people/employees/add").await.status, 403);
    assert_eq!(taken(&mut viewer, "email,name\nx@elsewhere.example,X\n").await.status, 403);
    let nobodys = [("csrf_token", &*csrf), ("nobody", "yes")];
    assert_eq!(viewer.submit(&place, &nobodys).await.status, 403);
}
