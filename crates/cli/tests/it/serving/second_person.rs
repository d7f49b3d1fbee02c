//! Rule R7 through the API and the command line of a server: two people with tokens, a program without a person, and whom it
//! is about.

use metsuke_simulator::Size;
use serde_json::{Value, json};

use super::client::{Reply, Served};
use crate::house::{Ran, bare, run};

/// A server whose connector asks for a second person, with tokens of several people.
struct Scene {
    served: Served,
    connector: String,
    admin: String,
    ann: String,
    bob: String,
    team: String,
    someone: String,
}

impl Scene {
    async fn new() -> Self {
        let served = Served::new(Size::Small).await;
        let admin = served.token("admin", &[]).await;
        let connector = served.connector(&admin, "acme", "owner@example.com").await;
        served.until(&admin, &connector, "connected").await;
        let found = served.house.heroku.edit(|world| {
            let teams = world.enterprise_team_names();
            let team = teams.into_iter().find(|team| world.members_of(team).len() > 3)?;
            let mut people = world.members_of(&team).into_iter();
            let (someone, _) = people.find(|(_, role)| role.as_deref() == Some("member"))?;
            Some((team, someone))
        });
        let (team, someone) = found.unwrap().unwrap();
        let ann = served.token("operator", &["--person", "ann@ops.example"]).await;
        let bob = served.token("operator", &["--person", "Bob@Ops.example"]).await;
        let scene = Self { served, connector, admin, ann, bob, team, someone };
        let edited = scene.edit(json!({ "approval": "sensitive" })).await;
        assert_eq!((edited.status, &edited.json()["approval"]), (200, &json!("sensitive")));
        scene
    }

    async fn edit(&self, body: Value) -> Reply {
        let path = format!("/api/v1/connectors/{}", self.connector);
        self.served.send(("PATCH", &path), Some(&self.admin), &[], Some(&body)).await
    }

    /// A plan that somebody becomes admin.
    async fn plan(&self, token: &str) -> Value {
        let ask = json!({ "action": "grant", "user": self.someone, "team": self.team, "role": "admin" });
        let made = self.served.post(token, "/api/v1/plans", &ask).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["plan"].clone()
    }

    async fn shown(&self, plan: &Value) -> Value {
        let path = format!("/api/v1/plans/{}", plan["id"].as_str().unwrap());
        self.served.get(&self.admin, &path).await.json()
    }

    async fn post(&self, token: &str, plan: &Value, what: &str, body: &Value) -> Reply {
        let path = format!("/api/v1/plans/{}/{what}", plan["id"].as_str().unwrap());
        self.served.post(token, &path, body).await
    }

    async fn approve(&self, token: &str, plan: &Value) -> Reply {
        self.post(token, plan, "approve", &json!({ "hash": plan["hash"] })).await
    }

    async fn apply(&self, token: &str, plan: &Value) -> Reply {
        self.post(token, plan, "apply", &json!({})).await
    }

    fn writes(&self) -> usize {
        self.served.house.heroku.journal().writes.len()
    }

    /// The command line through the server, by a token.
    async fn remote(&self, token: &str, arguments: &[&str]) -> Ran {
        let folder = tempfile::tempdir().unwrap();
        let mut command = bare(&folder, arguments);
        command.env("METSUKE_SERVER", format!("http://{}", self.served.address)).env("METSUKE_TOKEN", token);
        run(command).await
    }
}

#[track_caller]
fn refused(reply: &Reply, code: &str) {
    assert_eq!((reply.status, reply.code().as_str()), (409, code), "{}", reply.text());
}

