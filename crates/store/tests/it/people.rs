//! Rosters and matches: imported whole or not at all, nobody forgotten, and the operator's word kept.

use metsuke_model::audit::{Event, EventCode};
use metsuke_model::graph::{Employee, Table};
use metsuke_model::people::{Choice, MatchedBy, RosterKind};
use metsuke_model::record::User;
use metsuke_model::{Estate, Moment};
use metsuke_store::{Imported, Matching, People, Store};

use crate::database::{Database, commit};
use crate::generated::whole;

const HR: (&str, RosterKind) = ("hr", RosterKind::Csv);

fn person(key: &str, emails: &[&str]) -> Employee {
    Employee {
        key: format!("employee:hr:{key}").into(),
        name: format!("{key} Lee").into(),
        emails: emails.iter().map(|email| (*email).into()).collect(),
        employee_id: Some(key.into()),
        active: true,
        ..Employee::default()
    }
}

/// The dense id of the employee with this running number.
fn employee_id(number: i64) -> i64 {
    number << 6 | Table::Employees.number()
}

fn users(emails: &[&str]) -> Estate {
    let user = |email: &&str| User { email: Some((*email).into()), ..User::new((*email).into()) };
    Estate { users: emails.iter().map(user).collect(), ..Estate::default() }
}

async fn sync(store: &Store, emails: &[&str], second: i64) {
    let estate = users(emails);
    commit(store, &estate, &whole(&estate), second).await;
}

async fn import(store: &Store, rows: &[Employee], second: i64) -> Imported {
    store.import_roster(HR, rows.to_vec(), Moment(second), |_| true).await.unwrap()
}

async fn choose(store: &Store, user: i64, choice: Option<Choice>) -> bool {
    let event = store.event(Moment(9), EventCode::PersonMatched).about("user", user);
    store.choose(user, choice, event).await.unwrap()
}

/// Pairs of an account's address and an employee's number, with the rule.
fn pairs(people: &People) -> Vec<(String, String, MatchedBy)> {
    let pair = |row: &metsuke_store::MatchRow| {
        let account = people.accounts.iter().find(|account| account.seen.dense == row.user)?;
        let employee = people.employees.iter().find(|employee| employee.dense == row.employee)?;
        Some((account.seen.email.as_deref()?.into(), employee.employee_id.as_deref()?.into(), row.by?))
    };
    let mut pairs: Vec<_> = people.matches.iter().filter_map(pair).collect();
    pairs.sort();
    pairs
}

fn dense(people: &People, email: &str) -> i64 {
    let account = people.accounts.iter().find(|account| account.seen.email.as_deref() == Some(email));
    account.unwrap().seen.dense
}

async fn codes(store: &Store) -> Vec<String> {
    let rows = store.audit_rows_before(None, 100).await.unwrap();
    rows.iter().rev().map(|row| Event::decode(&row.text).unwrap().code.as_str().to_owned()).collect()
}

async fn another_edition_comes_with_whatever_changes_people_and_with_nothing_else(database: Database) {
    let store = database.open().await;
    sync(&store, &["ann@example.com"], 1).await;
    let mut last = store.people_edition().await.unwrap();
    for step in 0..5 {
        let people = store.people().await.unwrap();
        assert_eq!(
            (people.edition, store.people_edition().await.unwrap()),
            (last, last),
            "before step {step}"
        );
        match step {
            0 => assert!(import(&store, &[person("1", &["zoe@example.com"])], 5).await.stored),
            1 => assert!(choose(&store, dense(&people, "ann@example.com"), Some(Choice::Nobody)).await),
            2 => assert!(choose(&store, dense(&people, "ann@example.com"), None).await),
            3 => sync(&store, &["ann@example.com", "zoe@example.com"], 2).await,
            _ => assert_eq!(store.rematch().await.unwrap().map(|matching| matching.changed), Some(1)),
        }
        // Other processes see it as well.
        let now = database.open().await.people_edition().await.unwrap();
        assert_ne!(now, last, "after step {step}");
        last = now;
    }
    assert_eq!(store.rematch().await.unwrap().map(|matching| matching.changed), Some(0));
    let ann = dense(&store.people().await.unwrap(), "ann@example.com");
    assert!(!choose(&store, ann, None).await);
    assert_eq!(store.people_edition().await.unwrap(), last);
}

