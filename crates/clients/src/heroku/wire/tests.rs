//! Awkward rows, as the service has sent them or may; real recordings are read in `tests/it`.
//!
//! Invariant: each test is one manner of the service.

use serde_json::json;

use super::*;

fn read<T: serde::de::DeserializeOwned>(value: &serde_json::Value) -> T {
    serde_json::from_slice(&serde_json::to_vec(value).unwrap()).unwrap()
}

#[test]
fn a_row_needs_its_id_only() {
    assert_eq!(read::<TeamMember>(&json!({"id": "m"})).user, None);
    assert_eq!(
        read::<Collaborator>(&json!({"id": "c", "permissions": null})).permissions,
        Vec::<Slug>::new()
    );
    assert_eq!(read::<PermissionEntity>(&json!({"id": "p", "users": null})).users, None);
    assert!(serde_json::from_str::<App>(r#"{"name": "no-id"}"#).is_err());
    assert!(serde_json::from_str::<App>(r#"{"id": null}"#).is_err());
}

#[test]
fn a_person_may_be_null_or_lack_an_id() {
    assert_eq!(read::<TeamMember>(&json!({"id": "m", "user": null})).user, None);
    let member = read::<TeamMember>(&json!({"id": "m", "user": {"email": "Ann@Example.com"}}));
    let user = member.user.unwrap();
    assert_eq!((user.id, user.email.as_deref()), (None, Some("Ann@Example.com")));
}

#[test]
fn permissions_are_names_or_objects() {
    let names = read::<Collaborator>(&json!({"id": "c", "permissions": ["view", "paint"]}));
    let objects = json!([{"name": "view", "description": "x"}, {"description": "y", "name": "paint"}]);
    let objects = read::<Collaborator>(&json!({"id": "c", "permissions": objects}));
    assert_eq!(names.permissions, ["view", "paint"]);
    assert_eq!(names.permissions, objects.permissions);
    let nameless = r#"{"id": "c", "permissions": [{"description": "x"}]}"#;
    assert!(serde_json::from_str::<Collaborator>(nameless).is_err());
}

#[test]
fn an_unknown_role_is_kept_verbatim() {
    let member = read::<TeamMember>(&json!({"id": "m", "role": "Sorcerer"}));
    assert_eq!(member.role.as_deref(), Some("Sorcerer"));
}

#[test]
fn sizes_may_be_null_or_fractions() {
    let app = read::<App>(&json!({"id": "a", "slug_size": 1.5e9, "repo_size": null}));
    assert_eq!(app.slug_size.and_then(|n| n.as_f64()), Some(1.5e9));
    assert_eq!(app.repo_size, None);
}

#[test]
fn unknown_fields_are_kept_but_secrets_are_not() {
    let account = read::<Account>(&json!({
        "id": "u", "beta": true, "two_factor_authentication": true, "sms_number": "+1", "api_key": "k",
        "access_token": {"token": "t"}, "nested": [{"secret": "s", "fine": 1}], "has_token": true,
    }));
    let kept = serde_json::Value::Object(account.rest);
    assert_eq!(kept, json!({"beta": true, "nested": [{"fine": 1}], "has_token": true}));
    let invitation = read::<Invitation>(&json!({"id": "i", "token": "accept-me"}));
    assert!(invitation.rest.is_empty());
}

#[test]
fn a_generation_is_an_object_or_a_word() {
    for generation in [json!("fir"), json!({"id": "g", "name": "cedar"}), json!(null)] {
        let _: App = read(&json!({"id": "a", "generation": generation}));
        let _: Space = read(&json!({"id": "s", "generation": generation}));
    }
}

#[test]
fn an_authorization_keeps_nothing_that_lets_in_but_its_token() {
    let row = json!({
        "id": "a", "description": "laptop", "scope": ["global"], "client": null,
        "access_token": {"id": "t", "token": "HRKU-other", "expires_in": 600},
        "refresh_token": {"id": "r", "token": "HRKU-refresh", "expires_in": null},
        "grant": {"id": "g", "code": "HRKU-grant", "expires_in": 300},
    });
    let row = read::<Authorization>(&row);
    let told = format!("{row:?}");
    assert!(!told.contains("HRKU"), "{told}");
    for hint in [json!(null), json!("HRKU-****"), json!("")] {
        let row = read::<Authorization>(&json!({"id": "a", "access_token": {"token": hint}}));
        assert!(row.access_token.unwrap().token.is_none());
    }
    assert!(read::<Authorization>(&json!({"id": "a", "access_token": null})).access_token.is_none());
    let key = read::<Key>(&json!({"id": "k", "public_key": "ssh-rsa AAAA", "comment": null}));
    assert_eq!((key.comment, key.fingerprint), (None, None));
}
