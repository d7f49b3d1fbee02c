//! A small company in good order, and what evaluating on it takes.

use std::fmt::Write as _;

use metsuke_engine::people;
use metsuke_engine::query::Settings;
use metsuke_engine::rules::{Ground, Limits, Since};
use metsuke_model::people::RosterKind;
use metsuke_model::{AsOf, Moment, SystemClock};
use metsuke_simulator::{Manners, Options, Size, World};
use tempfile::TempDir;

use crate::house::House;

/// The company's Enterprise account.
pub(super) const GROUP: &str = "northwind-group";

/// An estate in which no detection finds anything.
pub(crate) async fn company() -> House {
    let manners = Manners { federated_caller: true, permissions_need_admin: false, ..Manners::default() };
    let size = Size::Company { teams: 1, people: 1, apps: 0 };
    let house = House::on_sqlite(Options::of(size).manners(manners)).await;
    house.simulator.edit(orderly).unwrap();
    house
}

/// Two teams with two admins each, members who sign in as they should, and apps that belong to them.
fn orderly(world: &mut World) {
    for app in ["my-experiment-0", "my-experiment-1", "my-experiment-2", "my-experiment-3"] {
        assert!(world.remove_app(app));
    }
    for team in world.enterprise_team_names() {
        assert!(world.remove_team(&team));
    }
    let caller = world.caller_email();
    world.set_last_login(&caller, Some(1));
    world.add_team(Some(GROUP), "core").unwrap();
    world.add_team(Some(GROUP), "pay").unwrap();
    world.add_team(None, "guild").unwrap();
    for (team, role) in [("core", "admin"), ("pay", "admin"), ("guild", "admin")] {
        insider(world, "ann@northwind.example", team, role);
    }
    for person in ["bob", "cleo", "dan", "eve", "finn", "gus", "hal", "ivy"] {
        insider(world, &format!("{person}@northwind.example"), "core", "member");
    }
    insider(world, "pia@northwind.example", "pay", "member");
    world.add_app(Some("core"), "shop").unwrap();
    world.add_app(Some("core"), "shop-staging").unwrap();
    world.add_app(Some("pay"), "checkout").unwrap();
    world.couple("core", "shop", "shop", "production").unwrap();
    world.couple("core", "shop", "shop-staging", "staging").unwrap();
    world.set_collaborator("shop", "bob@northwind.example", &["view", "deploy"]).unwrap();
    world.add_addon("shop", "heroku-postgresql", "shop-db").unwrap();
    world.add_space("core", "vault", true).unwrap();
}

/// Somebody of the company who signs in through the identity provider.
pub(super) fn insider(world: &mut World, email: &str, team: &str, role: &str) {
    world.set_member(team, email, Some(role)).unwrap();
    world.set_enterprise_member(GROUP, email, &["view"]).unwrap();
    assert!(world.set_federated(email, true) && world.set_last_login(email, Some(2)));
}

/// What evaluating takes, at a moment ten days after the estate's beginning.
pub(super) async fn ground(house: &House, as_of: Option<AsOf>, since: Since) -> (Ground, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let now = i64::try_from(World::epoch()).unwrap() + 10 * 86_400;
    let settings = Settings { as_of, ..Settings::at(Moment(now * 1_000_000)) };
    let ground = Ground::open(&house.store, settings, since, Limits::default(), folder.path());
    (ground.await.unwrap(), folder)
}

/// Imports a roster of these people and states.
pub(super) async fn roster(house: &House, people: &[(&str, &str)]) {
    let mut csv = "employee_id,emails,name,status\n".to_owned();
    for (email, status) in people {
        let _infallible = writeln!(csv, "{email},{email},{email},{status}");
    }
    let parsed = people::parse("staff", RosterKind::Csv, csv.as_bytes()).unwrap();
    let roster = ("staff", RosterKind::Csv);
    people::import(&house.store, roster, parsed.employees, false, &SystemClock).await.unwrap();
}
