//! The write endpoints, with the statuses that the fact sheet gives.

use reqwest::Method;
use serde_json::json;

use crate::house::House;
use crate::probe::text;

#[tokio::test]
async fn putting_a_member_creates_and_then_changes() {
    let house = House::new().await;
    let path = format!("/teams/{}/members", house.team);
    let put = |role: &str| json!({"email": "New.Person+x@example.com", "role": role});
    assert_eq!(house.write(Method::PUT, &path, put("member")).await.0, 201);
    let (status, row) = house.write(Method::PUT, &path, put("viewer")).await;
    assert_eq!((status, text(&row, "role").as_str()), (200, "viewer"));
    assert_eq!(house.write(Method::PATCH, &path, put("admin")).await.0, 200);
    house.expect(Method::POST, &path, put("admin"), 422, "invalid_params").await;
    house.expect(Method::PUT, &path, put("emperor"), 422, "invalid_params").await;
    house
        .expect(Method::PATCH, &path, json!({"email": "no@no.no", "role": "member"}), 404, "not_found")
        .await;
    let one = format!("{path}/new.person%2Bx%40example.com");
    let (status, row) = house.write(Method::DELETE, &one, json!({})).await;
    assert_eq!((status, text(&row, "email").as_str()), (200, "New.Person+x@example.com"));
    house.expect(Method::DELETE, &one, json!({}), 404, "not_found").await;
    assert_eq!(house.probe.grants().await, house.probe.simulator.truth().grant_set());
}

#[tokio::test]
async fn the_last_admin_stays() {
    let house = House::new().await;
    let own = house.probe.simulator.edit(|world| {
        let own = world.caller_email();
        for (email, role) in world.members_of(&house.team) {
            if role.as_deref() == Some("admin") && !email.eq_ignore_ascii_case(&own) {
                world.set_member(&house.team, &email, Some("member"));
            }
        }
        own
    });
    let own = own.expect("a held estate");
    let path = format!("/teams/{}/members", house.team);
    let demotion = json!({"email": own, "role": "member"});
    house.expect(Method::PATCH, &path, demotion, 422, "invalid_params").await;
    house.expect(Method::DELETE, &format!("{path}/{own}"), json!({}), 422, "invalid_params").await;
}

#[tokio::test]
async fn standard_teams_invite() {
    let house = House::new().await;
    let members = format!("/teams/{}/members", house.standard);
    let path = format!("/teams/{}/invitations", house.standard);
    let body = json!({"email": "guest@example.com", "role": "member"});
    house.expect(Method::PUT, &members, body.clone(), 422, "invalid_params").await;
    let (status, first) = house.write(Method::PUT, &path, body.clone()).await;
    assert_eq!(status, 200);
    let (_, second) = house.write(Method::PUT, &path, body).await;
    assert_eq!(first["id"], second["id"]);
    let listed = house.probe.all(&path).await;
    assert!(listed.iter().any(|row| row["id"] == first["id"]));
    let truth = house.probe.simulator.truth();
    assert!(truth.invitations().any(|row| row.email == "guest@example.com" && row.role == "member"));
    assert_eq!(house.write(Method::DELETE, &format!("{path}/guest@example.com"), json!({})).await.0, 200);
    house.expect(Method::DELETE, &format!("{path}/guest@example.com"), json!({}), 404, "not_found").await;
}

#[tokio::test]
async fn team_app_collaborators_carry_permissions() {
    let house = House::new().await;
    let path = format!("/teams/apps/{}/collaborators", house.app);
    let body = json!({"user": "dev@example.com", "permissions": ["deploy"], "silent": true});
    let (status, row) = house.write(Method::POST, &path, body.clone()).await;
    assert_eq!(status, 201, "{row}");
    assert_eq!(row["permissions"].as_array().map(Vec::len), Some(2));
    let (status, refused) = house.write(Method::POST, &path, body).await;
    assert_eq!(status, 422);
    assert!(text(&refused, "message").contains("is already a collaborator on app"));
    let one = format!("{path}/dev@example.com");
    let (status, row) = house.write(Method::PATCH, &one, json!({"permissions": ["view", "operate"]})).await;
    assert_eq!((status, row["permissions"][1]["name"].as_str()), (200, Some("operate")));
    assert_eq!(house.write(Method::DELETE, &one, json!({})).await.0, 200);
    house.expect(Method::PATCH, &one, json!({"permissions": ["view"]}), 404, "not_found").await;
    assert_eq!(house.probe.grants().await, house.probe.simulator.truth().grant_set());
}

#[tokio::test]
async fn the_plain_form_knows_no_permissions() {
    let house = House::new().await;
    let path = format!("/apps/{}/collaborators", house.app);
    let body = json!({"user": "dev@example.com", "permissions": ["deploy"]});
    let (status, answer) = house.write(Method::POST, &path, body).await;
    assert_eq!((status, text(&answer, "message").as_str()), (422, "Unknown params: permissions."));
    let (status, row) = house.write(Method::POST, &path, json!({"user": "dev@example.com"})).await;
    assert_eq!(status, 201);
    assert_eq!(house.write(Method::DELETE, &format!("{path}/{}", text(&row, "id")), json!({})).await.0, 200);
}

#[tokio::test]
async fn enterprise_members_are_managed_by_person() {
    let house = House::new().await;
    let account = text(&house.probe.all("/enterprise-accounts").await[0], "name");
    let path = format!("/enterprise-accounts/{account}/members");
    let body = json!({"user": "boss@example.com", "permissions": ["view", "create"]});
    let (status, row) = house.write(Method::POST, &path, body.clone()).await;
    assert_eq!(status, 201);
    house.expect(Method::POST, &path, body, 422, "invalid_params").await;
    let one = format!("{path}/{}", text(&row["user"], "id"));
    let (status, row) = house.write(Method::PATCH, &one, json!({"permissions": ["view", "billing"]})).await;
    assert_eq!((status, row["permissions"][1]["name"].as_str()), (200, Some("billing")));
    assert_eq!(house.write(Method::DELETE, &one, json!({})).await.0, 200);
    house.expect(Method::DELETE, &one, json!({}), 404, "not_found").await;
}

#[tokio::test]
async fn locking_an_app_shows_in_its_row() {
    let house = House::new().await;
    let path = format!("/teams/apps/{}", house.app);
    for locked in [true, false] {
        let (status, row) = house.write(Method::PATCH, &path, json!({"locked": locked})).await;
        assert_eq!((status, row["locked"].as_bool()), (200, Some(locked)));
    }
    house.expect(Method::PATCH, &path, json!({"locked": "yes"}), 422, "invalid_params").await;
}

#[tokio::test]
async fn broken_json_and_method_overrides_are_understood() {
    let house = House::new().await;
    let path = format!("/teams/{}/members", house.team);
    let request = house.probe.request(Method::PUT, &path).body("{oops").send().await.expect("an answer");
    assert_eq!(request.status(), 400);
    let request = house.probe.request(Method::POST, &format!("{path}/nobody@example.com"));
    let answer = request.header("x-http-method-override", "DELETE").send().await.expect("an answer");
    assert_eq!(answer.status(), 404);
    assert_eq!(house.probe.simulator.stats().by_route["DELETE /teams/{}/members/{}"], 1);
}
