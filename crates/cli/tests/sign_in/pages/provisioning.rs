//! Plans by their pages: worked out, read, applied, called off; what stops them, and by whom.

use metsuke_engine::identity::Role;
use reqwest::Method;
use serde_json::json;

use super::estate::{Estate, link_to};
use crate::browser::{Answer, Browser};

/// The estate with a connector that may write, and somebody who may apply plans.
async fn writing() -> (Estate, Browser) {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Admin).await;
    let place = format!("/api/v1/connectors/{}", estate.connector);
    let answer = browser.send(Method::PATCH, &place, &json!({ "provisioning": true })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (estate, browser)
}

/// A team, and somebody in it who is no admin.
fn member(estate: &Estate) -> (String, String) {
    let found = estate.simulator.edit(|world| {
        let team = world.enterprise_team_names().into_iter().find(|team| world.members_of(team).len() > 4)?;
        let mut people = world.members_of(&team).into_iter();
        let (person, _) = people.find(|(_, role)| role.as_deref() == Some("member"))?;
        Some((team, person))
    });
    found.unwrap().unwrap()
}

fn has(page: &Answer, words: &[&str]) {
    assert_eq!(page.status, 200, "{}", page.body);
    for word in words {
        assert!(page.body.contains(word), "no {word}: {}", page.body);
    }
}

/// Plans that somebody becomes admin of their team, and gives the plan's place.
async fn planned(browser: &mut Browser, team: &str, person: &str) -> String {
    let csrf = browser.csrf.clone();
    let form = [
        ("csrf_token", csrf.as_str()),
        ("action", "grant"),
        ("on", "team"),
        ("user", person),
        ("team", team),
        ("role", "admin"),
        ("reason", "on call"),
    ];
    let answer = browser.submit("/provisioning/add", &form).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").to_owned()
}

#[tokio::test]
async fn a_change_is_planned_read_and_applied_by_forms() {
    let (estate, mut browser) = writing().await;
    let (team, person) = member(&estate);
    has(
        &browser.get("/provisioning").await,
        &["The kill switch is off", "Nothing was planned yet", "allowed"],
    );
    let place = planned(&mut browser, &team, &person).await;
    let page = browser.get(&place).await;
    has(
        &page,
        &[
            "waits for approval",
            "on call",
            "<del>member</del> → <ins>admin</ins>",
            "more power",
            "Approve and apply",
            "No team loses its last admin",
            "PUT /teams/",
        ],
    );
    let csrf = browser.csrf.clone();
    let own = [("csrf_token", csrf.as_str())];
    let applied = browser.submit(&format!("{place}/apply"), &own).await;
    assert_eq!(
        (applied.status, applied.header("location")),
        (303, format!("{place}#state").as_str()),
        "{}",
        applied.body
    );
    let page = browser.get(&place).await;
    has(&page, &["applied", "done and read back", "Heroku answered 200", "What changed through it"]);
    assert!(!page.body.contains("Approve and apply") && !page.body.contains("Call it off"), "{}", page.body);
    let changes = browser.get(&link_to(&page, "/changes")).await;
    assert_eq!(changes.status, 200, "{}", changes.body);
    let there = estate.simulator.edit(|world| world.members_of(&team)).unwrap();
    assert!(there.contains(&(person.clone(), Some("admin".into()))));
    has(
        &browser.get(&format!("/provisioning?state=applied&q={}", team.replace(' ', "+"))).await,
        &["applied"],
    );
    has(&browser.get("/provisioning?state=waiting").await, &["Nothing fits"]);
    // There is nothing more to plan.
    let form = [
        ("csrf_token", csrf.as_str()),
        ("action", "grant"),
        ("on", "team"),
        ("user", &person),
        ("team", &team),
        ("role", "admin"),
    ];
    has(&browser.submit("/provisioning/add", &form).await, &["There is nothing to plan"]);
    let file = browser.get("/provisioning?format=csv").await;
    assert_eq!(file.body.lines().count(), 2, "{}", file.body);
}

#[tokio::test]
async fn a_plan_that_was_called_off_is_never_applied() {
    let (estate, mut browser) = writing().await;
    let (team, person) = member(&estate);
    let place = planned(&mut browser, &team, &person).await;
    let csrf = browser.csrf.clone();
    let why = [("csrf_token", csrf.as_str()), ("reason", "asked for <twice>")];
    assert_eq!(browser.submit(&format!("{place}/cancel"), &why).await.status, 303);
    let page = browser.get(&place).await;
    has(&page, &["called off", "asked for &lt;twice&gt;"]);
    let own = [("csrf_token", csrf.as_str())];
    assert_eq!(browser.submit(&format!("{place}/apply"), &own).await.status, 303);
    has(&browser.get(&place).await, &["called off by admin@example.com"]);
    assert!(estate.simulator.journal().writes.is_empty(), "something was sent");
    assert_eq!(browser.submit(&format!("{place}/cancel"), &own).await.status, 409);
    let id = place.rsplit('/').next().unwrap();
    let told = browser.get(&format!("/api/v1/plans/{id}")).await.json();
    assert_eq!((&told["status"], told["rules"].as_array().unwrap().len()), (&json!("cancelled"), 9));
    let store = estate.house.installation.estate(estate.connector).await.unwrap();
    let rows = store.audit_rows_before(None, 100).await.unwrap();
    assert!(rows.iter().any(|row| row.text.contains("plan.cancelled") && row.text.contains(id)));
}

