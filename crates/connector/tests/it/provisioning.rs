//! One-shot grants and revocations.

use metsuke_simulator::Size;

use crate::house::{COMPANY, House, Ran, principal};

/// An app of a team, and a member of that team who has nothing on it directly.
async fn case(house: &House) -> (String, String) {
    house.done(&[]).await;
    let grants = house.grants("sync.c1z");
    for app in house.resources("sync.c1z", "app") {
        let of_app = format!("app:{app}:");
        let beside = || grants.iter().filter(|grant| grant.id.starts_with(&of_app));
        let Some(team) = beside().map(principal).find(|id| id.resource_type == "team") else { continue };
        let of_team = format!("team:{}:member:user:", team.resource);
        let members = grants.iter().filter_map(|grant| grant.id.strip_prefix(&of_team));
        let mut strangers = members.filter(|user| beside().all(|grant| principal(grant).resource != *user));
        if let Some(user) = strangers.next() {
            return (app, user.to_owned());
        }
    }
    panic!("the estate has no such case");
}

async fn grant(house: &House, app: &str, user: &str) -> Ran {
    let entitlement = format!("app:{app}:deploy");
    house
        .run(&[
            "--grant-entitlement",
            &entitlement,
            "--grant-principal",
            user,
            "--grant-principal-type",
            "user",
        ])
        .await
}

fn holds(house: &House, app: &str, user: &str) -> bool {
    house
        .heroku
        .truth()
        .grants()
        .any(|grant| grant.resource_id == app && grant.principal_id == user && grant.entitlement == "deploy")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_and_its_revocation_change_heroku_and_not_the_file() {
    let house = House::of(COMPANY).await;
    let (app, user) = case(&house).await;
    let before = std::fs::read(house.file("sync.c1z")).unwrap();
    let ran = grant(&house, &app, &user).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert!(holds(&house, &app, &user) && ran.stderr.contains("\"msg\":\"granted\""), "{ran:?}");
    let again = grant(&house, &app, &user).await;
    assert!(again.code == 0 && again.stderr.contains("the grant is there already"), "{again:?}");
    assert_eq!(std::fs::read(house.file("sync.c1z")).unwrap(), before);
    let id = format!("app:{app}:deploy:user:{user}");
    let ran = house.run(&["--revoke-grant", &id]).await;
    assert_eq!(ran.code, 5, "the file does not know it yet: {ran:?}");
    house.done(&[]).await;
    house.done(&["--revoke-grant", &id]).await;
    assert!(!holds(&house, &app, &user));
    let again = house.done(&["--revoke-grant", &id]).await;
    assert!(again.stderr.contains("the grant is revoked already"), "{again:?}");
    assert!(house.is_tidy());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_that_is_set_holds_back_what_goes_beyond_it() {
    let house = House::of(COMPANY).await;
    let (app, user) = case(&house).await;
    let manage = format!("app:{app}:manage");
    let ask = ["--grant-entitlement", &manage, "--grant-principal", &user, "--grant-principal-type", "user"];
    let none = [&ask[..], &["--hourly-elevations", "0"]].concat();
    let ran = house.run(&none).await;
    assert!(ran.code != 0 && ran.stderr.contains("R4"), "{ran:?}");
    house.done(&[&ask[..], &["--hourly-elevations", "1"]].concat()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_file_there_is_nothing_to_grant() {
    let house = House::of(Size::Small).await;
    assert_eq!(grant(&house, "x", "y").await.code, 9);
    assert_eq!(house.run(&["--revoke-grant", "app:x:deploy:user:y"]).await.code, 9);
    house.done(&[]).await;
    assert_eq!(grant(&house, "x", "y").await.code, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_stops_a_grant() {
    let house = House::of(COMPANY).await;
    let (app, user) = case(&house).await;
    std::fs::write(house.file("stop"), "").unwrap();
    let entitlement = format!("app:{app}:deploy");
    let mut command = house.command(&["--grant-entitlement", &entitlement, "--grant-principal", &user]);
    command.args(["--grant-principal-type", "user", "--kill-switch-file", "stop"]);
    let ran = crate::house::run(command).await;
    assert_eq!(ran.code, 9, "{ran:?}");
    assert!(!holds(&house, &app, &user));
}
