//! `metsuke grant`, `revoke`, `remove-person`, `plans` and `apply`: the one object, the exit codes, and the switches.

use metsuke_clients::heroku::{Heroku, Settings};
use metsuke_engine::access::provision::{self, Ask, On, Planned, Provisioner, approve};
use metsuke_model::SystemClock;
use metsuke_model::approval::Party;
use metsuke_simulator::Size;
use metsuke_store::{OpenMode, Store};
use serde_json::{Value, json};

use crate::house::{House, Ran, run};

/// An Enterprise team with its first app, and two of its people who are members.
struct Cast {
    team: String,
    app: String,
    people: Vec<String>,
    admins: Vec<String>,
}

fn cast(house: &House) -> Cast {
    house
        .heroku
        .edit(|world| {
            let team = world
                .enterprise_team_names()
                .into_iter()
                .find(|team| !world.app_names(Some(team)).is_empty() && world.members_of(team).len() > 3)
                .unwrap();
            let app = world.app_names(Some(&team)).first().unwrap().clone();
            let members = world.members_of(&team);
            let of = |wanted: &str| {
                let held = members.iter().filter(|(_, role)| role.as_deref() == Some(wanted));
                held.map(|(email, _)| email.clone()).collect::<Vec<_>>()
            };
            Cast { app, people: of("member"), admins: of("admin"), team }
        })
        .unwrap()
}

async fn writing(house: &House, arguments: &[&str]) -> Ran {
    let mut command = house.command(&[&["--format", "json"], arguments].concat());
    command.env("METSUKE_PROVISIONING", "true");
    run(command).await
}

fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_one_object_and_the_store_shows_it_without_a_sync() {
    let house = House::synced(Size::Small).await;
    let Cast { app, people, .. } = cast(&house);
    let someone = people[0].as_str();
    let grant =
        ["grant", "--user", someone, "--app", &app, "--permission", "deploy", "--yes", "--reason", "x"];
    let ran = writing(&house, &grant).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = document(&ran);
    let mut names: Vec<&String> = told.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["calls", "grants_added", "grants_removed", "outcome", "plan", "reason"]);
    assert_eq!((&told["outcome"], &told["calls"]), (&json!("applied"), &json!(1)));
    assert_eq!(told["plan"]["steps"].as_array().unwrap().len(), 1);
    let id = told["plan"]["id"].as_str().unwrap();
    assert!(told["plan"]["hash"].as_str().unwrap().starts_with(id));
    let added: Vec<&str> = told["grants_added"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["entitlement"].as_str().unwrap())
        .collect();
    assert!(added.contains(&"deploy"), "{added:?}");
    let lines = house.lines(&["grants", "--user", someone, "--app", &app]).await;
    assert!(lines.iter().any(|line| line["entitlement"] == "deploy"), "{lines:?}");
    let ran = writing(&house, &grant).await;
    let again = document(&ran);
    assert_eq!((ran.code, &again["outcome"], &again["calls"]), (0, &json!("unchanged"), &json!(0)));
    assert_eq!(again["plan"]["steps"], json!([]));
    assert_eq!(house.heroku.journal().writes.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_installation_is_read_only() {
    let house = House::synced(Size::Small).await;
    let Cast { team, people, .. } = cast(&house);
    let grant =
        ["--format", "json", "grant", "--user", &people[0], "--team", &team, "--role", "viewer", "--yes"];
    let ran = house.run(&grant).await;
    assert_eq!(ran.code, 5, "{ran:?}");
    let told = document(&ran);
    assert_eq!(told["outcome"], "refused");
    assert!(told["reason"].as_str().unwrap().starts_with("R10"), "{told}");
    assert!(ran.stderr.contains("METSUKE_PROVISIONING=true"), "{ran:?}");
    assert!(house.heroku.journal().writes.is_empty());
    let ran = house.run(&[&grant[..], &["--allow-writes"]].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_stored_shown_and_applied_later() {
    let house = House::synced(Size::Small).await;
    let Cast { team, people, .. } = cast(&house);
    let ask = ["grant", "--user", &people[0], "--team", &team, "--role", "viewer", "--plan-only"];
    let told = document(&writing(&house, &ask).await);
    assert_eq!(told["outcome"], "planned");
    let id = told["plan"]["id"].as_str().unwrap();
    assert!(house.heroku.journal().writes.is_empty());
    let shown = house.json(&["plans", "show", id]).await;
    assert_eq!((&shown["status"], &shown["plan"]["hash"]), (&json!("planned"), &told["plan"]["hash"]));
    let ran = writing(&house, &["apply", &id[..8], "--yes"]).await;
    assert_eq!((ran.code, &document(&ran)["outcome"]), (0, &json!("applied")), "{ran:?}");
    assert_eq!(house.json(&["plans"]).await[0]["status"], "applied");
    let role = house.heroku.edit(|world| world.role_in(&team, &people[0])).unwrap();
    assert_eq!(role.as_deref(), Some("viewer"));
    let ran = writing(&house, &["apply", "0123", "--yes"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_admin_stays() {
    let house = House::synced(Size::Small).await;
    let Cast { team, admins, .. } = cast(&house);
    for admin in &admins {
        let refused =
            writing(&house, &["revoke", "--user", admin, "--team", &team, "--role", "admin", "--yes"]).await;
        if refused.code == 5 {
            let reason = document(&refused)["reason"].as_str().unwrap().to_owned();
            assert!(["R1", "R2", "R4"].iter().any(|rule| reason.starts_with(rule)), "{reason}");
        }
    }
    let left = house.heroku.edit(|world| world.members_of(&team)).unwrap();
    assert!(left.iter().any(|(_, role)| role.as_deref() == Some("admin")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_heroku_refuses_is_exit_code_6() {
    let house = House::synced(Size::Small).await;
    let Cast { team, people, .. } = cast(&house);
    let users = house.lines(&["list", "users"]).await;
    let own = users.iter().find(|user| user["own_account"] == true).unwrap()["email"].as_str().unwrap();
    // The connector may read the team from now on, and no longer write.
    house.heroku.edit(|world| world.set_role(&team, own, Some("member")));
    let grant = ["grant", "--user", &people[0], "--team", &team, "--role", "viewer", "--yes"];
    let ran = writing(&house, &grant).await;
    assert_eq!((ran.code, &document(&ran)["outcome"]), (6, &json!("refused")), "{ran:?}");
    assert!(document(&ran)["reason"].as_str().unwrap().contains("403"), "{ran:?}");
    let ran = writing(&house, &grant).await;
    assert_eq!(ran.code, 6, "asked again, refused again: {ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_over_a_cap_is_frozen_until_its_number_is_typed() {
    let house = House::synced(Size::Small).await;
    let Cast { app, people, .. } = cast(&house);
    // Grants of manage are capped at five an hour.
    let mut frozen = None;
    for round in 0..6 {
        let user = format!("manager-{round}@example.com");
        let ran =
            writing(&house, &["grant", "--user", &user, "--app", &app, "--permission", "manage", "--yes"])
                .await;
        if round < 5 {
            assert_eq!(ran.code, 0, "{ran:?}");
        } else {
            assert_eq!((ran.code, &document(&ran)["outcome"]), (5, &json!("frozen")), "{ran:?}");
            frozen = document(&ran)["plan"]["id"].as_str().map(str::to_owned);
        }
    }
    let id = frozen.unwrap();
    let wrong = writing(&house, &["apply", &id, "--confirm-count", "7"]).await;
    assert_eq!(wrong.code, 5, "{wrong:?}");
    let right = writing(&house, &["apply", &id, "--confirm-count", "1"]).await;
    assert_eq!(right.code, 0, "{right:?}");
    let _ = people;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_and_protected_people_stop_a_write() {
    let house = House::synced(Size::Small).await;
    let Cast { team, people, .. } = cast(&house);
    let grant = ["grant", "--user", &people[0], "--team", &team, "--role", "viewer", "--yes"];
    assert_eq!(house.run(&["kill-switch", "on"]).await.code, 0);
    let ran = writing(&house, &grant).await;
    assert!(ran.code == 5 && ran.stdout.contains("R11"), "{ran:?}");
    assert_eq!(house.run(&["kill-switch", "off"]).await.code, 0);
    assert_eq!(house.run(&["protect", "add", &people[0].to_uppercase()]).await.code, 0);
    let ran = writing(&house, &grant).await;
    assert!(ran.code == 5 && ran.stdout.contains("R3"), "{ran:?}");
    assert_eq!(house.json(&["protect", "list"]).await[0]["person"], people[0].to_lowercase());
    assert_eq!(house.run(&["protect", "remove", &people[0]]).await.code, 0);
    std::fs::write(house.folder.path().join("metsuke.db.stop"), "").unwrap();
    let ran = writing(&house, &grant).await;
    assert!(ran.code == 5 && ran.stdout.contains("R11"), "{ran:?}");
    std::fs::remove_file(house.folder.path().join("metsuke.db.stop")).unwrap();
    assert!(house.heroku.journal().writes.is_empty());
    assert_eq!(writing(&house, &grant).await.code, 0);
    let codes: Vec<Value> =
        house.lines(&["audit", "list"]).await.into_iter().map(|mut event| event["code"].take()).collect();
    for code in
        ["kill_switch.on", "kill_switch.off", "protected_principal.added", "plan.refused", "effect.verified"]
    {
        assert!(codes.contains(&json!(code)), "{code}: {codes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_only_read_is_refused_before_a_call_with_the_scope_needed() {
    let house = House::synced(Size::Small).await;
    let Cast { team, people, app, .. } = cast(&house);
    for ask in [
        vec!["grant", "--user", &people[0], "--team", &team, "--role", "viewer", "--yes"],
        vec!["revoke", "--user", &people[0], "--app", &app, "--collaborator", "--yes"],
        vec!["remove-person", &people[0], "--yes"],
    ] {
        let mut command = house.command(&[&["--format", "json"], ask.as_slice()].concat());
        command.env("METSUKE_PROVISIONING", "true");
        command.env("METSUKE_HEROKU_TOKEN", house.heroku.token_with("read"));
        let ran = run(command).await;
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(document(&ran)["reason"].as_str().unwrap().contains("global"), "{ran:?}");
    }
    assert!(house.heroku.journal().writes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_account_that_nobody_has_is_refused_and_one_that_is_known_is_kept_safe() {
    let house = House::synced(Size::Small).await;
    let Cast { team, people, .. } = cast(&house);
    let named = people[0].as_str();
    let id = house.heroku.edit(|world| world.person_id(named).unwrap().to_string()).unwrap();
    let grant = ["--format", "json", "grant", "--user", named, "--team", &team, "--role", "viewer", "--yes"];
    let keeping = async |account: &str| {
        let mut command = house.command(&[&grant[..], &["--connector-account", account]].concat());
        command.env("METSUKE_PROVISIONING", "true");
        command.env("METSUKE_HEROKU_TOKEN", house.heroku.token_with("accountless"));
        run(command).await
    };
    let ran = keeping("nobody@example.com").await;
    assert!(ran.code == 2 && ran.stderr.contains("would keep nobody safe"), "{ran:?}");
    assert!(ran.stderr.contains("hint: `metsuke list users`"), "{ran:?}");
    for account in [named, &named.to_uppercase(), &id, &id.to_uppercase()] {
        let ran = keeping(account).await;
        assert!(ran.code == 5 && document(&ran)["reason"].as_str().unwrap().starts_with("R2"), "{ran:?}");
    }
    assert!(house.heroku.journal().writes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_is_told_in_one_line() {
    let house = House::synced(Size::Small).await;
    for ask in [
        vec!["grant", "--user", "a@example.com"],
        vec!["grant", "--user", "a@example.com", "--team", "x"],
        vec!["grant", "--user", "a@example.com", "--app", "x"],
        vec!["grant", "--user", "a@example.com", "--app", "x", "--team", "y", "--role", "member"],
    ] {
        assert_eq!(house.run(&ask).await.code, 2, "{ask:?}");
    }
}

/// The database as somebody else at the same machine would open it.
async fn opened(house: &House) -> Store {
    let url = format!("sqlite:{}", house.database().display());
    Store::open(&url, OpenMode::Existing).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_person_approves_what_the_operator_asked_for() {
    let house = House::synced(Size::Small).await;
    let Cast { team, people, .. } = cast(&house);
    let asking = async |arguments: &[&str]| {
        let mut command = house.command(&[&["--format", "json"], arguments].concat());
        command.env("METSUKE_PROVISIONING", "true").env("METSUKE_APPROVAL", "sensitive");
        run(command).await
    };
    let ran = asking(&["grant", "--user", &people[0], "--team", &team, "--role", "admin", "--yes"]).await;
    assert_eq!(ran.code, 5, "{ran:?}");
    let told = document(&ran);
    let (id, hash) = (told["plan"]["id"].as_str().unwrap(), told["plan"]["hash"].as_str().unwrap());
    assert!(told["reason"].as_str().unwrap().starts_with("R7: it grants the admin role"), "{told}");
    assert!(ran.stderr.contains("metsuke plans approve"), "{ran:?}");
    let shown = asking(&["plans", "show", id]).await;
    let approval = document(&shown)["approval"].clone();
    assert_eq!((&approval["needed"], &approval["missing"]), (&json!(true), &json!(1)));
    let waits = async || document(&asking(&["plans"]).await)[0]["waits_for_approval"].clone();
    assert_eq!(waits().await, true);
    let own = asking(&["plans", "approve", id]).await;
    assert!(own.code == 5 && own.stderr.contains("somebody else has to approve it"), "{own:?}");
    let wrong = asking(&["plans", "approve", id, "--hash", "abc"]).await;
    assert!(wrong.code == 5 && wrong.stderr.contains("another hash"), "{wrong:?}");
    assert!(house.heroku.journal().writes.is_empty());
    let second = Party::Login { user: "second".into(), number: Some(987_654) };
    approve(&opened(&house).await, &second, id, hash, &SystemClock).await.unwrap();
    assert_eq!(waits().await, false);
    let applied = asking(&["apply", id, "--yes"]).await;
    assert_eq!((applied.code, &document(&applied)["outcome"]), (0, &json!("applied")), "{applied:?}");
    assert_eq!(house.heroku.journal().writes.len(), 1);
    // The flag says it for one command.
    let ask = ["grant", "--user", &people[1], "--team", &team, "--role", "viewer", "--yes"];
    let ran = writing(&house, &[&ask[..], &["--approval", "every"]].concat()).await;
    assert!(ran.code == 5 && ran.stdout.contains("every plan is approved here"), "{ran:?}");
    assert_eq!(writing(&house, &[&ask[..], &["--approval", "seldom"]].concat()).await.code, 2);
    assert_eq!(writing(&house, &ask).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_approves_what_somebody_else_asked_for() {
    let house = House::synced(Size::Small).await;
    let Cast { team, people, .. } = cast(&house);
    let store = opened(&house).await;
    let token = house.heroku.token().to_owned();
    let heroku = Heroku::new(Settings::new(house.heroku.url().parse().unwrap(), token.into())).unwrap();
    let planned = async |party: Party, person: &str| {
        let settings = provision::Settings::default();
        let provisioner = Provisioner::new(&heroku, &store, settings, &SystemClock, &()).unwrap();
        let on = On::Team { team: team.clone(), role: "admin".into() };
        let ask = Ask::Grant { user: person.to_owned(), on };
        match provisioner.on_behalf_of(party).plan(&ask, None).await.unwrap() {
            Planned::Plan(plan) => plan.id(),
            other => panic!("{other:?}"),
        }
    };
    let id = planned(Party::Login { user: "second".into(), number: Some(987_654) }, &people[0]).await;
    let ran = house.run(&["plans", "approve", &id, "--yes"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(house.json(&["plans", "show", &id]).await["approval"]["approvals"][0]["at"].is_string());
    let every = ["apply", id.as_str(), "--yes", "--approval", "every"];
    let ran = writing(&house, &every).await;
    assert_eq!((ran.code, house.heroku.journal().writes.len()), (0, 1), "{ran:?}");
    // Somebody who signs in may be the operator as well: that is not known, and so it does not count.
    let id = planned(Party::person("second@example.com"), &people[1]).await;
    let ran = house.run(&["plans", "approve", &id]).await;
    assert!(ran.code == 5 && ran.stderr.contains("cannot be told apart"), "{ran:?}");
}
