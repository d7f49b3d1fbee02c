//! Detections about apps, add-ons and who is named on them.

use super::*;

#[tokio::test]
async fn d14_tells_apps_that_nobody_can_manage() {
    let without: Edit = |world| {
        let caller = world.caller_email();
        assert!(world.set_role("pay", &caller, Some("member")) && world.set_role("pay", ANN, Some("member")));
    };
    let told = after("D14", NOTHING, without).await;
    found(&told, Level::Medium, &["nobody can manage app checkout of team pay"]);
    let managed: Edit = |world| {
        let caller = world.caller_email();
        assert!(world.set_role("pay", &caller, Some("member")) && world.set_role("pay", ANN, Some("member")));
        world.set_collaborator("checkout", ANN, &["view", "manage"]).unwrap();
    };
    clear(&after("D14", NOTHING, managed).await);
}

#[tokio::test]
async fn d15_and_d16_tell_personal_apps_that_do_the_companys_work() {
    let alone: Edit = |world| {
        let caller = world.caller_email();
        world.add_personal_app(BOB, "bobs-own").unwrap();
        world.set_collaborator("bobs-own", &caller, &["view"]).unwrap();
        world.add_personal_app(OUT, "zoes-own").unwrap();
        world.set_collaborator("zoes-own", &caller, &["view"]).unwrap();
    };
    let told = after("D15", NOTHING, alone).await;
    found(&told, Level::High, &["app bobs-own belongs to bob@northwind.example and to no team"]);
    clear(&after("D16", NOTHING, alone).await);
    let shared: Edit = |world| {
        let caller = world.caller_email();
        world.add_personal_app(OUT, "zoes-own").unwrap();
        for person in [&*caller, ANN, "friend@agency.example"] {
            world.set_collaborator("zoes-own", person, &["view", "deploy"]).unwrap();
        }
    };
    let told = after("D16", NOTHING, shared).await;
    found(&told, Level::Medium, &["2 colleagues work on app zoes-own of zoe@agency.example"]);
    clear(&after("D15", NOTHING, shared).await);
}

#[tokio::test]
async fn d18_and_d21_tell_people_on_apps_of_teams_that_they_are_not_in() {
    let named: Edit = |world| {
        world.set_collaborator("shop", "pia@northwind.example", &["view", "deploy"]).unwrap();
        world.set_member("core", "pia@northwind.example", Some("collaborator")).unwrap();
        world.set_collaborator("shop-staging", "pia@northwind.example", &["view", "deploy"]).unwrap();
    };
    let told = after("D18", NOTHING, named).await;
    let both = [
        "pia@northwind.example is named on app shop and is no member of team core",
        "pia@northwind.example is named on app shop-staging and is no member of team core",
    ];
    found(&told, Level::Medium, &both);
    let told = after("D21", NOTHING, named).await;
    let one = "pia@northwind.example can change production app shop and is no member of team core";
    found(&told, Level::Medium, &[one]);
    assert_eq!(commands(&told), ["metsuke revoke --user pia@northwind.example --app shop --collaborator"]);
    let viewer: Edit = |world| _ = world.set_collaborator("shop", "pia@northwind.example", &["view"]);
    clear(&after("D21", NOTHING, viewer).await);
    let member: Edit = |world| {
        insider(world, "pia@northwind.example", "core", "viewer");
        world.set_collaborator("shop", "pia@northwind.example", &["view", "deploy"]).unwrap();
    };
    clear(&after("D18", NOTHING, member).await);
    clear(&after("D21", NOTHING, member).await);
}

#[tokio::test]
async fn a_team_whose_members_were_not_read_makes_nobody_a_stranger() {
    let house = company().await;
    let core = house.simulator.edit(|world| world.team_id("core").unwrap()).unwrap();
    house.simulator.faults().add(Fault::always(FaultKind::Forbidden403).on(format!("/teams/{core}/members")));
    house.sync().await;
    for id in ["D14", "D18", "D21"] {
        let told = evaluation(&house, id).await;
        clear(&told);
        assert!(!told.complete, "{id}");
    }
}

#[tokio::test]
async fn d19_tells_outsiders_who_read_a_databases_credentials() {
    let deploys: Edit = |world| {
        world.set_collaborator("shop", OUT, &["view", "deploy"]).unwrap();
        world.set_collaborator("checkout", OUT, &["view", "deploy"]).unwrap();
    };
    let told = after("D19", NOTHING, deploys).await;
    found(&told, Level::Critical, &["zoe@agency.example can read the credentials of shop-db on app shop"]);
    clear(&after("D19", NOTHING, |world| _ = world.set_collaborator("shop", OUT, &["view"])).await);
}

#[tokio::test]
async fn d20_tells_addons_across_teams_and_stages_once_each() {
    let across: Edit = |world| {
        world.attach_addon("shop-db", "checkout", "SHOP").unwrap();
        world.couple("pay", "pay", "checkout", "staging").unwrap();
        world.attach_addon("shop-db", "shop-staging", "SHOP").unwrap();
    };
    let told = after("D20", NOTHING, across).await;
    let both = [
        "add-on shop-db of app shop is attached to app checkout",
        "add-on shop-db of app shop is attached to app shop-staging",
    ];
    found(&told, Level::High, &both);
    let within: Edit = |world| {
        world.add_app(Some("core"), "worker").unwrap();
        world.attach_addon("shop-db", "worker", "SHOP").unwrap();
        world.add_addon("shop-staging", "heroku-redis", "stage-cache").unwrap();
        world.attach_addon("stage-cache", "shop", "CACHE").unwrap();
    };
    clear(&after("D20", NOTHING, within).await);
}

#[tokio::test]
async fn d22_tells_rows_of_admins() {
    let told = after("D22", NOTHING, |world| _ = world.set_collaborator("shop", ANN, &["view"])).await;
    found(
        &told,
        Level::Info,
        &["ann@northwind.example is named on app shop and is an admin of team core anyway"],
    );
    clear(&after("D22", NOTHING, |world| _ = world.set_collaborator("checkout", BOB, &["view"])).await);
}
