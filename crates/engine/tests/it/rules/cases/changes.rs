//! Detections of changes, and a company in which nothing is to be found.

use super::*;

#[tokio::test]
async fn a_company_in_order_gives_no_findings() {
    let house = company().await;
    house.sync().await;
    house.sync().await;
    roster(&house, &[(ANN, "active")]).await;
    let (ground, _folder) = ground(&house, None, Since::Before).await;
    for detection in shipped::all() {
        let evaluation = detection.evaluate(&ground, &Values::new(), None).await.unwrap();
        match &*detection.id {
            "D08" => assert_eq!(evaluation.state, State::Fired),
            _ => clear(&evaluation),
        }
    }
}

#[tokio::test]
async fn d01_tells_who_became_an_admin() {
    let told = after("D01", NOTHING, |world| {
        world.set_role("core", BOB, Some("admin"));
        world.set_member("core", "new@northwind.example", Some("member")).unwrap();
    });
    let told = told.await;
    found(&told, Level::High, &["bob@northwind.example is now an admin of team core"]);
    let command = "metsuke grant --user bob@northwind.example --team core --role member";
    assert_eq!(commands(&told), [command]);
    clear(&after("D01", |world| _ = world.set_role("core", BOB, Some("admin")), NOTHING).await);
    clear(&after("D01", NOTHING, |world| _ = world.set_role("core", BOB, Some("viewer"))).await);
}

#[tokio::test]
async fn d02_tells_who_gained_operate_or_manage() {
    let raise: Edit = |world| _ = world.set_collaborator("shop", BOB, &["view", "deploy", "operate"]);
    let told = after("D02", NOTHING, raise).await;
    found(&told, Level::High, &["bob@northwind.example can now operate app shop"]);
    assert_eq!(
        commands(&told),
        ["metsuke revoke --user bob@northwind.example --app shop --permission operate"]
    );
    clear(&after("D02", raise, |world| _ = world.set_collaborator("shop", BOB, &["view"])).await);
    clear(
        &after("D02", NOTHING, |world| _ = world.set_collaborator("checkout", ANN, &["view", "deploy"]))
            .await,
    );
}

#[tokio::test]
async fn d03_tells_who_gained_manage_or_billing_of_the_enterprise_account() {
    let told = after("D03", NOTHING, |world| {
        world.set_enterprise_member(GROUP, BOB, &["view", "billing", "manage"]).unwrap();
    });
    let told = told.await;
    let both = [
        "bob@northwind.example now holds billing on Enterprise account northwind-group",
        "bob@northwind.example now holds manage on Enterprise account northwind-group",
    ];
    found(&told, Level::Critical, &both);
    clear(
        &after("D03", NOTHING, |world| _ = world.set_enterprise_member(GROUP, BOB, &["view", "create"]))
            .await,
    );
}

#[tokio::test]
async fn d17_tells_apps_that_left_the_teams_and_not_those_that_moved_between_them() {
    let give: Edit = |world| {
        let caller = world.caller_email();
        world.set_collaborator("checkout", &caller, &["view"]).unwrap();
        assert!(world.give_app("checkout", BOB));
    };
    let told = after("D17", NOTHING, give).await;
    found(&told, Level::Critical, &["app checkout belongs to no team of the organisation any more"]);
    clear(&after("D17", NOTHING, |world| _ = world.move_app("checkout", "core")).await);
}

#[tokio::test]
async fn d25_tells_new_keys_and_authorizations_and_not_those_of_the_first_reading() {
    let told = after("D25", NOTHING, |world| {
        world.add_key("visitor@laptop");
        world.add_authorization("backup script", "read", Some(600));
    });
    let both = [
        "SSH key visitor@laptop is new on the connector's account",
        "authorization backup script is new on the connector's account",
    ];
    found(&told.await, Level::Medium, &both);
    clear(&after("D25", |world| _ = world.add_key("visitor@laptop"), NOTHING).await);
    clear(&after("D25", NOTHING, |world| _ = world.remove_authorization("continuous integration")).await);
}

#[tokio::test]
async fn d25_does_not_take_the_connectors_own_new_token_for_a_strange_one() {
    let house = company().await;
    house.sync().await;
    house.sync_with(&house.simulator.token_with("accountless")).await.unwrap();
    clear(&evaluation(&house, "D25").await);
}

#[tokio::test]
async fn d25_compares_only_what_was_read_before() {
    let house = company().await;
    house.sync_with(&house.simulator.token_with("read")).await.unwrap();
    house.sync().await;
    let told = evaluation(&house, "D25").await;
    assert!(
        matches!(&told.state, State::NotObservable { why } if why.contains("earlier version")),
        "{told:?}"
    );
    house.sync().await;
    clear(&evaluation(&house, "D25").await);
}

#[tokio::test]
async fn d26_tells_access_to_spaces_and_outsiders_on_shield_spaces() {
    let told = after("D26", NOTHING, |world| _ = world.add_space_member("vault", BOB)).await;
    found(&told, Level::High, &["bob@northwind.example gained access to space vault"]);
    let outsider: Edit = |world| _ = world.add_space_member("vault", OUT);
    let told = after("D26", outsider, NOTHING).await;
    found(&told, Level::Critical, &["zoe@agency.example from outside holds shield space vault"]);
    clear(&after("D26", |world| _ = world.add_space_member("vault", BOB), NOTHING).await);
}

#[tokio::test]
async fn d27_tells_that_an_identity_provider_changed() {
    let told = after("D27", NOTHING, |world| _ = world.set_identity_provider(GROUP, false)).await;
    let names: Vec<&str> = told.subjects.iter().map(|subject| &*subject.name).collect();
    assert!(
        names.contains(&"Enterprise account northwind-group has no identity provider any more"),
        "{told:#?}"
    );
    assert!(names.contains(&"team core has no identity provider any more"), "{names:?}");
    assert_eq!(told.subjects.len(), 3);
    clear(&after("D27", NOTHING, |world| _ = world.rename_team("core", "heart")).await);
}

#[tokio::test]
async fn d28_tells_changes_of_access_that_no_plan_made() {
    let told = after("D28", NOTHING, |world| {
        world.set_role("core", BOB, Some("viewer"));
        world.set_collaborator("shop", "cleo@northwind.example", &["view", "deploy"]).unwrap();
    });
    let both = [
        "access of bob@northwind.example to team core was changed elsewhere",
        "access of cleo@northwind.example to app shop was changed elsewhere",
    ];
    found(&told.await, Level::Medium, &both);
    clear(&after("D28", NOTHING, |world| _ = world.rename_app("shop", "store")).await);
}

#[tokio::test]
async fn without_an_earlier_version_changes_are_not_judged() {
    let house = company().await;
    house.sync().await;
    for id in ["D01", "D02", "D03", "D17", "D27", "D28"] {
        let told = evaluation(&house, id).await;
        assert!(
            matches!(&told.state, State::NotObservable { why } if why.contains("earlier version")),
            "{told:?}"
        );
    }
}
