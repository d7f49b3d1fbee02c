//! What others do behind the client's back shows on the wire at once.

use reqwest::Method;
use serde_json::json;

use crate::house::House;
use crate::probe::text;

const EVE: &str = "eve@example.com";

#[tokio::test]
async fn every_change_by_others_is_on_the_wire_and_in_no_journal() {
    let house = House::new().await;
    let (team, app) = (house.team.clone(), house.app.clone());
    house.agrees().await;
    house.edit(|world| world.set_member(&team, EVE, Some("member")));
    house.agrees().await;
    assert!(house.edit(|world| world.set_role(&team, EVE, Some("admin"))));
    house.agrees().await;
    house.edit(|world| world.set_collaborator(&app, EVE, &["view", "deploy"]));
    house.agrees().await;
    house.edit(|world| world.set_collaborator(&app, EVE, &["view"]));
    assert_eq!(house.edit(|world| world.permissions_on(&app, EVE)), Some(vec!["view".to_owned()]));
    house.agrees().await;
    assert!(house.edit(|world| world.set_role(&team, EVE, None)));
    assert_eq!(house.role(EVE).as_deref(), Some("unknown"));
    house.agrees().await;
    assert!(house.edit(|world| world.set_email(EVE, "eva@example.com")));
    assert_eq!((house.role(EVE), house.role("eva@example.com").as_deref()), (None, Some("unknown")));
    assert!(house.edit(|world| world.remove_collaborator(&app, "eva@example.com")));
    house.agrees().await;
    assert!(house.edit(|world| world.remove_member(&team, "EVA@example.com")));
    house.agrees().await;
    assert!(house.probe.simulator.journal().writes.is_empty());
}

#[tokio::test]
async fn a_name_that_leads_nowhere_changes_nothing() {
    let house = House::new().await;
    let before = house.probe.simulator.truth().grant_set();
    let (team, app) = (house.team.clone(), house.app.clone());
    house.edit(|world| {
        assert!(!world.set_role(&team, EVE, Some("admin")) && !world.set_role("no-team", EVE, None));
        assert!(!world.remove_member(&team, EVE) && !world.remove_collaborator(&app, EVE));
        assert!(!world.withdraw_invitation(&team, EVE) && !world.remove_person(EVE));
        assert!(!world.set_two_factor(EVE, true) && !world.set_federated(EVE, true));
        assert!(!world.set_invite_acceptance("no-team", true));
        assert_eq!((world.accept_invitation(&team, EVE), world.accept_membership(&team, EVE)), (None, None));
        assert_eq!((world.role_in(&team, EVE), world.permissions_on(&app, EVE)), (None, None));
        let own = world.caller_email();
        assert!(!world.remove_person(&own));
    });
    assert_eq!(house.probe.simulator.truth().grant_set(), before);
}

#[tokio::test]
async fn a_role_given_by_others_shows_on_the_teams_apps() {
    let house = House::new().await;
    house.edit(|world| world.set_member(&house.team, EVE, Some("member")));
    house.edit(|world| world.set_collaborator(&house.app, EVE, &["view"]));
    assert_eq!(house.put(EVE, "viewer").await.expect("an answer").status(), 200);
    let one = format!("/apps/{}/collaborators/{EVE}", house.app);
    assert_eq!(house.probe.one(&one).await["role"], "viewer");
}

#[tokio::test]
async fn invitations_are_sent_accepted_and_withdrawn_by_others() {
    let house = House::new().await;
    let team = house.standard.clone();
    let path = format!("/teams/{team}/invitations");
    let invited =
        async || house.probe.all(&path).await.iter().filter(|row| row["user"]["email"] == EVE).count();
    house.edit(|world| world.invite(&team, EVE, "admin"));
    assert_eq!(invited().await, 1);
    assert!(
        house.edit(|world| world.invitations_of(&team)).contains(&(EVE.to_owned(), Some("admin".to_owned())))
    );
    assert!(house.edit(|world| world.withdraw_invitation(&team, "EVE@example.com")));
    assert_eq!(invited().await, 0);
    let id = house.edit(|world| world.invite(&team, EVE, "member")).expect("an invitation").to_string();
    assert!(house.edit(|world| world.accept_invitation(&team, &id)).is_some());
    assert_eq!(invited().await, 0);
    house.agrees().await;
    // Who is put in directly is no longer invited to that.
    house.edit(|world| world.set_invite_acceptance(&team, true));
    house.edit(|world| world.invite(&team, "fay@example.com", "member"));
    house.edit(|world| world.set_invite_acceptance(&team, false));
    let body = json!({"email": "fay@example.com", "role": "member"});
    assert_eq!(house.write(Method::PUT, &format!("/teams/{team}/members"), body).await.0, 201);
    assert!(
        house.edit(|world| world.invitations_of(&team)).iter().all(|(email, _)| email != "fay@example.com")
    );
}

#[tokio::test]
async fn an_account_that_ends_leaves_everything() {
    let house = House::new().await;
    house.edit(|world| world.set_member(&house.team, EVE, Some("member")));
    house.edit(|world| world.set_collaborator(&house.app, EVE, &["view"]));
    house.edit(|world| world.set_collaborator(&house.own_app, EVE, &["view"]));
    house.edit(|world| world.invite(&house.standard, EVE, "member"));
    let account = house.edit(|world| world.enterprise_names().remove(0));
    house.edit(|world| world.set_enterprise_member(&account, EVE, &["view"]));
    let id = house.edit(|world| world.person_id(EVE)).expect("a person").to_string();
    assert!(house.edit(|world| world.remove_person(EVE)));
    let truth = house.probe.simulator.truth();
    assert!(truth.users().all(|user| user != id) && truth.grants().all(|grant| grant.principal_id != id));
    house.agrees().await;
}

#[tokio::test]
async fn a_second_factor_and_federation_show_on_the_member_row() {
    let house = House::new().await;
    house.edit(|world| world.set_member(&house.team, EVE, Some("admin")));
    let row = async || {
        let rows = house.probe.all(&house.members()).await;
        rows.into_iter().find(|row| text(row, "email") == EVE).expect("a row")
    };
    assert_eq!(row().await["two_factor_authentication"], false);
    assert!(house.edit(|world| world.set_two_factor(EVE, true)));
    assert_eq!(row().await["two_factor_authentication"], true);
    assert!(house.edit(|world| world.set_federated(EVE, true)));
    assert_eq!(
        (&row().await["two_factor_authentication"], &row().await["federated"]),
        (&json!(false), &json!(true))
    );
}
