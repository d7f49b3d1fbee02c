//! Writes on who is named on an app, line by line as the fact sheet has them.

use metsuke_simulator::{Manners, Options, Size};
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::House;
use crate::probe::text;

const DEV: &str = "Dev+1@example.com";
const ENCODED: &str = "dev%2B1%40EXAMPLE.com";

fn names(row: &Value) -> Vec<String> {
    row["permissions"].as_array().expect("permissions").iter().map(|row| text(row, "name")).collect()
}

#[tokio::test]
async fn the_team_form_carries_permissions_and_always_view() {
    let house = House::new().await;
    let path = format!("/teams/apps/{}/collaborators", house.app);
    let body = json!({"user": DEV, "permissions": ["operate"]});
    let (status, row) = house.write(Method::POST, &path, body).await;
    assert_eq!((status, names(&row)), (201, vec!["view".to_owned(), "operate".to_owned()]));
    let one = format!("{path}/{ENCODED}");
    // A change replaces everything, and is known by address or by the id of the row.
    for name in [one.clone(), format!("{path}/{}", text(&row, "id"))] {
        for (asked, held) in
            [(vec!["deploy", "manage"], vec!["view", "deploy", "manage"]), (vec!["view"], vec!["view"])]
        {
            let (status, row) = house.write(Method::PATCH, &name, json!({"permissions": asked})).await;
            assert_eq!((status, names(&row)), (200, held.into_iter().map(str::to_owned).collect()));
        }
    }
    for body in [json!({"permissions": ["fly"]}), json!({"permissions": "view"}), json!({})] {
        house.expect(Method::PATCH, &one, body, 422, "invalid_params").await;
    }
    let body = json!({"user": DEV, "permissions": ["view"]});
    let (status, refused) = house.write(Method::POST, &path, body).await;
    let message = format!("{DEV} is already a collaborator on app {}.", house.app);
    assert_eq!(
        (status, text(&refused, "id").as_str(), text(&refused, "message")),
        (422, "invalid_params", message)
    );
    assert_eq!(house.write(Method::DELETE, &one, json!({})).await.0, 200);
    for method in [Method::DELETE, Method::PATCH] {
        let (status, answer) = house.write(method, &one, json!({"permissions": ["view"]})).await;
        assert_eq!((status, text(&answer, "message").as_str()), (404, "Couldn't find that user."));
    }
    house.agrees().await;
}

#[tokio::test]
async fn apps_outside_enterprise_teams_have_plain_collaborators() {
    let house = House::new().await;
    for app in [&house.standard_app, &house.own_app] {
        let path = format!("/apps/{app}/collaborators");
        let (status, row) = house.write(Method::POST, &path, json!({"user": DEV, "silent": true})).await;
        assert_eq!((status, text(&row["user"], "email").as_str()), (201, DEV));
        house.expect(Method::POST, &path, json!({"user": DEV}), 422, "invalid_params").await;
        let (status, gone) = house.write(Method::DELETE, &format!("{path}/{ENCODED}"), json!({})).await;
        assert_eq!((status, &gone["id"]), (200, &row["id"]));
        house.expect(Method::DELETE, &format!("{path}/{DEV}"), json!({}), 404, "not_found").await;
    }
    let path = format!("/teams/apps/{}/collaborators", house.standard_app);
    let body = json!({"user": DEV, "permissions": ["deploy"]});
    house.expect(Method::POST, &path, body, 422, "invalid_params").await;
    assert_eq!(house.write(Method::POST, &path, json!({"user": DEV})).await.0, 201);
    let body = json!({"permissions": ["deploy"]});
    house.expect(Method::PATCH, &format!("{path}/{DEV}"), body, 422, "invalid_params").await;
    let path = format!("/teams/apps/{}/collaborators", house.own_app);
    house.expect(Method::POST, &path, json!({"user": DEV}), 404, "not_found").await;
    house.agrees().await;
}

#[tokio::test]
async fn the_plain_form_refuses_permissions_on_every_app() {
    let house = House::new().await;
    for app in [&house.app, &house.standard_app, &house.own_app] {
        let path = format!("/apps/{app}/collaborators");
        let body = json!({"user": DEV, "permissions": ["view"]});
        let (status, answer) = house.write(Method::POST, &path, body).await;
        assert_eq!((status, text(&answer, "message").as_str()), (422, "Unknown params: permissions."));
    }
    let body = json!({"user": DEV, "silent": "yes"});
    let path = format!("/apps/{}/collaborators", house.app);
    house.expect(Method::POST, &path, body, 422, "invalid_params").await;
    assert!(house.probe.simulator.journal().applied().is_empty());
}

#[tokio::test]
async fn a_person_is_named_by_address_or_id_and_a_stranger_by_address_alone() {
    let house = House::new().await;
    let path = format!("/apps/{}/collaborators", house.own_app);
    let known = house.edit(|world| world.add_person("known@example.com"));
    let (status, row) = house.write(Method::POST, &path, json!({"user": known.to_string()})).await;
    assert_eq!((status, text(&row["user"], "email").as_str()), (201, "known@example.com"));
    let by_person = format!("{path}/{known}");
    assert_eq!(house.write(Method::DELETE, &by_person, json!({})).await.0, 200);
    let nobody = json!({"user": "0b2b0d70-5c2e-4d2e-9a50-6d1d5b6b1a11"});
    house.expect(Method::POST, &path, nobody, 404, "not_found").await;
    assert_eq!(house.write(Method::POST, &path, json!({"user": "stranger@example.com"})).await.0, 201);
    assert!(house.edit(|world| world.person_id("stranger@example.com")).is_some());
    // The owner is on the app already.
    house.expect(Method::POST, &path, json!({"user": "~"}), 422, "invalid_params").await;
    let own = house.edit(|world| world.caller_email());
    assert_eq!(house.probe.one(&format!("{path}/{own}")).await["role"], "owner");
}

#[tokio::test]
async fn who_is_only_on_apps_leaves_the_team_with_the_last_of_them_or_lingers_as_told() {
    for collaborators_linger in [false, true] {
        let manners = Manners { collaborators_linger, ..Manners::default() };
        let house = House::with(Options::of(Size::Mixed).manners(manners)).await;
        let apps = house.edit(|world| world.app_names(Some(&house.team)));
        let path = |app: &str| format!("/teams/apps/{app}/collaborators");
        for app in &apps[..2] {
            assert_eq!(house.write(Method::POST, &path(app), json!({"user": DEV})).await.0, 201);
        }
        let mut roles = vec![house.role(DEV)];
        for app in &apps[..2] {
            let one = format!("{}/{DEV}", path(app));
            assert_eq!(house.write(Method::DELETE, &one, json!({})).await.0, 200);
            roles.push(house.role(DEV));
        }
        let collaborator = Some("collaborator".to_owned());
        let last = collaborator.clone().filter(|_| collaborators_linger);
        assert_eq!(roles, [collaborator.clone(), collaborator, last]);
        house.agrees().await;
    }
}

#[tokio::test]
async fn a_member_stays_in_the_team_without_any_app() {
    let house = House::new().await;
    house.edit(|world| world.set_member(&house.team, DEV, Some("member")));
    let path = format!("/teams/apps/{}/collaborators", house.app);
    assert_eq!(house.write(Method::POST, &path, json!({"user": DEV})).await.1["role"], "member");
    assert_eq!(house.write(Method::DELETE, &format!("{path}/{ENCODED}"), json!({})).await.0, 200);
    assert_eq!(house.role(DEV).as_deref(), Some("member"));
}
