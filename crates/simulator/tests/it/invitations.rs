//! Teams that want invitations, and teams that do not.

use metsuke_simulator::{Manners, Options, Size};
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::House;
use crate::probe::text;

const GUEST: &str = "Guest@example.com";

fn joining(role: &str) -> Value {
    json!({"email": GUEST, "role": role})
}

async fn feature(house: &House, team: &str, name: &str) -> bool {
    let rows = house.probe.one(&format!("/teams/{team}/features")).await;
    let row = rows.as_array().expect("a list").iter().find(|row| row["name"] == name).cloned();
    let row = row.expect("the feature has a row");
    assert_eq!(house.probe.one(&format!("/teams/{team}/features/{name}")).await, row);
    assert_eq!(house.probe.one(&format!("/teams/{team}/features/{}", text(&row, "id"))).await, row);
    row["enabled"].as_bool().expect("a flag")
}

#[tokio::test]
async fn features_say_which_writes_a_team_takes() {
    for standard_teams_invite in [true, false] {
        let manners = Manners { standard_teams_invite, ..Manners::default() };
        let house = House::with(Options::of(Size::Mixed).manners(manners)).await;
        for (team, fine_grained, invites) in
            [(&house.team, true, false), (&house.standard, false, standard_teams_invite)]
        {
            assert_eq!(feature(&house, team, "org-access-controls").await, fine_grained);
            assert_eq!(feature(&house, team, "team-invite-acceptance").await, invites);
            let (members, invitations) =
                (format!("/teams/{team}/members"), format!("/teams/{team}/invitations"));
            let put = house.write(Method::PUT, &members, joining("member")).await.0;
            assert_eq!(put, if invites { 422 } else { 201 });
            house.edit(|world| world.remove_member(team, GUEST));
            let invited = house.write(Method::PUT, &invitations, joining("member")).await.0;
            assert_eq!(invited, if invites { 200 } else { 422 });
        }
        house.agrees().await;
    }
    let house = House::new().await;
    house.edit(|world| world.set_invite_acceptance(&house.standard, false));
    assert!(!feature(&house, &house.standard, "team-invite-acceptance").await);
}

#[tokio::test]
async fn inviting_again_refreshes_the_same_invitation() {
    let house = House::new().await;
    let path = format!("/teams/{}/invitations", house.standard);
    let (_, first) = house.write(Method::PUT, &path, joining("member")).await;
    let (status, again) = house.write(Method::PUT, &path, joining("member")).await;
    assert_eq!(
        (status, &first["id"], first["updated_at"] == again["updated_at"]),
        (200, &again["id"], false)
    );
    assert!(!house.latest().changed());
    let other = json!({"email": "guest@EXAMPLE.com", "role": "admin"});
    let (status, third) = house.write(Method::PUT, &path, other).await;
    assert_eq!((status, &third["id"], text(&third, "role").as_str()), (200, &first["id"], "admin"));
    assert!(house.latest().changed());
    assert_eq!(text(&third["user"], "email"), GUEST);
    house.expect(Method::PUT, &path, joining("viewer"), 422, "invalid_params").await;
    // An invitation is no membership.
    let members = house.probe.all(&format!("/teams/{}/members", house.standard)).await;
    assert!(members.iter().all(|row| row["email"] != GUEST));
}

#[tokio::test]
async fn an_invitation_is_taken_back_once_by_id_or_address() {
    let house = House::new().await;
    let path = format!("/teams/{}/invitations", house.standard);
    for by_id in [true, false] {
        let (_, row) = house.write(Method::PUT, &path, joining("member")).await;
        let name = if by_id { text(&row, "id") } else { "guest%40EXAMPLE.com".to_owned() };
        let (status, gone) = house.write(Method::DELETE, &format!("{path}/{name}"), json!({})).await;
        assert_eq!((status, &gone["id"]), (200, &row["id"]));
        house.expect(Method::DELETE, &format!("{path}/{name}"), json!({}), 404, "not_found").await;
    }
}

#[tokio::test]
async fn who_accepts_becomes_a_member_and_cannot_be_invited_again() {
    let house = House::new().await;
    let path = format!("/teams/{}/invitations", house.standard);
    let (_, row) = house.write(Method::PUT, &path, joining("member")).await;
    house.edit(|world| world.accept_invitation(&house.standard, GUEST)).expect("a member");
    let members = house.probe.all(&format!("/teams/{}/members", house.standard)).await;
    let member = members.iter().find(|row| row["email"] == GUEST).expect("a member");
    assert_eq!((&member["role"], &member["user"]["id"]), (&json!("member"), &row["user"]["id"]));
    assert!(
        house.edit(|world| world.invitations_of(&house.standard)).iter().all(|(email, _)| email != GUEST)
    );
    house.expect(Method::PUT, &path, joining("admin"), 422, "invalid_params").await;
    house.expect(Method::DELETE, &format!("{path}/{GUEST}"), json!({}), 404, "not_found").await;
    house.agrees().await;
}

#[tokio::test]
async fn a_collaborator_of_the_team_can_be_invited_to_more() {
    let house = House::new().await;
    let path = format!("/apps/{}/collaborators", house.standard_app);
    assert_eq!(house.write(Method::POST, &path, json!({"user": GUEST})).await.0, 201);
    let role = || house.edit(|world| world.role_in(&house.standard, GUEST));
    assert_eq!(role().as_deref(), Some("collaborator"));
    let path = format!("/teams/{}/invitations", house.standard);
    assert_eq!(house.write(Method::PUT, &path, joining("member")).await.0, 200);
    assert_eq!(role().as_deref(), Some("collaborator"));
    house.edit(|world| world.accept_invitation(&house.standard, GUEST));
    assert_eq!(role().as_deref(), Some("member"));
}
