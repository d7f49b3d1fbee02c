//! What other sites' pages make a browser send is refused, for every operation there is.

use metsuke_engine::identity::{Operation, Policy, Role};
use reqwest::Method;
use serde_json::json;

use crate::browser::Ask;
use crate::house::{House, PASSWORD};

/// Every operation that is no GET, with a path that can be asked.
fn mutating() -> Vec<(Operation, Method, String)> {
    let all = Operation::ALL.iter().copied().filter(|operation| operation.method().as_str() != "GET");
    all.map(|operation| {
        let method = operation.method().as_str().parse().unwrap();
        let some = "01a1ed8a-9e00-7fff-bfff-ffffffffffff";
        (operation, method, operation.path().replace("{id}", some).replace("{run}", some))
    })
    .collect()
}

#[tokio::test]
async fn nothing_is_done_for_a_cookie_without_the_token_and_a_page_of_our_own() {
    let house = House::new().await;
    house.person("ann@example.com", Role::Admin).await;
    let mut ann = house.signed_in("ann@example.com").await;
    let other = house.signed_in("ann@example.com").await;
    let (own, token) = (ann.origin(), ann.csrf.clone());
    let (session, mut looked_at) = (ann.session(), 0);
    for (operation, method, path) in mutating() {
        if !matches!(operation.policy(), Policy::Of { .. }) {
            continue;
        }
        looked_at += 1;
        let ask = || Ask::json(&json!({}));
        let forged = [
            ask().with("origin", own.clone()),
            ask().with("origin", own.clone()).with("x-csrf-token", ""),
            ask().with("origin", own.clone()).with("x-csrf-token", other.csrf.clone()),
            ask().with("origin", "https://evil.example").with("x-csrf-token", token.clone()),
            ask().with("origin", "null").with("x-csrf-token", token.clone()),
            ask().with("x-csrf-token", token.clone()),
            ask().with("sec-fetch-site", "cross-site").with("x-csrf-token", token.clone()),
            ask()
                .with("origin", own.clone())
                .with("sec-fetch-site", "same-site")
                .with("x-csrf-token", token.clone()),
            Ask::form(&[("a", "b")]).with("origin", own.clone()),
            Ask::form(&[("csrf_token", &token)]).with("origin", "https://evil.example"),
            Ask::form(&[("csrf_token", &token), ("csrf_token", &token)]).with("origin", own.clone()),
        ];
        for ask in forged {
            let told = format!("{operation} {:?}", ask.headers);
            let answer = ann.bare(method.clone(), &path, ask).await;
            assert_eq!((answer.status, answer.code().as_str()), (403, "forgery"), "{told}");
        }
    }
    assert!(looked_at > 20, "{looked_at}");
    assert!(ann.is_signed_in().await && ann.session() == session, "nothing has happened");
}

#[tokio::test]
async fn with_the_token_from_a_page_of_our_own_every_operation_is_reached() {
    let house = House::new().await;
    house.person("ann@example.com", Role::Admin).await;
    for (operation, method, path) in mutating() {
        if !matches!(operation.policy(), Policy::Of { .. }) {
            continue;
        }
        let mut ann = house.signed_in("ann@example.com").await;
        let answer = ann.send(method, &path, &json!({})).await;
        assert_ne!(answer.code(), "forgery", "{operation}: {}", answer.body);
        assert!(answer.status < 500 && answer.status != 401, "{operation}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_program_needs_no_token_of_a_page() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    for (operation, method, path) in mutating() {
        let ask = Ask::json(&json!({})).with("authorization", format!("Bearer {token}"));
        let answer = house.browser().bare(method, &path, ask).await;
        assert_ne!(answer.code(), "forgery", "{operation}");
    }
}

#[tokio::test]
async fn nobody_is_signed_in_by_another_sites_form() {
    let house = House::new().await;
    house.person("ann@example.com", Role::Admin).await;
    let fields = [("email", "ann@example.com"), ("password", PASSWORD), ("code", ""), ("next", "")];
    let forged = [
        Ask::form(&fields),
        Ask::form(&fields).with("origin", "https://evil.example"),
        Ask::form(&fields).with("sec-fetch-site", "cross-site"),
        Ask::json(&json!({ "email": "ann@example.com", "password": PASSWORD }))
            .with("origin", "https://evil.example"),
    ];
    for ask in forged {
        for path in ["/auth/sign-in", "/api/v1/session", "/setup"] {
            let mut browser = house.browser();
            let answer = browser.bare(Method::POST, path, ask.clone()).await;
            assert!(answer.status == 403 && browser.cookies.is_empty(), "{path}: {}", answer.body);
        }
    }
    let mut browser = house.browser();
    assert_eq!(browser.submit("/auth/sign-in", &fields).await.status, 303);
}

#[tokio::test]
async fn every_answer_says_what_a_browser_may_not_do_with_it() {
    let house = House::new().await;
    house.person("ann@example.com", Role::Admin).await;
    for path in ["/auth/sign-in", "/healthz", "/api/v1/session", "/nowhere", "/auth/account"] {
        let answer = house.browser().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
    }
}
