//! Writes on team memberships, line by line as the fact sheet has them.

use metsuke_simulator::{Manners, Options, Size};
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::House;
use crate::probe::text;

fn joining(email: &str, role: &str) -> Value {
    json!({"email": email, "role": role})
}

async fn with(manners: Manners) -> House {
    House::with(Options::of(Size::Mixed).manners(manners)).await
}

#[tokio::test]
async fn a_role_is_one_of_those_that_the_kind_of_team_has() {
    let house = House::new().await;
    for role in ["admin", "member", "viewer", "collaborator"] {
        let (status, row) =
            house.write(Method::PUT, &house.members(), joining(&format!("{role}@example.com"), role)).await;
        assert_eq!((status, text(&row, "role").as_str()), (201, role));
    }
    for role in ["owner", "Admin", "emperor", ""] {
        let body = joining("new@example.com", role);
        house.expect(Method::PUT, &house.members(), body, 422, "invalid_params").await;
    }
    // Viewers exist on teams of enterprise accounts alone, for those who are in already as well.
    let (email, role) = house.edit(|world| world.members_of(&house.standard).remove(1));
    let path = format!("/teams/{}/members", house.standard);
    house.expect(Method::PATCH, &path, joining(&email, "viewer"), 422, "invalid_params").await;
    assert_eq!(house.edit(|world| world.role_in(&house.standard, &email)), role);
}

#[tokio::test]
async fn bodies_that_say_too_much_or_too_little_are_refused() {
    let house = House::new().await;
    for body in [
        json!({"email": "new@example.com"}),
        json!({"role": "member"}),
        json!({"email": "nobody", "role": "member"}),
        json!({"email": "@example.com", "role": "member"}),
        json!({"email": 5, "role": "member"}),
        json!({"email": "new@example.com", "role": "member", "federated": "yes"}),
        json!({"email": "new@example.com", "role": "member", "colour": "red"}),
    ] {
        house.expect(Method::PUT, &house.members(), body, 422, "invalid_params").await;
    }
    assert!(house.probe.simulator.journal().applied().is_empty());
}

#[tokio::test]
async fn one_method_creates_one_changes_and_one_does_either() {
    let house = House::new().await;
    let path = house.members();
    let (one, other) = (joining("one@example.com", "member"), joining("ONE@example.com", "viewer"));
    house.expect(Method::PATCH, &path, one.clone(), 404, "not_found").await;
    assert_eq!(house.write(Method::POST, &path, one.clone()).await.0, 201);
    house.expect(Method::POST, &path, other.clone(), 422, "invalid_params").await;
    assert_eq!(house.role("one@example.com").as_deref(), Some("member"));
    let (status, row) = house.write(Method::PUT, &path, other.clone()).await;
    assert_eq!((status, text(&row, "role").as_str()), (200, "viewer"));
    let (status, again) = house.write(Method::PUT, &path, other).await;
    assert_eq!((status, &again["id"]), (200, &row["id"]));
    assert_eq!(house.write(Method::PATCH, &path, one).await.0, 200);
    house.agrees().await;
}

#[tokio::test]
async fn a_team_is_named_by_id_or_name_and_a_member_by_row_or_address_in_any_case() {
    let house = House::new().await;
    let id = house.edit(|world| world.team_id(&house.team)).expect("a team");
    let app = house.edit(|world| world.app_id(&house.app)).expect("an app");
    for (one, other) in [
        (format!("/teams/{id}"), format!("/teams/{}", house.team)),
        (format!("/apps/{app}"), format!("/apps/{}", house.app)),
        (format!("/teams/apps/{app}"), format!("/teams/apps/{}", house.app)),
    ] {
        assert_eq!(house.probe.one(&one).await, house.probe.one(&other).await);
    }
    let put = joining("Some.One+x@Example.com", "member");
    for name in ["some.one%2Bx%40example.com", "SOME.ONE+X@EXAMPLE.COM", "Some%2EOne+x%40Example.com"] {
        let (_, row) = house.write(Method::PUT, &format!("/teams/{id}/members"), put.clone()).await;
        let path = format!("{}/{name}", house.members());
        let (status, gone) = house.write(Method::DELETE, &path, json!({})).await;
        assert_eq!((status, &gone["id"]), (200, &row["id"]), "{name}");
        house.expect(Method::DELETE, &path, json!({}), 404, "not_found").await;
    }
    let (_, row) = house.write(Method::PUT, &house.members(), put).await;
    let by_person = format!("{}/{}", house.members(), text(&row["user"], "id"));
    house.expect(Method::DELETE, &by_person, json!({}), 404, "not_found").await;
    let by_row = format!("{}/{}", house.members(), text(&row, "id"));
    assert_eq!(house.write(Method::DELETE, &by_row, json!({})).await.0, 200);
}

