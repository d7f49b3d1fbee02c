//! What each write sends, and which stored ones are taken back.
//!
//! Invariant: every write of the client is in `EVERY`, with its path and body in full.

use metsuke_clients::heroku::{AppPermission, TeamRole, WriteCall, WriteTarget};
use metsuke_clients::{ClientError, ErrorKind};
use serde_json::{Value, json};

use super::{Server, TOKEN, Turn, provisioning};

const V3: &str = "application/vnd.heroku+json; version=3";
const INVITATIONS: &str = "application/vnd.heroku+json; version=3.team-invitations";

struct Sent {
    call: WriteCall,
    target: WriteTarget,
    method: &'static str,
    path: &'static str,
    accept: &'static str,
    body: &'static str,
}

fn every() -> Vec<Sent> {
    use AppPermission::{Deploy, Manage, Operate};
    use WriteTarget::{Collaborator, TeamInvitation, TeamMember};
    let sent = |call: Result<WriteCall, ClientError>, target, method, path, body| {
        let accept = if target == TeamInvitation { INVITATIONS } else { V3 };
        Sent { call: call.unwrap(), target, method, path, accept, body }
    };
    let ann = "Ann+1@example.com";
    vec![
        sent(
            WriteCall::set_member("ops", ann, TeamRole::Viewer),
            TeamMember,
            "PUT",
            "/teams/ops/members",
            r#"{"email":"Ann+1@example.com","role":"viewer"}"#,
        ),
        sent(
            WriteCall::remove_member("ops", ann),
            TeamMember,
            "DELETE",
            "/teams/ops/members/Ann%2B1%40example.com",
            "",
        ),
        sent(
            WriteCall::invite("ops", ann, TeamRole::Admin),
            TeamInvitation,
            "PUT",
            "/teams/ops/invitations",
            r#"{"email":"Ann+1@example.com","role":"admin"}"#,
        ),
        sent(
            WriteCall::withdraw_invitation("ops", "1f0a"),
            TeamInvitation,
            "DELETE",
            "/teams/ops/invitations/1f0a",
            "",
        ),
        sent(
            WriteCall::add_collaborator("shop", ann),
            Collaborator,
            "POST",
            "/apps/shop/collaborators",
            r#"{"user":"Ann+1@example.com"}"#,
        ),
        sent(
            WriteCall::remove_collaborator("shop", ann),
            Collaborator,
            "DELETE",
            "/apps/shop/collaborators/Ann%2B1%40example.com",
            "",
        ),
        sent(
            WriteCall::add_team_collaborator("shop", ann, [Operate, Deploy, Deploy]),
            Collaborator,
            "POST",
            "/teams/apps/shop/collaborators",
            r#"{"permissions":["view","deploy","operate"],"user":"Ann+1@example.com"}"#,
        ),
        sent(
            WriteCall::set_permissions("shop", ann, [Manage]),
            Collaborator,
            "PATCH",
            "/teams/apps/shop/collaborators/Ann%2B1%40example.com",
            r#"{"permissions":["view","manage"]}"#,
        ),
        sent(
            WriteCall::remove_team_collaborator("shop", ann),
            Collaborator,
            "DELETE",
            "/teams/apps/shop/collaborators/Ann%2B1%40example.com",
            "",
        ),
    ]
}

#[tokio::test]
async fn every_write_sends_exactly_its_request() {
    for sent in every() {
        let server = Server::script(vec![Turn::new(200, "{}")]).await;
        provisioning(&server).send_write(&sent.call).await;
        let requests = server.requests();
        let request = &requests[0];
        assert_eq!(requests.len(), 1);
        assert_eq!((request.method.as_str(), request.path.as_str()), (sent.method, sent.path));
        assert_eq!(request.body, sent.body);
        assert_eq!(request.header("accept"), Some(sent.accept));
        assert_eq!(request.header("authorization").unwrap(), format!("Bearer {TOKEN}"));
        assert!(request.header("user-agent").unwrap().starts_with("metsuke/"));
        assert_eq!(request.header("range"), None);
        let json = (!sent.body.is_empty()).then_some("application/json");
        assert_eq!(request.header("content-type"), json, "{}", sent.path);
        let length = (!sent.body.is_empty()).then(|| sent.body.len().to_string());
        assert_eq!(request.header("content-length"), length.as_deref(), "{}", sent.path);
    }
}

