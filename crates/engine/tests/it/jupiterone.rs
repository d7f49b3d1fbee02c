//! What JupiterOne is given: files as its integration writes them, and uploads that hold against faults.

mod defects;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use metsuke_clients::jupiterone::{JobStatus, JupiterOne, Origin, Settings};
use metsuke_engine::jupiterone::{Estate, Exported, Options, Uploaded, export, upload};
use metsuke_engine::{EngineError, ErrorKind};
use metsuke_simulator::jupiterone::{JupiterOne as StandIn, JupiterOneFault, JupiterOneOptions};
use metsuke_simulator::{Options as Heroku, Size};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::house::House;

const INSTANCE: &str = "11111111-2222-3333-4444-555555555555";

async fn synced(size: Size) -> House {
    let house = House::on_sqlite(Heroku::of(size).seed(5)).await;
    house.sync().await;
    house
}

async fn estate(house: &House) -> Estate {
    Estate::of(&house.store, house.snapshot(None).await).await.unwrap()
}

async fn exported(house: &House, options: &Options, place: &Path) -> Exported {
    export(&mut estate(house).await, options, place).await.unwrap()
}

fn client(jupiterone: &StandIn) -> JupiterOne {
    let key = SecretString::from(jupiterone.api_key().to_owned());
    let mut settings = Settings::new(jupiterone.url().parse().unwrap(), key, jupiterone.account().into());
    settings.first_delay = Duration::from_millis(1);
    JupiterOne::new(settings).unwrap()
}

async fn uploaded(house: &House, jupiterone: &StandIn, options: &Options) -> Result<Uploaded, EngineError> {
    let origin = Origin::Instance(INSTANCE.into());
    let cancel = CancellationToken::new();
    upload(&client(jupiterone), &origin, &mut estate(house).await, options, &(), &cancel).await
}

/// Every object of a folder by its key, and the step and type of each file checked.
fn objects(place: &Path) -> BTreeMap<String, Value> {
    let mut objects = BTreeMap::new();
    for step in std::fs::read_dir(place.join("graph")).unwrap() {
        for part in std::fs::read_dir(step.unwrap().path()).unwrap() {
            let part = part.unwrap().path();
            for file in std::fs::read_dir(&part).unwrap() {
                let file = file.unwrap().path();
                let held: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
                let word = part.file_name().unwrap().to_str().unwrap();
                let list = held[word].as_array().unwrap();
                assert!(!list.is_empty() && list.len() <= 500);
                let types: BTreeSet<&str> =
                    list.iter().map(|object| object["_type"].as_str().unwrap()).collect();
                assert_eq!(types.len(), 1, "one type in a file");
                let index = place.join("index").join(word).join(types.first().unwrap());
                assert!(index.join(file.file_name().unwrap()).exists());
                for object in list {
                    let key = object["_key"].as_str().unwrap().to_owned();
                    assert!(objects.insert(key, object.clone()).is_none(), "each key once");
                }
            }
        }
    }
    objects
}

