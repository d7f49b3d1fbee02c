//! Accounts through the API, as those who administer see them.

use metsuke_engine::identity::{Operation, Policy, Role};
use reqwest::Method;
use serde_json::json;

use crate::browser::Ask;
use crate::house::{House, PASSWORD};

#[tokio::test]
async fn an_admin_makes_accounts_and_the_last_admin_stays() {
    let house = House::new().await;
    let root = house.person("root@example.com", Role::Admin).await;
    let mut browser = house.signed_in("root@example.com").await;
    let ask = json!({ "email": "Bob@Example.com", "role": "reviewer", "password": PASSWORD });
    let made = browser.send(Method::POST, "/api/v1/accounts", &ask).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(!made.body.contains("argon2") && !made.body.contains(PASSWORD));
    assert_eq!(browser.send(Method::POST, "/api/v1/accounts", &ask).await.status, 409);
    let me = house.signed_in("bob@example.com").await.get("/api/v1/me").await.json();
    assert_eq!((&me["role"], &me["person"]), (&"reviewer".into(), &"bob@example.com".into()));
    assert_eq!(me["token_id"], serde_json::Value::Null);

    let own = format!("/api/v1/accounts/{}", root.id);
    for change in [json!({ "disabled": true }), json!({ "role": "viewer" })] {
        let answer = browser.send(Method::PATCH, &own, &change).await;
        assert_eq!((answer.status, answer.code().as_str()), (409, "refused"), "{change}");
    }
    for wrong in [json!({ "role": "owner" }), json!({ "email": "x" }), json!({ "name": "" })] {
        assert_eq!(browser.send(Method::PATCH, &own, &wrong).await.status, 422, "{wrong}");
    }
    let list = browser.get("/api/v1/accounts?limit=1").await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert!(list["next_cursor"].is_string());
    assert_eq!(
        house.events_of("account.created").await[0].actor.name.split(' ').next(),
        Some("root@example.com")
    );
}

#[tokio::test]
async fn each_role_may_do_in_a_session_what_its_policy_says() {
    let house = House::new().await;
    let some = "01a1ed8a-9e00-7fff-bfff-ffffffffffff";
    for role in Role::ALL {
        let email = format!("{role}@example.com");
        house.person(&email, role).await;
        for operation in Operation::ALL {
            let Policy::Of { roles, owner } = operation.policy() else { continue };
            let mut browser = house.signed_in(&email).await;
            let path = operation.path().replace("{id}", some).replace("{run}", some);
            let method: Method = operation.method().as_str().parse().unwrap();
            let answer = browser.send(method, &path, &json!({})).await;
            let refused = (answer.status, answer.code().as_str()) == (403, "forbidden");
            // Where owning may be enough, some operations must read the request to know of what.
            let unsaid = owner && !roles.contains(&role) && (400..500).contains(&answer.status);
            assert!(unsaid || refused != roles.contains(&role), "{role} {operation}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_kept_for_a_key_knows_nothing_of_the_password() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let ask = |password: &str| {
        Ask::json(&json!({ "email": "bob@example.com", "role": "viewer", "password": password }))
            .with("authorization", format!("Bearer {token}"))
            .with("idempotency-key", "one")
    };
    let first = house.browser().bare(Method::POST, "/api/v1/accounts", ask(PASSWORD)).await;
    let again = house.browser().bare(Method::POST, "/api/v1/accounts", ask("another password")).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(house.browser().sign_in("bob@example.com", PASSWORD, "").await, 201);
}

#[tokio::test]
async fn a_token_has_no_session() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let ask = Ask::default().with("authorization", format!("Bearer {token}"));
    let answer = house.browser().bare(Method::GET, "/api/v1/session", ask).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "session_needed"));
}
