//! Two processes, one database: of those who want the last two admins of a team out at the same time, one is refused.
//!
//! What two workers inside one process do is tested in the engine.
//!
//! Invariant: both processes are started before either is waited for, and what is judged is the simulator's own state.

use std::time::Duration;

use metsuke_simulator::{Options, Size};
use metsuke_testkit::fresh_database;
use serde_json::{Value, json};

use crate::house::{House, Ran, run};

const ROUNDS: u64 = 20;
const TWO: [&str; 2] = ["left@example.com", "right@example.com"];

/// A synced estate, one of its teams, and the database; the two are the team's last admins but the connector, which
/// signs in without a second factor and does not count beside others.
async fn estate(seed: u64, database: &str) -> (House, String) {
    let latency = Duration::from_millis(1 + seed % 10);
    let house = House::new(Options::of(Size::Small).seed(seed).latency(latency)).await;
    let team = house.heroku.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        for (email, _) in world.members_of(&team) {
            world.set_role(&team, &email, Some("member"));
        }
        let caller = world.caller_email();
        world.set_member(&team, &caller, Some("admin"));
        world.set_two_factor(&caller, false);
        for email in TWO {
            world.set_member(&team, email, Some("admin"));
            world.set_two_factor(email, true);
        }
        team
    });
    let mut command = house.command(&["sync", "--quiet"]);
    command.env("METSUKE_DATABASE_URL", database);
    let ran = run(command).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    (house, team.unwrap())
}

/// Takes the role of admin away, in a process of its own.
async fn wants_out(house: &House, database: &str, team: &str, user: &str, demoted: bool) -> Ran {
    let ask = if demoted { ["grant", "member"] } else { ["revoke", "admin"] };
    let what = [ask[0], "--user", user, "--team", team, "--role", ask[1], "--yes", "--confirm-count=1"];
    let mut command = house.command(&[&["--quiet", "--format", "json"], &what[..]].concat());
    command.env("METSUKE_DATABASE_URL", database).env("METSUKE_PROVISIONING", "true");
    run(command).await
}

fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

/// Whether both plans were stored before the first call was written down.
async fn overlapped(house: &House, database: &str) -> bool {
    let mut command = house.command(&["audit", "list", "--format", "jsonl", "--limit", "1000"]);
    command.env("METSUKE_DATABASE_URL", database);
    let ran = run(command).await;
    let mut codes: Vec<(u64, String)> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|event| (event["sequence"].as_u64().unwrap(), event["code"].as_str().unwrap().to_owned()))
        .collect();
    codes.sort();
    let intent = codes.iter().position(|(_, code)| code == "intent.written").unwrap();
    codes[..intent].iter().filter(|(_, code)| code == "plan.created").count() == 2
}

/// One round: one of two is refused, and the team keeps an admin. Tells whether they met.
async fn one_of_two_is_refused(seed: u64, database: &str) -> bool {
    let (house, team) = estate(seed, database).await;
    house.heroku.reset_journal();
    let demoted = seed % 2 == 1;
    let (left, right) = tokio::join!(
        wants_out(&house, database, &team, TWO[0], demoted),
        wants_out(&house, database, &team, TWO[1], demoted)
    );
    let mut ended = [(left.code, document(&left)), (right.code, document(&right))];
    ended.sort_by_key(|(code, _)| *code);
    let [(done, applied), (stopped, refused)] = &ended;
    let told = format!("seed {seed}: {left:?}, {right:?}");
    assert_eq!((*done, &applied["outcome"]), (0, &json!("applied")), "{told}");
    assert_eq!((*stopped, &refused["outcome"]), (5, &json!("refused")), "{told}");
    assert!(refused["reason"].as_str().unwrap().starts_with("R1"), "{told}");
    assert_eq!(house.heroku.journal().writes.len(), 1, "{told}");
    let admins = house.heroku.edit(|world| {
        TWO.into_iter().filter(|email| world.role_in(&team, email).as_deref() == Some("admin")).count()
    });
    assert_eq!(admins, Some(1), "{told}");
    overlapped(&house, database).await
}

#[expect(clippy::print_stdout, reason = "a figure that means something is told")]
fn tell(met: u64) {
    println!("{ROUNDS} rounds; in {met} of them both plans stood before the first call");
    assert!(met > 0, "the two processes never met");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_that_want_the_last_admins_out_one_is_refused_on_sqlite() {
    let mut met = 0;
    for seed in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("metsuke.db").display());
        met += u64::from(one_of_two_is_refused(seed, &database).await);
    }
    tell(met);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_that_want_the_last_admins_out_one_is_refused_on_postgres() {
    let mut met = 0;
    for seed in 0..ROUNDS {
        let database = fresh_database();
        met += u64::from(one_of_two_is_refused(seed, &database.url).await);
    }
    tell(met);
}
