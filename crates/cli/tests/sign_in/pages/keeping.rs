//! Questions by their pages: saved from the console, found, changed, shared and removed, by whom they are for.

use metsuke_engine::identity::Role;

use super::estate::{Estate, link_to};
use crate::browser::{Answer, Browser};

const QUERY: &str = "FIND heroku_team AS t RETURN t.name AS name";

fn form<'a>(csrf: &'a str, title: &'a str, shared: bool) -> Vec<(&'a str, &'a str)> {
    let mut form = vec![
        ("csrf_token", csrf),
        ("title", title),
        ("q", QUERY),
        ("explanation", "<b>Every</b> team\nthere is"),
        ("tags", "teams, mine"),
    ];
    form.extend(shared.then_some(("shared", "yes")));
    form
}

async fn saved(browser: &mut Browser, title: &str, shared: bool) -> String {
    let csrf = browser.csrf.clone();
    let answer = browser.submit("/query/questions/add", &form(&csrf, title, shared)).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").to_owned()
}

fn has(page: &Answer, words: &[&str]) {
    assert_eq!(page.status, 200, "{}", page.body);
    for word in words {
        assert!(page.body.contains(word), "no {word}: {}", page.body);
    }
}

#[tokio::test]
async fn a_question_is_saved_from_the_console_and_found_beside_it() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let console = browser.get("/query").await;
    has(&console, &["formaction=\"/query/questions/add\"", "Library", "All of them, as a list"]);
    let asked = browser.get("/query/questions/add?q=FIND+heroku_team&gone=yes").await;
    has(&asked, &["FIND heroku_team</textarea>", "name=\"gone\" value=\"yes\" checked"]);
    let place = saved(&mut browser, "Which <i>teams</i>?", false).await;
    let page = browser.get(&place).await;
    has(
        &page,
        &["Which &lt;i&gt;teams&lt;/i&gt;?", "yours alone", "&lt;b&gt;Every", "metsuke query --question q-"],
    );
    let ask = link_to(&page, "/query?ask=");
    let answered = browser.get(&ask).await;
    has(&answered, &["<tbody>", "About this question", "Your questions"]);
    has(&browser.get("/query/questions?only=own").await, &["1 of 7", "yours alone"]);
    let file = browser.get("/query/questions?only=own&format=csv").await;
    assert!(file.body.contains(QUERY) && !file.body.contains("library"), "{}", file.body);
    let library = browser.get("/query/questions/old-invitations").await;
    has(&library, &["Save a copy", "30 unless said otherwise"]);
    assert!(!library.body.contains("Remove this question"), "{}", library.body);
    let copy = browser.get(&link_to(&library, "/query/questions/add?")).await;
    has(&copy, &["value=\"Which invitations", "${days}"]);
    assert_eq!(browser.get("/query/questions/old-invitations/edit").await.status, 403);
    let instead =
        browser.get(&format!("{}&q=FIND+User", ask.replace("/query?", "/query/questions/add?"))).await;
    has(
        &browser.get(&link_to(&instead, "/query/questions/q-")).await,
        &["FIND User</textarea>", "Change a question"],
    );
}

#[tokio::test]
async fn a_mistake_stands_by_its_field_and_what_was_typed_stays() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Auditor).await;
    let csrf = browser.csrf.clone();
    let mut wrong = form(&csrf, "What?", false);
    wrong.retain(|(name, _)| *name != "q" && *name != "tags");
    wrong.extend([("q", "FIND heroku_team\r\nWHIT x = 1"), ("tags", "a")]);
    let refused = browser.submit("/query/questions/add", &wrong).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    for part in ["line 2, column", "WHIT x = 1</textarea>", "value=\"What?\"", "there is</textarea>"] {
        assert!(refused.body.contains(part), "no {part}: {}", refused.body);
    }
    let empty = browser.submit("/query/questions/add", &form(&csrf, " ", false)).await;
    assert!(empty.status == 422 && empty.body.contains("id=\"title_wrong\""), "{}", empty.body);
}

#[tokio::test]
async fn what_is_shared_is_seen_by_others_and_changed_by_owner_and_admin() {
    let estate = Estate::new().await;
    let mut owner = estate.browser(Role::Viewer).await;
    let mut other = estate.browser(Role::Operator).await;
    let mut admin = estate.browser(Role::Admin).await;
    let place = saved(&mut owner, "Which teams?", false).await;
    assert_eq!(other.get(&place).await.status, 404);
    let csrf = owner.csrf.clone();
    let share = format!("{place}/share");
    let shared = owner.submit(&share, &[("csrf_token", &csrf), ("shared", "yes")]).await;
    assert_eq!((shared.status, shared.header("location")), (303, place.as_str()), "{}", shared.body);
    let seen = other.get(&place).await;
    has(&seen, &["shared", "viewer@example.com", "Make a rule"]);
    assert!(!seen.body.contains("Remove this question"), "{}", seen.body);
    let csrf = other.csrf.clone();
    for act in ["share", "remove", "edit"] {
        let refused = other.submit(&format!("{place}/{act}"), &form(&csrf, "Mine", true)).await;
        assert_eq!(refused.status, 403, "{act}: {}", refused.body);
    }
    let csrf = admin.csrf.clone();
    let changed = admin.submit(&format!("{place}/edit"), &form(&csrf, "Which of them?", true)).await;
    assert_eq!(changed.status, 303, "{}", changed.body);
    has(&owner.get(&place).await, &["Which of them?", "yours, shared"]);
    let unshared = admin.submit(&share, &[("csrf_token", &csrf), ("shared", "no")]).await;
    assert_eq!(unshared.header("location"), "/query/questions", "it is seen no more: {}", unshared.body);
    let csrf = owner.csrf.clone();
    let removed = owner.submit(&format!("{place}/remove"), &[("csrf_token", &csrf)]).await;
    assert_eq!(removed.status, 303, "{}", removed.body);
    assert_eq!(owner.get(&place).await.status, 404);
    has(&owner.get(&format!("/query?ask={}", place.rsplit('/').next().unwrap())).await, &["Press “Ask”"]);
}

