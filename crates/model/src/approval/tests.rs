//! The decision of R7: by a table of step kinds, and over random plans and people.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::plan::{Person, PlannedCall};
use crate::{HerokuId, ResourceRef, ResourceType};

fn member(role: &str) -> State {
    State::Member { role: role.into() }
}

fn invited(role: &str) -> State {
    State::Invited { role: role.into() }
}

fn on_app(permissions: &[&str]) -> State {
    State::Collaborator { permissions: Some(permissions.iter().map(|name| (*name).into()).collect()) }
}

fn step(email: &str, expected: State, wished: State) -> Step {
    let id = HerokuId::new("01234567-89ab-cdef-0123-456789abcdef");
    let resource = ResourceRef { id, resource_type: ResourceType::Team, name: "core".into() };
    Step {
        ordinal: 1,
        resource,
        team: None,
        person: Person { id: None, email: email.into() },
        removes: wished == State::Absent,
        elevates: false,
        expected,
        row: None,
        wished,
        call: PlannedCall { method: "PUT".into(), path: "/teams/x/members".into(), body: None },
    }
}

fn plan(asked_by: Party, steps: Vec<Step>) -> Plan {
    Plan {
        title: "a plan".into(),
        reason: None,
        actor: "somebody".into(),
        asked_by,
        created_at: Moment(1),
        expires_at: Moment(2),
        version: 1,
        steps,
        effects: Json::Null,
        warnings: Vec::new(),
    }
}

fn approval(plan: &Plan, party: &Party) -> Approval {
    Approval { by: party.to_string(), party: party.clone(), hash: plan.hash(), at: Moment(1) }
}

fn login(user: &str, number: Option<u32>) -> Party {
    Party::Login { user: user.into(), number }
}

#[test]
fn what_a_step_gives_decides_whether_it_is_sensitive() {
    for (expected, wished, is) in [
        (State::Absent, member("admin"), true),
        (member("member"), member("admin"), true),
        (invited("member"), invited("admin"), true),
        (State::Absent, invited("admin"), true),
        (member("admin"), member("owner"), true),
        (State::Absent, member("owner"), true),
        (State::Absent, on_app(&["view", "manage"]), true),
        (on_app(&["view", "deploy"]), on_app(&["view", "deploy", "manage"]), true),
        (State::Collaborator { permissions: None }, on_app(&["view", "manage"]), true),
        (State::Absent, member("member"), false),
        (member("admin"), member("viewer"), false),
        (member("admin"), State::Absent, false),
        (invited("admin"), State::Absent, false),
        (State::Absent, invited("member"), false),
        (State::Absent, on_app(&["view", "deploy", "operate"]), false),
        (on_app(&["view", "manage"]), on_app(&["view", "manage", "deploy"]), false),
        (on_app(&["view", "manage"]), on_app(&["view"]), false),
        (on_app(&["view", "manage"]), State::Absent, false),
        (State::Absent, State::Collaborator { permissions: None }, false),
    ] {
        let words = format!("{} → {}", expected.words(), wished.words());
        let one = plan(Party::Nobody, vec![step("x@example.com", expected, wished)]);
        assert_eq!(Demand::Sensitive.why(&one).is_some(), is, "{words}");
        assert_eq!(Demand::None.why(&one), None, "{words}");
        assert!(Demand::Every.why(&one).is_some(), "{words}");
    }
}

#[test]
fn taking_away_is_sensitive_only_in_bulk() {
    let away = |count: usize| {
        plan(Party::Nobody, vec![step("x@example.com", member("member"), State::Absent); count])
    };
    assert_eq!(Demand::Sensitive.why(&away(BULK)), None);
    assert!(Demand::Sensitive.why(&away(BULK + 1)).unwrap().contains("11 steps"));
}

#[test]
fn a_person_is_one_by_whatever_they_are_known() {
    let (ann, bob) = (Party::person("Ann@Example.com"), Party::person("bob@example.com"));
    assert!(ann.is_another_than(&bob) && !ann.is_another_than(&Party::person(" ann@example.COM ")));
    assert!(!ann.is_another_than(&Party::Nobody) && !Party::Nobody.is_another_than(&Party::Nobody));
    // The same login behind two users, and the same user twice.
    assert!(!login("ann", Some(1000)).is_another_than(&login("root", Some(1000))));
    assert!(!login("ann", Some(1000)).is_another_than(&login("ann", Some(1001))));
    assert!(login("ann", Some(1000)).is_another_than(&login("bob", Some(1001))));
    // Who is at the command line may be anybody who signs in.
    assert!(!login("bob", Some(1001)).is_another_than(&ann));
    assert_eq!(Party::person(" "), Party::Nobody);
}

#[test]
fn neither_who_asks_nor_who_approves_is_meant() {
    let make =
        |asked_by: Party| plan(asked_by, vec![step("Eve@Example.com", State::Absent, member("admin"))]);
    let (ann, bob) = (Party::person("ann@example.com"), Party::person("bob@example.com"));
    let eve = Party::person("eve@example.com");
    let asked = make(ann.clone());
    assert_eq!(may_approve(&asked, &ann), Err(Bar::Asked));
    assert_eq!(may_approve(&asked, &eve), Err(Bar::Meant));
    assert_eq!(may_approve(&asked, &Party::Nobody), Err(Bar::Unknown));
    assert_eq!(may_approve(&asked, &login("bob", None)), Err(Bar::Asked));
    assert_eq!(may_approve(&asked, &bob), Ok(()));
    assert_eq!(may_approve(&make(eve.clone()), &bob), Err(Bar::AskedForOneself));
    assert_eq!(may_approve(&make(login("eve", None)), &login("bob", None)), Err(Bar::AskedForOneself));
    assert_eq!((may_apply(&asked, &eve), may_apply(&asked, &ann)), (Err(Bar::Meant), Ok(())));
    assert_eq!(may_apply(&asked, &login("eve", Some(7))), Err(Bar::Meant));
}

