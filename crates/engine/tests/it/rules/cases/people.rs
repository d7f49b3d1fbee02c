//! Detections about people, invitations and admins.

use super::*;

#[tokio::test]
async fn d04_tells_outsiders_in_teams_and_on_apps_whatever_the_case() {
    let told = after("D04", NOTHING, |world| {
        world.set_collaborator("shop", OUT, &["view"]).unwrap();
        world.set_member("pay", "yan@agency.example", Some("viewer")).unwrap();
        world.set_member("pay", "Rex@NORTHWIND.Example", Some("viewer")).unwrap();
        world.set_member("pay", "sly@evil-northwind.example", Some("viewer")).unwrap();
    });
    let told = told.await;
    let outsiders = [
        "zoe@agency.example has access to shop",
        "yan@agency.example has access to pay",
        "sly@evil-northwind.example has access to pay",
    ];
    found(&told, Level::High, &outsiders);
    clear(&after("D04", NOTHING, |world| _ = world.add_personal_app(OUT, "their-own")).await);
}

#[tokio::test]
async fn d05_tells_who_signs_in_past_the_provider_and_worse_for_admins() {
    let told = after("D05", NOTHING, |world| {
        world.set_federated(BOB, false);
        world.set_federated(ANN, false);
    });
    let told = told.await;
    let both = [
        "ann@northwind.example does not sign in through the provider of northwind-group",
        "bob@northwind.example does not sign in through the provider of northwind-group",
    ];
    found(&told, Level::Critical, &both);
    let level =
        |name: &str| told.subjects.iter().find(|subject| subject.name.starts_with(name)).unwrap().level;
    assert_eq!((level("ann"), level("bob")), (Some(Level::Critical), None));
    let without: Edit = |world| {
        world.set_identity_provider(GROUP, false);
        world.set_federated(BOB, false);
    };
    clear(&after("D05", without, NOTHING).await);
}

#[tokio::test]
async fn d06_tells_whom_nobody_asks_for_a_second_factor() {
    let told = after("D06", NOTHING, |world| _ = world.set_federated(BOB, false)).await;
    found(&told, Level::High, &["bob@northwind.example has no second factor"]);
    let with: Edit = |world| {
        world.set_federated(BOB, false);
        world.set_two_factor(BOB, true);
    };
    clear(&after("D06", NOTHING, with).await);
}

#[tokio::test]
async fn d07_and_d08_need_a_roster_and_tell_leavers_and_strangers() {
    let house = company().await;
    house.simulator.edit(|world| world.set_member("core", "deploy@tools.example", Some("viewer"))).unwrap();
    house.sync().await;
    for id in ["D07", "D08"] {
        let State::NotObservable { why } = evaluation(&house, id).await.state else { panic!("{id}") };
        assert!(why.contains("roster"), "{why}");
    }
    let people = ["ann", "bob", "cleo", "dan", "eve", "finn", "gus", "hal", "ivy", "pia"]
        .map(|name| format!("{name}@northwind.example"));
    let active: Vec<(&str, &str)> = people.iter().map(|email| (&**email, "active")).collect();
    roster(&house, &active).await;
    clear(&evaluation(&house, "D07").await);
    let told = evaluation(&house, "D08").await;
    found(&told, Level::Medium, &["deploy@tools.example is nobody in the roster"]);
    let left: Vec<(&str, &str)> =
        active.iter().map(|(email, _)| (*email, if *email == BOB { "inactive" } else { "active" })).collect();
    roster(&house, &left).await;
    let told = evaluation(&house, "D07").await;
    found(&told, Level::Critical, &["bob@northwind.example belongs to bob@northwind.example, who left"]);
    assert_eq!(commands(&told), ["metsuke remove-person bob@northwind.example"]);
}

#[tokio::test]
async fn d08_is_silent_of_whoever_a_roster_names_and_of_the_connectors_own_account() {
    let house = company().await;
    house.simulator.edit(|world| world.set_member("core", "deploy@tools.example", Some("viewer"))).unwrap();
    house.sync().await;
    let own = house.simulator.edit(|world| world.caller_email()).unwrap();
    let people = ["ann", "bob", "cleo", "dan", "eve", "finn", "gus", "hal", "ivy", "pia"]
        .map(|name| format!("{name}@northwind.example"));
    assert!(!people.contains(&own), "no roster names the connector's account");
    let mut named: Vec<(&str, &str)> = people.iter().map(|email| (&**email, "active")).collect();
    named.push(("Deploy@Tools.example", "active"));
    roster(&house, &named).await;
    clear(&evaluation(&house, "D08").await);
    // Somebody who left is a leaver, and no stranger.
    for (email, state) in &mut named {
        if email.eq_ignore_ascii_case("deploy@tools.example") {
            *state = "inactive";
        }
    }
    roster(&house, &named).await;
    clear(&evaluation(&house, "D08").await);
}

