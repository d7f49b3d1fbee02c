//! Rules and channels by their pages: found, switched, made, tried, written anew, removed; by whom, and what is told of mistakes.

use metsuke_engine::identity::Role;
use serde_json::{Value, json};

use super::estate::{Estate, link_to};
use crate::browser::{Answer, Browser};

const QUERY: &str = "FIND heroku_team AS t RETURN t.id AS id, t.name AS name";

fn rule(csrf: &str) -> Vec<(&str, &str)> {
    vec![
        ("csrf_token", csrf),
        ("name", "every-team"),
        ("description", "There is a team"),
        ("severity", "HIGH"),
        ("q", QUERY),
        ("operator", ">"),
        ("rows", "0"),
        ("interval", "ONE_DAY"),
        ("enabled", "yes"),
    ]
}

/// The form with another value of a field.
fn with<'a>(mut form: Vec<(&'a str, &'a str)>, name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    form.retain(|(known, _)| *known != name);
    form.push((name, value));
    form
}

/// Makes the rule, and gives its place.
async fn made(browser: &mut Browser) -> String {
    let csrf = browser.csrf.clone();
    let answer = browser.submit("/rules/add", &rule(&csrf)).await;
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
async fn the_list_is_narrowed_sorted_and_switched() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Operator).await;
    let all = browser.get("/rules").await;
    has(&all, &["A team has a single admin", "Open findings", "role=\"switch\"", "D12"]);
    let some = browser.get("/rules?q=single+admin").await;
    has(&some, &["A team has a single admin", "1 of 28"]);
    assert!(!some.body.contains("role=\"switch\" aria-checked=\"false\""), "{}", some.body);
    let csrf = browser.csrf.clone();
    let off = [("csrf_token", csrf.as_str()), ("enabled", "no"), ("next", "/rules?only=off")];
    let answer = browser.submit("/rules/D12/switch", &off).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/rules?only=off"), "{}", answer.body);
    has(&browser.get("/rules?only=off").await, &["A team has a single admin", "aria-checked=\"false\""]);
    let away = [("csrf_token", csrf.as_str()), ("enabled", "yes"), ("next", "//evil.example")];
    assert_eq!(browser.submit("/rules/D12/switch", &away).await.header("location"), "/rules/D12");
    let first = |body: &str| {
        body.split("<tbody>")
            .nth(1)
            .unwrap_or_default()
            .split("badge")
            .nth(1)
            .map(|rest| rest[..30].to_owned())
    };
    let (worst, least) =
        (browser.get("/rules?sort=-severity").await, browser.get("/rules?sort=severity").await);
    assert_ne!(first(&worst.body), first(&least.body));
    let file = browser.get("/rules?format=csv&q=D12").await;
    assert!(file.body.lines().count() == 2 && file.body.contains("team-with-one-admin"), "{}", file.body);
}

#[tokio::test]
async fn a_rule_is_made_by_the_form_evaluated_written_anew_and_removed() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Operator).await;
    let console = browser.get("/query?q=FIND+heroku_team").await;
    has(&browser.get(&link_to(&console, "/rules/add")).await, &["FIND heroku_team", "Would it have fired?"]);
    let csrf = browser.csrf.clone();
    let tried = browser.submit("/rules/add", &with(rule(&csrf), "try", "yes")).await;
    has(&tried, &["It would have fired", "of that time are kept"]);
    let place = made(&mut browser).await;
    let page = browser.get(&place).await;
    has(
        &page,
        &["every-team", "Your own rule", "the rows of query0 are more than 0", "on, not evaluated yet"],
    );
    let own = [("csrf_token", csrf.as_str())];
    let evaluated = browser.submit(&format!("{place}/evaluate"), &own).await;
    assert_eq!(evaluated.status, 303, "{}", evaluated.body);
    let told = browser.get(evaluated.header("location")).await;
    has(&told, &["It was evaluated on the newest version", "found something", "open findings"]);
    has(&browser.get(&link_to(&told, "/findings?rule=")).await, &["There is a team"]);
    let edit = browser.get(&format!("{place}/edit")).await;
    has(&edit, &["There is a team", "value=\"every-team\""]);
    let other = with(rule(&csrf), "rows", "1000");
    assert_eq!(browser.submit(&format!("{place}/edit"), &other).await.status, 303);
    has(&browser.get(&place).await, &["more than 1000"]);
    let past = browser.get(&format!("{place}?past=yes")).await;
    has(&past, &["It would not have fired in 90 days."]);
    let file = browser.get(&format!("{place}?format=json")).await;
    let document: Value = serde_json::from_str(&file.body).unwrap();
    assert_eq!(document["name"], "every-team");
    assert_eq!(browser.submit(&format!("{place}/remove"), &own).await.header("location"), "/rules");
    assert_eq!(browser.get(&place).await.status, 404);
}

