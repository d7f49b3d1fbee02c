//! Files that this program wrote.

use std::collections::BTreeSet;
use std::path::Path;

use metsuke_baton::c1z::{Content, Manner, ReadOptions};
use metsuke_simulator::{Options, Size, World};
use serde_json::{Value, json};

use crate::house::{House, starting};

/// Exports the newest version into `estate.c1z` and gives back what was told.
async fn export(house: &House, arguments: &[&str]) -> Value {
    house.json(&[&["export", "c1z", "--out", "estate.c1z"], arguments].concat()).await
}

/// An app of an Enterprise team, and somebody who may not deploy to it.
fn someone(world: &World) -> (String, String) {
    let teams = world.enterprise_team_names().into_iter();
    let mut apps = teams.flat_map(|team| {
        let people = world.members_of(&team);
        let member = people.into_iter().find(|(_, role)| role.as_deref() == Some("member"));
        world.app_names(Some(&team)).into_iter().zip(member.map(|(email, _)| email))
    });
    apps.find(|(app, email)| world.permissions_on(app, email).is_none()).unwrap()
}

/// A grant as words: who, what, on which type and id.
fn words(grant: &Value) -> [String; 4] {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let resource = &grant["resource"];
    [
        text(&grant["principal"]["id"]),
        text(&grant["entitlement"]),
        text(&resource["type"]),
        text(&resource["id"]),
    ]
}

