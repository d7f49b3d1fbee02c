//! An estate on which there is something to find: two syncs with changes between them, and a roster.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use metsuke_engine::query::Variable;
use metsuke_engine::{lists, people};
use metsuke_model::SystemClock;
use metsuke_model::graph::Value;
use metsuke_model::people::RosterKind;

use crate::house::House;

/// Makes it, and tells values for what questions leave open.
pub(super) async fn lively(house: &House) -> BTreeMap<&'static str, Variable> {
    house.sync().await;
    let mut snapshot = house.snapshot(None).await;
    let apps = lists::apps(&mut snapshot).await.unwrap();
    let addons = lists::addons(&mut snapshot).await.unwrap();
    let name = |app: Option<&lists::AppLine>| app.and_then(|app| app.name.as_deref()).unwrap().to_owned();
    let enterprise = lists::teams(&mut snapshot).await.unwrap().into_iter();
    let enterprise: Vec<_> =
        enterprise.filter(|team| team.team_type.as_deref() == Some("enterprise")).collect();
    let of_team = |app: &&lists::AppLine| enterprise.iter().any(|team| team.name == app.team);
    let bare = |app: &&lists::AppLine| of_team(app) && app.addons == 0 && app.locked == Some(false);
    let (renamed, removed) = (name(apps.iter().find(bare)), name(apps.iter().rfind(bare)));
    let database = addons.iter().find(|addon| addon.service.as_deref() == Some("heroku-postgresql")).unwrap();
    let personal = |app: &&lists::AppLine| app.team.is_none() && app.owner.is_some();
    let owner = apps.iter().find(personal).and_then(|app| app.owner.as_deref()).unwrap();
    drop(snapshot);

    house
        .simulator
        .edit(|world| {
            world.set_collaborator(&renamed, "deploy-bot@northwind.example", &["view", "deploy"]);
            world.set_collaborator(&renamed, "consultant@agency.example", &["view", "deploy"]);
            world.rename_app(&renamed, "renamed-since");
            world.remove_app(&removed);
            Some(())
        })
        .unwrap();
    house.sync().await;

    import(house, owner).await;
    let texts = |values: &[&str]| Variable::AnyOf(values.iter().map(|text| Value::text(text)).collect());
    BTreeMap::from([
        ("app", Variable::One(Value::text(&database.attached_to[0]))),
        ("addon", Variable::One(Value::text(database.name.as_deref().unwrap()))),
        ("team", Variable::One(Value::text(enterprise[0].name.as_deref().unwrap()))),
        ("email", Variable::One(Value::text("deploy-bot@northwind.example"))),
        ("domain", texts(&["@northwind.example", "@NORTHWIND.EXAMPLE"])),
        // The simulated apps are all on this stack, and none is older than a year.
        ("stacks", texts(&["heroku-24"])),
        ("days", Variable::One(Value::Number(10.0))),
    ])
}

/// Most accounts are somebody's; some of these left, one has two accounts, one is only known by name.
async fn import(house: &House, leaver: &str) {
    let users = lists::users(&mut house.snapshot(None).await).await.unwrap();
    let mut csv = "employee_id,emails,name,department,employee_type,status\n".to_owned();
    let mut several = Vec::new();
    // The first with a name of two words, after those with other parts.
    let named = users.iter().enumerate().skip(5);
    let mut named = named.filter(|(_, user)| user.name.as_deref().is_some_and(|name| name.contains(' ')));
    let by_name = named.find(|(place, _)| place % 7 != 3).unwrap().0;
    for (place, user) in users.iter().enumerate() {
        let email = user.email.as_deref().unwrap().to_lowercase();
        let gone = place % 7 == 3 || email == leaver.to_lowercase();
        let status = if gone { "inactive" } else { "active" };
        let sort = ["employee", "contractor", "service"][place % 3];
        let name = user.name.as_deref().unwrap_or("nobody");
        match place {
            _ if gone => {}
            1 | 2 => {
                several.push(email);
                continue;
            }
            _ if place == by_name => {
                let _infallible = writeln!(csv, "{place},,{name},,{sort},{status}");
                continue;
            }
            _ if place % 10 == 9 => continue,
            _ => {}
        }
        let _infallible = writeln!(csv, "{place},{email},{name} {place},d{},{sort},{status}", place % 3);
    }
    let _infallible = writeln!(csv, "two,{},Two Accounts,d1,employee,active", several.join(";"));
    let parsed = people::parse("staff", RosterKind::Csv, csv.as_bytes()).unwrap();
    people::import(&house.store, ("staff", RosterKind::Csv), parsed.employees, false, &SystemClock)
        .await
        .unwrap();
}