#[tokio::test]
async fn d09_tells_who_has_not_signed_in_and_counts_nobody_of_whom_nothing_is_known() {
    let told = after("D09", NOTHING, |world| {
        world.set_last_login(BOB, Some(200));
        world.set_last_login(ANN, None);
        world.set_last_login("eve@northwind.example", Some(60));
    });
    found(&told.await, Level::Medium, &["bob@northwind.example has not signed in lately"]);
    clear(&after("D09", NOTHING, |world| _ = world.set_last_login(BOB, Some(60))).await);
}

#[tokio::test]
async fn d10_and_d11_tell_invitations_that_are_old_or_risky() {
    let invite: Edit = |world| {
        world.invite("guild", "old@northwind.example", "member").unwrap();
        world.set_invitation_age("guild", "old@northwind.example", 30);
        world.invite("guild", "chief@northwind.example", "admin").unwrap();
        world.invite("guild", OUT, "member").unwrap();
        world.invite("guild", "kim@northwind.example", "member").unwrap();
    };
    let told = after("D10", NOTHING, invite).await;
    found(&told, Level::Low, &["the invitation of old@northwind.example to team guild is old"]);
    assert_eq!(commands(&told), ["metsuke revoke --user old@northwind.example --team guild --role member"]);
    let told = after("D11", NOTHING, invite).await;
    let risky = [
        "chief@northwind.example is invited to team guild as admin",
        "zoe@agency.example is invited to team guild as member",
    ];
    found(&told, Level::High, &risky);
    let plain: Edit = |world| _ = world.invite("guild", "kim@northwind.example", "member");
    clear(&after("D10", NOTHING, plain).await);
    clear(&after("D11", NOTHING, plain).await);
}

#[tokio::test]
async fn d12_and_d13_tell_teams_with_one_admin_or_too_many() {
    let told = after("D12", NOTHING, |world| _ = world.set_role("pay", ANN, Some("member"))).await;
    found(&told, Level::Medium, &["team pay has one admin"]);
    let many: Edit = |world| {
        for person in ["bob", "cleo", "dan"] {
            world.set_role("core", &format!("{person}@northwind.example"), Some("admin"));
        }
    };
    let told = after("D13", NOTHING, many).await;
    found(&told, Level::Medium, &["team core has 5 admins among 10 members"]);
    let three: Edit = |world| _ = world.set_role("core", BOB, Some("admin"));
    clear(&after("D13", NOTHING, three).await);
    clear(&after("D12", NOTHING, three).await);
    let large: Edit = |world| {
        for person in 0..20 {
            insider(world, &format!("temp{person}@northwind.example"), "core", "member");
        }
        for person in ["bob", "cleo", "dan"] {
            world.set_role("core", &format!("{person}@northwind.example"), Some("admin"));
        }
    };
    clear(&after("D13", NOTHING, large).await);
}

#[tokio::test]
async fn d23_tells_machines_and_mailboxes_that_are_admins() {
    let machine: Edit = |world| {
        world.set_member("core", "Deploy-bot@northwind.example", Some("admin")).unwrap();
        world.set_member("core", "abbott@northwind.example", Some("admin")).unwrap();
        world.set_member("core", "ci2@northwind.example", Some("member")).unwrap();
        insider(world, "ops@northwind.example", "core", "admin");
    };
    let told = after("D23", NOTHING, machine).await;
    found(&told, Level::High, &["Deploy-bot@northwind.example is an admin of team core"]);
    clear(
        &after("D23", NOTHING, |world| _ = world.set_member("core", "ci2@northwind.example", Some("member")))
            .await,
    );
}

#[tokio::test]
async fn d24_tells_global_and_endless_authorizations_but_not_the_connectors_own() {
    let told = after("D24", NOTHING, |world| {
        world.add_authorization("old laptop", "global", None);
        world.add_authorization("nightly job", "global", Some(600));
        world.add_authorization("dashboard", "read", None);
    });
    let wide = [
        "authorization old laptop is global and never ends",
        "authorization nightly job is global",
        "authorization dashboard never ends",
    ];
    found(&told.await, Level::High, &wide);
    let narrow: Edit = |world| _ = world.add_authorization("dashboard", "read write", Some(600));
    clear(&after("D24", narrow, NOTHING).await);
}

#[tokio::test]
async fn d24_and_d25_are_silent_and_say_why_where_the_tokens_scope_shows_no_credentials() {
    let house = company().await;
    house.simulator.edit(|world| world.add_authorization("old laptop", "global", None)).unwrap();
    house.sync().await;
    house.sync_with(&house.simulator.token_with("read")).await.unwrap();
    for id in ["D24", "D25"] {
        let told = evaluation(&house, id).await;
        let State::NotObservable { why } = &told.state else { panic!("{told:?}") };
        assert!(why.contains("not readable with this token's scope: it is `read`"), "{why}");
        assert!(!told.complete, "nothing is resolved by it");
    }
    house.simulator.faults().add(Fault::always(FaultKind::Forbidden403).on("/account/keys"));
    house.sync().await;
    let told = evaluation(&house, "D25").await;
    assert!(matches!(&told.state, State::NotObservable { why } if why.contains("/account/keys")), "{told:?}");
}
