//! Who can do what, and why: the derived lines against rules written down once more, by hand.

use std::collections::BTreeMap;

use metsuke_engine::access::{GrantFilter, app_access, user_access};
use metsuke_model::Grant;
use metsuke_simulator::{Options, Size};

use crate::house::{House, line};

fn effective(app: &str) -> GrantFilter {
    GrantFilter { app: Some(app.into()), effective: true, ..GrantFilter::default() }
}

fn shown(lines: &[Grant]) -> Vec<String> {
    let mut shown: Vec<String> = lines
        .iter()
        .map(|grant| {
            let email = grant.principal.email.as_deref().unwrap_or("-");
            let path: Vec<String> = grant
                .path
                .iter()
                .map(|step| format!("{} {}", step.resource.name, step.entitlement))
                .collect();
            let why = if grant.direct { "direct".to_owned() } else { path.join(" > ") };
            format!("{email} {}: {why}", grant.entitlement)
        })
        .collect();
    shown.sort();
    shown
}

#[tokio::test]
async fn an_enterprise_team_gives_admins_everything_and_others_a_view_of_unlocked_apps() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(1)).await;
    let (open, shut) = house
        .simulator
        .edit(|world| {
            let enterprise = world.enterprise_names().remove(0);
            world.add_team(Some(&enterprise), "forge");
            for (email, role) in [("ada@x.io", "admin"), ("max@x.io", "member"), ("vic@x.io", "viewer")] {
                world.set_member("forge", email, Some(role));
            }
            world.add_app(Some("forge"), "forge-open");
            world.add_app(Some("forge"), "forge-shut");
            world.lock_app("forge-shut", true);
            world.set_collaborator("forge-shut", "max@x.io", &["view", "deploy"]);
            ("forge-open", "forge-shut")
        })
        .unwrap();
    house.sync().await;
    let mine = |lines: Vec<Grant>| {
        let lines: Vec<Grant> = lines
            .into_iter()
            .filter(|grant| grant.principal.email.as_deref().is_some_and(|email| email.ends_with("@x.io")))
            .collect();
        shown(&lines).join("\n")
    };
    insta::assert_snapshot!(mine(house.lines(&effective(open), None).await), @r"
    ada@x.io deploy: forge admin > forge-open deploy
    ada@x.io manage: forge admin > forge-open manage
    ada@x.io operate: forge admin > forge-open operate
    ada@x.io view: forge admin > forge-open view
    max@x.io view: forge member > forge-open view
    vic@x.io view: forge viewer > forge-open view
    ");
    insta::assert_snapshot!(mine(house.lines(&effective(shut), None).await), @r"
    ada@x.io deploy: forge admin > forge-shut deploy
    ada@x.io manage: forge admin > forge-shut manage
    ada@x.io operate: forge admin > forge-shut operate
    ada@x.io view: forge admin > forge-shut view
    max@x.io collaborator: direct
    max@x.io deploy: direct
    max@x.io view: direct
    ");
}

#[tokio::test]
async fn a_standard_team_lets_members_and_collaborators_work() {
    let house = House::on_sqlite(Options::of(Size::Standard).seed(1)).await;
    house.simulator.edit(|world| {
        world.add_team(None, "studio");
        world.set_member("studio", "mia@x.io", Some("member"));
        world.add_app(Some("studio"), "studio-shut");
        world.lock_app("studio-shut", true);
        world.set_collaborator("studio-shut", "col@x.io", &[]);
    });
    house.sync().await;
    let lines: Vec<Grant> = house
        .lines(&effective("studio-shut"), None)
        .await
        .into_iter()
        .filter(|grant| grant.principal.email.as_deref().is_some_and(|email| email.ends_with("@x.io")))
        .collect();
    insta::assert_snapshot!(shown(&lines).join("\n"), @r"
    col@x.io collaborator: direct
    col@x.io deploy: studio-shut collaborator > studio-shut deploy
    col@x.io operate: studio-shut collaborator > studio-shut operate
    col@x.io view: studio-shut collaborator > studio-shut view
    ");
}

#[tokio::test]
async fn every_way_of_asking_gives_the_same_lines() {
    for seed in 1..=3 {
        let house = House::on_sqlite(Options::of(Size::Awkward).seed(seed)).await;
        house.sync().await;
        let all = house.lines(&GrantFilter { effective: true, ..GrantFilter::default() }, None).await;
        let mut by_app: BTreeMap<String, Vec<Grant>> = BTreeMap::new();
        let mut by_user: BTreeMap<String, Vec<Grant>> = BTreeMap::new();
        for grant in &all {
            if grant.resource.resource_type == metsuke_model::ResourceType::App {
                by_app.entry(grant.resource.id.to_string()).or_default().push(grant.clone());
                by_user.entry(grant.principal.id.to_string()).or_default().push(grant.clone());
            }
        }
        for (app, expected) in by_app {
            let lines = house.lines(&effective(&app), None).await;
            assert_eq!(shown(&lines), shown(&expected), "app {app}");
            let answer = app_access(&mut house.snapshot(None).await, &app).await.unwrap();
            let held: usize = answer.people.iter().map(|person| person.held.len()).sum();
            assert_eq!(held, expected.len());
        }
        for (user, expected) in by_user {
            let answer = user_access(&mut house.snapshot(None).await, &user).await.unwrap();
            let held: usize = answer.apps.iter().map(|app| app.held.len()).sum();
            assert_eq!(held, expected.len(), "user {user}");
            let filter = GrantFilter { user: Some(user), effective: true, ..GrantFilter::default() };
            let lines = house.lines(&filter, None).await;
            let mut apps: Vec<_> = lines.iter().map(line).filter(|line| line.0 == "app").collect();
            let mut wanted: Vec<_> = expected.iter().map(line).collect();
            apps.sort();
            wanted.sort();
            assert_eq!(apps, wanted);
        }
    }
}

#[tokio::test]
async fn an_earlier_version_answers_like_the_newest_did() {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(4)).await;
    let version = house.sync().await.version;
    let filter = GrantFilter { effective: true, ..GrantFilter::default() };
    let before = shown(&house.lines(&filter, None).await);
    house.simulator.edit(|world| {
        for team in world.enterprise_team_names() {
            for app in world.app_names(Some(&team)) {
                world.lock_app(&app, true);
            }
        }
    });
    house.sync().await;
    assert_ne!(shown(&house.lines(&filter, None).await), before);
    assert_eq!(shown(&house.lines(&filter, Some(metsuke_model::AsOf::Version(version))).await), before);
}