fn of_kind<'a>(differences: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    differences.as_array().unwrap().iter().filter(move |difference| difference["kind"] == kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_fits_together_and_is_told() {
    let house = House::synced(Size::Small).await;
    let ran = house.run(&["export", "c1z", "--out", "estate.c1z"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("version 1: ") && ran.stdout.contains(" in `estate.c1z`, "), "{ran:?}");
    assert!(starting(&ran.stderr, "note: wrote sync ").len() == 1, "{ran:?}");
    let told = house.json(&["c1z", "inspect", "estate.c1z"]).await;
    assert_eq!((&told["container"]["version"], &told["container"]["checksum"]), (&json!(1), &json!(true)));
    let sync = &told["syncs"][0];
    assert_eq!((&sync["type"], &sync["finished"]), (&json!("full"), &json!(true)));
    assert_eq!((&sync["misfits"], &sync["counts_agree"]), (&json!(0), &json!(true)));
    assert_eq!(sync["unknown_annotations"], json!({}));
    assert!(sync["counts"]["grants"].as_u64().unwrap() > 50);
    let table = house.run(&["c1z", "inspect", "estate.c1z"]).await.stdout;
    assert!(table.starts_with("estate.c1z: c1z file, version 1, "), "{table}");
    assert!(!table.contains("Sync "), "nothing is wrong: {table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_differs_in_nothing_from_its_own_version() {
    for size in [Size::Small, Size::Mixed, Size::Awkward] {
        let house = House::synced(size).await;
        for expand in ["always", "never"] {
            export(&house, &["--expand", expand]).await;
            let told = house.json(&["import", "c1z", "estate.c1z"]).await;
            let compared = &told["compared"];
            assert_eq!(compared["differences"], json!([]), "{size:?} {expand}");
            assert_eq!(compared["types"], json!([]));
            for kind in ["resources", "entitlements", "grants"] {
                let count = &compared[kind];
                assert!(count["both"].as_u64().unwrap() > 0, "{told}");
                assert_eq!(
                    (&count["only_there"], &count["only_here"], &count["by_name"], &count["otherwise"]),
                    (&json!(0), &json!(0), &json!(0), &json!(0))
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_exports_differ_in_what_changed_between_them() {
    let house = House::synced(Size::Small).await;
    export(&house, &["--expand", "never"]).await;
    let (app, email) = house.heroku.edit(|world| someone(world)).unwrap();
    house.heroku.edit(|world| world.set_collaborator(&app, &email, &["view", "deploy"])).unwrap();
    house.run(&["sync", "--quiet"]).await;
    let written = export(&house, &["--expand", "never"]).await;
    assert_eq!(written["kept"].as_array().unwrap().len(), 1, "{written}");
    let told = house.json(&["c1z", "diff", "estate.c1z"]).await;
    let differences = &told["differences"];
    let changes = house.lines(&["changes"]).await;
    let granted = |change: &str| {
        let of = |grant: &&Value| grant["change"] == change && grant["kind"] == "grant";
        changes.iter().filter(of).map(words).collect::<BTreeSet<_>>()
    };
    let added: BTreeSet<_> = of_kind(differences, "grant").map(words).collect();
    assert!(!added.is_empty() && added == granted("added"), "{added:?} {:?}", granted("added"));
    assert!(of_kind(differences, "grant").all(|grant| grant["change"] == "added"));
    assert!(of_kind(differences, "grant").all(|grant| grant["manner"] == "direct"));
    assert!(granted("removed").is_empty());
    assert_eq!(told["counts"][0]["added"], json!(0), "{told}");
    let table = house.run(&["c1z", "diff", "estate.c1z"]).await.stdout;
    assert!(table.contains(&format!("deploy on app {app}")), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_is_told_before_and_after() {
    let house = House::synced(Size::Small).await;
    export(&house, &[]).await;
    let app = house.heroku.edit(|world| world.app_names(None).remove(0)).unwrap();
    assert_eq!(house.heroku.edit(|world| world.rename_app(&app, "another-name")), Some(true));
    house.run(&["sync", "--quiet"]).await;
    export(&house, &[]).await;
    let told = house.json(&["c1z", "diff", "estate.c1z"]).await;
    let renamed: Vec<&Value> = of_kind(&told["differences"], "resource").collect();
    assert_eq!(renamed.len(), 1, "{told}");
    assert_eq!(renamed[0]["change"], "changed");
    let details = renamed[0]["details"].as_array().unwrap();
    let name = details.iter().find(|detail| detail["field"] == "name").unwrap();
    assert_eq!((&name["before"], &name["after"]), (&json!(app), &json!("another-name")));
    assert_eq!(of_kind(&told["differences"], "grant").count(), 0, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_and_a_later_version_differ_in_what_changed() {
    let house = House::synced(Size::Small).await;
    export(&house, &["--expand", "never"]).await;
    let (app, email) = house.heroku.edit(|world| someone(world)).unwrap();
    house.heroku.edit(|world| world.set_collaborator(&app, &email, &["view"])).unwrap();
    house.run(&["sync", "--quiet"]).await;
    let told = house.json(&["import", "c1z", "estate.c1z"]).await;
    let grants = of_kind(&told["compared"]["differences"], "grant").collect::<Vec<_>>();
    assert!(!grants.is_empty() && grants.iter().all(|grant| grant["where"] == "here"), "{told}");
    assert!(grants.iter().all(|grant| grant["resource"]["name"] == json!(app)));
    assert!(grants.iter().all(|grant| grant["principal"]["name"] == json!(email)));
    let before = house.json(&["import", "c1z", "estate.c1z", "--as-of", "1"]).await;
    assert_eq!(before["compared"]["differences"], json!([]));
    let csv = house.run(&["--format", "csv", "import", "c1z", "estate.c1z"]).await;
    assert_eq!(csv.stdout.lines().count(), grants.len() + 1, "{csv:?}");
    assert!(csv.stderr.contains("only here"), "{csv:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_version_is_the_same_bytes_and_replaces_itself() {
    let house = House::synced(Size::Small).await;
    let path = |name: &str| house.folder.path().join(name);
    let first = export(&house, &[]).await;
    let bytes = std::fs::read(path("estate.c1z")).unwrap();
    let again = export(&house, &[]).await;
    assert_eq!((&again["sync"], &again["replaced"]), (&first["sync"], &json!(true)));
    assert_eq!((&again["kept"], &again["dropped"]), (&json!([]), &json!([])));
    assert_eq!(std::fs::read(path("estate.c1z")).unwrap(), bytes);
    house.run(&["export", "c1z", "--out", "other.c1z", "--quiet"]).await;
    assert_eq!(std::fs::read(path("other.c1z")).unwrap(), bytes);
    let told = house.json(&["c1z", "diff", "estate.c1z", "other.c1z"]).await;
    assert_eq!(told["differences"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_syncs_stay_as_are_asked_for() {
    let house = House::synced(Size::Small).await;
    let mut syncs = Vec::new();
    for round in 0..4 {
        let keep = if round == 3 { "2" } else { "all" };
        let told = export(&house, &["--keep", keep]).await;
        syncs.push(told["sync"].clone());
        assert_eq!(told["dropped"].as_array().unwrap().len(), if round == 3 { 2 } else { 0 }, "{told}");
        house.heroku.edit(|world| world.add_app(None, &format!("app-of-round-{round}"))).unwrap();
        house.run(&["sync", "--quiet"]).await;
    }
    let told = house.json(&["c1z", "inspect", "estate.c1z"]).await;
    let left: Vec<&Value> = told["syncs"].as_array().unwrap().iter().map(|sync| &sync["sync"]).collect();
    assert_eq!(left, [&syncs[2], &syncs[3]]);
    let ids = [syncs[3].as_str().unwrap(), syncs[2].as_str().unwrap()];
    let back = house.json(&["c1z", "diff", "estate.c1z", "--sync", ids[0], "--sync", ids[1]]).await;
    assert_eq!(of_kind(&back["differences"], "resource").next().unwrap()["change"], "removed");
    let ran = house.run(&["c1z", "diff", "estate.c1z", "--sync", ids[0]]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(house.run(&["export", "c1z", "--out", "estate.c1z", "--keep", "0"]).await.code, 2);
}

/// The users' grants in the file, as words; those that are held directly first, then the others.
fn of_users(file: &Path) -> (BTreeSet<[String; 4]>, BTreeSet<[String; 4]>) {
    let content = Content::read(file, None, &ReadOptions::default()).unwrap();
    let (mut direct, mut inherited) = (BTreeSet::new(), BTreeSet::new());
    for grant in &content.grants {
        let principal = &content.resources[grant.principal as usize].key;
        let entitlement = &content.entitlements[grant.entitlement as usize];
        let on = content.resources[entitlement.resource as usize].key.clone();
        let words = [principal.resource.clone(), entitlement.slug.clone(), on.resource_type, on.resource];
        match grant.manner {
            Manner::Direct => direct.insert(words),
            Manner::Inherited => inherited.insert(words),
            Manner::PassedOn => {
                assert_ne!(principal.resource_type, "user");
                true
            }
        };
    }
    (direct, inherited)
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_are_those_of_the_version() {
    for size in [Size::Mixed, Size::Standard, Size::Awkward] {
        let house = House::synced(size).await;
        let file = house.folder.path().join("estate.c1z");
        let (mut direct, mut derived) = (BTreeSet::new(), BTreeSet::new());
        for line in house.lines(&["grants", "--effective"]).await {
            if line["principal"]["kind"] == "user" {
                if line["direct"] == true { &mut direct } else { &mut derived }.insert(words(&line));
            }
        }
        assert!(!direct.is_empty() && !derived.is_empty());
        assert_eq!(export(&house, &["--expand", "never"]).await["expanded"], json!(false));
        let told = of_users(&file);
        assert_eq!(told.0, direct, "{size:?}");
        assert!(told.1.is_subset(&derived) && told.1.len() < derived.len(), "{size:?}");
        assert_eq!(export(&house, &[]).await["expanded"], json!(true));
        assert_eq!(of_users(&file), (direct, derived), "{size:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_version_is_exit_code_4_and_its_gaps_are_named() {
    let house = House::new(Options::of(Size::Small).seed(3)).await;
    house.heroku.faults().add("forbidden-403@/teams/*/members".parse().unwrap());
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 4);
    let ran = house.run(&["export", "c1z", "--out", "estate.c1z"]).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    let noted = starting(&ran.stderr, "note: version 1 is partial, and so is the sync in the file: ");
    assert!(noted.len() == 1 && noted[0].contains("/members (403"), "{ran:?}");
    let told = export(&house, &[]).await;
    assert_eq!(told["complete"], json!(false));
    let ran = house.run(&["import", "c1z", "estate.c1z"]).await;
    assert!(ran.code == 0 && ran.stderr.starts_with("note: version 1 is partial"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_annotations_are_there_only_where_they_are_asked_for() {
    let house = House::synced(Size::Small).await;
    export(&house, &["--newer-annotations"]).await;
    let told = house.json(&["c1z", "inspect", "estate.c1z"]).await;
    let unknown = told["syncs"][0]["unknown_annotations"].as_object().unwrap();
    assert!(unknown.contains_key("c1.connector.v2.EntitlementExclusionGroup"), "{told}");
    let table = house.run(&["c1z", "inspect", "estate.c1z"]).await.stdout;
    assert!(table.contains("annotations that tools of 2025 do not know: c1.connector.v2."), "{table}");
    export(&house, &[]).await;
    let told = house.json(&["c1z", "inspect", "estate.c1z"]).await;
    assert_eq!(told["syncs"][0]["unknown_annotations"], json!({}));
}