/// The titles on the overview, in their order.
fn tiles(page: &Answer) -> Vec<String> {
    let after = page.body.split("<li class=\"tile\">").skip(1);
    let title = |tile: &str| tile.split("<bdi title=\"\">").nth(1)?.split('<').next().map(ToOwned::to_owned);
    after.map(|tile| title(tile).unwrap_or_default()).collect()
}

#[tokio::test]
async fn answers_stand_on_the_overview_of_whoever_put_them_there() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    assert!(!browser.get("/").await.body.contains("class=\"tiles\""));
    let csrf = browser.csrf.clone();
    let place = saved(&mut browser, "Which teams?", true).await;
    let mut counted = form(&csrf, "How many teams?", false);
    counted.retain(|(name, _)| *name != "q");
    counted.extend([("q", "FIND heroku_team AS t RETURN count(t) AS teams"), ("tile", "yes")]);
    let kept = browser.submit("/query/questions/add", &counted).await;
    assert_eq!((kept.status, kept.header("location")), (303, "/"), "{}", kept.body);
    has(&browser.get(&place).await, &["Make a tile"]);
    let deed = async |browser: &mut Browser, place: &str, deed: &str| {
        let done = browser.submit(&format!("{place}/tile"), &[("csrf_token", &*csrf), ("do", deed)]).await;
        assert_eq!((done.status, done.header("location")), (303, "/"), "{}", done.body);
    };
    deed(&mut browser, &place, "pin").await;
    has(&browser.get(&place).await, &["Take off the overview"]);
    let overview = browser.get("/").await;
    assert_eq!(tiles(&overview), ["How many teams?", "Which teams?"]);
    has(&overview, &["<b>4</b> <span>teams</span>", "<b>4</b> <span>rows</span>", "version 2, read"]);
    let answer = link_to(&overview, "/query?ask=");
    has(&browser.get(&answer).await, &["<tbody>", "How many teams?"]);
    has(&browser.get("/?as_of=1").await, &["version 1, read"]);
    has(&browser.get("/?arrange=yes").await, &["Take off", "Done"]);
    deed(&mut browser, &place, "earlier").await;
    assert_eq!(tiles(&browser.get("/").await), ["Which teams?", "How many teams?"]);
    let mut other = estate.browser(Role::Operator).await;
    assert!(tiles(&other.get("/").await).is_empty());
    deed(&mut browser, &place, "off").await;
    assert_eq!(tiles(&browser.get("/").await), ["How many teams?"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_question_stands_in_its_own_tile() {
    let estate = Estate::new().await;
    let mut owner = estate.browser(Role::Viewer).await;
    let mut other = estate.browser(Role::Operator).await;
    let csrf = owner.csrf.clone();
    let mut wrong = form(&csrf, "What is wrong?", true);
    wrong.retain(|(name, _)| *name != "q");
    wrong.extend([("q", "FIND heroku_team AS t RETURN nobody.name"), ("tile", "yes")]);
    assert_eq!(owner.submit("/query/questions/add", &wrong).await.status, 303);
    let place = saved(&mut owner, "Which teams?", true).await;
    for browser in [&mut owner, &mut other] {
        let csrf = browser.csrf.clone();
        let form = [("csrf_token", &*csrf), ("do", "pin")];
        assert_eq!(browser.submit(&format!("{place}/tile"), &form).await.status, 303);
    }
    let overview = owner.get("/").await;
    assert_eq!(tiles(&overview), ["What is wrong?", "Which teams?"]);
    has(&overview, &["class=\"warned\"", "nobody", "<b>4</b> <span>rows</span>"]);
    let share = [("csrf_token", &*csrf), ("shared", "no")];
    assert_eq!(owner.submit(&format!("{place}/share"), &share).await.status, 303);
    has(&other.get("/").await, &["A question that is gone", "shared no more"]);
    let open = [("csrf_token", &*csrf), ("do", "pin")];
    let refused = owner.submit("/query/questions/app-access/tile", &open).await;
    assert!(refused.status == 422 && refused.body.contains("leaves something open"), "{}", refused.body);
}