#[tokio::test]
async fn the_kill_switch_stops_what_was_planned_and_says_who_turned_it() {
    let (estate, mut browser) = writing().await;
    let (team, person) = member(&estate);
    let place = planned(&mut browser, &team, &person).await;
    let csrf = browser.csrf.clone();
    let turn =
        |on: &'static str| vec![("csrf_token".to_owned(), csrf.clone()), ("on".to_owned(), on.to_owned())];
    let send = |form: Vec<(String, String)>, mut browser: Browser| async move {
        let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
        browser.submit("/provisioning/kill-switch", &fields).await.status
    };
    assert_eq!(send(turn("yes"), browser.clone()).await, 303);
    has(
        &browser.get("/provisioning").await,
        &["Nothing is written to Heroku", "stopped by <bdi>admin@example.com</bdi>", "Release them"],
    );
    has(&browser.get(&place).await, &["broken", "the kill switch is on", "a rule above would refuse it"]);
    let own = [("csrf_token", csrf.as_str())];
    assert_eq!(browser.submit(&format!("{place}/apply"), &own).await.status, 303);
    has(&browser.get(&place).await, &["refused", "R11: the kill switch is on"]);
    assert!(estate.simulator.journal().writes.is_empty(), "something was sent");
    assert_eq!(send(turn("no"), browser.clone()).await, 303);
    has(&browser.get("/provisioning").await, &["The kill switch is off", "released by"]);
    // What was refused for that can be applied now.
    assert_eq!(browser.submit(&format!("{place}/apply"), &own).await.status, 303);
    has(&browser.get(&place).await, &["done and read back"]);
}

#[tokio::test]
async fn somebody_is_protected_and_removed_everywhere_only_then_not() {
    let (estate, mut browser) = writing().await;
    let (_, person) = member(&estate);
    let page = browser.get(&format!("/people/{person}")).await;
    let form = browser.get(&link_to(&page, "/provisioning/add")).await;
    has(&form, &["Remove somebody everywhere", &format!("value=\"{person}\"")]);
    let csrf = browser.csrf.clone();
    let fields = [("csrf_token", csrf.as_str()), ("action", "remove"), ("user", &person)];
    let of = [("csrf_token", csrf.as_str()), ("person", person.as_str())];
    assert_eq!(browser.submit("/provisioning/protected", &of).await.status, 303);
    let list = browser.get("/provisioning").await;
    has(&list, &[&person, "End it"]);
    let refused = browser.submit("/provisioning/add", &fields).await;
    assert!(refused.status == 409 && refused.body.contains("is a protected principal"), "{}", refused.body);
    let action = list
        .body
        .split("action=\"/provisioning/protected/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let own = [("csrf_token", csrf.as_str())];
    assert_eq!(browser.submit(&format!("/provisioning/protected/{action}"), &own).await.status, 303);
    let made = browser.submit("/provisioning/add", &fields).await;
    assert_eq!(made.status, 303, "{}", made.body);
    has(&browser.get(made.header("location")).await, &["everywhere", "rights lost"]);
}

#[tokio::test]
async fn a_finding_leads_to_the_plan_that_fixes_it() {
    let (estate, mut browser) = writing().await;
    let (team, _) = member(&estate);
    let app = estate.simulator.edit(|world| world.app_names(Some(&team)).remove(0)).unwrap();
    estate
        .later(|world| {
            world.set_collaborator(&app, "out@side.example", &["view", "deploy"]);
        })
        .await;
    let list = browser.get("/findings?rule=D18").await;
    let finding = list
        .body
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.starts_with("/findings/"))
        .collect::<Vec<_>>();
    let mut found = None;
    for link in finding {
        let page = browser.get(link).await;
        if page.body.contains("out@side.example") {
            found = Some(page);
        }
    }
    let page = found.expect("somebody from outside is found");
    has(&page, &["What to do about it", "Fix as a plan"]);
    let form = browser.get(&link_to(&page, "/provisioning/add")).await;
    has(&form, &["value=\"out@side.example\"", "Take rights on an app", "Finding: "]);
    let mut viewer = estate.browser(Role::Viewer).await;
    let place = link_to(&list, "/findings/");
    assert!(!viewer.get(&place).await.body.contains("Fix as a plan"));
}

