//! Rosters and matches at the command line: imported, fetched, listed, settled by hand, and hostile rows shown inert.

use std::fs;

use metsuke_simulator::{RosterServer, Size};
use serde_json::{Value, json};

use crate::house::{House, Ran, bare, run, starting};

/// A house with a synced estate, and the addresses of its accounts.
async fn house() -> (House, Vec<String>) {
    let house = House::synced(Size::Small).await;
    let users = house.json(&["list", "users"]).await;
    let own = |user: &&Value| user["own_account"] == false;
    let emails =
        users.as_array().unwrap().iter().filter(own).map(|user| user["email"].as_str().unwrap().to_owned());
    let emails = emails.collect();
    (house, emails)
}

async fn import(house: &House, text: &str, more: &[&str]) -> Ran {
    fs::write(house.folder.path().join("staff.csv"), text).unwrap();
    house.run(&[&["people", "import", "staff.csv"], more].concat()).await
}

fn staff(rows: &[(&str, &str, &str)]) -> String {
    let lines = rows.iter().map(|(id, email, status)| format!("{id},Person {id},{email},{status}\n"));
    format!("employee_id,name,email,status\n{}", lines.collect::<String>())
}

#[tokio::test]
async fn a_roster_is_imported_and_the_people_listed_with_their_accounts() {
    let (house, emails) = house().await;
    let rows =
        [("1", emails[0].as_str(), "active"), ("2", &emails[1], "terminated"), ("3", "c@x.example", "")];
    let ran = import(&house, &staff(&rows), &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("Roster staff: 3 people; 3 new, 0 changed, 0 missing.\n"), "{ran:?}");
    assert!(ran.stdout.contains(" accounts: 2 matched, 0 not certain, "), "{ran:?}");
    let table = house.run(&["people", "list"]).await.stdout;
    let table = table.replace(&emails[0], "one@hidden").replace(&emails[1], "two@hidden");
    let told: Vec<String> =
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    NAME E-MAIL TITLE DEPARTMENT ACTIVE ROSTER ACCOUNTS MATCHED BY
    Person 1 one@hidden - - yes staff one@hidden email
    Person 2 two@hidden - - no staff two@hidden email
    Person 3 c@x.example - - yes staff - -
    ");
    let leavers = house.lines(&["people", "list", "--leavers"]).await;
    assert_eq!(leavers.len(), 1);
    assert_eq!(
        (&leavers[0]["employee_id"], &leavers[0]["accounts"][0]["matched_by"]),
        (&"2".into(), &"email".into())
    );
    let without = house.lines(&["people", "list", "--unmatched"]).await;
    assert_eq!(without[0]["key"], "employee:staff:3");
    let again = house.run(&["people", "import", "staff.csv", "--format", "json"]).await;
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(
        (&again["added"], &again["changed"], &again["accounts"]["changed"]),
        (&0.into(), &0.into(), &0.into())
    );
}

