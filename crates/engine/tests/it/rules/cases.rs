//! Each shipped detection on an estate where it fires on exactly the right subjects, and on one where it does not.

use std::collections::BTreeSet;

use metsuke_engine::rules::shipped::{self, Values};
use metsuke_engine::rules::{Evaluation, Level, Since, State};
use metsuke_simulator::World;

use super::fixture::{GROUP, company, ground, insider, roster};
use crate::house::House;

type Edit = fn(&mut World);

const NOTHING: Edit = |_| {};
const ANN: &str = "ann@northwind.example";
const BOB: &str = "bob@northwind.example";
const OUT: &str = "zoe@agency.example";

async fn evaluation(house: &House, id: &str) -> Evaluation {
    let (ground, _folder) = ground(house, None, Since::Before).await;
    shipped::find(id).unwrap().evaluate(&ground, &Values::new(), None).await.unwrap()
}

/// Two syncs with a change between them, and what a detection finds then.
async fn after(id: &str, before: Edit, change: Edit) -> Evaluation {
    let house = company().await;
    house.simulator.edit(before).unwrap();
    house.sync().await;
    house.simulator.edit(change).unwrap();
    house.sync().await;
    evaluation(&house, id).await
}

#[track_caller]
fn found(evaluation: &Evaluation, level: Level, subjects: &[&str]) {
    assert_eq!(evaluation.state, State::Fired, "{evaluation:#?}");
    let named: Vec<&str> = evaluation.subjects.iter().map(|subject| &*subject.name).collect();
    let set: BTreeSet<&str> = named.iter().copied().collect();
    assert_eq!(set, subjects.iter().copied().collect(), "{}", evaluation.rule);
    assert_eq!(set.len(), named.len(), "one subject once");
    let worst = evaluation.subjects.iter().filter_map(|subject| subject.level).max();
    assert_eq!(worst.or(evaluation.level), Some(level));
    assert!(evaluation.complete, "{evaluation:#?}");
}

#[track_caller]
fn clear(evaluation: &Evaluation) {
    assert_eq!((&evaluation.state, &*evaluation.subjects), (&State::Clear, &[][..]), "{evaluation:#?}");
}

fn commands(evaluation: &Evaluation) -> Vec<String> {
    let detection = shipped::find(&evaluation.rule).unwrap();
    evaluation.subjects.iter().filter_map(|subject| detection.command(subject)).collect()
}

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
            "D24" | "D25" => assert!(matches!(evaluation.state, State::NotObservable { .. })),
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
async fn d24_and_d25_say_that_their_data_is_not_read() {
    let house = company().await;
    house.sync().await;
    for id in ["D24", "D25"] {
        let told = evaluation(&house, id).await;
        assert!(matches!(&told.state, State::NotObservable { why } if why.contains("not read")), "{told:?}");
        assert!(!told.complete);
    }
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
