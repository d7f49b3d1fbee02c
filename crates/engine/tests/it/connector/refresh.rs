//! One object read afresh: the next version has it as Heroku does, and all else as it was.

use std::collections::BTreeSet;

use metsuke_engine::ErrorKind;
use metsuke_engine::connector::{At, Target};
use metsuke_model::{HerokuId, ResourceType, Version};
use metsuke_simulator::{Options, Size};

use super::{connector, empty};
use crate::house::{House, Line};

fn of(lines: &BTreeSet<Line>, id: &str) -> BTreeSet<Line> {
    lines.iter().filter(|line| line.1 == id).cloned().collect()
}

fn but(lines: &BTreeSet<Line>, id: &str) -> BTreeSet<Line> {
    lines.iter().filter(|line| line.1 != id).cloned().collect()
}

#[tokio::test]
async fn a_team_and_an_app_are_as_heroku_has_them_on_sqlite() {
    a_team_and_an_app_are_as_heroku_has_them(House::on_sqlite(Options::of(Size::Mixed).seed(7)).await).await;
}

#[tokio::test]
async fn a_team_and_an_app_are_as_heroku_has_them_on_postgres() {
    a_team_and_an_app_are_as_heroku_has_them(House::on_postgres(Options::of(Size::Mixed).seed(7)).await)
        .await;
}

/// And nothing else changes.
async fn a_team_and_an_app_are_as_heroku_has_them(house: House) {
    house.sync().await;
    let connector = connector(&house);
    let view = connector.view(None).await.unwrap().unwrap();
    let listed: Vec<usize> = (0..view.teams().len())
        .filter(|team| view.teams()[*team].listed == Some(true) && view.direct(At::Team(*team)).count() > 3)
        .collect();
    for team in listed {
        let (id, name) =
            (view.teams()[team].id.clone(), view.teams()[team].name.as_deref().unwrap().to_owned());
        let app = (0..view.apps().len()).find(|app| view.team_of(*app) == Some(team));
        let app_name = app.and_then(|app| view.apps()[app].name.as_deref()).map(ToOwned::to_owned);
        let before = house.direct(None).await;
        house.simulator.edit(|world| {
            let own = world.caller_email();
            let leaver = world
                .members_of(&name)
                .into_iter()
                .find(|(email, role)| *email != own && role.as_deref() == Some("member"));
            if let Some((email, _)) = leaver {
                world.remove_member(&name, &email);
            }
            world.set_member(&name, "joiner@example.com", Some("member"));
            if let Some(app) = &app_name {
                world.set_collaborator(app, "joiner@example.com", &[]);
            }
        });
        let shown = connector.refresh(&Target::Team(id.clone())).await.unwrap().unwrap();
        let text = id.to_string();
        let (now, truth) = (house.direct(None).await, house.truth());
        assert_eq!(of(&now, &text), of(&truth, &text));
        assert_eq!(but(&now, &text), but(&before, &text));
        assert_eq!(shown.teams().len(), 1);
        assert_eq!(shown.direct(At::Team(0)).count(), of(&now, &text).len());
        if let Some(app) = app {
            let id = view.apps()[app].id.clone();
            let shown = connector.refresh(&Target::App(id.clone())).await.unwrap().unwrap();
            let text = id.to_string();
            let (before, now) = (now, house.direct(None).await);
            assert_eq!(of(&now, &text), of(&truth, &text));
            assert_eq!(but(&now, &text), but(&before, &text));
            assert_eq!(shown.apps()[0].id, id);
        }
    }
    let changes = house.sync().await;
    assert_eq!(house.direct(None).await, house.truth());
    assert_eq!(changes.report.status, metsuke_model::SyncStatus::Partial, "as every version of this estate");
}

#[tokio::test]
async fn an_enterprise_account_and_people_can_be_read_too() {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(7)).await;
    house.sync().await;
    let connector = connector(&house);
    let view = connector.view(None).await.unwrap().unwrap();
    let account = view.enterprise_accounts()[0].clone();
    let name = account.name.as_deref().unwrap().to_owned();
    house
        .simulator
        .edit(|world| world.set_enterprise_member(&name, "boss@example.com", &["view", "billing"]));
    let shown = connector.refresh(&Target::EnterpriseAccount(account.id.clone())).await.unwrap().unwrap();
    let boss = shown.users_named("boss@example.com").next().unwrap();
    let slugs: Vec<&str> =
        shown.direct(At::EnterpriseAccount(0)).filter(|row| row.0 == boss).map(|row| row.1).collect();
    assert_eq!(slugs, ["view", "billing"]);
    let boss = shown.users()[boss].id.clone();
    let shown = connector.refresh(&Target::User(boss.clone())).await.unwrap().unwrap();
    assert_eq!((shown.users().len(), &shown.users()[0].id), (1, &boss));
    let own = connector.validate().await.unwrap().id.unwrap();
    let shown = connector.refresh(&Target::User(own.clone())).await.unwrap().unwrap();
    assert_eq!(shown.users()[0].own_account, Some(true));
    assert!(connector.refresh(&Target::User("nobody".into())).await.unwrap().is_none());
}

#[tokio::test]
async fn what_heroku_does_not_show_makes_no_version() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(7)).await;
    let first = house.sync().await.version;
    let connector = connector(&house);
    let nowhere: HerokuId = "01234567-89ab-4def-8123-456789abcdef".into();
    for target in [
        Target::Team(nowhere.clone()),
        Target::App(nowhere.clone()),
        Target::EnterpriseAccount(nowhere.clone()),
        Target::User(nowhere.clone()),
    ] {
        assert!(connector.refresh(&target).await.unwrap().is_none(), "{target:?}");
    }
    let view = connector.view(None).await.unwrap().unwrap();
    assert_eq!(view.sync().version, first);
    let app = view.apps()[0].id.clone();
    house.simulator.faults().add("server-error-500@/apps/*/collaborators".parse().unwrap());
    let error = connector.refresh(&Target::App(app.clone())).await.unwrap_err();
    house.simulator.faults().clear();
    assert!(error.kind() == ErrorKind::Upstream && error.retry_after().is_some(), "{error}");
    house.simulator.faults().add("forbidden-403@/apps/*/collaborators".parse().unwrap());
    let error = connector.refresh(&Target::App(app)).await.unwrap_err();
    house.simulator.faults().clear();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    assert_eq!(house.snapshot(None).await.sync().version, first);
    assert_eq!(Version(first.0), first);
}

#[tokio::test]
async fn the_first_object_of_a_database_is_shown_with_its_kind_of_team() {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(7)).await;
    house.sync().await;
    let whole = connector(&house).view(None).await.unwrap().unwrap();
    let (fresh, _store, _folder) = empty(&house).await;
    for app in (0..whole.apps().len()).step_by(9) {
        let record = &whole.apps()[app];
        let Some(shown) = fresh.refresh(&Target::App(record.id.clone())).await.unwrap() else {
            panic!("{record:?}");
        };
        let Some(At::App(place)) = shown.find(ResourceType::App, &record.id) else { panic!("it is there") };
        let rows = |view: &metsuke_engine::connector::View, app: usize| -> Vec<(HerokuId, String)> {
            view.direct(At::App(app))
                .map(|(user, slug)| (view.users()[user].id.clone(), slug.to_owned()))
                .collect()
        };
        assert_eq!(rows(&shown, place), rows(&whole, app));
        assert_eq!(shown.edges(place).len(), whole.edges(app).len(), "{record:?}");
        assert!(!shown.sync().complete);
    }
}