async fn what_was_imported_is_read_back_as_it_was(database: Database) {
    let store = database.open().await;
    let whole = Employee {
        name: "Zoë \u{202e}Lee".into(),
        first_name: Some("Zoë".into()),
        last_name: Some("=1+1".into()),
        aliases: vec!["z@example.com".into(), "\"quoted\", with a comma".into()],
        username: Some("zoe".into()),
        title: Some("Lead\nEngineer".into()),
        department: Some("R&D".into()),
        manager_email: Some("ann@example.com".into()),
        employee_type: Some("contractor".into()),
        active: false,
        ..person("1", &["zoe@example.com", "zoe@home.example"])
    };
    let plain = Employee { employee_id: None, ..person("2", &[]) };
    let imported = import(&store, &[whole.clone(), plain.clone()], 5).await;
    assert_eq!((imported.rows, imported.added, imported.stored), (2, 2, true));
    let people = database.open().await.people().await.unwrap();
    let stored = |dense, employee| Employee { dense, roster: "hr".into(), ..employee };
    assert_eq!(people.employees, [stored(employee_id(1), whole), stored(employee_id(2), plain)]);
    let roster = &people.rosters[0];
    assert_eq!((&*roster.name, roster.kind, roster.rows), ("hr", Some(RosterKind::Csv), 2));
    assert_eq!(roster.imported_at, Moment(5));
}

async fn an_import_tells_what_differs_and_forgets_nobody(database: Database) {
    let store = database.open().await;
    let (ann, bob) = (person("ann", &["ann@example.com"]), person("bob", &["bob@example.com"]));
    import(&store, &[ann.clone(), bob.clone()], 1).await;
    let same = import(&store, &[bob.clone(), ann.clone()], 2).await;
    assert_eq!((same.added, same.changed, same.missing, same.before), (0, 0, 0, 2));
    let ann = Employee { title: Some("CTO".into()), ..ann };
    let next = import(&store, &[ann.clone(), person("cat", &[])], 3).await;
    assert_eq!((next.added, next.changed, next.missing), (1, 1, 1));
    let people = store.people().await.unwrap();
    let gone = people.employees.iter().find(|one| one.employee_id.as_deref() == Some("bob")).unwrap();
    assert_eq!((gone.active, gone.missing_since), (false, Some(Moment(3))));
    let still = import(&store, std::slice::from_ref(&ann), 4).await;
    assert_eq!((still.before, still.missing), (2, 1), "who is missing already is not missed again");
    let back = import(&store, &[ann, bob], 5).await;
    assert_eq!((back.added, back.changed, back.missing), (0, 1, 0));
    let people = store.people().await.unwrap();
    let bob = people.employees.iter().find(|one| one.employee_id.as_deref() == Some("bob")).unwrap();
    assert!(bob.active && bob.missing_since.is_none());
    assert_eq!(bob.dense, employee_id(2), "a person keeps the id");
    assert_eq!(codes(&store).await, ["roster.imported"; 5]);
}

async fn rosters_do_not_touch_one_another(database: Database) {
    let store = database.open().await;
    import(&store, &[person("ann", &["ann@example.com"])], 1).await;
    let other = Employee { key: "employee:other:ann".into(), ..person("ann", &["ann@other.example"]) };
    let named = ("other", RosterKind::Scim);
    let imported = store.import_roster(named, vec![other], Moment(2), |_| true).await.unwrap();
    assert_eq!((imported.added, imported.missing), (1, 0));
    let people = store.people().await.unwrap();
    assert_eq!(people.rosters.len(), 2);
    assert!(people.employees.iter().all(|employee| employee.active));
}

async fn an_import_that_is_not_allowed_leaves_no_trace(database: Database) {
    let store = database.open().await;
    sync(&store, &["ann@example.com"], 1).await;
    import(&store, &[person("ann", &["ann@example.com"])], 2).await;
    let before = (store.people().await.unwrap(), codes(&store).await);
    let refused = store.import_roster(HR, Vec::new(), Moment(3), |would| would.missing == 0).await.unwrap();
    assert_eq!((refused.missing, refused.stored), (1, false));
    let after = (store.people().await.unwrap(), codes(&store).await);
    assert_eq!(
        (before.0.employees, before.0.matches, before.1),
        (after.0.employees, after.0.matches, after.1)
    );
}

async fn two_rows_of_one_key_import_nothing(database: Database) {
    let store = database.open().await;
    let twice = vec![person("ann", &["ann@example.com"]), person("ann", &["bob@example.com"])];
    assert!(store.import_roster(HR, twice, Moment(1), |_| true).await.is_err());
    let people = store.people().await.unwrap();
    assert!(people.employees.is_empty() && people.rosters.is_empty() && codes(&store).await.is_empty());
}