#[tokio::test]
async fn two_people_are_behind_a_new_admin_over_the_api() {
    let scene = Scene::new().await;
    let plan = scene.plan(&scene.ann).await;
    let approval = &plan["approval"];
    assert_eq!((&approval["needed"], &approval["missing"]), (&json!(true), &json!(1)), "{plan}");
    assert_eq!((&approval["why"], &approval["approvals"]), (&json!("it grants the admin role"), &json!([])));
    assert_eq!(plan["plan"]["asked_by"], json!({ "is": "person", "email": "ann@ops.example" }));
    refused(&scene.apply(&scene.ann, &plan).await, "approval_needed");
    refused(&scene.apply(&scene.bob, &plan).await, "approval_needed");
    assert_eq!((&scene.shown(&plan).await["status"], scene.writes()), (&json!("planned"), 0));
    // Another token of the same person is the same person; one that belongs to nobody is no person.
    let other = scene.served.token("admin", &["--person", "ANN@ops.example"]).await;
    for token in [&scene.ann, &other, &scene.admin] {
        refused(&scene.approve(token, &plan).await, "not_second_person");
    }
    let wrong = json!({ "hash": "0".repeat(64) });
    refused(&scene.post(&scene.bob, &plan, "approve", &wrong).await, "other_hash");
    assert_eq!(scene.post(&scene.bob, &plan, "approve", &json!({})).await.status, 422);
    let auditor = scene.served.token("auditor", &["--person", "cem@ops.example"]).await;
    assert_eq!(scene.approve(&auditor, &plan).await.status, 403);
    let lines = scene.served.get(&scene.admin, "/api/v1/plans").await.rows();
    assert_eq!(lines[0]["waits_for_approval"], true, "{lines:?}");
    assert_eq!(scene.writes(), 0);

    let approved = scene.approve(&scene.bob, &plan).await;
    assert_eq!(approved.status, 200, "{}", approved.text());
    let again = scene.approve(&scene.bob, &plan).await;
    assert_eq!((again.status, &again.json()["approval"]), (200, &approved.json()["approval"]));
    let approval = &approved.json()["approval"];
    assert_eq!((&approval["missing"], approval["approvals"].as_array().unwrap().len()), (&json!(0), 1));
    assert!(approval["approvals"][0]["by"].as_str().unwrap().starts_with("test ("), "{approval}");
    assert_eq!(scene.writes(), 0, "an approval sends nothing");
    let meant = scene.served.token("operator", &["--person", &scene.someone]).await;
    refused(&scene.apply(&meant, &plan).await, "approval_needed");
    let applied = scene.apply(&scene.ann, &plan).await;
    assert_eq!((applied.status, &applied.json()["outcome"]), (200, &json!("applied")), "{}", applied.text());
    let held = scene.served.house.heroku.edit(|world| world.role_in(&scene.team, &scene.someone)).unwrap();
    assert_eq!((held.as_deref(), scene.writes()), (Some("admin"), 1));
    refused(&scene.approve(&scene.bob, &plan).await, "refused");
    let path = format!("/api/v1/audit?connector=acme&subject={}", plan["id"].as_str().unwrap());
    let events = scene.served.get(&scene.admin, &path).await.rows();
    let codes: Vec<&str> = events.iter().filter_map(|event| event["code"].as_str()).collect();
    for code in ["plan.created", "plan.refused", "plan.approved", "plan.begun", "plan.applied"] {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
}

#[tokio::test]
async fn whom_it_is_about_does_not_approve_and_what_takes_away_needs_nobody() {
    let scene = Scene::new().await;
    let plan = scene.plan(&scene.ann).await;
    let meant = scene.served.token("admin", &["--person", &scene.someone.to_uppercase()]).await;
    refused(&scene.approve(&meant, &plan).await, "not_second_person");
    // Where nobody knows who asked, two people approve.
    let plan = scene.plan(&scene.admin).await;
    assert_eq!(plan["approval"]["missing"], 2, "{plan}");
    assert_eq!(scene.approve(&scene.ann, &plan).await.json()["approval"]["missing"], 1);
    refused(&scene.apply(&scene.ann, &plan).await, "approval_needed");
    assert_eq!(scene.approve(&scene.bob, &plan).await.json()["approval"]["missing"], 0);
    let revoke = json!({ "action": "revoke", "user": scene.someone, "team": scene.team, "role": "member" });
    let made = scene.served.post(&scene.ann, "/api/v1/plans", &revoke).await.json()["plan"].clone();
    assert_eq!((&made["approval"]["needed"], &made["approval"]["missing"]), (&json!(false), &json!(0)));
    assert_eq!(scene.writes(), 0);
    assert_eq!(scene.apply(&scene.ann, &made).await.status, 200);
    assert_eq!(scene.writes(), 1);
}

#[tokio::test]
async fn what_a_connector_asks_for_is_one_of_three_words() {
    let scene = Scene::new().await;
    let wrong = scene.edit(json!({ "approval": "sometimes" })).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    assert_eq!(wrong.json()["error"]["fields"][0]["name"], "approval", "{}", wrong.text());
    let mut new = scene.served.new_connector("other", "owner@example.com");
    new["approval"] = json!("sometimes");
    assert_eq!(scene.served.post(&scene.admin, "/api/v1/connectors", &new).await.status, 422);
    let plan = scene.plan(&scene.ann).await;
    assert_eq!(scene.edit(json!({ "approval": "none" })).await.status, 200);
    assert_eq!(scene.shown(&plan).await["approval"]["needed"], false);
    let edited = scene.served.house.run(&["connectors", "edit", "acme", "--approval", "every"]).await;
    assert_eq!(edited.code, 0, "{edited:?}");
    let told = scene.served.house.run(&["connectors", "show", "acme"]).await;
    assert!(told.stdout.contains("approval      every"), "{told:?}");
    let unknown = scene.served.house.run(&["connectors", "edit", "acme", "--approval", "some"]).await;
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert_eq!(scene.shown(&plan).await["approval"]["needed"], true);
    let edited = scene.remote(&scene.admin, &["connectors", "edit", "acme", "--approval", "none"]).await;
    assert_eq!(edited.code, 0, "{edited:?}");
    assert_eq!(scene.shown(&plan).await["approval"]["needed"], false);
}

#[tokio::test]
async fn the_command_line_approves_through_the_server() {
    let scene = Scene::new().await;
    let plan = scene.plan(&scene.ann).await;
    let id = plan["id"].as_str().unwrap();
    let own = scene.remote(&scene.ann, &["plans", "approve", &id[..8]]).await;
    assert!(own.code == 5 && own.stderr.contains("R7: ann@ops.example asked for the plan"), "{own:?}");
    let early = scene.remote(&scene.ann, &["apply", id, "--yes"]).await;
    assert!(early.code == 5 && early.stdout.contains("R7: it grants the admin role"), "{early:?}");
    let listed = scene.remote(&scene.bob, &["--format", "json", "plans"]).await;
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed[0]["waits_for_approval"], true, "{listed}");
    let shown = scene.remote(&scene.bob, &["plans", "show", id]).await;
    assert!(shown.stdout.contains("Approval: somebody else has to approve it"), "{shown:?}");
    let other = scene.remote(&scene.bob, &["plans", "approve", id, "--hash", "1234"]).await;
    assert!(other.code == 5 && other.stderr.contains("another hash"), "{other:?}");
    let hash = plan["hash"].as_str().unwrap();
    let approved = scene.remote(&scene.bob, &["plans", "approve", id, "--hash", hash, "--yes"]).await;
    assert!(approved.code == 0 && approved.stdout.contains("Approval: given"), "{approved:?}");
    let shown = scene.remote(&scene.bob, &["--format", "json", "plans", "show", id]).await;
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["approval"]["missing"], 0, "{shown}");
    // The same plan on the database itself tells the same of it.
    let local = scene.served.house.json(&["plans", "show", id]).await;
    assert_eq!(local["approval"], shown["approval"]);
    assert_eq!(scene.writes(), 0);
    let applied = scene.remote(&scene.ann, &["apply", id, "--yes"]).await;
    assert_eq!((applied.code, scene.writes()), (0, 1), "{applied:?}");
}
