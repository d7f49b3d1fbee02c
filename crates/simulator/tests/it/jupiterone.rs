//! The stand-in for JupiterOne: what it takes, what it refuses, and what a finalized job leaves.

use metsuke_simulator::jupiterone::{JupiterOne, JupiterOneFault, JupiterOneOptions};
use reqwest::Client;
use serde_json::{Value, json};

const JOBS: &str = "/persister/synchronization/jobs";

struct House {
    jupiterone: JupiterOne,
    client: Client,
}

impl House {
    async fn new(options: JupiterOneOptions) -> Self {
        // An error means that somebody installed a provider before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder().no_proxy().build().unwrap();
        Self { jupiterone: JupiterOne::local(options).await.unwrap(), client }
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.jupiterone.url())).json(body);
        let request = request.bearer_auth(self.jupiterone.api_key());
        let answer = request.header("LifeOmic-Account", self.jupiterone.account()).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn start(&self) -> String {
        let body = json!({ "source": "integration-managed", "integrationInstanceId": "i" });
        let (status, answer) = self.post(JOBS, &body).await;
        assert_eq!((status, &answer["job"]["status"]), (200, &json!("AWAITING_UPLOADS")));
        format!("{JOBS}/{}", answer["job"]["id"].as_str().unwrap())
    }

    /// A job with these entities and relationships, finalized.
    async fn job(&self, entities: &Value, relationships: &Value, partial: &Value) -> Value {
        let job = self.start().await;
        let body = json!({ "entities": entities, "relationships": relationships });
        assert_eq!(self.post(&format!("{job}/upload"), &body).await.0, 200);
        let body = json!({ "partialDatasets": { "types": partial } });
        let (status, answer) = self.post(&format!("{job}/finalize"), &body).await;
        assert_eq!(status, 200);
        answer["job"].clone()
    }
}

fn entity(key: &str, kind: &str, name: &str) -> Value {
    json!({ "_key": key, "_type": kind, "_class": ["Team"], "name": name, "_unknown": 1 })
}

fn relationship(from: &str, to: &str) -> Value {
    json!({ "_key": format!("{from}|has|{to}"), "_type": "r", "_class": "HAS", "_fromEntityKey": from, "_toEntityKey": to })
}

#[tokio::test]
async fn nothing_shows_before_a_job_is_finalized_and_versions_count_changes() {
    let house = House::new(JupiterOneOptions::default()).await;
    let job = house.start().await;
    let body = json!({ "entities": [entity("a", "t", "one"), entity("b", "t", "two")] });
    assert_eq!(house.post(&format!("{job}/entities"), &body).await.0, 200);
    assert_eq!(house.jupiterone.graph("i").entities().count(), 0);
    assert_eq!(house.post(&format!("{job}/finalize"), &json!({})).await.0, 200);
    assert_eq!(house.jupiterone.graph("i").count("t"), 2);
    let told = house
        .job(&json!([entity("a", "t", "changed"), entity("b", "t", "two")]), &json!([]), &json!([]))
        .await;
    assert_eq!((&told["numEntitiesCreated"], &told["numEntitiesUpdated"]), (&json!(0), &json!(1)));
    let graph = house.jupiterone.graph("i");
    let versions: Vec<u64> = graph.entities().map(|(_, held)| held.version).collect();
    assert_eq!(versions, [2, 1]);
    assert!(graph.entities().all(|(_, held)| !held.object.contains_key("_unknown")));
}

#[tokio::test]
async fn what_is_not_uploaded_goes_but_for_partial_types() {
    let house = House::new(JupiterOneOptions::default()).await;
    let all = json!([entity("a", "t", "a"), entity("b", "t", "b"), entity("c", "u", "c")]);
    house.job(&all, &json!([relationship("a", "b"), relationship("a", "c")]), &json!([])).await;
    let told = house.job(&json!([entity("a", "t", "a")]), &json!([]), &json!(["u", "r"])).await;
    assert_eq!(told["numEntitiesDeleted"], 1);
    let graph = house.jupiterone.graph("i");
    assert!(graph.is_deleted("b") && !graph.is_deleted("c"));
    assert!(graph.is_deleted("a|has|b"), "it goes with its end");
    assert!(!graph.is_deleted("a|has|c"));
    let told =
        house.job(&json!([entity("a", "t", "a")]), &json!([relationship("a", "nowhere")]), &json!([])).await;
    assert_eq!(told["numRelationshipCreateErrors"], 1);
}

#[tokio::test]
async fn duplicates_strangers_and_what_is_too_large_are_refused() {
    let house = House::new(JupiterOneOptions { most_bytes: 500, ..JupiterOneOptions::default() }).await;
    let job = house.start().await;
    let path = format!("{job}/entities");
    let once = json!({ "entities": [entity("a", "t", "a")] });
    assert_eq!(house.post(&path, &once).await.0, 200);
    let (status, answer) = house.post(&path, &once).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("DUPLICATE_KEY_DETECTED")));
    let large = json!({ "entities": [entity("b", "t", &"x".repeat(500))] });
    assert_eq!(house.post(&path, &large).await.0, 413);
    assert_eq!(house.post(&path, &json!({ "entities": {} })).await.0, 400);
    assert_eq!(house.post(&format!("{job}/abort"), &json!({ "reason": "enough" })).await.0, 200);
    let (status, answer) = house.post(&path, &json!({ "entities": [] })).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("JOB_NOT_AWAITING_UPLOADS")));
    assert_eq!(house.jupiterone.jobs()[0].reason.as_deref(), Some("enough"));
    let nobody = house.client.post(format!("{}{JOBS}", house.jupiterone.url())).bearer_auth("x").send().await;
    assert_eq!(nobody.unwrap().status().as_u16(), 401);
    let body = json!({ "source": "api", "integrationInstanceId": "i", "scope": "s" });
    assert_eq!(house.post(JOBS, &body).await.0, 400);
}

#[tokio::test]
async fn the_chosen_request_goes_wrong_once() {
    let house = House::new(JupiterOneOptions::default()).await;
    house.jupiterone.fail(2, JupiterOneFault::Status(503));
    house.jupiterone.fail(4, JupiterOneFault::LostAnswer);
    let job = house.start().await;
    let path = format!("{job}/entities");
    let body = json!({ "entities": [entity("a", "t", "a")] });
    assert_eq!(house.post(&path, &body).await.0, 503);
    assert_eq!(house.post(&path, &body).await.0, 200);
    assert_eq!(house.post(&format!("{job}/finalize"), &json!({})).await.0, 500);
    assert_eq!(house.jupiterone.graph("i").count("t"), 1, "the answer alone was lost");
}