#[tokio::test]
async fn every_wrong_row_is_named_and_nothing_is_imported() {
    let (house, emails) = house().await;
    import(&house, &staff(&[("1", &emails[0], "")]), &[]).await;
    let ran = import(
        &house,
        &staff(&[("1", "\u{1b}[2Jann", ""), ("2", "b@x.example", "maybe"), ("3", "c@x.example", "")]),
        &[],
    )
    .await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    insta::assert_snapshot!(ran.stderr, @r"
    error: line 2: `\u{1b}[2jann` is no e-mail address
    error: line 3: its status is `maybe`, which is neither active nor inactive
    error: nothing was imported, because 2 rows of the roster are wrong
    ");
    let people = house.lines(&["people", "list"]).await;
    assert_eq!((people.len(), &people[0]["active"]), (1, &true.into()), "as it was");
    for (text, told) in [("name\nAnn\n", "heading"), ("email\n", "names nobody"), ("", "empty")] {
        let ran = import(&house, text, &[]).await;
        assert!(ran.code == 2 && ran.stderr.contains(told), "{ran:?}");
    }
    let ran = house.run(&["people", "import", "nothing.csv"]).await;
    assert!(ran.code == 1 && ran.stderr.contains("cannot be read"), "{ran:?}");
    let ran = house.run(&["people", "import", "staff.csv", "--roster", "a b"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("its name"), "{ran:?}");
}

#[tokio::test]
async fn a_roster_that_was_cut_is_held_up() {
    let (house, _) = house().await;
    let emails: Vec<String> = (0..20).map(|number| format!("p{number}@x.example")).collect();
    let rows: Vec<(&str, &str, &str)> =
        emails.iter().map(|email| (email.as_str(), email.as_str(), "")).collect();
    import(&house, &staff(&rows), &[]).await;
    let ran = import(&house, &staff(&rows[..5]), &[]).await;
    assert!(ran.code == 2 && ran.stderr.contains("15 of its 20 people are missing"), "{ran:?}");
    assert!(ran.stderr.contains("--accept-missing"), "{ran:?}");
    let ran = import(&house, &staff(&rows[..5]), &["--accept-missing"]).await;
    assert!(ran.code == 0 && ran.stdout.contains("15 missing"), "{ran:?}");
    assert_eq!(
        house.lines(&["people", "list"]).await.iter().filter(|one| one["active"] == false).count(),
        15
    );
}

#[tokio::test]
async fn what_is_said_by_hand_beats_the_rules_until_it_is_taken_back() {
    let (house, emails) = house().await;
    let rows = [("1", emails[0].as_str(), ""), ("2", "b@x.example", "")];
    import(&house, &staff(&rows), &[]).await;
    let account_of = async |id: &str| {
        let people = house.lines(&["people", "list"]).await;
        let one = people.into_iter().find(|one| one["employee_id"] == id).unwrap();
        one["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|account| account["matched_by"].clone())
            .collect::<Vec<_>>()
    };
    let shouted = emails[0].to_uppercase();
    assert_eq!(house.run(&["people", "match", &shouted, "B@X.example"]).await.code, 0);
    assert_eq!((account_of("1").await, account_of("2").await), (vec![], vec![json!("hand")]));
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 0);
    import(&house, &staff(&rows), &[]).await;
    assert_eq!(account_of("2").await, [json!("hand")], "kept");
    let again = house.run(&["people", "match", &emails[0], "2"]).await;
    assert!(again.stderr.contains("already"), "{again:?}");
    assert_eq!(house.run(&["people", "match", &emails[0], "--nobody"]).await.code, 0);
    assert_eq!((account_of("1").await, account_of("2").await), (vec![], vec![]));
    let open = house.lines(&["people", "unmatched"]).await;
    assert!(
        open.iter().all(|line| line["email"] != emails[0].as_str() || line["what"] == "person"),
        "nobody's is not open"
    );
    assert_eq!(house.run(&["people", "unmatch", &emails[0]]).await.code, 0);
    assert_eq!(account_of("1").await, [json!("email")]);
    let events = house.lines(&["audit", "list", "--code", "person"]).await;
    let codes: Vec<&str> = events.iter().map(|event| event["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["person.unmatched", "person.matched", "person.matched"]);
    assert_eq!(events[2]["details"]["employee"], "employee:staff:2");
    for wrong in [["people", "match", "nobody@x.example", "1"], ["people", "match", &emails[0], "Person 1"]] {
        let ran = house.run(&wrong).await;
        assert!(ran.code == 1 && ran.stderr.contains("there is no "), "{ran:?}");
    }
    assert_eq!(house.run(&["people", "match", &emails[0]]).await.code, 2);
}

#[tokio::test]
async fn what_is_open_is_listed_with_whom_it_may_be() {
    let (house, emails) = house().await;
    let rows = [
        ("1", emails[0].as_str(), ""),
        ("2", &emails[0], ""),
        ("3", &emails[1], ""),
        ("4", "d@x.example", ""),
    ];
    import(&house, &staff(&rows), &[]).await;
    let open = house.lines(&["people", "unmatched"]).await;
    assert_eq!((&open[0]["what"], &open[0]["email"]), (&"account".into(), &emails[0].as_str().into()));
    assert_eq!(
        (&open[0]["unsure_by"], open[0]["candidates"].as_array().unwrap().len()),
        (&"email".into(), 2)
    );
    assert!(open[1]["what"] == "account" && open[1]["candidates"] == json!([]), "{}", open[1]);
    assert_eq!(starting(&house.run(&["people", "unmatched"]).await.stdout, "person").len(), 3);
    let table = house.run(&["people", "unmatched"]).await;
    assert!(table.stdout.contains(&format!("{0}, {0}", emails[0])), "{table:?}");
    let csv = house.run(&["people", "unmatched", "--format", "csv"]).await.stdout;
    assert!(csv.starts_with("what,id,email,name,unsure_by,candidates\n"), "{csv}");
    assert!(csv.contains(",email,employee:staff:1 employee:staff:2\n"), "{csv}");
}

#[tokio::test]
async fn hostile_rows_are_shown_inert() {
    let (house, _) = house().await;
    let text = "email,name,title,department\na@x.example,\u{1b}[2JAnn\u{202e},=cmd|'/c calc'!A1,@SUM(1)\n";
    assert_eq!(import(&house, text, &[]).await.code, 0);
    let table = house.run(&["people", "list"]).await.stdout;
    assert!(table.contains("\\u{1b}[2JAnn\\u{202e}") && !table.contains('\u{1b}'), "{table}");
    let csv = house.run(&["people", "list", "--format", "csv"]).await.stdout;
    assert!(csv.contains(",'=cmd|") && csv.contains(",'@SUM(1),"), "{csv}");
}

#[tokio::test]
async fn a_scim_document_is_a_roster_too_and_stdin_a_file() {
    let (house, emails) = house().await;
    let users =
        json!({ "totalResults": 1, "Resources": [{ "id": "7", "userName": emails[0], "active": false }] });
    fs::write(house.folder.path().join("users.json"), users.to_string()).unwrap();
    let ran = house.run(&["people", "import", "users.json", "--roster", "hr"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let leavers = house.lines(&["people", "list", "--leavers"]).await;
    assert_eq!(
        (&leavers[0]["key"], &leavers[0]["accounts"][0]["matched_by"]),
        (&"employee:hr:7".into(), &"username".into())
    );
    let empty = house.run(&["people", "import", "-"]).await;
    assert!(empty.code == 2 && empty.stderr.contains("it is empty"), "{empty:?}");
}

#[tokio::test]
async fn a_roster_is_fetched_and_who_is_missing_has_left() {
    let (house, emails) = house().await;
    let user = |number: usize, email: &str, status: &str| json!({ "id": format!("00u{number}"), "status": status, "profile": { "login": email, "email": email, "firstName": "P", "lastName": number.to_string() } });
    let users: Vec<Value> =
        (0..).zip(&emails).take(5).map(|(number, email)| user(number, email, "ACTIVE")).collect();
    let server = RosterServer::local(users.clone(), 2).await.unwrap();
    server.refuse(&[503]);
    let fetch = async |token: &str| {
        let mut command = house.command(&["people", "fetch", &server.url()]);
        command.env("METSUKE_ROSTER_TOKEN", token);
        run(command).await
    };
    let ran = fetch(server.token()).await;
    assert!(ran.code == 0 && ran.stdout.starts_with("Roster staff: 5 people; 5 new"), "{ran:?}");
    server.set_users(users[1..].to_vec());
    assert_eq!(fetch(server.token()).await.code, 0);
    let leavers = house.lines(&["people", "list", "--leavers"]).await;
    assert_eq!((leavers.len(), &leavers[0]["accounts"][0]["email"]), (1, &emails[0].as_str().into()));
    assert!(leavers[0]["missing_since"].is_string());
    let wrong = fetch("00-wrong-token").await;
    assert!(
        wrong.code == 1 && wrong.stderr.contains("401") && wrong.stderr.contains("METSUKE_ROSTER_TOKEN"),
        "{wrong:?}"
    );
    assert!(!wrong.stderr.contains("00-wrong-token"), "{wrong:?}");
    let none = run(bare(&house.folder, &["people", "fetch", &server.url()])).await;
    assert!(none.code == 2 && none.stderr.contains("there is no token"), "{none:?}");
    server.set_users(vec![user(1, &emails[0], "ASLEEP")]);
    let odd = fetch(server.token()).await;
    assert!(odd.code == 2 && odd.stderr.contains("user 1: its status is `ASLEEP`"), "{odd:?}");
}

#[tokio::test]
async fn without_a_roster_the_lists_say_so() {
    let (house, _) = house().await;
    for list in [&["people", "list"][..], &["people", "unmatched"]] {
        let ran = house.run(list).await;
        assert!(ran.code == 0 && ran.stderr.contains("there is no roster"), "{ran:?}");
    }
}
