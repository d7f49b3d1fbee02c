//! Findings from version to version: opened, resolved on what was read, back again, and what people say of them.

use std::path::Path;

use metsuke_engine::alerts::Channel;
use metsuke_engine::findings::{self, Asked, Evidence, Refusal, Summary, Watched, Which};
use metsuke_engine::rules::{Instance, Limits, shipped};
use metsuke_model::finding::{AlertStatus, FindingEvent, FindingState};
use metsuke_model::{Clock as _, FixedClock, Moment, Version};
use metsuke_simulator::{Fault, FaultKind, World};
use metsuke_store::{DeliveryFilter, FindingFilter, FindingRow};
use serde_json::{Value as Json, json};

use crate::house::House;
use crate::rules::fixture::company;

const DAY: i64 = 86_400_000_000;
const BOB: &str = "bob@northwind.example";
const CLEO: &str = "cleo@northwind.example";

/// The clock of these tests: ten days after the estate's beginning.
pub(crate) fn clock() -> FixedClock {
    FixedClock::at(Moment((i64::try_from(World::epoch()).unwrap() + 10 * 86_400) * 1_000_000))
}

pub(crate) fn shipped_rule(id: &str) -> Watched {
    Watched::Shipped(shipped::find(id).unwrap(), shipped::Values::new())
}

