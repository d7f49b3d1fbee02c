//! `metsuke rules`, as a person and a program meet it.

use metsuke_simulator::Size;
use serde_json::{Value, json};

use crate::house::{House, Ran, bare, run};

async fn print(arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    run(bare(&folder, arguments)).await
}

#[tokio::test]
async fn all_28_are_listed_with_what_they_need() {
    let listed = print(&["rules"]).await;
    assert_eq!((listed.code, listed.stderr.as_str()), (0, ""), "{listed:?}");
    insta::assert_snapshot!(listed.stdout);
    let lines = print(&["rules", "--format", "jsonl", "--search", "LEFT company"]).await.stdout;
    let one: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((lines.lines().count(), &one["id"], &one["needs"]), (1, &json!("D07"), &json!(["roster"])));
}

#[tokio::test]
async fn a_detection_is_shown_in_full() {
    insta::assert_snapshot!("show_D04", print(&["rules", "show", "D04"]).await.stdout);
    insta::assert_snapshot!("show_D17", print(&["rules", "show", "app-left-its-team"]).await.stdout);
    insta::assert_snapshot!("show_D24", print(&["rules", "show", "d24"]).await.stdout);
    let unknown = print(&["rules", "show", "no-second-facto"]).await;
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("did you mean `no-second-factor`?"), "{unknown:?}");
    let document = print(&["rules", "show", "D09", "--format", "json"]).await.stdout;
    let document: Value = serde_json::from_str(&document).unwrap();
    assert!(document["queries"]["people"].as_str().unwrap().starts_with("FIND "), "{document}");
    assert_eq!((&document["severity"], &document["observable"]), (&json!("MEDIUM"), &json!("partly")));
}

#[tokio::test]
async fn a_run_tells_what_fired_and_what_could_not_be_judged() {
    let house = House::synced(Size::Small).await;
    house.heroku.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, "new'; admin@evil.example", Some("admin")).unwrap();
    });
    let unchanged = house.run(&["rules", "run", "D01", "--exit-code"]).await;
    assert_eq!(unchanged.code, 0, "{unchanged:?}");
    assert!(
        unchanged.stdout.contains("not observable") && unchanged.stderr.contains("1 not judged"),
        "{unchanged:?}"
    );
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 0);

    let ran = house.run(&["rules", "run", "D01", "--exit-code"]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stdout.contains("is now an admin of team"), "{ran:?}");
    assert!(ran.stdout.contains("metsuke grant --user 'new'\\''; admin@evil.example' --team "), "{ran:?}");
    assert!(ran.stderr.ends_with("1 rule on version 2: 1 fired, 0 clear\n"), "{ran:?}");
    assert_eq!(house.run(&["rules", "run", "D01"]).await.code, 0);
    assert_eq!(house.run(&["rules", "run", "D01", "--as-of", "1", "--exit-code"]).await.code, 0);
    assert_eq!(house.run(&["rules", "run", "D01", "--since", "2", "--exit-code"]).await.code, 0);

    let all = house.lines(&["rules", "run"]).await;
    assert_eq!(all.len(), 28);
    for line in &all {
        let state = line["state"].as_str().unwrap();
        assert!(["fired", "clear", "not_observable"].contains(&state), "{line}");
        assert_eq!(line["why"].is_string(), state == "not_observable", "{line}");
        assert_eq!(line["state"] == "fired", !line["subjects"].as_array().unwrap().is_empty(), "{line}");
    }
    let by_id = |id: &str| all.iter().find(|line| line["rule"] == id).unwrap();
    assert_eq!(by_id("D07")["state"], "not_observable");
    let subject = &by_id("D01")["subjects"][0];
    assert_eq!(subject["rows"][0]["principal"]["email"], "new'; admin@evil.example");
    assert_eq!(subject["fingerprint"].as_str().unwrap().len(), 32);
    assert_eq!(
        by_id("D01")["actions"],
        json!([{ "type": "CREATE_ALERT", "content": { "alertLevel": "HIGH" } }])
    );
    let csv = house.run(&["rules", "run", "D01", "D07", "--format", "csv"]).await.stdout;
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("rule,name,level,result,finding,fix,fingerprint"));
    assert!(
        csv.contains("D07,leaver-with-access,CRITICAL,not observable,no roster of employees was imported"),
        "{csv}"
    );
}

