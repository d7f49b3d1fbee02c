//! Settings as pages: one's own account, tokens of programs, people, and how the installation is set up.

use metsuke_engine::identity::Role;

use super::estate::{Estate, links};
use crate::browser::{Answer, Browser};
use crate::house::{House, MINUTE, PASSWORD};
use crate::second_factor::code;

const ANN: &str = "ann@example.com";

/// What stands between two texts of a page.
fn between<'a>(answer: &'a Answer, before: &str, after: &str) -> &'a str {
    let rest = answer.body.split(before).nth(1);
    assert!(rest.is_some(), "no {before}: {}", answer.body);
    rest.unwrap().split(after).next().unwrap()
}

/// Sends a form with the session's token.
async fn send(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let csrf = browser.csrf.clone();
    let mut all = vec![("csrf_token", csrf.as_str())];
    all.extend(fields);
    browser.submit(path, &all).await
}

/// Reads the token that forms show from the page, as a browser does.
async fn reads(browser: &mut Browser, path: &str) -> Answer {
    let page = browser.get(path).await;
    between(&page, "name=\"csrf_token\" value=\"", "\"").clone_into(&mut browser.csrf);
    page
}

#[tokio::test]
async fn a_password_is_changed_on_the_page_and_other_browsers_are_out() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    let (mut here, mut elsewhere) = (house.signed_in(ANN).await, house.signed_in(ANN).await);
    let wrong =
        send(&mut here, "/settings/password", &[("current", "not it at all"), ("new", "another good one")])
            .await;
    assert!(wrong.status == 422 && wrong.body.contains("the password is wrong"), "{}", wrong.body);
    assert!(!wrong.body.contains("not it at all") && !wrong.body.contains("another good one"));
    let right =
        send(&mut here, "/settings/password", &[("current", PASSWORD), ("new", "another good one")]).await;
    assert_eq!((right.status, right.header("location")), (303, "/settings?done=password"), "{}", right.body);
    let page = reads(&mut here, "/settings?done=password").await;
    assert!(page.status == 200 && page.body.contains("You have another password"), "{}", page.body);
    assert!(!elsewhere.is_signed_in().await);
    assert_eq!(
        send(&mut here, "/settings/theme", &[("theme", "dark")]).await.status,
        303,
        "the new token fits"
    );
}

#[tokio::test]
async fn a_second_factor_is_turned_on_and_off_on_the_page() {
    let house = House::new().await;
    house.person(ANN, Role::Admin).await;
    let mut browser = house.signed_in(ANN).await;
    let refused =
        send(&mut browser, "/settings/second-factor", &[("factor_password", "not it at all")]).await;
    assert!(refused.status == 422 && !refused.body.contains("otpauth"), "{}", refused.body);
    let offer = send(&mut browser, "/settings/second-factor", &[("factor_password", PASSWORD)]).await;
    assert!(offer.status == 200 && offer.body.contains("<svg class=\"code\""), "{}", offer.body);
    let secret = between(&offer, "<code class=\"secret\">", "</code>").replace(' ', "");
    assert!(offer.body.contains(&format!("secret={secret}")), "{}", offer.body);
    let wrong = send(&mut browser, "/settings/second-factor/confirm", &[("code", "000000")]).await;
    assert!(wrong.status == 422 && !wrong.body.contains(&secret), "{}", wrong.body);
    let right = code(&house, &secret);
    let done = send(&mut browser, "/settings/second-factor/confirm", &[("code", &right)]).await;
    assert_eq!(done.body.matches("<li><code>").count(), 10, "{}", done.body);
    let recovery = between(&done, "<li><code>", "</code>").to_owned();
    let page = browser.get("/settings").await;
    assert!(page.body.contains(">on</span>") && !page.body.contains(&recovery), "{}", page.body);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "").await, 401);

    let guess = [("password", PASSWORD), ("code", "000000")];
    assert_eq!(send(&mut browser, "/settings/second-factor/off", &guess).await.status, 422);
    let off = [("password", PASSWORD), ("code", recovery.as_str())];
    let off = send(&mut browser, "/settings/second-factor/off", &off).await;
    assert_eq!((off.status, off.header("location")), (303, "/settings?done=factor-off"), "{}", off.body);
    let page = reads(&mut browser, "/settings").await;
    assert!(page.body.contains(">off</span>"), "{}", page.body);
    assert_eq!(house.browser().sign_in(ANN, PASSWORD, "").await, 201);
}

#[tokio::test]
async fn sessions_are_listed_with_browser_and_address_and_ended_one_by_one() {
    let house = House::new().await;
    house.person(ANN, Role::Viewer).await;
    house.person("eve@example.com", Role::Viewer).await;
    let (mut here, mut there) = (house.signed_in(ANN).await, house.signed_in(ANN).await);
    let mut eve = house.signed_in("eve@example.com").await;
    let page = here.get("/settings").await;
    assert_eq!(page.body.matches("/settings/sessions/").count(), 2, "{}", page.body);
    assert!(page.body.contains("127.0.0.1") && page.body.contains("this one"), "{}", page.body);
    let other = page.body.split("/settings/sessions/").find(|part| part.contains(">End<")).unwrap();
    let other = other.split('/').next().unwrap();
    let path = format!("/settings/sessions/{other}/end");
    assert_eq!(send(&mut eve, &path, &[]).await.status, 404, "somebody else’s");
    let ended = send(&mut here, &path, &[]).await;
    assert_eq!((ended.status, ended.header("location")), (303, "/settings?done=session"), "{}", ended.body);
    assert!(!there.is_signed_in().await && here.is_signed_in().await && eve.is_signed_in().await);
    house.pass(MINUTE);
    let own = between(&here.get("/settings").await, "/settings/sessions/", "/").to_owned();
    let out = send(&mut here, &format!("/settings/sessions/{own}/end"), &[]).await;
    assert_eq!(out.header("location"), "/auth/sign-in");
    assert!(here.session().is_empty());
}