fn of_type<'o>(objects: &'o BTreeMap<String, Value>, name: &str) -> Vec<&'o Value> {
    objects.values().filter(|object| object["_type"] == name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_the_layout_and_the_objects_of_the_original() {
    let house = synced(Size::Mixed).await;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join(".j1-integration");
    let options = Options { account_name: Some("Prod".into()), ..Options::default() };
    let told = exported(&house, &options, &place).await;
    let objects = objects(&place);
    assert_eq!(objects.len() as u64, told.entities + told.relationships);
    let truth = house.simulator.truth();
    assert_eq!(of_type(&objects, "heroku_application").len(), truth.apps().count());
    assert_eq!(of_type(&objects, "heroku_account").len(), truth.enterprise_accounts().count());
    assert!(of_type(&objects, "heroku_account_member_accesses_application").is_empty());

    let app =
        of_type(&objects, "heroku_application").into_iter().find(|app| app["teamId"].is_string()).unwrap();
    assert_eq!(app["_class"], json!(["Application"]));
    assert_eq!((&app["_key"], &app["displayName"]), (&app["id"], &app["name"]));
    assert!(app["createdOn"].is_u64() && app["owner"].as_str().unwrap().ends_with("@herokumanager.com"));
    assert_eq!(app["_rawData"][0]["name"], "default");
    assert_eq!(app["tag.AccountName"], "Prod");
    let owns = of_type(&objects, "heroku_team_owns_application")[0];
    let (from, to) = (owns["_fromEntityKey"].as_str().unwrap(), owns["_toEntityKey"].as_str().unwrap());
    assert_eq!(owns["_key"], format!("{from}|owns|{to}"));
    assert_eq!((&owns["_class"], &owns["displayName"]), (&json!("OWNS"), &json!("OWNS")));
    assert!(owns.get("_rawData").is_none() && owns.get("tag.AccountName").is_none());

    let summary: Value = serde_json::from_slice(&std::fs::read(place.join("summary.json")).unwrap()).unwrap();
    let steps = summary["integrationStepResults"].as_array().unwrap();
    assert_eq!(steps[0]["id"], "fetch-enterprise-accounts");
    assert!(steps[0].get("dependsOn").is_none());
    assert_eq!(steps[1]["dependsOn"], json!(["fetch-enterprise-accounts"]));
    let partial = summary["metadata"]["partialDatasets"]["types"].as_array().unwrap();
    let names = |step: &Value| step["declaredTypes"].as_array().unwrap().clone();
    let lacking: Vec<Value> =
        steps.iter().filter(|step| step["status"] != "success").flat_map(names).collect();
    assert_eq!(&lacking, partial, "a refused team is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_version_gives_the_same_files() {
    let house = synced(Size::Small).await;
    let folder = tempfile::tempdir().unwrap();
    let read = |place: &Path| {
        let mut files = BTreeMap::new();
        let mut waiting = vec![place.join("graph")];
        while let Some(next) = waiting.pop() {
            for entry in std::fs::read_dir(next).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    waiting.push(entry.path());
                } else {
                    let name = entry.path().strip_prefix(place).unwrap().to_owned();
                    files.insert(name, std::fs::read(entry.path()).unwrap());
                }
            }
        }
        files
    };
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    exported(&house, &Options::default(), &one).await;
    exported(&house, &Options::default(), &other).await;
    assert_eq!(read(&one), read(&other));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_original_leaves_out_what_the_original_lacks() {
    let house = synced(Size::Mixed).await;
    let folder = tempfile::tempdir().unwrap();
    let (all, few) = (folder.path().join("all"), folder.path().join("few"));
    exported(&house, &Options::default(), &all).await;
    let options = Options { only_original: true, ..Options::default() };
    let told = exported(&house, &options, &few).await;
    assert_eq!(told.steps.len(), 10);
    let (all, few) = (objects(&all), objects(&few));
    assert!(few.len() < all.len());
    for (key, object) in &few {
        assert_eq!(&all[key], object);
    }
    let types: BTreeSet<&str> = few.values().map(|object| object["_type"].as_str().unwrap()).collect();
    assert_eq!(types.len(), 10, "{types:?}");
    assert!(of_type(&few, "heroku_team").iter().all(|team| team["enterpriseAccountId"].is_string()));
    assert!(
        of_type(&few, "heroku_account_member").iter().all(|user| user["enterpriseAccountId"].is_string())
    );
    for object in few.values().filter(|object| object.get("_fromEntityKey").is_some()) {
        for end in ["_fromEntityKey", "_toEntityKey"] {
            assert!(few.contains_key(object[end].as_str().unwrap()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_brings_what_an_export_writes() {
    let house = synced(Size::COMPANY).await;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("out");
    exported(&house, &Options::default(), &place).await;
    let jupiterone = StandIn::local(JupiterOneOptions::default()).await.unwrap();
    let told = uploaded(&house, &jupiterone, &Options::default()).await.unwrap();
    assert_eq!(told.status, JobStatus::Finished);
    let graph = jupiterone.graph(INSTANCE);
    let held: BTreeMap<String, Value> = graph
        .entities()
        .chain(graph.relationships())
        .map(|(key, held)| (key.to_owned(), Value::Object(held.object.clone())))
        .collect();
    assert!(held == objects(&place), "the same objects");
    assert_eq!(told.counted.num_relationship_create_errors, 0);
    assert_eq!(told.counted.num_entities_created, told.entities);
    let asked = jupiterone.asked();
    let uploads: Vec<_> = asked.iter().filter(|asked| asked.what.ends_with("s/entities")).collect();
    assert!(
        asked
            .iter()
            .filter(|a| a.what.contains("entities") || a.what.contains("relationships"))
            .all(|a| a.compressed),
        "{uploads:?}"
    );
    assert!(jupiterone.most_in_flight() <= 6);
    let job = &jupiterone.jobs()[0];
    let events: Vec<&str> = job.events.iter().map(|event| &*event.name).collect();
    assert_eq!(events, ["sync_upload_start", "sync_upload_end"]);

    // The same again changes nothing.
    let again = uploaded(&house, &jupiterone, &Options::default()).await.unwrap();
    assert_eq!((again.counted.num_entities_updated, again.counted.num_entities_deleted), (0, 0));
    assert_eq!(jupiterone.graph(INSTANCE), graph);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_on_the_way_lose_and_double_nothing() {
    let house = synced(Size::Small).await;
    let calm = StandIn::local(JupiterOneOptions::default()).await.unwrap();
    uploaded(&house, &calm, &Options::default()).await.unwrap();
    let requests = calm.asked().len() as u64;
    let faults = [
        JupiterOneFault::Status(429),
        JupiterOneFault::Status(500),
        JupiterOneFault::Status(503),
        JupiterOneFault::LostAnswer,
    ];
    for (number, fault) in (2..=requests).zip(faults.into_iter().cycle()) {
        let jupiterone = StandIn::local(JupiterOneOptions::default()).await.unwrap();
        jupiterone.fail(number, fault);
        let told = uploaded(&house, &jupiterone, &Options::default()).await;
        assert!(told.is_ok(), "{fault:?} at {number}: {told:?}");
        assert!(jupiterone.graph(INSTANCE) == calm.graph(INSTANCE), "{fault:?} at {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_too_large_arrives_smaller() {
    let house = synced(Size::Small).await;
    let calm = StandIn::local(JupiterOneOptions::default()).await.unwrap();
    uploaded(&house, &calm, &Options::default()).await.unwrap();
    let small = JupiterOneOptions { most_bytes: 3_000, ..JupiterOneOptions::default() };
    let jupiterone = StandIn::local(small).await.unwrap();
    let told = uploaded(&house, &jupiterone, &Options::default()).await.unwrap();
    assert!(told.shortened > 0 && told.skipped.is_empty(), "{told:?}");
    let (graph, whole) = (jupiterone.graph(INSTANCE), calm.graph(INSTANCE));
    assert_eq!(graph.entities().count(), whole.entities().count());
    assert_eq!(graph.relationships().count(), whole.relationships().count());
    for ((key, held), (_, all)) in graph.entities().zip(whole.entities()) {
        let without_raw = |object: &serde_json::Map<String, Value>| {
            let mut object = object.clone();
            object.remove("_rawData");
            object
        };
        assert_eq!(without_raw(&held.object), without_raw(&all.object), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_fails_is_aborted_and_changes_nothing() {
    let house = synced(Size::Small).await;
    let jupiterone = StandIn::local(JupiterOneOptions::default()).await.unwrap();
    uploaded(&house, &jupiterone, &Options::default()).await.unwrap();
    let before = jupiterone.graph(INSTANCE);
    let asked = jupiterone.asked().len() as u64;
    jupiterone.fail(asked + 4, JupiterOneFault::Status(400));
    let error = uploaded(&house, &jupiterone, &Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Upstream);
    assert_eq!(jupiterone.jobs()[1].status, "ABORTED");
    assert!(jupiterone.jobs()[1].reason.is_some());
    assert_eq!(jupiterone.graph(INSTANCE), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_read_is_not_deleted_there_and_what_is_gone_is() {
    let house = House::on_sqlite(Heroku::of(Size::Small).seed(5)).await;
    let jupiterone = StandIn::local(JupiterOneOptions::default()).await.unwrap();
    house.sync().await;
    uploaded(&house, &jupiterone, &Options::default()).await.unwrap();
    let before = jupiterone.graph(INSTANCE);

    // A database that begins anew, on a day when a team's members are refused.
    let app = house.simulator.truth().apps().next().unwrap();
    house.simulator.edit(|world| world.remove_app(&app)).unwrap();
    let fresh = House::on_sqlite(Heroku::of(Size::Small).seed(5)).await;
    fresh.simulator.edit(|world| world.remove_app(&app)).unwrap();
    fresh.simulator.faults().add("forbidden-403@/teams/*/members".parse().unwrap());
    fresh.sync().await;
    let told = uploaded(&fresh, &jupiterone, &Options::default()).await.unwrap();
    assert!(told.partial.contains(&"heroku_team_has_account_member"));
    assert!(!told.partial.contains(&"heroku_addon"));
    let after = jupiterone.graph(INSTANCE);
    let kept = "heroku_team_has_account_member";
    assert!(before.count(kept) > 0);
    assert_eq!(after.count(kept), before.count(kept));
    assert_eq!(after.count("heroku_account_member"), before.count("heroku_account_member"));
    assert!(after.is_deleted(&app));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_told_and_never_shown() {
    let house = synced(Size::Small).await;
    let jupiterone = StandIn::local(JupiterOneOptions::default()).await.unwrap();
    let settings = Settings::new(jupiterone.url().parse().unwrap(), "wrong-key".into(), "simulated".into());
    let client = JupiterOne::new(settings).unwrap();
    let origin = Origin::Scope("s".into());
    let cancel = CancellationToken::new();
    let error = upload(&client, &origin, &mut estate(&house).await, &Options::default(), &(), &cancel).await;
    let error = error.unwrap_err();
    assert!(error.hint().unwrap().contains("key"));
    assert!(!format!("{error:?}").contains("wrong-key"));
}
