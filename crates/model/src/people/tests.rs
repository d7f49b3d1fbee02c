use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn account(dense: i64, email: &str, name: &str) -> Account {
    let text = |text: &str| (!text.is_empty()).then(|| text.into());
    Account { dense, email: text(email), name: text(name), own: false }
}

fn employee(dense: i64, name: &str, emails: &[&str]) -> Employee {
    Employee {
        dense,
        name: name.into(),
        emails: emails.iter().map(|email| (*email).into()).collect(),
        active: true,
        ..Employee::default()
    }
}

fn left(employee: Employee) -> Employee {
    Employee { active: false, ..employee }
}

fn named(employee: Employee, username: &str) -> Employee {
    Employee { username: Some(username.into()), ..employee }
}

fn verdict(account: Account, employees: &[Employee]) -> Verdict {
    let dense = account.dense;
    verdicts(&[account], employees, &HashMap::new()).remove(&dense).unwrap()
}

const fn matched(employee: i64, by: MatchedBy) -> Verdict {
    Verdict::Matched { employee, by }
}

fn unsure(by: MatchedBy, candidates: &[i64]) -> Verdict {
    Verdict::Unsure { by, candidates: candidates.to_vec() }
}

#[test]
fn any_of_the_addresses_will_do_and_beats_an_alias() {
    let ann = employee(1, "Ann Lee", &["ann@example.com", "a.lee@example.com"]);
    let bob = Employee { aliases: vec!["a.lee@example.com".into()], ..employee(2, "Bob", &[]) };
    let people = [ann, bob.clone()];
    assert_eq!(verdict(account(7, " A.Lee@Example.com", ""), &people), matched(1, MatchedBy::Email));
    assert_eq!(verdict(account(7, "a.lee@example.com", ""), &[bob]), matched(2, MatchedBy::Alias));
}

#[test]
fn a_user_name_that_is_an_address_must_be_the_whole_one() {
    let people = [named(employee(1, "", &[]), "Ann@Example.com")];
    assert_eq!(verdict(account(7, "ann@example.com", ""), &people), matched(1, MatchedBy::Username));
    assert_eq!(verdict(account(7, "ann@elsewhere.com", ""), &people), Verdict::Unknown);
}

#[test]
fn a_bare_user_name_counts_at_the_employees_own_domain_only() {
    let people = [named(employee(1, "Ann Lee", &["ann.lee@example.com", "ann.lee@gmail.com"]), "alee")];
    assert_eq!(verdict(account(7, "alee@example.com", ""), &people), matched(1, MatchedBy::Username));
    assert_eq!(verdict(account(7, "alee@example.com", "ann  LEE"), &people), matched(1, MatchedBy::Username));
    for stranger in ["alee@evil.com", "alee@gmail.com", "alee@sub.example.com", "alee@x@example.com", "alee"]
    {
        assert_eq!(verdict(account(7, stranger, ""), &people), Verdict::Unknown, "{stranger}");
    }
    let other = verdict(account(7, "alee@example.com", "Andy Lee"), &people);
    assert_eq!(other, unsure(MatchedBy::Username, &[1]), "another name speaks against it");
}

#[test]
fn without_an_address_of_its_own_a_bare_user_name_says_nothing() {
    let people = [named(employee(1, "Ann Lee", &[]), "alee")];
    assert_eq!(verdict(account(7, "alee@example.com", ""), &people), Verdict::Unknown);
}

#[test]
fn a_name_counts_when_one_account_and_one_employee_bear_it() {
    let ann = employee(1, "Ann Lee", &["ann@example.com"]);
    let private = account(7, "ann@home.example", "ann lee");
    let people = std::slice::from_ref(&ann);
    assert_eq!(verdict(private.clone(), people), matched(1, MatchedBy::Name));
    let twice = [ann.clone(), left(employee(2, "Ann Lee", &[]))];
    assert_eq!(verdict(private.clone(), &twice), unsure(MatchedBy::Name, &[1, 2]));
    let two = [private.clone(), account(8, "lee@home.example", "Ann Lee")];
    let found = verdicts(&two, people, &HashMap::new());
    assert!(found.values().all(|verdict| *verdict == unsure(MatchedBy::Name, &[1])), "{found:?}");
    assert_eq!(verdict(account(7, "x@home.example", "Ann"), &[employee(1, "Ann", &[])]), Verdict::Unknown);
}