#[test]
fn an_approval_of_another_hash_is_none() {
    let (ann, bob) = (Party::person("ann@example.com"), Party::person("bob@example.com"));
    let first = plan(ann, vec![step("eve@example.com", State::Absent, member("admin"))]);
    let again = Plan { created_at: Moment(9), ..first.clone() };
    let given = [approval(&first, &bob)];
    assert_eq!((missing(&first, &given), missing(&again, &given)), (0, 1));
}

#[test]
fn where_nobody_knows_who_asked_two_people_approve() {
    let asked = plan(Party::Nobody, vec![step("eve@example.com", State::Absent, member("admin"))]);
    let (ann, bob) = (Party::person("ann@example.com"), Party::person("bob@example.com"));
    let of = |parties: &[&Party]| {
        let given: Vec<Approval> = parties.iter().map(|party| approval(&asked, party)).collect();
        missing(&asked, &given)
    };
    assert_eq!((of(&[]), of(&[&ann]), of(&[&ann, &ann]), of(&[&ann, &bob])), (2, 1, 1, 0));
    assert_eq!(of(&[&login("ann", None), &ann]), 1, "that may be one person");
    assert_eq!(of(&[&login("ann", None), &ann, &bob]), 0);
    assert_eq!(of(&[&Party::Nobody, &ann]), 1);
}

#[test]
fn a_plan_of_an_earlier_version_keeps_its_hash() {
    let old = plan(Party::Nobody, Vec::new());
    let text = serde_json::to_string(&old).unwrap();
    assert!(!text.contains("asked_by"), "{text}");
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap().hash(), old.hash());
}

#[test]
fn every_word_reads_back() {
    for demand in Demand::ALL {
        assert_eq!(demand.as_str().parse(), Ok(demand));
        assert_eq!(serde_json::to_value(demand).unwrap(), demand.as_str());
    }
    assert!("sometimes".parse::<Demand>().is_err());
}

/// Few people, so that they meet, by everything that they are known by.
fn parties() -> impl Strategy<Value = Party> {
    let names = || prop::sample::select(vec!["ann", "bob", "eve", "root"]);
    prop_oneof![
        Just(Party::Nobody),
        (names(), any::<bool>()).prop_map(|(name, loud)| {
            let email = format!("{name}@example.com");
            Party::person(&if loud { email.to_uppercase() } else { email })
        }),
        (names(), prop::option::of(0..3_u32)).prop_map(|(name, number)| login(name, number)),
    ]
}

fn plans() -> impl Strategy<Value = Plan> {
    let who = prop::sample::select(vec!["ann@example.com", "Bob@Example.com", "eve@example.com", "x@y.z"]);
    let states = vec![State::Absent, member("member"), member("admin"), on_app(&["view", "manage"])];
    let states = || prop::sample::select(states.clone());
    let steps = prop::collection::vec((who, states(), states()), 0..14);
    (parties(), steps).prop_map(|(asked_by, steps)| {
        let steps = steps.into_iter().map(|(who, expected, wished)| step(who, expected, wished));
        plan(asked_by, steps.collect())
    })
}

proptest! {
    #[test]
    fn whatever_is_approved_has_two_people_behind_it_whom_it_is_not_about(
        plan in plans(),
        parties in prop::collection::vec(parties(), 0..5),
    ) {
        let given: Vec<Approval> = parties.iter().map(|party| approval(&plan, party)).collect();
        if missing(&plan, &given) == 0 {
            let behind: Vec<&Party> = parties.iter().chain([&plan.asked_by]).collect();
            let innocent = |party: &&&Party| !party.is_nobody() && !party.is_meant_by(&plan);
            let behind: Vec<&&Party> = behind.iter().filter(innocent).collect();
            prop_assert!(behind.iter().any(|one| behind.iter().any(|other| one.is_another_than(other))));
            prop_assert!(!plan.asked_by.is_meant_by(&plan));
        }
    }

    #[test]
    fn one_more_approval_never_takes_one_away(
        plan in plans(),
        parties in prop::collection::vec(parties(), 0..4),
        more in parties(),
    ) {
        let mut given: Vec<Approval> = parties.iter().map(|party| approval(&plan, party)).collect();
        let before = missing(&plan, &given);
        given.push(approval(&plan, &more));
        let after = missing(&plan, &given);
        prop_assert!(after <= before && before - after <= 1);
    }

    #[test]
    fn being_another_is_mutual_and_never_true_of_oneself(one in parties(), other in parties()) {
        prop_assert_eq!(one.is_another_than(&other), other.is_another_than(&one));
        prop_assert!(!one.is_another_than(&one));
    }

    #[test]
    fn who_only_loses_needs_nobody_unless_there_are_many(count in 0..30_usize, asked_by in parties()) {
        let steps = vec![step("ann@example.com", member("admin"), State::Absent); count];
        prop_assert_eq!(Demand::Sensitive.why(&plan(asked_by, steps)).is_some(), count > BULK);
    }
}