/// Admins of the team core, one finding each.
pub(crate) fn admins(more: &Json) -> Watched {
    let mut document = json!({
        "id": "own-1",
        "name": "admins",
        "question": { "queries": [{ "query": "FIND heroku_team WITH name = 'core' THAT HAS AS h >> heroku_account_member AS u \
            WHERE h.role = 'admin' RETURN u.id AS id, u.email AS email, 'core' AS team" }] },
        "operations": [{
            "when": { "type": "FILTER", "condition": "{{queries.query0.total > 0}}" },
            "actions": [
                { "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "HIGH" },
                { "type": "CREATE_ALERT" },
            ],
        }],
        "subject": { "key": ["id"], "name": "{{item.email}} is an admin" },
    });
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    Watched::Own(Box::new(Instance::read(&document).unwrap()))
}

pub(crate) async fn evaluate_for(
    house: &House,
    rules: &[Watched],
    channels: &[Channel],
    version: i64,
    clock: &FixedClock,
) -> Summary {
    let asked = Asked {
        store: &house.store,
        rules,
        of: Which::Following,
        channels,
        connector: Some("northwind"),
        account_name: None,
        limits: Limits::default(),
        folder: Path::new("/nonexistent"),
    };
    findings::evaluate(&asked, Version(version), clock).await.unwrap()
}

async fn evaluate(house: &House, rules: &[Watched], version: i64) -> Summary {
    evaluate_for(house, rules, &[], version, &clock()).await
}

pub(crate) async fn all(house: &House) -> Vec<FindingRow> {
    let mut rows = house.store.findings(&FindingFilter::default()).await.unwrap();
    rows.reverse();
    rows
}

async fn of(house: &House, who: &str) -> FindingRow {
    all(house).await.into_iter().find(|row| row.subject.contains(who)).unwrap()
}

async fn events(house: &House, row: &FindingRow) -> Vec<FindingEvent> {
    let events = house.store.finding_events(&row.fingerprint).await.unwrap();
    events.into_iter().map(|row| row.what.unwrap()).collect()
}

fn role(house: &House, who: &str, role: &str) {
    assert!(house.simulator.edit(|world| world.set_role("core", who, Some(role))).unwrap());
}

#[tokio::test]
async fn a_finding_opens_once_resolves_and_comes_back() {
    let house = company().await;
    let rules = [admins(&json!({}))];
    house.sync().await;
    let first = evaluate(&house, &rules, 1).await;
    assert_eq!((first.opened, first.standing, first.stored), (2, 2, true), "{first:?}");
    assert!(!evaluate(&house, &rules, 1).await.stored, "a version that was evaluated gives nothing new");
    role(&house, BOB, "admin");
    house.sync().await;
    assert_eq!(evaluate(&house, &rules, 2).await.opened, 1);
    let bob = of(&house, BOB).await;
    assert_eq!((bob.level.as_str(), bob.times, bob.opened), ("HIGH", 1, Version(2)));
    let evidence = Evidence::read(&bob.document);
    assert_eq!(evidence.who, [BOB]);
    let about = FindingFilter { who: Some(BOB.to_uppercase()), ..FindingFilter::default() };
    let found = house.store.findings(&about).await.unwrap();
    assert_eq!((found.len(), found.first()), (1, Some(&bob)), "found by whom it is about");
    assert!(evidence.path.iter().any(|line| line.contains("admin on team core")), "{evidence:?}");
    let difference =
        evidence.changes.iter().find(|change| change.property == "entitlement" && change.after == "admin");
    assert_eq!(difference.unwrap().before, "member");
    role(&house, BOB, "member");
    house.sync().await;
    assert_eq!(evaluate(&house, &rules, 3).await.resolved, 1);
    assert_eq!(of(&house, BOB).await.state, FindingState::Resolved);
    role(&house, BOB, "admin");
    house.sync().await;
    evaluate(&house, &rules, 4).await;
    let bob = of(&house, BOB).await;
    assert_eq!((bob.state, bob.times, bob.opened), (FindingState::Open, 2, Version(4)));
    let told = [FindingEvent::Opened, FindingEvent::Resolved, FindingEvent::Reopened];
    assert_eq!(events(&house, &bob).await, told);
    assert_eq!(all(&house).await.len(), 3, "one for each rule and subject");
    assert!(!evaluate(&house, &rules, 3).await.stored, "an older version is not evaluated any more");
    assert_eq!(house.store.evaluated_version().await.unwrap(), Some(Version(4)));
}

#[tokio::test]
async fn what_was_not_read_resolves_nothing_and_what_was_read_does() {
    let house = company().await;
    role(&house, BOB, "admin");
    let rules = [admins(&json!({}))];
    house.sync().await;
    evaluate(&house, &rules, 1).await;
    // The team's listings are refused: nobody knows that bob is no admin any more.
    role(&house, BOB, "member");
    let faults = house.simulator.faults();
    let id = |team: &'static str| house.simulator.edit(|world| world.team_id(team).unwrap()).unwrap();
    let (core, pay) = (id("core"), id("pay"));
    faults.add(Fault::always(FaultKind::Forbidden403).on(format!("/teams/{core}/members")));
    house.sync().await;
    let second = evaluate(&house, &rules, 2).await;
    assert_eq!((second.resolved, second.standing), (0, 3), "{second:?}");
    // Another team's listing is refused, and this one is read: the version is partial, and bob's row is gone.
    faults.clear();
    faults.add(Fault::always(FaultKind::Forbidden403).on(format!("/teams/{pay}/members")));
    house.sync().await;
    let third = evaluate(&house, &rules, 3).await;
    assert_eq!((third.resolved, third.standing), (1, 2), "{third:?}");
    assert_eq!(of(&house, BOB).await.state, FindingState::Resolved);
}

#[tokio::test]
async fn a_finding_of_a_change_stands_until_the_change_is_undone() {
    let house = company().await;
    let rules = [shipped_rule("D01")];
    house.sync().await;
    assert_eq!(evaluate(&house, &rules, 1).await.unjudged.len(), 1, "there is nothing to compare with");
    role(&house, BOB, "admin");
    house.sync().await;
    assert_eq!(evaluate(&house, &rules, 2).await.opened, 1);
    house.simulator.edit(|world| world.set_role("core", CLEO, Some("viewer"))).unwrap();
    house.sync().await;
    let third = evaluate(&house, &rules, 3).await;
    assert_eq!(
        (third.resolved, third.standing),
        (0, 1),
        "an admin is an admin though no change says so again"
    );
    assert!(Evidence::read(&of(&house, BOB).await.document).command.unwrap().starts_with("metsuke grant"));
    role(&house, BOB, "member");
    house.sync().await;
    assert_eq!(evaluate(&house, &rules, 4).await.resolved, 1);
    // Between two evaluations it comes and goes: both are told.
    role(&house, CLEO, "admin");
    house.sync().await;
    role(&house, CLEO, "member");
    house.sync().await;
    let sixth = evaluate(&house, &rules, 6).await;
    assert_eq!((sixth.opened, sixth.resolved, sixth.standing), (1, 1, 0), "{sixth:?}");
    assert_eq!(events(&house, &of(&house, CLEO).await).await, [FindingEvent::Opened, FindingEvent::Resolved]);
}

#[tokio::test]
async fn what_people_say_holds_until_its_time_is_over() {
    let house = company().await;
    role(&house, BOB, "admin");
    house.sync().await;
    let (rules, clock) = ([admins(&json!({}))], clock());
    evaluate_for(&house, &rules, &[], 1, &clock).await;
    let bob = of(&house, BOB).await.fingerprint;
    let until = Moment(clock.now().0 + 5 * DAY);
    let accept = async |until, reason| {
        findings::accept(&house.store, &bob, Some("ann"), (until, reason), &clock).await.unwrap()
    };
    assert_eq!(accept(until, " ").await.unwrap_err(), Refusal::NoReason);
    assert_eq!(accept(clock.now(), "x").await.unwrap_err(), Refusal::Time);
    assert_eq!(accept(Moment(until.0 + 400 * DAY), "x").await.unwrap_err(), Refusal::Time);
    let row = accept(until, "on call this week").await.unwrap();
    assert_eq!(
        (row.state, row.until, row.person.as_deref()),
        (FindingState::Accepted, Some(until), Some("ann"))
    );
    evaluate_for(&house, &rules, &[], 1, &clock).await;
    assert_eq!(of(&house, BOB).await.state, FindingState::Accepted);
    clock.advance(5 * DAY);
    assert!(
        evaluate_for(&house, &rules, &[], 1, &clock).await.stored,
        "the time is over, whatever the version"
    );
    assert_eq!(of(&house, BOB).await.state, FindingState::Open);
    let said = findings::acknowledge(&house.store, &bob, None, None, &clock).await.unwrap().unwrap();
    assert_eq!(said.state, FindingState::Acknowledged);
    findings::reopen(&house.store, &bob, None, None, &clock).await.unwrap().unwrap();
    let again = findings::reopen(&house.store, &bob, None, None, &clock).await.unwrap();
    assert_eq!(again.unwrap_err(), Refusal::Open);
    let unknown = findings::acknowledge(&house.store, "ffff", None, None, &clock).await.unwrap();
    assert_eq!(unknown.unwrap_err(), Refusal::Unknown);
    let told = [
        FindingEvent::Opened,
        FindingEvent::Accepted,
        FindingEvent::Lapsed,
        FindingEvent::Acknowledged,
        FindingEvent::Returned,
    ];
    assert_eq!(events(&house, &of(&house, BOB).await).await, told);
}

#[tokio::test]
async fn a_rule_has_one_alert_that_is_active_dismissed_and_over() {
    let house = company().await;
    let rules = [admins(&json!({ "triggerActionsOnNewEntitiesOnly": true }))];
    house.sync().await;
    evaluate(&house, &rules, 1).await;
    let alert = async || house.store.rule_states().await.unwrap().remove(0);
    assert_eq!(alert().await.alert, AlertStatus::Active);
    assert!(findings::dismiss(&house.store, "own-1", &clock()).await.unwrap());
    house.sync().await;
    let second = evaluate(&house, &rules, 2).await;
    assert_eq!((second.resolved, second.standing), (0, 2), "finding nothing new is not finding nothing");
    assert_eq!(alert().await.alert, AlertStatus::Dismissed);
    role(&house, BOB, "admin");
    house.sync().await;
    evaluate(&house, &rules, 3).await;
    assert_eq!(alert().await.alert, AlertStatus::Active);
    house.simulator.edit(|world| assert!(world.remove_team("core"))).unwrap();
    house.sync().await;
    let last = evaluate(&house, &rules, 4).await;
    assert_eq!((last.resolved, last.standing), (3, 0));
    let over = alert().await;
    assert_eq!((over.alert, over.ended.is_some(), over.version), (AlertStatus::Inactive, true, Version(4)));
}

#[tokio::test]
async fn a_rule_that_cannot_be_judged_resolves_nothing() {
    let house = company().await;
    house.sync().await;
    evaluate(&house, &[admins(&json!({}))], 1).await;
    house.sync().await;
    let broken = json!({ "question": { "queries": [{ "query": "FIND heroku_team RETURN nobody.name" }] } });
    let told = evaluate(&house, &[admins(&broken)], 2).await;
    assert_eq!((told.resolved, told.standing, told.unjudged.len()), (0, 2, 1), "{told:?}");
    let state = house.store.rule_states().await.unwrap().remove(0);
    assert_eq!(
        (state.state.as_str(), state.version),
        ("failed", Version(1)),
        "what it missed is looked at later"
    );
}

#[tokio::test]
async fn a_rule_that_is_turned_off_ends_its_findings() {
    let house = company().await;
    house.sync().await;
    let (all_on, clock) = ([admins(&json!({})), shipped_rule("D02")], clock());
    evaluate(&house, &all_on, 1).await;
    let off = evaluate(&house, &all_on[1..], 1).await;
    assert_eq!((off.stored, off.standing), (true, 0));
    assert!(all(&house).await.iter().all(|row| row.state == FindingState::Resolved));
    assert!(!evaluate(&house, &all_on[1..], 1).await.stored);
    assert_eq!(evaluate(&house, &all_on, 1).await.opened, 2, "they come back with it");
    // What people set of rules decides which are watched.
    assert!(findings::turn(&house.store, "D01", false, &shipped::Values::new(), &clock).await.unwrap());
    assert!(!findings::turn(&house.store, "D99", false, &shipped::Values::new(), &clock).await.unwrap());
    let own = json!({ "id": "own-9", "name": "mine", "change": {}, "operations": [] });
    findings::keep_rule(&house.store, &own, true, &clock).await.unwrap().unwrap();
    assert!(findings::keep_rule(&house.store, &json!({}), true, &clock).await.unwrap().is_err());
    let (rules, wrong) = findings::watched(&house.store.rules().await.unwrap());
    let keys: Vec<&str> = rules.iter().map(Watched::key).collect();
    assert_eq!((keys.len(), wrong.len()), (28, 0));
    assert!(!keys.contains(&"D01") && keys.contains(&"own-9") && keys.contains(&"D28"));
}

#[tokio::test]
async fn evaluating_and_saying_at_once_loses_neither() {
    let house = company().await;
    let (rules, clock) = ([shipped_rule("D01"), admins(&json!({}))], clock());
    house.sync().await;
    evaluate_for(&house, &rules, &[], 1, &clock).await;
    let first = all(&house).await.remove(0);
    for version in 2..6 {
        role(&house, BOB, if version % 2 == 0 { "admin" } else { "member" });
        house.sync().await;
        let say = async {
            for _ in 0..4 {
                findings::acknowledge(&house.store, &first.fingerprint, None, None, &clock)
                    .await
                    .unwrap()
                    .unwrap();
            }
        };
        let evaluated = evaluate_for(&house, &rules, &[], version, &clock);
        let (other, ()) = tokio::join!(
            async { tokio::join!(evaluated, evaluate_for(&house, &rules, &[], version, &clock)) },
            say
        );
        assert!(other.0.stored != other.1.stored || other.0.opened + other.1.opened <= 2, "{other:?}");
        let (bob, acknowledged) = (of(&house, BOB).await, house.store.finding("1").await.unwrap().unwrap());
        let wanted = if version % 2 == 0 { FindingState::Open } else { FindingState::Resolved };
        assert_eq!(
            (bob.state, acknowledged.state),
            (wanted, FindingState::Acknowledged),
            "version {version}"
        );
    }
    let deliveries = house.store.deliveries(&DeliveryFilter::default()).await.unwrap();
    assert!(deliveries.is_empty(), "there is no channel");
}