#[test]
fn a_name_gives_nobody_a_second_account() {
    let people = [employee(1, "Ann Lee", &["ann@example.com"])];
    let accounts = [account(7, "ann@example.com", ""), account(8, "ann@home.example", "Ann Lee")];
    let found = verdicts(&accounts, &people, &HashMap::new());
    assert_eq!(found[&7], matched(1, MatchedBy::Email));
    assert_eq!(found[&8], unsure(MatchedBy::Name, &[1]));
}

#[test]
fn of_several_the_one_who_is_active_is_meant() {
    let shared = |dense| employee(dense, "", &["info@example.com"]);
    let account = || account(7, "info@example.com", "");
    let both = [shared(1), shared(2)];
    assert_eq!(verdict(account(), &both), unsure(MatchedBy::Email, &[1, 2]));
    assert_eq!(verdict(account(), &[left(shared(1)), shared(2)]), matched(2, MatchedBy::Email));
    assert_eq!(verdict(account(), &[left(shared(1)), left(shared(2))]), unsure(MatchedBy::Email, &[1, 2]));
    assert_eq!(
        verdict(account(), &[left(shared(1))]),
        matched(1, MatchedBy::Email),
        "who left is still known"
    );
}

#[test]
fn what_the_operator_said_wins_over_every_rule() {
    let people = [employee(1, "Ann Lee", &["ann@example.com"]), employee(2, "Bob", &[])];
    let ann = [account(7, "ann@example.com", "")];
    let said = |choice| verdicts(&ann, &people, &HashMap::from([(7, choice)])).remove(&7).unwrap();
    assert_eq!(said(Choice::Employee(2)), matched(2, MatchedBy::Hand));
    assert_eq!(said(Choice::Nobody), Verdict::Nobody);
    assert_eq!(
        said(Choice::Employee(99)),
        Verdict::Unknown,
        "nobody else is put in the place of who is unknown"
    );
}

#[test]
fn the_connectors_account_and_pseudo_users_are_no_people() {
    let people = [employee(1, "", &["ci@example.com", "core@herokumanager.com"])];
    let own = Account { own: true, ..account(7, "ci@example.com", "") };
    assert_eq!(verdict(own.clone(), &people), Verdict::Nobody);
    assert_eq!(verdict(account(7, "core@HerokuManager.com", ""), &people), Verdict::Nobody);
    let said = verdicts(&[own], &people, &HashMap::from([(7, Choice::Employee(1))]));
    assert_eq!(said[&7], matched(1, MatchedBy::Hand));
}

/// Few values, so that they meet.
fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["ann", "bob", "lee", "Zoë"]).prop_map(str::to_owned)
}

fn address() -> impl Strategy<Value = Box<str>> {
    let domain = prop::sample::select(vec!["example.com", "gmail.com", "other.example"]);
    (word(), domain).prop_map(|(local, domain)| format!("{local}@{domain}").into())
}

fn full_name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        word(),
        (word(), word()).prop_map(|(first, last)| format!("{first} {last}"))
    ]
}

prop_compose! {
    fn any_account()(email in prop::option::of(address()), name in full_name(), own in prop::bool::weighted(0.1)) -> Account {
        Account { dense: 0, email, name: (!name.is_empty()).then(|| name.into()), own }
    }
}

prop_compose! {
    fn any_employee()(
        name in full_name(),
        emails in prop::collection::vec(address(), 0..3),
        aliases in prop::collection::vec(address(), 0..2),
        username in prop::option::of(prop_oneof![word().prop_map(String::into_boxed_str), address()]),
        active in any::<bool>(),
    ) -> Employee {
        Employee { name: name.into(), emails, aliases, username, active, ..Employee::default() }
    }
}

fn any_choice() -> impl Strategy<Value = Choice> {
    prop_oneof![(0..9_i64).prop_map(Choice::Employee), Just(Choice::Nobody)]
}

type Scene = (Vec<Account>, Vec<Employee>, HashMap<i64, Choice>);

