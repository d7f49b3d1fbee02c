//! Who may write: by the scope of the token, and by the caller's role.

use reqwest::Method;
use serde_json::{Value, json};

use crate::house::House;
use crate::probe::{ACCEPT, header, json as body_of, text};

/// One write of each kind, with what it is on.
fn writes(house: &House) -> Vec<(Method, String, Value)> {
    let member = json!({"email": "new@example.com", "role": "member"});
    let (team, app) = (format!("/teams/{}", house.team), format!("/teams/apps/{}", house.app));
    vec![
        (Method::PUT, format!("{team}/members"), member.clone()),
        (Method::POST, format!("{team}/members"), member.clone()),
        (Method::PATCH, format!("{team}/members"), member.clone()),
        (Method::DELETE, format!("{team}/members/new@example.com"), json!({})),
        (Method::PUT, format!("/teams/{}/invitations", house.standard), member),
        (Method::DELETE, format!("/teams/{}/invitations/new@example.com", house.standard), json!({})),
        (Method::POST, format!("{app}/collaborators"), json!({"user": "new@example.com"})),
        (
            Method::PATCH,
            format!("{app}/collaborators/new@example.com"),
            json!({"permissions": ["view", "deploy"]}),
        ),
        (Method::DELETE, format!("{app}/collaborators/new@example.com"), json!({})),
        (Method::POST, format!("/apps/{}/collaborators", house.own_app), json!({"user": "new@example.com"})),
        (Method::DELETE, format!("/apps/{}/collaborators/new@example.com", house.own_app), json!({})),
    ]
}

#[tokio::test]
async fn tokens_that_read_cannot_write_and_are_told_which_scope_can() {
    let mut house = House::new().await;
    for scope in ["read", "read-protected", "identity", "identity-read"] {
        house.probe.token = house.probe.simulator.token_with(scope);
        for (method, path, body) in writes(&house) {
            let answer = house.send(method.clone(), &path, body).await.expect("an answer");
            assert_eq!(answer.status(), 403, "{scope} {method} {path}");
            assert_eq!(header(&answer, "oauth-scope"), Some(scope.replace("identity-read", "identity read")));
            let accepted = header(&answer, "oauth-scope-accepted").expect("the scopes that can");
            let on_app = path.contains("/apps/");
            assert_eq!(accepted, if on_app { "global write write-protected" } else { "global" });
            assert_eq!(body_of(answer).await["id"], "forbidden");
        }
    }
    assert!(house.probe.simulator.journal().applied().is_empty());
}

#[tokio::test]
async fn tokens_that_write_may_change_apps_but_not_who_is_in_a_team() {
    let mut house = House::new().await;
    for scope in ["write", "write-protected"] {
        house.probe.token = house.probe.simulator.token_with(scope);
        for (method, path, body) in writes(&house) {
            let (status, answer) = house.write(method.clone(), &path, body).await;
            let expected = match (path.contains("/apps/"), &method) {
                (false, _) => 403,
                (true, &Method::POST) => 201,
                (true, _) => 200,
            };
            assert_eq!(status, expected, "{scope} {method} {path}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_global_token_may_do_everything_also_when_its_account_is_refused() {
    for name in ["global", "accountless"] {
        let mut house = House::new().await;
        house.probe.token = house.probe.simulator.token_with(name);
        for (method, path, body) in writes(&house) {
            let (status, answer) = house.write(method.clone(), &path, body).await;
            // The second and third meet what the first has done.
            let expected =
                if method == Method::POST && path.ends_with("/members") { vec![422] } else { vec![200, 201] };
            assert!(expected.contains(&status), "{name} {method} {path}: {answer}");
        }
        let own = house.edit(|world| world.person_id("~")).expect("a person");
        for path in ["/account", "/users/~", &format!("/users/{own}")] {
            let answer = house.probe.get(path).await;
            assert_eq!(answer.status(), if name == "global" { 200 } else { 403 }, "{name} {path}");
            assert_eq!(header(&answer, "oauth-scope").as_deref(), Some("global"));
            if name == "accountless" {
                assert_eq!(body_of(answer).await["id"], "forbidden");
            }
        }
        assert_eq!(house.probe.status("/account/rate-limits").await, 200);
    }
}

#[tokio::test]
async fn only_an_admin_changes_a_team_and_only_who_manages_an_app_changes_that() {
    let house = House::new().await;
    let own = house.edit(|world| world.caller_email());
    house.edit(|world| world.set_member(&house.team, "new@example.com", Some("member")));
    for role in ["member", "viewer", "collaborator"] {
        house.edit(|world| world.set_role(&house.team, &own, Some(role)));
        house.edit(|world| world.set_role(&house.standard, &own, Some(role)));
        house.edit(|world| world.remove_collaborator(&house.app, &own));
        let before = house.probe.simulator.truth().grant_set();
        for (method, path, body) in writes(&house).into_iter().take(9) {
            let (status, answer) = house.write(method.clone(), &path, body).await;
            assert_eq!((status, text(&answer, "id").as_str()), (403, "forbidden"), "{role} {method} {path}");
        }
        assert_eq!(house.probe.simulator.truth().grant_set(), before);
    }
    // Somebody who may manage the app may change who is named on it, and no more.
    house.edit(|world| world.set_collaborator(&house.app, &own, &["view", "manage"]));
    let statuses: Vec<u16> = {
        let mut statuses = Vec::new();
        for (method, path, body) in writes(&house).into_iter().take(9) {
            statuses.push(house.write(method, &path, body).await.0);
        }
        statuses
    };
    assert_eq!(statuses, [403, 403, 403, 403, 403, 403, 201, 200, 200]);
}

#[tokio::test]
async fn a_team_or_app_that_the_caller_has_nothing_to_do_with_is_not_there() {
    let house = House::new().await;
    let own = house.edit(|world| world.caller_email());
    house.edit(|world| world.remove_member(&house.standard, &own));
    let body = json!({"email": "new@example.com", "role": "member"});
    let path = format!("/teams/{}/invitations", house.standard);
    house.expect(Method::PUT, &path, body, 404, "not_found").await;
    let path = format!("/apps/{}/collaborators", house.standard_app);
    house.expect(Method::POST, &path, json!({"user": "new@example.com"}), 403, "forbidden").await;
    let path = "/apps/no-such-app/collaborators";
    house.expect(Method::POST, path, json!({"user": "new@example.com"}), 404, "not_found").await;
}

#[tokio::test]
async fn a_write_without_a_token_or_version_changes_nothing() {
    let house = House::new().await;
    let url = format!("{}{}", house.probe.simulator.url(), house.members());
    let body = json!({"email": "new@example.com", "role": "member"}).to_string();
    let bare = house.probe.client.put(&url).header("accept", ACCEPT).body(body.clone());
    assert_eq!(bare.send().await.expect("an answer").status(), 401);
    let unversioned = house.probe.client.put(&url).bearer_auth(&house.probe.token).body(body);
    assert_eq!(unversioned.send().await.expect("an answer").status(), 406);
    assert_eq!(house.role("new@example.com"), None);
    assert_eq!(house.probe.simulator.journal().writes.len(), 2);
}
