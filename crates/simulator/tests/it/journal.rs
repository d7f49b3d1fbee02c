//! The journal tells of every write what became of it, here and over the control address.

use metsuke_simulator::{Fate, Options, Size};
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::House;
use crate::probe::text;

const NEW: &str = "new@example.com";

#[tokio::test]
async fn every_write_is_entered_and_no_read_is() {
    let house = House::new().await;
    house.probe.get("/apps").await;
    let ids = json!({"in": {"id": []}});
    assert_eq!(house.write(Method::POST, "/filters/apps", ids).await.0, 200);
    house.put(NEW, "member").await.expect("an answer");
    house.put(NEW, "member").await.expect("an answer");
    house.put(NEW, "emperor").await.expect("an answer");
    house.write(Method::POST, "/no/such/thing", Value::Null).await;
    let journal = house.probe.simulator.journal();
    let seen: Vec<_> =
        journal.writes.iter().map(|write| (write.order, write.request, write.answer)).collect();
    assert_eq!(seen, [(1, 3, Some(201)), (2, 4, Some(200)), (3, 5, Some(422)), (4, 6, Some(404))]);
    let first = &journal.writes[0];
    assert_eq!((first.method.as_str(), first.path.as_str()), ("PUT", house.members().as_str()));
    assert_eq!(first.body, json!({"email": NEW, "role": "member"}));
    assert!(first.changed() && !journal.writes[1].changed());
    assert!(matches!(journal.writes[1].fate, Fate::Applied { turn: 2, changed: false, .. }));
    let Fate::Refused { status: 422, id: "invalid_params", message, .. } = &journal.writes[2].fate else {
        panic!("{:?}", journal.writes[2])
    };
    assert!(message.contains("emperor"));
    assert!(journal.writes.windows(2).all(|two| two[0].arrived <= two[1].arrived));
    house.probe.simulator.reset_journal();
    house.put(NEW, "viewer").await.expect("an answer");
    assert_eq!(house.latest().order, 5);
}

#[tokio::test]
async fn an_entry_names_its_token_and_its_request_and_shows_no_secret() {
    let secret = "HRKU-0b2b0d70-secret";
    let tokens = vec![(secret.to_owned(), "global".to_owned())];
    let mut house = House::with(Options { tokens, ..Options::of(Size::Mixed) }).await;
    let mut names = Vec::new();
    for token in ["HRKU-simulated-global", "HRKU-simulated-read", secret, "HRKU-wrong"] {
        house.probe.token = token.to_owned();
        let request = house.probe.request(Method::PUT, &house.members()).header("request-id", token.len());
        request.body(json!({"email": NEW, "role": "member"}).to_string()).send().await.expect("an answer");
        assert_eq!(house.latest().request_id, Some(token.len().to_string()));
        names.push(house.latest().token);
    }
    assert_eq!(names[..2], ["global", "read"]);
    assert!(names[2..].iter().all(|name| name.len() == 32) && names[2] != names[3]);
    assert!(!serde_json::to_string(&house.probe.simulator.journal()).expect("JSON").contains("secret"));
    let url = format!("{}{}", house.probe.simulator.url(), house.members());
    house.probe.client.put(url).send().await.expect("an answer");
    assert_eq!((house.latest().token.as_str(), house.latest().answer), ("none", Some(401)));
}

#[tokio::test]
async fn an_effect_names_the_row_and_what_it_was_and_is() {
    let house = House::new().await;
    house.put(NEW, "member").await.expect("an answer");
    let user = house.edit(|world| world.person_id(NEW)).expect("a person").to_string();
    let team = house.edit(|world| world.team_id(&house.team)).expect("a team").to_string();
    let effect = house.latest().effects()[0].clone();
    assert_eq!((effect.kind, effect.resource, effect.subject), ("team", team.clone(), user.clone()));
    assert_eq!((effect.before, effect.after.as_deref()), (None, Some("member")));
    assert_eq!(effect.email.as_deref(), Some(NEW));

    let path = format!("/teams/apps/{}/collaborators", house.app);
    let body = json!({"user": NEW, "permissions": ["operate", "deploy"]});
    assert_eq!(house.write(Method::POST, &path, body).await.0, 201);
    let effect = house.latest().effects()[0].clone();
    assert_eq!((effect.kind, effect.subject.as_str()), ("app", user.as_str()));
    assert_eq!(effect.after.as_deref(), Some("deploy,operate,view"));

    // One write, two rows: the membership and what hangs on it.
    assert_eq!(house.write(Method::DELETE, &format!("{}/{NEW}", house.members()), json!({})).await.0, 200);
    let mut kinds: Vec<_> =
        house.latest().effects().iter().map(|one| (one.kind, one.after.clone())).collect();
    kinds.sort();
    assert_eq!(kinds, [("app", None), ("team", None)]);

    let path = format!("/teams/{}/invitations", house.standard);
    let body = json!({"email": "Guest@example.com", "role": "member"});
    assert_eq!(house.write(Method::PUT, &path, body).await.0, 200);
    let effect = house.latest().effects()[0].clone();
    assert_eq!((effect.kind, effect.subject.as_str()), ("invitation", "guest@example.com"));

    let path = format!("/teams/apps/{}", house.app);
    let locked = house.probe.one(&path).await["locked"].as_bool().expect("a flag");
    assert_eq!(house.write(Method::PATCH, &path, json!({"locked": !locked})).await.0, 200);
    let effect = house.latest().effects()[0].clone();
    assert_eq!((effect.kind, effect.subject.as_str()), ("setting", "locked"));
    assert_eq!(effect.after, Some((!locked).to_string()));
}