fn scene() -> impl Strategy<Value = Scene> {
    let accounts = prop::collection::vec(any_account(), 0..8);
    let employees = prop::collection::vec(any_employee(), 0..8);
    let choices = prop::collection::hash_map(0..8_i64, any_choice(), 0..3);
    (accounts, employees, choices).prop_map(|(mut accounts, mut employees, choices)| {
        (0..).zip(&mut accounts).for_each(|(dense, account)| account.dense = dense);
        (0..).zip(&mut employees).for_each(|(dense, employee)| employee.dense = dense);
        (accounts, employees, choices)
    })
}

/// The same letters in the other case.
fn shouted(text: &str) -> Box<str> {
    text.to_uppercase().into()
}

proptest! {
    #[test]
    fn the_order_of_rows_changes_nothing(
        (accounts, employees, choices) in scene(), by in 0..8_usize, reverse in any::<bool>()
    ) {
        let (mut other_accounts, mut other_employees) = (accounts.clone(), employees.clone());
        let (first, second) = (by.min(accounts.len()), by.min(employees.len()));
        other_accounts.rotate_left(first);
        other_employees.rotate_left(second);
        if reverse {
            other_accounts.reverse();
            other_employees.reverse();
        }
        let found = verdicts(&accounts, &employees, &choices);
        prop_assert_eq!(&found, &verdicts(&other_accounts, &other_employees, &choices));
        prop_assert_eq!(found.len(), accounts.len());
    }

    #[test]
    fn the_case_of_letters_changes_nothing((accounts, employees, choices) in scene()) {
        let loud_accounts: Vec<Account> = accounts.iter().map(|account| Account {
            email: account.email.as_deref().map(shouted),
            name: account.name.as_deref().map(shouted),
            ..account.clone()
        }).collect();
        let loud_employees: Vec<Employee> = employees.iter().map(|employee| Employee {
            name: shouted(&employee.name),
            emails: employee.emails.iter().map(|email| shouted(email)).collect(),
            aliases: employee.aliases.iter().map(|alias| shouted(alias)).collect(),
            username: employee.username.as_deref().map(shouted),
            ..employee.clone()
        }).collect();
        let found = verdicts(&accounts, &employees, &choices);
        prop_assert_eq!(&found, &verdicts(&loud_accounts, &employees, &choices));
        prop_assert_eq!(&found, &verdicts(&accounts, &loud_employees, &choices));
    }

    #[test]
    fn a_roster_of_strangers_says_no_more_than_none((accounts, _, choices) in scene()) {
        let stranger = Employee { dense: 99, name: "Somebody Else".into(), ..Employee::default() };
        prop_assert_eq!(verdicts(&accounts, &[], &choices), verdicts(&accounts, &[stranger], &choices));
    }

    #[test]
    fn every_match_can_be_told_from_the_rows((accounts, employees, choices) in scene()) {
        let found = verdicts(&accounts, &employees, &choices);
        for account in &accounts {
            let Verdict::Matched { employee, by } = &found[&account.dense] else { continue };
            let employee = employees.iter().find(|one| one.dense == *employee).unwrap();
            let email = account.email.as_deref().map(folded).unwrap_or_default();
            let has = |list: &[Box<str>]| list.iter().any(|value| folded(value) == email);
            let told = match by {
                MatchedBy::Hand => choices.get(&account.dense) == Some(&Choice::Employee(employee.dense)),
                MatchedBy::Email => has(&employee.emails),
                MatchedBy::Alias => has(&employee.aliases),
                MatchedBy::Username => employee.username.as_deref().map(folded).is_some_and(|username| {
                    username == email || email.strip_prefix(&format!("{username}@")).is_some_and(|domain| {
                        domain != "gmail.com" && employee.emails.iter().any(|own| folded(own).ends_with(&format!("@{domain}")))
                    })
                }),
                MatchedBy::Name => {
                    let name = folded(account.name.as_deref().unwrap_or_default());
                    let same = |other: &str| folded(other) == name;
                    employees.iter().filter(|one| same(&one.name)).count() == 1
                }
            };
            prop_assert!(told, "{account:?} {employee:?} {by:?}");
            prop_assert!(!account.own || *by == MatchedBy::Hand);
        }
    }
}
