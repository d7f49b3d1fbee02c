//! Rosters and syncs together: whoever comes is matched at once, on both engines.

use metsuke_clients::roster::{Roster, Settings};
use metsuke_engine::people;
use metsuke_model::SystemClock;
use metsuke_model::people::RosterKind;
use metsuke_simulator::{Options, RosterServer, Size};
use serde_json::json;

use crate::house::House;

const CSV: (&str, RosterKind) = ("staff", RosterKind::Csv);

async fn import(house: &House, text: &str) {
    let parsed = people::parse("staff", RosterKind::Csv, text.as_bytes()).unwrap();
    people::import(&house.store, CSV, parsed.employees, false, &SystemClock).await.unwrap();
}

async fn accounts(house: &House) -> usize {
    people::directory(&house.store).await.unwrap().employees.iter().map(|line| line.accounts.len()).sum()
}

async fn emails(house: &House) -> Vec<String> {
    let users = metsuke_engine::lists::users(&mut house.snapshot(None).await).await.unwrap();
    users
        .iter()
        .filter(|user| !user.own_account)
        .map(|user| user.email.as_deref().unwrap().to_owned())
        .collect()
}

async fn a_sync_matches_whoever_came(house: House) {
    house.sync().await;
    let known = emails(&house).await;
    import(&house, &format!("email\n{}\nnew@x.example\n", known.join("\n"))).await;
    assert_eq!(accounts(&house).await, known.len());
    let told = people::directory(&house.store).await.unwrap();
    assert!(told.open.is_empty(), "{:?}", told.open);
    assert_eq!(told.without_account().map(|line| &*line.emails[0]).collect::<Vec<_>>(), ["new@x.example"]);
    let apps = metsuke_engine::lists::apps(&mut house.snapshot(None).await).await.unwrap();
    let app = apps.iter().find(|app| app.team.is_some()).and_then(|app| app.name.as_deref()).unwrap();
    let added = house.simulator.edit(|world| world.set_collaborator(app, "NEW@x.example", &["view"]));
    assert!(added.flatten().is_some());
    house.sync().await;
    assert_eq!(accounts(&house).await, known.len() + 1);
}

#[tokio::test]
async fn a_sync_matches_whoever_came_on_sqlite() {
    a_sync_matches_whoever_came(House::on_sqlite(Options::of(Size::Small).seed(3)).await).await;
}

#[tokio::test]
async fn a_sync_matches_whoever_came_on_postgres() {
    a_sync_matches_whoever_came(House::on_postgres(Options::of(Size::Small).seed(3)).await).await;
}

#[tokio::test]
async fn a_fetched_roster_is_whole_or_an_error() {
    let user = |number: u32| json!({ "id": format!("00u{number}"), "status": "ACTIVE", "profile": { "login": format!("p{number}@x.example") } });
    let server = RosterServer::local((0..7).map(user).collect(), 3).await.unwrap();
    let settings = |token: &str| {
        let mut settings = Settings::new(server.url().parse().unwrap(), token.into());
        settings.first_delay = std::time::Duration::from_millis(1);
        settings
    };
    let roster = Roster::new(settings(server.token())).unwrap();
    assert_eq!(people::fetch("staff", &roster).await.unwrap().employees.len(), 7);
    server.refuse(&[500, 502, 503]);
    assert_eq!(people::fetch("staff", &roster).await.unwrap().employees.len(), 7);
    server.refuse(&[403]);
    assert!(people::fetch("staff", &roster).await.is_err());
    let stranger = Roster::new(settings("00-stranger")).unwrap();
    assert!(people::fetch("staff", &stranger).await.is_err());
}