#[tokio::test]
async fn mistakes_stand_by_their_fields_and_nothing_is_kept() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Operator).await;
    let csrf = browser.csrf.clone();
    for (name, value, told) in [
        ("q", "FIND (", "class=\"wrong pre\""),
        ("rows", "many", "it is a whole number"),
        ("name", "", "class=\"wrong\""),
    ] {
        let answer = browser.submit("/rules/add", &with(rule(&csrf), name, value)).await;
        assert_eq!(answer.status, 422, "{name}: {}", answer.body);
        assert!(
            answer.body.contains(told) && answer.body.contains("There is a team"),
            "{name}: {}",
            answer.body
        );
    }
    made(&mut browser).await;
    let again = browser.submit("/rules/add", &rule(&csrf)).await;
    assert!(again.status == 422 && again.body.contains("there is a rule"), "{}", again.body);
    assert!(browser.get("/rules?only=own").await.body.contains("1 of 29"));
}

#[tokio::test]
async fn rules_of_jupiterone_are_pasted_all_or_none() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Operator).await;
    let csrf = browser.csrf.clone();
    let one = |name: &str, query: &str| json!({ "name": name, "question": { "queries": [{ "query": query }] }, "operations": [], "labels": [{ "labelName": "of", "labelValue": "us" }] });
    let paste = |rules: &Value| vec![("csrf_token", csrf.clone()), ("json", rules.to_string())];
    let pairs = |form: &[(&'static str, String)]| {
        form.iter().map(|(name, value)| (*name, value.clone())).collect::<Vec<_>>()
    };
    let send = |form: Vec<(&'static str, String)>, mut browser: Browser| async move {
        let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.submit("/rules/import", &fields).await
    };
    let bad = json!([one("first", QUERY), one("second", "FIND <b>")]);
    let wrong = send(pairs(&paste(&bad)), browser.clone()).await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    assert!(
        wrong.body.contains("[1].question.queries[0].query") && !wrong.body.contains("<b>"),
        "{}",
        wrong.body
    );
    assert!(
        send(vec![("csrf_token", csrf.clone()), ("json", "{".into())], browser.clone())
            .await
            .body
            .contains("this is no JSON")
    );
    assert!(!browser.get("/rules?only=own").await.body.contains(">first<"));
    let good = json!([one("first", QUERY), one("second", QUERY)]);
    let kept = send(pairs(&paste(&good)), browser.clone()).await;
    assert_eq!((kept.status, kept.header("location")), (303, "/rules?only=own"), "{}", kept.body);
    let list = browser.get("/rules?only=own").await;
    has(&list, &["first", "second"]);
    // What says more than the form can is written as it stands.
    let place = list
        .body
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
        .find(|link| link.starts_with("/rules/") && !link.contains("add") && !link.contains("channels"))
        .unwrap()
        .to_owned();
    let edit = browser.get(&format!("{place}/edit")).await;
    has(&edit, &["in JupiterOne’s words", "labelName"]);
    let other = one("third", QUERY).to_string();
    let form = [("csrf_token", csrf.as_str()), ("json", other.as_str())];
    assert_eq!(browser.submit(&format!("{place}/edit"), &form).await.status, 303);
    has(&browser.get(&place).await, &["third", "Switch on"]);
}