#[tokio::test]
async fn a_token_is_made_shown_once_and_revoked() {
    let estate = Estate::new().await;
    let mut admin = estate.browser(Role::Admin).await;
    assert!(admin.get("/settings/tokens").await.body.contains("There is no token yet"));
    let wrong = send(&mut admin, "/settings/tokens", &[("name", ""), ("role", "viewer")]).await;
    assert!(wrong.status == 422 && wrong.body.contains("class=\"wrong\""), "{}", wrong.body);
    let fields =
        [("name", "dashboard"), ("role", "operator"), ("estate:read", "yes"), ("expires", "2099-01-31")];
    let made = send(&mut admin, "/settings/tokens", &fields).await;
    let token = between(&made, "aria-label=\"The token\">", "</pre>").to_owned();
    assert!(made.status == 201 && token.starts_with("mtk_"), "{}", made.body);
    let list = admin.get("/settings/tokens").await;
    assert!(!list.body.contains(&token) && list.body.contains("estate:read"), "{}", list.body);
    assert!(list.body.contains("until 31 Jan 2099"), "{}", list.body);
    let bearer = crate::browser::Ask::default().with("authorization", format!("Bearer {token}"));
    let mut program = estate.house.browser();
    assert_eq!(program.bare(reqwest::Method::GET, "/apps", bearer.clone()).await.status, 200);
    let page = program.bare(reqwest::Method::GET, "/settings", bearer.clone()).await;
    assert_eq!(page.status, 403, "its scope does not cover it");
    let revoke = between(&list, "/settings/tokens/", "/revoke").to_owned();
    let mut auditor = estate.browser(Role::Auditor).await;
    assert!(!auditor.get("/settings/tokens").await.body.contains("Revoke"));
    assert_eq!(send(&mut auditor, &format!("/settings/tokens/{revoke}/revoke"), &[]).await.status, 403);
    assert_eq!(send(&mut admin, &format!("/settings/tokens/{revoke}/revoke"), &[]).await.status, 303);
    assert!(admin.get("/settings/tokens").await.body.contains("revoked just now"));
    assert_ne!(program.bare(reqwest::Method::GET, "/apps", bearer).await.status, 200);
}

#[tokio::test]
async fn a_person_is_added_given_a_role_and_kept_out() {
    let estate = Estate::new().await;
    let mut admin = estate.browser(Role::Admin).await;
    let fields = [("email", "Bob@Example.com"), ("name", "Bob"), ("role", "viewer"), ("password", "short")];
    let weak = send(&mut admin, "/settings/accounts", &fields).await;
    assert!(weak.status == 422 && weak.body.contains("value=\"Bob\"") && !weak.body.contains("short\""));
    let fields = [("email", "Bob@Example.com"), ("name", "Bob"), ("role", "viewer"), ("password", PASSWORD)];
    let made = send(&mut admin, "/settings/accounts", &fields).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let place = made.header("location").split('?').next().unwrap().to_owned();
    let mut bob = estate.house.signed_in("bob@example.com").await;
    assert_eq!(bob.get("/settings/accounts").await.status, 403);
    assert!(!bob.get("/settings").await.body.contains("/settings/tokens"));
    assert_eq!(send(&mut admin, &place, &[("role", "operator")]).await.status, 303);
    assert!(!bob.is_signed_in().await, "another role signs out");
    let mut bob = estate.house.signed_in("bob@example.com").await;
    assert_eq!(send(&mut admin, &format!("{place}/sessions/end"), &[]).await.status, 303);
    assert!(!bob.is_signed_in().await);
    assert_eq!(send(&mut admin, &place, &[("disabled", "yes")]).await.status, 303);
    let page = admin.get(&place).await;
    assert!(page.body.contains("Enable the account") && page.body.contains("operator"), "{}", page.body);
    assert_eq!(bob.sign_in("bob@example.com", PASSWORD, "").await, 401);
    let own = links(&admin.get("/settings/accounts").await);
    let is_own = |link: &&String| link.starts_with("/settings/accounts/") && **link != place;
    let own = own.iter().rfind(is_own).unwrap().clone();
    let last = send(&mut admin, &own, &[("role", "viewer")]).await;
    assert!(last.status == 409 && last.body.contains("last account that may administer"), "{}", last.body);
    let mut auditor = estate.browser(Role::Auditor).await;
    let page = auditor.get(&place).await;
    assert!(page.status == 200 && !page.body.contains("Enable the account"), "{}", page.body);
}

#[tokio::test]
async fn the_installation_is_shown_to_those_who_look_after_it() {
    let estate = Estate::new().await;
    let mut auditor = estate.browser(Role::Auditor).await;
    let owners = auditor.get("/settings/owners").await;
    assert!(
        owners.body.contains("owner@example.com") && owners.body.contains("has no account here"),
        "{}",
        owners.body
    );
    let page = auditor.get("/settings/installation").await;
    assert!(page.body.contains("The audit trail") && page.body.contains("for good"), "{}", page.body);
    assert!(page.body.contains("4,500"), "what the account has left: {}", page.body);
    let page = auditor.get("/settings/sign-in").await;
    assert!(page.body.contains("/auth/oidc/callback") && page.body.contains(">off</span>"), "{}", page.body);
    let mut viewer = estate.browser(Role::Viewer).await;
    for page in ["/settings/installation", "/settings/sign-in", "/settings/tokens", "/settings/accounts"] {
        assert_eq!(viewer.get(page).await.status, 403, "{page}");
    }
    assert_eq!(viewer.get("/settings/owners").await.status, 200);
}
