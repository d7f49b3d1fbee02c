//! The private PostgreSQL, seen from outside.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as loudly as tests do")]

use std::process::Command;

use metsuke_testkit::{TestDatabase, fresh_database};

fn ask(database: &TestDatabase, statement: &str) -> String {
    let answer = Command::new("psql").args(["-X", "-At", &database.url, "-c", statement]).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8(answer.stdout).unwrap().trim().to_owned()
}

#[test]
fn two_databases_do_not_see_each_other() {
    let (first, second) = (fresh_database(), fresh_database());
    assert_ne!(first.url, second.url);
    ask(&first, "CREATE TABLE only_here (id BIGINT)");
    assert_eq!(ask(&first, "SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'"), "1");
    assert_eq!(ask(&second, "SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'"), "0");
}

#[test]
fn the_server_listens_on_its_socket_only() {
    let database = fresh_database();
    assert_eq!(ask(&database, "SHOW listen_addresses"), "");
    assert_eq!(ask(&database, "SHOW server_encoding"), "UTF8");
}

#[test]
fn a_dropped_database_is_gone() {
    let survivor = fresh_database();
    let dropped = fresh_database();
    let name = ask(&dropped, "SELECT current_database()");
    drop(dropped);
    assert_eq!(ask(&survivor, &format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'")), "0");
}