#[tokio::test]
async fn a_stored_write_is_sent_byte_for_byte() {
    for sent in every() {
        let text = serde_json::to_string(&sent.call).unwrap();
        let back: WriteCall = serde_json::from_str(&text).unwrap();
        assert_eq!(back, sent.call);
        assert_eq!((back.method(), back.path().as_str()), (sent.method, sent.path));
        assert_eq!(back.body().unwrap_or_default(), sent.body);
        assert_eq!(back.target(), sent.target);
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
        let server = Server::script(vec![Turn::new(200, "{}")]).await;
        provisioning(&server).send_write(&back).await;
        let request = server.requests().remove(0);
        assert_eq!((request.path.as_str(), request.body.as_str()), (sent.path, sent.body));
    }
}

#[test]
fn the_stored_form_is_plain_to_read() {
    let call = WriteCall::set_member("ops", "ann@example.com", TeamRole::Member).unwrap();
    insta::assert_snapshot!(serde_json::to_string(&call).unwrap(), @r#"{"method":"PUT","path":"/teams/ops/members","body":{"email":"ann@example.com","role":"member"}}"#);
    let call = WriteCall::remove_member("ops", "ann@example.com").unwrap();
    insta::assert_snapshot!(serde_json::to_string(&call).unwrap(), @r#"{"method":"DELETE","path":"/teams/ops/members/ann%40example.com"}"#);
}

#[tokio::test]
async fn awkward_addresses_stay_one_segment_of_the_path() {
    for (address, encoded) in [
        ("a+b@example.com", "a%2Bb%40example.com"),
        ("a/b@example.com", "a%2Fb%40example.com"),
        ("a/../../x@example.com", "a%2F..%2F..%2Fx%40example.com"),
        ("100%@example.com", "100%25%40example.com"),
        ("%2e%2e@example.com", "%252e%252e%40example.com"),
        ("jörg@例え.jp", "j%C3%B6rg%40%E4%BE%8B%E3%81%88.jp"),
        ("a?b#c@example.com", "a%3Fb%23c%40example.com"),
        ("o'neil&co=1;x@example.com", "o%27neil%26co%3D1%3Bx%40example.com"),
    ] {
        let server = Server::script(vec![Turn::new(200, "{}")]).await;
        let door = provisioning(&server);
        let remove = WriteCall::remove_member("ops", address).unwrap();
        door.send_write(&remove).await;
        door.send_write(&WriteCall::add_collaborator("shop", address).unwrap()).await;
        let requests = server.requests();
        assert_eq!(requests[0].path, format!("/teams/ops/members/{encoded}"));
        assert_eq!(serde_json::from_str::<Value>(&requests[1].body).unwrap(), json!({ "user": address }));
        let back: WriteCall = serde_json::from_str(&serde_json::to_string(&remove).unwrap()).unwrap();
        assert_eq!(back, remove);
    }
}

#[test]
fn names_that_mean_another_thing_are_refused() {
    for name in ["", "~", ".", "..", "a\nb", "a\0b"] {
        let refused = [
            WriteCall::remove_member("ops", name),
            WriteCall::remove_member(name, "ann@example.com"),
            WriteCall::set_member(name, "ann@example.com", TeamRole::Member),
            WriteCall::withdraw_invitation("ops", name),
            WriteCall::add_collaborator("shop", name),
            WriteCall::add_collaborator(name, "ann@example.com"),
            WriteCall::set_permissions("shop", name, []),
            WriteCall::remove_team_collaborator("shop", name),
        ];
        for error in refused.map(Result::unwrap_err) {
            assert_eq!(error.kind(), ErrorKind::Write);
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
    for no_address in ["ann", "@example.com", "ann@", "01234567-89ab-cdef-0123-456789abcdef"] {
        assert!(WriteCall::set_member("ops", no_address, TeamRole::Member).is_err());
        assert!(WriteCall::invite("ops", no_address, TeamRole::Member).is_err());
    }
    let error = WriteCall::remove_member("ops", "~").unwrap_err();
    assert_eq!(error.to_string(), "`~` cannot name a member");
}

#[test]
fn roles_that_no_write_gives_are_refused() {
    for role in ["owner", "collaborator", "Admin", ""] {
        assert!(role.parse::<TeamRole>().is_err(), "{role}");
    }
    let error = "paint".parse::<AppPermission>().unwrap_err();
    assert_eq!(error.to_string(), "`paint` is not a permission on an app");
    for role in [TeamRole::Admin, TeamRole::Member, TeamRole::Viewer] {
        assert_eq!(role.as_str().parse::<TeamRole>().unwrap(), role);
    }
}

#[test]
fn a_foreign_call_cannot_be_read_back() {
    let body = json!({ "email": "ann@example.com", "role": "admin" });
    let user = json!({ "user": "ann@example.com" });
    for (method, path, body) in [
        ("DELETE", "/apps/shop", None),
        ("DELETE", "/teams/ops", None),
        ("GET", "/teams/ops/members", None),
        ("PATCH", "/apps/shop", Some(json!({ "name": "x" }))),
        ("PUT", "/apps/shop/config-vars", Some(json!({}))),
        ("POST", "/oauth/authorizations", Some(json!({ "scope": ["global"] }))),
        ("POST", "/enterprise-accounts/acme/members", Some(user.clone())),
        ("put", "/teams/ops/members", Some(body.clone())),
        ("POST", "/teams/ops/members", Some(body.clone())),
        // The right call with something more, less or else.
        ("PUT", "/teams/ops/members?x=1", Some(body.clone())),
        ("PUT", "/teams/ops/members/", Some(body.clone())),
        ("PUT", "//teams/ops/members", Some(body.clone())),
        ("PUT", "teams/ops/members", Some(body.clone())),
        ("PUT", "x/teams/ops/members", Some(body.clone())),
        ("PUT", "/t%65ams/ops/members", Some(body.clone())),
        ("PUT", "/teams/o%70s/members", Some(body.clone())),
        ("PUT", "/teams//members", Some(body.clone())),
        ("PUT", "/teams/%7E/members", Some(body.clone())),
        ("PUT", "/teams/../members", Some(body.clone())),
        ("PUT", "/teams/ops%0A/members", Some(body.clone())),
        ("PUT", "/teams/%FF/members", Some(body.clone())),
        ("PUT", "https://evil.example/teams/ops/members", Some(body.clone())),
        ("PUT", "@evil.example/teams/ops/members", Some(body.clone())),
        ("PUT", "/teams/ops/members", None),
        ("PUT", "/teams/ops/members", Some(json!([]))),
        ("PUT", "/teams/ops/members", Some(json!({ "email": "ann@example.com" }))),
        ("PUT", "/teams/ops/members", Some(json!({ "email": "ann@example.com", "role": "owner" }))),
        ("PUT", "/teams/ops/members", Some(json!({ "email": "ann", "role": "admin" }))),
        (
            "PUT",
            "/teams/ops/members",
            Some(json!({ "email": "ann@example.com", "role": "admin", "federated": true })),
        ),
        ("DELETE", "/teams/ops/members/ann@example.com", None),
        ("DELETE", "/teams/ops/members/~", None),
        ("DELETE", "/teams/ops/members/ann%40example.com", Some(json!({}))),
        ("POST", "/apps/shop/collaborators", Some(json!({ "user": "~" }))),
        ("POST", "/apps/shop/collaborators", Some(json!({ "user": "ann@example.com", "silent": true }))),
        ("POST", "/teams/apps/shop/collaborators", Some(user)),
        ("PATCH", "/teams/apps/shop/collaborators/ann", Some(json!({ "permissions": ["deploy"] }))),
        ("PATCH", "/teams/apps/shop/collaborators/ann", Some(json!({ "permissions": ["view", "view"] }))),
        ("PATCH", "/teams/apps/shop/collaborators/ann", Some(json!({ "permissions": ["paint"] }))),
        ("PATCH", "/teams/apps/shop/collaborators/ann", Some(json!({ "permissions": [7] }))),
        ("PATCH", "/teams/apps/shop/collaborators/ann", Some(json!({ "permissions": [] }))),
    ] {
        let stored = json!({ "method": method, "path": path, "body": body });
        assert!(serde_json::from_value::<WriteCall>(stored.clone()).is_err(), "{stored}");
    }
    let more = json!({ "method": "DELETE", "path": "/teams/ops/members/ann", "headers": {} });
    assert!(serde_json::from_value::<WriteCall>(more).is_err());
}

#[test]
fn the_refusal_of_a_foreign_call_says_why() {
    let refuse = |stored: Value| serde_json::from_value::<WriteCall>(stored).unwrap_err().to_string();
    let foreign = refuse(json!({ "method": "DELETE", "path": "/apps/`shop`\n\u{1b}[31m" }));
    let path = refuse(json!({ "method": "DELETE", "path": "/teams/ops/members/a@b" }));
    let body = json!({ "user": "ann@example.com", "silent": true });
    let body = refuse(json!({ "method": "POST", "path": "/apps/shop/collaborators", "body": body }));
    let key = refuse(json!({ "method": "PUT", "path": "/teams/ops/members" }));
    insta::assert_snapshot!([foreign, path, body, key].join("\n"), @r"
    `DELETE /apps/'shop' [31m` is none of the writes to Heroku
    `DELETE /teams/ops/members/a@b` has a path that no write has
    `POST /apps/shop/collaborators` has a body that this write does not have
    `PUT /teams/ops/members` has no fitting `email` in its body
    ");
}