#[tokio::test]
async fn a_shipped_rule_says_what_it_is_and_takes_its_parameters() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Operator).await;
    let page = browser.get("/rules/D13").await;
    has(
        &page,
        &[
            "A team has too many admins",
            "SOC 2",
            "CC6.3",
            "What to do about it",
            "Ask it now",
            "so many admins are never too many",
        ],
    );
    has(&browser.get(&link_to(&page, "/query")).await, &["HAVING admins"]);
    let csrf = browser.csrf.clone();
    let form = [("csrf_token", csrf.as_str()), ("p.admins", "7"), ("p.percent", "")];
    assert_eq!(browser.submit("/rules/D13/parameters", &form).await.status, 303);
    has(&browser.get("/rules/D13").await, &["value=\"7\""]);
    let wrong = [("csrf_token", csrf.as_str()), ("p.admins", "few")];
    assert_eq!(browser.submit("/rules/D13/parameters", &wrong).await.status, 422);
    assert_eq!(browser.get("/rules/D13/edit").await.status, 409);
    has(
        &browser.get("/rules/D01?past=yes").await,
        &["It would have fired", "every change between them was looked at"],
    );
}

#[tokio::test]
async fn a_channel_is_added_changed_and_removed_and_its_secret_is_shown_to_nobody() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Admin).await;
    let csrf = browser.csrf.clone();
    has(&browser.get("/rules/channels").await, &["Nobody is told yet"]);
    has(&browser.get("/rules/channels/add?kind=mail").await, &["Mail server", "Password of the user"]);
    let secret = "https://hooks.example.com/services/T0/B0/xyz";
    let slack = |secret: &'static str| {
        vec![
            ("csrf_token", csrf.clone()),
            ("kind", "slack".into()),
            ("name", "Ops".into()),
            ("level", "HIGH".into()),
            ("secret", secret.into()),
            ("enabled", "yes".into()),
            ("rules", "D01, D02".into()),
        ]
    };
    let fields = |form: &[(&'static str, String)]| {
        form.iter().map(|(name, value)| (*name, value.clone())).collect::<Vec<_>>()
    };
    let send = |place: String, form: Vec<(&'static str, String)>, mut browser: Browser| async move {
        let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.submit(&place, &fields).await
    };
    let none = send("/rules/channels/add".into(), fields(&slack("")), browser.clone()).await;
    assert!(none.status == 422 && none.body.contains("needs the address"), "{}", none.body);
    let made = send("/rules/channels/add".into(), fields(&slack(secret)), browser.clone()).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let place = made.header("location").to_owned();
    let page = browser.get(&place).await;
    has(&page, &["Ops", "D01, D02", "Nothing yet."]);
    assert!(!page.body.contains(secret), "a secret stands in a page");
    let again = send(place.clone(), fields(&slack("")), browser.clone()).await;
    assert_eq!(again.status, 303, "the secret that is stored stays: {}", again.body);
    has(&browser.get("/rules/D01").await, &["Told: ", "Ops"]);
    let mut viewer = estate.browser(Role::Viewer).await;
    assert_eq!(viewer.get(&place).await.status, 403);
    assert!(!viewer.get("/rules/D01").await.body.contains("Ops"));
    assert_eq!(
        browser.submit(&format!("{place}/remove"), &[("csrf_token", csrf.as_str())]).await.status,
        303
    );
    assert_eq!(browser.get(&place).await.status, 404);
}

#[tokio::test]
async fn whoever_may_not_rule_is_offered_nothing_and_refused() {
    let estate = Estate::new().await;
    let mut viewer = estate.browser(Role::Viewer).await;
    for page in ["/rules", "/rules/D12"] {
        let page = viewer.get(page).await;
        for offer in ["role=\"switch\"", "Add a rule", "Evaluate now", "Switch off", "Where alerts go"] {
            assert!(page.status == 200 && !page.body.contains(offer), "{offer}: {}", page.body);
        }
    }
    assert!(!viewer.get("/query?q=FIND+heroku_team").await.body.contains("Make a rule"));
    let csrf = viewer.csrf.clone();
    for form in
        ["/rules/D12/switch", "/rules/D12/evaluate", "/rules/D12/parameters", "/rules/add", "/rules/import"]
    {
        assert_eq!(viewer.submit(form, &[("csrf_token", csrf.as_str())]).await.status, 403, "{form}");
    }
    assert_eq!(viewer.get("/rules/add").await.status, 403);
}
