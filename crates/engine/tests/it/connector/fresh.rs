//! Grants and revokes by ids alone, with a database into which nothing was ever synced.

use metsuke_engine::EngineError;
use metsuke_engine::connector::{At, Granted, Revoked};
use metsuke_model::{HerokuId, ResourceType};
use metsuke_simulator::{Options, Size};

use super::empty;
use crate::house::House;

/// Ids of a team, its app, somebody in the team, and somebody of the Enterprise account who is not.
struct Ids {
    team: HerokuId,
    app: HerokuId,
    inside: (String, String),
    outside: (String, String),
    app_name: String,
    team_name: String,
}

async fn ids(house: &House) -> Ids {
    let own = house.simulator.edit(|world| world.caller_email()).unwrap();
    house.sync().await;
    let view = super::connector(house).view(None).await.unwrap().unwrap();
    let place = (0..view.apps().len()).find(|app| {
        let team = view.team_of(*app);
        team.is_some_and(|team| view.account_of(team).is_some() && view.teams()[team].listed == Some(true))
            && view.apps()[*app].locked != Some(true)
    });
    let app = place.unwrap();
    let team = view.team_of(app).unwrap();
    let account = view.account_of(team).unwrap();
    let of = |at: At| -> Vec<usize> { view.direct(at).map(|(user, _)| user).collect() };
    let named: Vec<usize> = of(At::App(app));
    let member =
        |user: &usize| view.direct(At::Team(team)).any(|(held, role)| held == *user && role == "member");
    let person = |user: usize| {
        let user = &view.users()[user];
        (user.id.to_string(), user.email.as_deref().unwrap().to_owned())
    };
    let inside = of(At::Team(team)).into_iter().find(|user| member(user) && !named.contains(user)).unwrap();
    let members = of(At::Team(team));
    let outside = of(At::EnterpriseAccount(account))
        .into_iter()
        .find(|user| !members.contains(user) && view.users()[*user].email.as_deref() != Some(&own))
        .unwrap();
    Ids {
        team: view.teams()[team].id.clone(),
        app: view.apps()[app].id.clone(),
        inside: person(inside),
        outside: person(outside),
        app_name: view.apps()[app].name.as_deref().unwrap().to_owned(),
        team_name: view.teams()[team].name.as_deref().unwrap().to_owned(),
    }
}

fn requests(house: &House, word: &str) -> usize {
    house.simulator.stats().log.iter().filter(|seen| seen.path.contains(word)).count()
}

#[tokio::test]
async fn a_grant_by_ids_finds_the_address_among_the_people_of_the_team() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(3)).await;
    let Ids { app, inside: (id, email), app_name, .. } = ids(&house).await;
    let (connector, store, _folder) = empty(&house).await;
    let before = requests(&house, "/permissions");
    let app = (ResourceType::App, app);
    let granted = connector.grant(&app, "deploy", &id, None).await.unwrap();
    assert!(matches!(granted, Granted::Done { .. }), "{granted:?}");
    assert_eq!(requests(&house, "/permissions"), before, "without a whole sync");
    let held = house.simulator.edit(|world| world.permissions_on(&app_name, &email)).unwrap().unwrap();
    assert_eq!(held, ["view", "deploy"]);
    let view = connector.view(None).await.unwrap().unwrap();
    assert!(!view.sync().complete, "a database of single objects says so");
    let user = view.user(&HerokuId::new(&id)).unwrap();
    let at = view.find(app.0, &app.1).unwrap();
    let slugs: Vec<&str> = view.direct(at).filter(|row| row.0 == user).map(|row| row.1).collect();
    assert_eq!(slugs, ["collaborator", "view", "deploy"]);
    assert!(store.snapshot(None).await.unwrap().is_some());
    let repeated = connector.grant(&app, "deploy", &id, None).await.unwrap();
    assert_eq!(repeated, Granted::AlreadyExists);
}

#[tokio::test]
async fn a_grant_by_ids_finds_the_address_in_the_enterprise_account() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(3)).await;
    let Ids { team, outside: (id, email), team_name, .. } = ids(&house).await;
    let (connector, _store, _folder) = empty(&house).await;
    let before = requests(&house, "/permissions");
    let granted = connector.grant(&(ResourceType::Team, team), "viewer", &id, None).await.unwrap();
    assert!(matches!(granted, Granted::Done { replaced: None, pending: false, .. }), "{granted:?}");
    assert_eq!(requests(&house, "/permissions"), before, "without a whole sync");
    let role = house.simulator.edit(|world| world.role_in(&team_name, &email)).unwrap();
    assert_eq!(role.as_deref(), Some("viewer"));
}

#[tokio::test]
async fn somebody_elsewhere_in_the_estate_is_found_by_a_whole_sync() {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(3)).await;
    house.simulator.edit(|world| {
        let standard = world.standard_team_names().remove(0);
        world.set_member(&standard, "far.away@example.com", Some("member"));
    });
    let Ids { app, app_name, .. } = ids(&house).await;
    let view = super::connector(&house).view(None).await.unwrap().unwrap();
    let place = view.users_named("far.away@example.com").next().unwrap();
    let id = view.users()[place].id.to_string();
    let (connector, _store, _folder) = empty(&house).await;
    let app = (ResourceType::App, app);
    let granted = connector.grant(&app, "view", &id, None).await.unwrap();
    assert!(matches!(granted, Granted::Done { .. }), "{granted:?}");
    let held = house.simulator.edit(|world| world.permissions_on(&app_name, "far.away@example.com"));
    assert_eq!(held.unwrap().unwrap(), ["view"]);
    let nobody = "01234567-89ab-4def-8123-456789abcdef";
    let error = connector.grant(&app, "view", nobody, None).await.unwrap_err();
    assert!(matches!(error, EngineError::NotAtHeroku { what: "user", .. }), "{error}");
}

#[tokio::test]
async fn a_revoke_by_ids_takes_it_and_says_when_there_is_nothing_to_take() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(3)).await;
    let Ids { app, team, inside: (id, email), app_name, team_name, .. } = ids(&house).await;
    house.simulator.edit(|world| world.set_collaborator(&app_name, &email, &["view", "deploy"]));
    let (connector, _store, _folder) = empty(&house).await;
    let app = (ResourceType::App, app);
    let revoked = connector.revoke(&app, "deploy", &id, None).await.unwrap();
    assert!(matches!(&revoked, Revoked::Done { removed } if removed.len() == 1), "{revoked:?}");
    assert_eq!(
        house.simulator.edit(|world| world.permissions_on(&app_name, &email)).unwrap().unwrap(),
        ["view"]
    );
    let (connector, _store, _folder) = empty(&house).await;
    let nobody = "01234567-89ab-4def-8123-456789abcdef";
    assert_eq!(connector.revoke(&app, "deploy", nobody, None).await.unwrap(), Revoked::AlreadyRevoked);
    let (connector, _store, _folder) = empty(&house).await;
    let revoked = connector.revoke(&(ResourceType::Team, team), "member", &id, None).await.unwrap();
    assert!(matches!(revoked, Revoked::Done { .. }), "{revoked:?}");
    assert_eq!(house.simulator.edit(|world| world.role_in(&team_name, &email)).unwrap(), None);
}
