//! What evaluating any rule keeps to: versions, what is new, levels, actions, and states that are no silence.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metsuke_engine::access::provision::{Ask, On, Outcome, Planned, Provisioner, Settings};
use metsuke_engine::rules::shipped::{self, Values};
use metsuke_engine::rules::{Evaluation, Instance, Level, Since, State, evaluate, import};
use metsuke_model::{AsOf, SystemClock, Version};
use metsuke_simulator::{Fault, FaultKind, Options, Size};
use serde_json::{Value as Json, json};

use super::fixture::{company, ground};
use crate::house::House;

const MEMBERS: &str = "FIND heroku_team WITH name = 'core' THAT HAS AS h >> heroku_account_member AS u \
    WHERE h.role = 'admin' RETURN u.id AS id, u.email AS email";

fn rule(more: &Json) -> Instance {
    let mut document = json!({
        "id": "r1",
        "name": "admins",
        "question": { "queries": [{ "query": MEMBERS }] },
        "operations": [{
            "when": { "type": "FILTER", "condition": "{{queries.query0.total > 0}}" },
            "actions": [
                { "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "HIGH" },
                { "type": "CREATE_ALERT" },
            ],
        }],
        "outputs": ["queries.query0.total", "alertLevel"],
        "subject": { "key": ["id"], "name": "{{item.email}}" },
    });
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    Instance::read(&document).unwrap()
}

async fn on(
    house: &House,
    as_of: Option<i64>,
    rule: &Instance,
    previous: Option<&BTreeSet<String>>,
) -> Evaluation {
    let (ground, _folder) =
        ground(house, as_of.map(|version| AsOf::Version(Version(version))), Since::Before).await;
    evaluate(rule, &ground, previous).await
}

fn names(evaluation: &Evaluation) -> Vec<&str> {
    let mut names: Vec<&str> = evaluation.subjects.iter().map(|subject| &*subject.name).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_rule_is_evaluated_on_any_version_and_counts_only_what_is_new_if_it_says_so() {
    let house = company().await;
    house.sync().await;
    house.simulator.edit(|world| world.set_role("core", "bob@northwind.example", Some("admin"))).unwrap();
    house.sync().await;
    let all = rule(&json!({}));
    let first = on(&house, Some(1), &all, None).await;
    let second = on(&house, None, &all, None).await;
    assert_eq!((first.subjects.len(), second.subjects.len()), (2, 3));
    assert_eq!((first.version, second.version), (Version(1), Version(2)));
    assert_eq!(second.level, Some(Level::High));
    assert_eq!(second.outputs["queries.query0.total"], 3);
    let known: BTreeSet<String> = first.subjects.iter().map(|subject| subject.fingerprint.clone()).collect();
    assert!(second.subjects.iter().filter(|subject| known.contains(&subject.fingerprint)).count() == 2);

    let fresh = rule(&json!({ "triggerActionsOnNewEntitiesOnly": true }));
    let told = on(&house, None, &fresh, Some(&known)).await;
    assert_eq!((&told.state, &told.outputs["queries.query0.total"]), (&State::Fired, &json!(1)));
    assert_eq!(told.subjects.iter().filter(|subject| subject.new).count(), 1);
    assert_eq!(told.subjects.len(), 3, "findings are resolved by what is there, new or not");
    let known: BTreeSet<String> = told.subjects.iter().map(|subject| subject.fingerprint.clone()).collect();
    assert_eq!(on(&house, None, &fresh, Some(&known)).await.state, State::Clear);
    let forgets = rule(&json!({ "triggerActionsOnNewEntitiesOnly": true, "ignorePreviousResults": true }));
    assert_eq!(on(&house, None, &forgets, Some(&known)).await.state, State::Fired);
}

#[tokio::test]
async fn a_fingerprint_belongs_to_the_rule_and_the_subject() {
    let house = company().await;
    house.sync().await;
    let fingerprints = async |rule: &Instance| -> BTreeSet<String> {
        let told = on(&house, None, rule, None).await;
        told.subjects.into_iter().map(|subject| subject.fingerprint).collect()
    };
    let one = fingerprints(&rule(&json!({}))).await;
    let renamed = fingerprints(&rule(&json!({ "name": "another name" }))).await;
    let other = fingerprints(&rule(&json!({ "id": "r2" }))).await;
    assert_eq!(one, renamed);
    assert!(one.is_disjoint(&other) && one.len() == 2);
}

#[tokio::test]
async fn actions_are_worked_out_in_order_and_for_each_item() {
    let house = company().await;
    house.sync().await;
    let worked = rule(&json!({
        "templates": { "line": "{{itemIndex + 1}}. {{item.email}}" },
        "operations": [{
            "when": [
                { "type": "FILTER", "specVersion": 1, "condition": ["AND", ["queries.query0.total", ">=", 2]] },
                { "type": "FILTER", "condition": "{{alertRuleName == 'admins'}}" },
            ],
            "actions": [
                { "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "{{queries.query0.total > 1 ? 'LOW' : 'INFO'}}" },
                { "type": "SEND_EMAIL", "recipients": ["ops@northwind.example"], "body": "{{alertLevel}}: {{queries.query0.data|mapTemplate('line')|join('\\n')}}" },
                { "type": "FOR_EACH_ITEM", "items": "{{queries.query0.data[.email ^ 1 || true]}}", "itemRef": "who", "actions": [
                    { "type": "WEBHOOK", "endpoint": "https://hooks.northwind.example/{{who.id}}", "method": "POST",
                      "body": { "mail": "{{who.email}}", "teams": "{{queries.teams.total}}", "both": ["{{queries.query0.total}}"] } },
                    { "type": "JUPITERONE_QUERY", "name": "teams",
                      "query": "FIND heroku_account_member WITH id = '{{who.id}}' THAT HAS heroku_team AS t RETURN t.name" },
                ] },
                { "type": "SEND_CARRIER_PIGEON", "to": "{{ not read" },
                { "type": "CREATE_ALERT" },
            ],
        }],
    }));
    let told = on(&house, None, &worked, None).await;
    assert_eq!((&told.state, told.level), (&State::Fired, Some(Level::Low)), "{told:#?}");
    let kinds: Vec<&str> = told.actions.iter().map(|action| &*action.kind).collect();
    assert_eq!(kinds, ["SEND_EMAIL", "WEBHOOK", "WEBHOOK", "SEND_CARRIER_PIGEON", "CREATE_ALERT"]);
    let body = told.actions[0].content["body"].as_str().unwrap();
    assert!(body.starts_with("LOW: 1. ") && body.contains("\n2. "), "{body}");
    for action in &told.actions[1..3] {
        // Both are admins of core, pay and guild.
        assert_eq!(action.content["body"]["teams"], 3, "{action:?}");
        assert_eq!(action.content["body"]["both"], json!([2]));
        assert!(action.content["endpoint"].as_str().unwrap().len() > 40);
    }
    assert_eq!(told.actions[3].content["to"], "{{ not read");
    assert!(told.actions[3].unsupported.is_some() && told.actions[4].content["alertLevel"] == "LOW");
    assert_eq!(told.notes, ["SEND_CARRIER_PIGEON is not carried out: this sort of action is not known here"]);
}

#[tokio::test]
async fn what_cannot_be_judged_is_a_state_of_its_own() {
    let house = company().await;
    house.sync().await;
    let asked = json!({ "question": { "queries": [{ "query": "FIND heroku_team RETURN nobody.name" }] } });
    let told = on(&house, None, &rule(&asked), None).await;
    assert!(matches!(&told.state, State::Failed { why } if why.contains("`query0`")), "{told:?}");
    let wrong = json!({ "operations": [{ "actions": [{ "type": "SEND_EMAIL", "recipients": ["{{queries.query0.data|mapTemplate('x')}}"] }] }] });
    let told = on(&house, None, &rule(&wrong), None).await;
    assert!(matches!(&told.state, State::Failed { why } if why.contains("no template `x`")), "{told:?}");
    let stored = Instance::read(&json!({ "name": "x", "questionId": "q", "operations": [] })).unwrap();
    let told = on(&house, None, &stored, None).await;
    assert!(matches!(told.state, State::NotObservable { .. }), "{told:?}");

    let (ground, _folder) = ground(&house, None, Since::Before).await;
    let detection = shipped::find("outsider-with-access").unwrap();
    let own = detection.evaluate(&ground, &Values::new(), None).await.unwrap();
    assert!(own.notes.iter().any(|note| note.starts_with("domains is northwind.example")), "{own:?}");
    let values = BTreeMap::from([("domains".to_owned(), json!("not a domain"))]);
    let told = detection.evaluate(&ground, &values, None).await.unwrap();
    assert!(matches!(&told.state, State::Unsettled { why } if why.contains("`domains`")), "{told:?}");
    let values = BTreeMap::from([("domains".to_owned(), json!(["elsewhere.example"]))]);
    let told = detection.evaluate(&ground, &values, None).await.unwrap();
    assert!(told.subjects.len() > 5, "{told:?}");
}

#[tokio::test]
async fn a_partial_version_says_that_absence_proves_nothing() {
    let house = company().await;
    house.simulator.faults().add(Fault::always(FaultKind::Forbidden403).on("/teams/"));
    house.sync().await;
    assert!(!on(&house, None, &rule(&json!({})), None).await.complete);
}

#[tokio::test]
async fn an_escalation_that_was_taken_back_is_seen_between_distant_versions() {
    let house = company().await;
    house.sync().await;
    for role in ["admin", "member", "admin", "member"] {
        house.simulator.edit(|world| world.set_role("core", "bob@northwind.example", Some(role))).unwrap();
        house.sync().await;
    }
    let detection = shipped::find("D01").unwrap();
    let since = |version| Since::After(AsOf::Version(Version(version)));
    for (since, as_of, count) in
        [(since(1), None, 2), (since(3), None, 1), (Since::Before, None, 0), (Since::Before, Some(4), 1)]
    {
        let as_of = as_of.map(|version| AsOf::Version(Version(version)));
        let (ground, _folder) = ground(&house, as_of, since).await;
        let told = detection.evaluate(&ground, &Values::new(), None).await.unwrap();
        let rows: usize = told.subjects.iter().map(|subject| subject.rows.len()).sum();
        assert_eq!((rows, told.subjects.len()), (count, count.min(1)), "{since:?}");
    }
}

#[tokio::test]
async fn what_was_changed_through_us_was_not_changed_elsewhere() {
    let house = company().await;
    house.sync().await;
    let heroku = house.heroku(house.simulator.token());
    let settings = Settings { allow_writes: true, poll: Duration::from_millis(20), ..Settings::default() };
    let provisioner = Provisioner::new(&heroku, &house.store, settings, &SystemClock, &()).unwrap();
    let on = On::Team { team: "core".into(), role: "viewer".into() };
    let ask = Ask::Grant { user: "bob@northwind.example".into(), on };
    let Planned::Plan(plan) = provisioner.plan(&ask, None).await.unwrap() else { panic!("no plan") };
    assert_eq!(provisioner.apply(&plan.id(), None).await.unwrap().outcome, Outcome::Applied);
    house.simulator.edit(|world| world.set_role("core", "cleo@northwind.example", Some("viewer"))).unwrap();
    house.sync().await;
    let (ground, _folder) = ground(&house, None, Since::After(AsOf::Version(Version(1)))).await;
    let told = shipped::find("D28").unwrap().evaluate(&ground, &Values::new(), None).await.unwrap();
    assert_eq!(names(&told), ["access of cleo@northwind.example to team core was changed elsewhere"]);
    let all = Instance::read(&json!({
        "name": "all", "change": { "what": "grant", "resource": "team" },
        "operations": [{ "when": { "type": "FILTER", "condition": "{{changes.total > 3}}" }, "actions": [] }],
    }));
    let told = evaluate(&all.unwrap(), &ground, None).await;
    // Each of the two lost one role and gained another.
    assert_eq!((&told.state, told.subjects.len()), (&State::Fired, 4));
}

#[test]
fn every_example_of_the_page_is_a_rule() {
    let page = include_str!("../../../../../docs/rules.md");
    let examples: Vec<&str> =
        page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 2);
    for example in examples {
        let imported = import(example).unwrap_or_else(|mistakes| panic!("{example}\n{mistakes:#?}"));
        assert!(imported.notes.is_empty(), "{example}\n{:#?}", imported.notes);
    }
}

/// What each detection finds on a lively estate: ids of rules with the names of their subjects.
async fn everything(house: House) -> BTreeMap<String, Vec<String>> {
    house.sync().await;
    house.simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, "Deploy-Bot@agency.example", Some("admin")).unwrap();
        let app = world.app_names(Some(&team)).remove(0);
        world.set_collaborator(&app, "zoe@agency.example", &["view", "deploy", "operate"]).unwrap();
    });
    house.sync().await;
    let (ground, _folder) = ground(&house, None, Since::Before).await;
    let mut found = BTreeMap::new();
    for detection in shipped::all() {
        let told = detection.evaluate(&ground, &Values::new(), None).await.unwrap();
        assert!(!matches!(told.state, State::Failed { .. } | State::Unsettled { .. }), "{told:#?}");
        found.insert(told.rule.clone(), names(&told).into_iter().map(ToOwned::to_owned).collect());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_give_the_same_findings() {
    let options = || Options::of(Size::Mixed).seed(5);
    let sqlite = everything(House::on_sqlite(options()).await).await;
    let postgres = everything(House::on_postgres(options()).await).await;
    assert_eq!(sqlite, postgres);
    let fired: Vec<&String> =
        sqlite.iter().filter(|(_, found)| !found.is_empty()).map(|(id, _)| id).collect();
    assert!(fired.len() >= 15, "{fired:?}");
}