#[tokio::test]
async fn the_last_admin_can_neither_be_demoted_nor_removed_nor_leave_to_somebody_pending() {
    let house = House::new().await;
    let own = house.edit(|world| world.caller_email());
    house.only_admin(&own);
    house.edit(|world| world.add_pending_member(&house.team, "pending@example.com", "admin"));
    let before = house.probe.simulator.truth().grant_set();
    for role in ["member", "viewer", "collaborator"] {
        for method in [Method::PUT, Method::PATCH] {
            house.expect(method, &house.members(), joining(&own, role), 422, "invalid_params").await;
        }
    }
    let one = format!("{}/{own}", house.members());
    house.expect(Method::DELETE, &one, json!({}), 422, "invalid_params").await;
    assert_eq!(house.probe.simulator.truth().grant_set(), before);
    assert_eq!(house.write(Method::PUT, &house.members(), joining(&own, "admin")).await.0, 200);
    house.edit(|world| world.accept_membership(&house.team, "pending@example.com"));
    assert_eq!(house.write(Method::DELETE, &one, json!({})).await.0, 200);
}

#[tokio::test]
async fn of_two_admins_removed_at_once_one_stays() {
    let house = House::new().await;
    let own = house.edit(|world| world.caller_email());
    house.only_admin(&own);
    house.edit(|world| world.set_member(&house.team, "second@example.com", Some("admin")));
    let (one, other) =
        (format!("{}/{own}", house.members()), format!("{}/second@example.com", house.members()));
    let (one, other) = tokio::join!(
        house.send(Method::DELETE, &one, json!({})),
        house.send(Method::DELETE, &other, json!({})),
    );
    let mut statuses = [one, other].map(|answer| answer.expect("an answer").status().as_u16());
    statuses.sort_unstable();
    // Whoever is second meets either the last admin, or a team that the caller has just left.
    assert!(statuses[0] == 200 && matches!(statuses[1], 403 | 422), "{statuses:?}");
    let admins = house.edit(|world| world.members_of(&house.team));
    assert_eq!(admins.iter().filter(|(_, role)| role.as_deref() == Some("admin")).count(), 1);
}

#[tokio::test]
async fn a_member_who_is_removed_leaves_the_teams_apps_or_stays_on_them_as_told() {
    for leavers_keep_apps in [false, true] {
        let house = with(Manners { leavers_keep_apps, ..Manners::default() }).await;
        let (email, app) = ("dev@example.com", house.app.as_str());
        house.edit(|world| world.set_member(&house.team, email, Some("member")));
        house.edit(|world| world.set_collaborator(app, email, &["view", "deploy"]));
        house.edit(|world| world.set_collaborator(&house.own_app, email, &["view"]));
        let one = format!("{}/{email}", house.members());
        let (status, row) = house.write(Method::DELETE, &one, json!({})).await;
        assert_eq!((status, text(&row, "role").as_str()), (200, "member"));
        let stays = leavers_keep_apps.then(|| "collaborator".to_owned());
        assert_eq!(house.role(email), stays);
        assert_eq!(house.edit(|world| world.permissions_on(app, email)).is_some(), leavers_keep_apps);
        // Apps outside the team are untouched.
        assert!(house.edit(|world| world.permissions_on(&house.own_app, email)).is_some());
        house.agrees().await;
        if leavers_keep_apps {
            let rows = house.probe.all(&format!("/apps/{app}/collaborators")).await;
            let row = rows.iter().find(|row| row["user"]["email"] == email).expect("a row");
            assert_eq!(row["role"], "collaborator");
            assert_eq!(house.write(Method::DELETE, &one, json!({})).await.0, 200);
            assert_eq!(house.edit(|world| world.permissions_on(app, email)), None);
        }
        house.expect(Method::DELETE, &one, json!({}), 404, "not_found").await;
    }
}

#[tokio::test]
async fn somebody_unknown_gets_an_account_or_a_row_without_one_as_told() {
    for strangers_pending in [false, true] {
        let house = with(Manners { strangers_pending, ..Manners::default() }).await;
        let email = "stranger@example.com";
        let (status, row) = house.write(Method::PUT, &house.members(), joining(email, "member")).await;
        assert_eq!((status, row["user"].is_null()), (201, strangers_pending));
        assert_eq!(house.edit(|world| world.person_id(email)).is_none(), strangers_pending);
        let (status, again) = house.write(Method::PUT, &house.members(), joining(email, "viewer")).await;
        assert_eq!((status, &again["id"], &again["user"]), (200, &row["id"], &row["user"]));
        house.agrees().await;
        if strangers_pending {
            let user = house.edit(|world| world.accept_membership(&house.team, email)).expect("a person");
            let rows = house.probe.all(&house.members()).await;
            let now = rows.iter().find(|now| now["id"] == row["id"]).expect("the row");
            assert_eq!((text(&now["user"], "id"), text(now, "role").as_str()), (user.to_string(), "viewer"));
        }
        let one = format!("{}/{email}", house.members());
        assert_eq!(house.write(Method::DELETE, &one, json!({})).await.0, 200);
        assert_eq!(house.role(email), None);
    }
}

#[tokio::test]
async fn a_new_federated_member_is_bound_to_the_identity_provider() {
    let house = House::new().await;
    let body = json!({"email": "sso@example.com", "role": "member", "federated": true});
    let (status, row) = house.write(Method::PUT, &house.members(), body).await;
    assert_eq!((status, &row["federated"]), (201, &json!(true)));
    let (_, row) = house.write(Method::PUT, &house.members(), joining("plain@example.com", "member")).await;
    assert_eq!(row["federated"], json!(false));
}