#[tokio::test]
async fn whoever_may_not_provision_is_offered_nothing_and_refused() {
    let (estate, mut admin) = writing().await;
    let (team, person) = member(&estate);
    let place = planned(&mut admin, &team, &person).await;
    let mut viewer = estate.browser(Role::Viewer).await;
    assert_eq!(viewer.get("/provisioning").await.status, 403);
    assert!(!viewer.get("/").await.body.contains("/provisioning"));
    let mut auditor = estate.browser(Role::Auditor).await;
    for page in ["/provisioning", &place] {
        let page = auditor.get(page).await;
        for offer in
            ["Plan a change</a>", "Stop all writes", "Approve and apply", "Call it off", "Protect</button>"]
        {
            assert!(page.status == 200 && !page.body.contains(offer), "{offer}: {}", page.body);
        }
    }
    let csrf = auditor.csrf.clone();
    for form in [
        &format!("{place}/apply"),
        &format!("{place}/cancel"),
        "/provisioning/kill-switch",
        "/provisioning/protected",
        "/provisioning/reconcile",
    ] {
        assert_eq!(auditor.submit(form, &[("csrf_token", csrf.as_str())]).await.status, 403, "{form}");
    }
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_told_above_the_form() {
    let (_estate, mut browser) = writing().await;
    let csrf = browser.csrf.clone();
    for (fields, told) in [
        (
            vec![("action", "grant"), ("on", "app"), ("user", "ann@example.com"), ("app", "x")],
            "Choose the rights",
        ),
        (vec![("action", "grant"), ("on", "team"), ("user", "ann@example.com")], "Say which team."),
        (vec![("action", "remove")], "Say whose access it is about."),
        (
            vec![
                ("action", "grant"),
                ("on", "app"),
                ("user", "ann@example.com"),
                ("app", "<no>"),
                ("view", "yes"),
            ],
            "&lt;no&gt;",
        ),
    ] {
        let mut form = vec![("csrf_token", csrf.as_str())];
        form.extend(fields);
        let answer = browser.submit("/provisioning/add", &form).await;
        assert!(
            answer.status >= 400 && answer.status < 500 && answer.body.contains(told),
            "{told}: {}",
            answer.body
        );
        assert!(answer.body.contains("Work the plan out"), "{}", answer.body);
    }
}

#[tokio::test]
async fn what_a_second_person_has_to_approve_is_offered_to_them_alone() {
    let (estate, mut admin) = writing().await;
    let (team, person) = member(&estate);
    let settings = format!("/connectors/{}/settings", estate.connector);
    has(&admin.get(&settings).await, &["Plans are approved by", "<option value=\"none\" selected>"]);
    let place = format!("/api/v1/connectors/{}", estate.connector);
    let answer = admin.send(Method::PATCH, &place, &json!({ "approval": "sensitive" })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    has(&admin.get(&settings).await, &["<option value=\"sensitive\" selected>"]);
    let place = planned(&mut admin, &team, &person).await;
    let page = admin.get(&place).await;
    has(
        &page,
        &[
            "waits for a second person",
            "It needs approval by somebody else than admin@example.com: it grants the admin role.",
            "Who has to approve it has done so",
        ],
    );
    for offer in ["/approve\"", "/apply\"", "Approve and apply"] {
        assert!(!page.body.contains(offer), "{offer}: {}", page.body);
    }
    has(&admin.get("/provisioning").await, &["waits for a second person"]);
    let csrf = admin.csrf.clone();
    let own = [("csrf_token", csrf.as_str())];
    assert_eq!(admin.submit(&format!("{place}/apply"), &own).await.status, 303);
    assert!(estate.simulator.journal().writes.is_empty(), "something was sent");
    has(&admin.get(&place).await, &["waits for a second person"]);

    let mut operator = estate.browser(Role::Operator).await;
    let page = operator.get(&place).await;
    has(&page, &[&format!("action=\"{place}/approve\""), "waits for a second person"]);
    assert!(!page.body.contains("/apply\""), "{}", page.body);
    let hash =
        page.body.split("name=\"hash\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let theirs = operator.csrf.clone();
    let wrong = [("csrf_token", theirs.as_str()), ("hash", "0")];
    assert_eq!(operator.submit(&format!("{place}/approve"), &wrong).await.status, 409);
    let stolen = [("csrf_token", csrf.as_str()), ("hash", hash.as_str())];
    assert_eq!(admin.submit(&format!("{place}/approve"), &stolen).await.status, 409, "who asked for it");
    let right = [("csrf_token", theirs.as_str()), ("hash", hash.as_str())];
    let approved = operator.submit(&format!("{place}/approve"), &right).await;
    assert_eq!((approved.status, approved.header("location")), (303, format!("{place}#state").as_str()));
    let page = admin.get(&place).await;
    has(
        &page,
        &["Approved by", "operator@example.com", ">Apply</button>", "Others approved exactly these steps"],
    );
    assert!(!page.body.contains("/approve\""), "{}", page.body);
    assert!(estate.simulator.journal().writes.is_empty(), "something was sent");
    assert_eq!(admin.submit(&format!("{place}/apply"), &own).await.status, 303);
    has(&admin.get(&place).await, &["done and read back"]);
    let there = estate.simulator.edit(|world| world.members_of(&team)).unwrap();
    assert!(there.contains(&(person, Some("admin".into()))));
}