#[tokio::test]
async fn parameters_are_given_by_name_and_wrong_ones_are_told() {
    let house = House::synced(Size::Mixed).await;
    let count = async |arguments: &[&str]| {
        let arguments = [&["rules", "run"], arguments].concat();
        house.json(&arguments).await[0]["subjects"].as_array().unwrap().len()
    };
    let own = count(&["D04"]).await;
    let stranger = count(&["D04", "--param", "domains=elsewhere.example"]).await;
    let both = &["D04", "--param", "domains=elsewhere.example", "--param", "domains=@Northwind.example"];
    assert!(own < stranger && count(both).await == own, "{own} {stranger}");
    assert!(count(&["D09", "--param", "days=99999"]).await < count(&["D09", "--param", "days=1"]).await);
    for (arguments, told) in [
        (
            &["D04", "--param", "days=3"][..],
            "none of these detections has a parameter `days`\nhint: they have domains",
        ),
        (&["D99"], "there is no detection `D99`"),
        (&["D04", "--param", "domains"], "write NAME=VALUE"),
    ] {
        let ran = house.run(&[&["rules", "run"], arguments].concat()).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(ran.stderr.contains(told), "{told}: {ran:?}");
    }
    let ran = house.run(&["rules", "run", "D09", "--param", "days=soon"]).await;
    assert!(ran.stdout.contains("not settled") && ran.stdout.contains("takes a whole number"), "{ran:?}");
}

#[tokio::test]
async fn rules_of_a_file_are_checked_and_run() {
    let house = House::synced(Size::Small).await;
    let file = house.folder.path().join("rules.json");
    let rules = json!([
        { "name": "teams", "queries": [{ "name": "query0", "query": "FIND heroku_team", "version": "v1" }], "alertLevel": "LOW" },
        { "name": "pigeon", "pollingInterval": "ONE_HOUR", "question": { "queries": [{ "query": "FIND heroku_team WITH name = 'x'" }] },
          "operations": [{ "when": { "type": "FILTER", "condition": ["queries.query0.total", ">", 0] }, "actions": [{ "type": "PIGEON" }] }] },
    ]);
    std::fs::write(&file, rules.to_string()).unwrap();
    let name = file.to_str().unwrap();
    let checked = house.run(&["rules", "check", name]).await;
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(
        checked.stdout.contains("ONE_HOUR") && checked.stdout.contains("CREATE_ALERT SET_PROPERTY"),
        "{checked:?}"
    );
    assert!(
        checked.stderr.contains("[1].operations[0].actions[0].type: `PIGEON` is kept and not carried out"),
        "{checked:?}"
    );
    let ran = house.run(&["rules", "run", "--file", name, "--exit-code"]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.ends_with("2 rules on version 1: 1 fired, 1 clear\n"), "{ran:?}");
    let with_detection = house.lines(&["rules", "run", "D12", "--file", name]).await;
    assert_eq!(with_detection.len(), 3);

    std::fs::write(&file, json!([{ "name": "x", "queries": [{ "query": "FIND" }] }, 7]).to_string()).unwrap();
    let refused = house.run(&["rules", "check", name]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{refused:?}");
    for part in
        ["[0].question.queries[0].query: ", "[1]: this should be an object", "cannot be used: 2 mistakes"]
    {
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
}

#[tokio::test]
async fn an_export_can_be_checked_again() {
    let folder = tempfile::tempdir().unwrap();
    let exported = run(bare(&folder, &["rules", "export", "--param", "domains=example.com"])).await;
    assert_eq!(exported.code, 0, "{exported:?}");
    let rules: Value = serde_json::from_str(&exported.stdout).unwrap();
    let count = rules.as_array().unwrap().len();
    assert!(count >= 15 && exported.stderr.lines().count() == 28 - count, "{count}: {}", exported.stderr);
    assert!(exported.stderr.contains("note: new-team-admin is left out: JupiterOne cannot look for changes"));
    std::fs::write(folder.path().join("rules.json"), &exported.stdout).unwrap();
    let checked = run(bare(&folder, &["rules", "check", "rules.json", "--format", "jsonl"])).await;
    assert_eq!((checked.code, checked.stderr.as_str()), (0, ""), "{checked:?}");
    assert_eq!(checked.stdout.lines().count(), count);
    // A file's own members and what it does not know stay; a rule of a pack is written out.
    let own = json!([
        { "name": "own", "somethingNew": { "a": 1 }, "subject": { "key": ["id"] }, "question": { "queries": [{ "query": "FIND User" }] } },
        { "name": "pack", "queries": [{ "name": "query0", "query": "FIND heroku_team" }] },
    ]);
    std::fs::write(folder.path().join("own.json"), own.to_string()).unwrap();
    let exported = run(bare(&folder, &["rules", "export", "--file", "own.json"])).await;
    assert_eq!((exported.code, exported.stderr.as_str()), (0, ""), "{exported:?}");
    let rules: Value = serde_json::from_str(&exported.stdout).unwrap();
    assert_eq!(rules.as_array().unwrap().len(), 2);
    assert_eq!((&rules[0]["somethingNew"]["a"], rules[0].get("subject")), (&json!(1), None));
    assert_eq!(rules[1]["operations"][0]["actions"][1]["type"], "CREATE_ALERT");
    let without = run(bare(&folder, &["rules", "export", "D04"])).await;
    assert!(without.stderr.contains("D04 is left out: `domains` has no value"), "{without:?}");
}
