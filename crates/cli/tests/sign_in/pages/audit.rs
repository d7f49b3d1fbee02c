//! The audit trail as pages: found by who, what, about and outcome, read one by one, and verified.

use metsuke_engine::identity::Role;
use metsuke_model::audit::Actor;

use super::estate::{Estate, link_to, links};

#[tokio::test]
async fn the_trail_is_narrowed_by_who_what_about_and_outcome() {
    let estate = Estate::new().await;
    let mut auditor = estate.browser(Role::Auditor).await;
    assert_eq!(estate.house.browser().sign_in("auditor@example.com", "a wrong password", "").await, 401);
    let all = auditor.get("/audit").await;
    assert!(
        all.body.contains("Somebody signed in") && all.body.contains("connector.created"),
        "{}",
        all.body
    );
    let rows = |body: &str| body.matches("<th scope=\"row\">").count();
    let by = auditor.get("/audit?who=OPERATOR").await;
    assert!(by.body.contains(">connector.created<") && rows(&by.body) < rows(&all.body), "{}", by.body);
    assert!(!by.body.contains(">login.succeeded<"), "{}", by.body);
    let of_kind = auditor.get("/audit?code=login").await;
    assert!(of_kind.body.contains(">login.failed<") && !of_kind.body.contains(">connector.created<"));
    let refused = auditor.get("/audit?outcome=refused").await;
    assert!(refused.body.contains(">login.failed<") && !refused.body.contains(">login.succeeded<"));
    let about = auditor.get(&format!("/audit?subject={}", estate.connector)).await;
    assert!(about.body.contains(">connector.created<") && !about.body.contains(">login.succeeded<"));
    let none = auditor.get("/audit?until=2001-01-01").await;
    assert!(none.body.contains("Nothing fits") && none.body.contains("Show all"), "{}", none.body);
    assert_eq!(auditor.get("/audit?outcome=well").await.status, 422);
    let file = auditor.get("/audit?code=connector&format=csv").await;
    assert!(file.body.starts_with("connector,sequence,at,code,outcome,actor_kind,actor,subject,details"));
    assert!(file.body.contains("connector.created,done,operator,test"), "{}", file.body);
    let mut viewer = estate.browser(Role::Viewer).await;
    assert_eq!(viewer.get("/audit").await.status, 403);
    assert!(!viewer.get("/").await.body.contains("href=\"/audit\""));
}

#[tokio::test]
async fn a_long_trail_comes_in_pages_without_a_gap() {
    let estate = Estate::new().await;
    for _ in 0..120 {
        estate.house.installation.pause(&Actor::operator("test"), estate.connector).await.unwrap();
        estate.house.installation.resume(&Actor::operator("test"), estate.connector).await.unwrap();
    }
    let mut auditor = estate.browser(Role::Auditor).await;
    let (mut page, mut seen) = ("/audit?code=connector".to_owned(), Vec::new());
    loop {
        let answer = auditor.get(&page).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let place = format!("/audit/{}/", estate.connector);
        let entries = links(&answer).into_iter().filter(|link| link.starts_with(&place));
        seen.extend(entries.map(|link| link[place.len()..].parse::<u64>().unwrap()));
        let Some(next) = links(&answer).into_iter().find(|link| link.contains("cursor=")) else { break };
        page = next;
    }
    assert!(seen.len() > 240, "{}", seen.len());
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "{seen:?}");
}

#[tokio::test]
async fn an_entry_tells_who_what_and_the_text_that_counts() {
    let estate = Estate::new().await;
    let mut auditor = estate.browser(Role::Auditor).await;
    let list = auditor.get("/audit?code=connector.created").await;
    let entry = auditor.get(&link_to(&list, "/audit/")).await;
    assert_eq!(entry.status, 200, "{}", entry.body);
    assert!(entry.body.contains("A connector was added to the installation"), "{}", entry.body);
    assert!(entry.body.contains(&format!("href=\"/connectors/{}\"", estate.connector)), "{}", entry.body);
    assert!(entry.body.contains("&quot;code&quot;: &quot;connector.created&quot;"), "{}", entry.body);
    assert!(entry.body.contains("After →"), "{}", entry.body);
    for gone in ["/audit/main/100000", "/audit/main/x", "/audit/nobody/1"] {
        assert_eq!(auditor.get(gone).await.status, 404, "{gone}");
    }
}

#[tokio::test]
async fn verifying_says_what_was_checked_and_finds_what_was_changed() {
    let estate = Estate::new().await;
    let mut auditor = estate.browser(Role::Auditor).await;
    let csrf = auditor.csrf.clone();
    let own = [("csrf_token", csrf.as_str())];
    let unsigned = auditor.submit("/audit/verify", &own).await;
    assert!(unsigned.body.contains("but nothing is signed yet"), "{}", unsigned.body);
    let mut admin = estate.browser(Role::Admin).await;
    for trail in ["main", &estate.connector.to_string()] {
        let sign = [("csrf_token", admin.csrf.clone()), ("trail", trail.to_owned())];
        let sign: Vec<_> = sign.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let signed = admin.submit("/audit/sign", &sign).await;
        assert!(signed.status == 200 && signed.body.contains("Keep it elsewhere"), "{}", signed.body);
    }
    assert_eq!(auditor.submit("/audit/sign", &own).await.status, 403);
    let clean = auditor.submit("/audit/verify", &own).await;
    assert_eq!(clean.status, 200, "{}", clean.body);
    for told in [
        "Nothing was changed",
        "confirmed by a signed checkpoint",
        "were read, from the first to the last",
        "What this cannot show",
        "Example",
    ] {
        assert!(clean.body.contains(told), "{told}: {}", clean.body);
    }
    let file = estate.house.folder.path().join("metsuke.db");
    let sql = "UPDATE audit_event SET text = replace(text, 'auditor@example.com', 'eve@example.com')";
    metsuke_testkit::sqlite(&file, sql).await.unwrap();
    let found = auditor.submit("/audit/verify", &own).await;
    assert!(
        found.body.contains("Something was changed") && found.body.contains("What does not fit"),
        "{}",
        found.body
    );
    let mut viewer = estate.browser(Role::Viewer).await;
    let csrf = viewer.csrf.clone();
    assert_eq!(viewer.submit("/audit/verify", &[("csrf_token", &csrf)]).await.status, 403);
}