#[tokio::test]
async fn a_blind_retry_shows_as_an_effect_applied_twice() {
    let house = House::new().await;
    house.put(NEW, "member").await.expect("an answer");
    let path = format!("{}/{NEW}", house.members());
    house.fault("write-late-503=1500");
    assert_eq!(house.send(Method::DELETE, &path, json!({})).await.expect("an answer").status(), 503);
    assert_eq!(house.send(Method::DELETE, &path, json!({})).await.expect("an answer").status(), 200);
    // Somebody else takes the person in again before the first removal lands.
    house.edit(|world| world.set_member(&house.team, NEW, Some("member")));
    house.probe.simulator.settled().await;
    let journal = house.probe.simulator.journal();
    let removals = journal.applied().into_iter().filter(|write| write.method == "DELETE" && write.changed());
    let effects: Vec<_> = removals.map(|write| write.effects()[0].clone()).collect();
    assert_eq!(effects.len(), 2);
    assert_eq!(effects[0], effects[1]);
}

#[tokio::test]
async fn a_lost_effect_shows_as_a_write_that_was_never_applied() {
    let house = House::struck_by("write-dropped-hang").await;
    let sent = tokio::time::timeout(std::time::Duration::from_millis(200), house.put(NEW, "member"));
    assert!(sent.await.is_err());
    let journal = house.probe.simulator.journal();
    assert!(journal.applied().is_empty() && journal.waiting == 0);
    assert_eq!(journal.writes[0].fate, Fate::Dropped);
}

#[tokio::test]
async fn other_processes_read_the_same_over_the_control_address() {
    let control = Some(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
    let house = House::with(Options { control, ..Options::of(Size::Mixed) }).await;
    let url = house.probe.simulator.control_url().expect("a control address");
    let ask = async |method: Method, path: &str, body: &str| {
        let request = house.probe.client.request(method, format!("{url}{path}")).body(body.to_owned());
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), serde_json::from_slice::<Value>(&answer.bytes().await.expect("a body")))
    };
    let faults = "write-late-500=1500@/teams/*/members#1\nwrite-dropped-503#1\n";
    assert_eq!(ask(Method::POST, "/faults", faults).await.0, 204);
    assert_eq!(ask(Method::POST, "/faults", "nonsense").await.0, 422);
    for _ in 0..3 {
        house.put(NEW, "member").await.expect("an answer");
    }
    let told = ask(Method::GET, "/faults", "").await.1.expect("JSON");
    let late = json!({"fault": "write-late-500=1500@/teams/*/members#1", "fired": 1});
    assert_eq!((&told[0], &told[1]["fired"]), (&late, &json!(1)));
    let settled = ask(Method::GET, "/settled", "").await.1.expect("JSON");
    assert_eq!(settled, ask(Method::GET, "/journal", "").await.1.expect("JSON"));
    assert_eq!(settled, serde_json::to_value(house.probe.simulator.journal()).expect("JSON"));
    let fates: Vec<_> =
        settled["writes"].as_array().expect("a list").iter().map(|w| text(w, "fate")).collect();
    assert_eq!(
        (fates, &settled["waiting"]),
        (["applied", "dropped", "applied"].map(str::to_owned).into(), &json!(0))
    );
    let (late, prompt) = (&settled["writes"][0], &settled["writes"][2]);
    assert_eq!((&late["turn"], &late["changed"], &late["answer"]), (&json!(2), &json!(false), &json!(500)));
    assert_eq!(
        (&prompt["turn"], &prompt["changed"], &prompt["effects"][0]["after"]),
        (&json!(1), &json!(true), &json!("member"))
    );
    assert!(late["settled_ms"].as_u64() >= late["arrived_ms"].as_u64().map(|at| at + 1_500));
    let truth = ask(Method::GET, "/truth", "").await.1.expect("JSON");
    let grants = house.probe.simulator.truth().grant_set();
    assert_eq!(truth["grants"].as_array().map(Vec::len), Some(grants.len()));
    let stats = ask(Method::GET, "/stats", "").await.1.expect("JSON");
    assert_eq!((&stats["requests"], &stats["by_status"]["500"]), (&json!(3), &json!(1)));
    for path in ["/journal", "/faults", "/stats"] {
        assert_eq!(ask(Method::DELETE, path, "").await.0, 204);
    }
    assert_eq!(ask(Method::GET, "/journal", "").await.1.expect("JSON")["writes"], json!([]));
    assert!(Options::default().control.is_none());
}