async fn accounts_are_matched_by_an_import_and_anew_after_a_sync(database: Database) {
    let store = database.open().await;
    assert_eq!(store.rematch().await.unwrap(), None, "without a roster there is nothing to do");
    sync(&store, &["Ann@Example.com", "bot@example.com"], 1).await;
    let rows = [person("ann", &["ann@example.com"]), person("bob", &["bob@example.com"])];
    let imported = import(&store, &rows, 2).await;
    let wanted = Matching { matched: 1, unknown: 1, changed: 1, ..Matching::default() };
    assert_eq!(imported.matching, wanted);
    sync(&store, &["Ann@Example.com", "bot@example.com", "bob@example.com"], 3).await;
    let wanted = Matching { matched: 2, unknown: 1, changed: 1, ..Matching::default() };
    assert_eq!(store.rematch().await.unwrap(), Some(wanted));
    assert_eq!(store.rematch().await.unwrap(), Some(Matching { changed: 0, ..wanted }));
    let told = pairs(&store.people().await.unwrap());
    let pair = |email: &str, id: &str| (email.to_owned(), id.to_owned(), MatchedBy::Email);
    assert_eq!(told, [pair("Ann@Example.com", "ann"), pair("bob@example.com", "bob")]);
}

async fn a_match_that_no_rule_gives_any_more_ends(database: Database) {
    let store = database.open().await;
    sync(&store, &["ann@example.com"], 1).await;
    import(&store, &[person("ann", &["ann@example.com"])], 2).await;
    let shared = [person("ann", &["ann@example.com"]), person("bob", &["ann@example.com"])];
    let imported = import(&store, &shared, 3).await;
    assert_eq!((imported.matching.matched, imported.matching.unsure, imported.matching.changed), (0, 1, 1));
    assert!(store.people().await.unwrap().matches.is_empty());
}

async fn who_left_keeps_the_account_in_sight(database: Database) {
    let store = database.open().await;
    sync(&store, &["ann@example.com"], 1).await;
    import(&store, &[person("ann", &["ann@example.com"])], 2).await;
    import(&store, &[person("bob", &[])], 3).await;
    let people = store.people().await.unwrap();
    assert_eq!(pairs(&people).len(), 1);
    assert!(people.employees.iter().any(|one| !one.active && one.dense == people.matches[0].employee));
}

async fn what_the_operator_said_outlives_syncs_and_rosters(database: Database) {
    let store = database.open().await;
    sync(&store, &["ann@example.com", "bot@example.com"], 1).await;
    let (ann, bob) = (person("ann", &["ann@example.com"]), person("bob", &["bot@example.com"]));
    import(&store, &[ann.clone(), bob.clone()], 2).await;
    let people = store.people().await.unwrap();
    let (account, bot) = (dense(&people, "ann@example.com"), dense(&people, "bot@example.com"));
    let employee = people.employees.iter().find(|one| one.employee_id == bob.employee_id).unwrap().dense;
    assert!(choose(&store, account, Some(Choice::Employee(employee))).await);
    assert!(choose(&store, bot, Some(Choice::Nobody)).await);
    assert!(!choose(&store, bot, Some(Choice::Nobody)).await, "said already");
    sync(&store, &["new@example.com"], 3).await;
    sync(&store, &["ann@example.com", "bot@example.com"], 4).await;
    store.rematch().await.unwrap();
    import(&store, &[ann], 5).await;
    let people = store.people().await.unwrap();
    let wanted = [("ann@example.com".to_owned(), "bob".to_owned(), MatchedBy::Hand)];
    assert_eq!(pairs(&people), wanted);
    assert!(choose(&store, account, None).await && !choose(&store, account, None).await);
    let wanted = [("ann@example.com".to_owned(), "ann".to_owned(), MatchedBy::Email)];
    assert_eq!(pairs(&store.people().await.unwrap()), wanted);
    let told = codes(&store).await.iter().filter(|code| *code == "person.matched").count();
    assert_eq!(told, 3, "one event for each that changed something");
}

async fn the_match_of_an_account_that_is_gone_is_kept_for_looking_back(database: Database) {
    let store = database.open().await;
    sync(&store, &["ann@example.com"], 1).await;
    import(&store, &[person("ann", &["ann@example.com"])], 2).await;
    sync(&store, &["bob@example.com"], 3).await;
    store.rematch().await.unwrap();
    let people = store.people().await.unwrap();
    assert_eq!((people.accounts.len(), people.matches.len()), (1, 1));
    assert!(pairs(&people).is_empty());
}

on_both_engines!(
    another_edition_comes_with_whatever_changes_people_and_with_nothing_else,
    what_was_imported_is_read_back_as_it_was,
    an_import_tells_what_differs_and_forgets_nobody,
    rosters_do_not_touch_one_another,
    an_import_that_is_not_allowed_leaves_no_trace,
    two_rows_of_one_key_import_nothing,
    accounts_are_matched_by_an_import_and_anew_after_a_sync,
    a_match_that_no_rule_gives_any_more_ends,
    who_left_keeps_the_account_in_sight,
    what_the_operator_said_outlives_syncs_and_rosters,
    the_match_of_an_account_that_is_gone_is_kept_for_looking_back,
);
