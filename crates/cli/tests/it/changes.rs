//! `metsuke changes` with what followed and who did it, and `metsuke webhooks`.

use metsuke_simulator::Size;
use serde_json::Value;

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_tells_what_followed_and_a_plan_who_made_it() {
    let house = House::synced(Size::Small).await;
    let team = house.heroku.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, "theirs@example.com", Some("admin"));
        team
    });
    let team = team.unwrap();
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 0);
    let lines = house.lines(&["changes"]).await;
    let grant = lines.iter().find(|line| line["kind"] == "grant").unwrap();
    assert_eq!((&grant["entitlement"], &grant["by"]), (&Value::from("admin"), &Value::Null));
    let gained = grant["gained"].as_array().unwrap();
    assert!(gained.len() > 1 && gained.iter().any(|line| line["via"] == "team admin"), "{gained:?}");
    assert_eq!(grant["lost"], Value::from(Vec::<Value>::new()));
    let table = house.run(&["changes"]).await;
    assert!(table.stdout.contains("gains access"), "{table:?}");

    let arguments = [
        "grant",
        "--user",
        "ours@example.com",
        "--team",
        &team,
        "--role",
        "viewer",
        "--allow-writes",
        "--yes",
    ];
    let ran = house.run(&arguments).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let ours = house.lines(&["changes", "--since", "2"]).await;
    let plan = ours.iter().find(|line| line["kind"] == "grant").unwrap()["by"]["plan"].clone();
    let by = house.lines(&["changes", "--since", "1", "--by", plan.as_str().unwrap()]).await;
    assert!(!by.is_empty() && by.iter().all(|line| line["by"]["plan"] == plan), "{by:?}");
    let nobody = house.run(&["changes", "--by", "nobody@example.com"]).await;
    assert!(nobody.stderr.contains("no change is known to be theirs"), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_belong_to_connectors() {
    let house = House::synced(Size::Small).await;
    let ran = house.run(&["webhooks", "list"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("there is no connector"), "{ran:?}");
}
