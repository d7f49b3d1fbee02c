//! A bare client, and a naive complete reading of an estate.
//!
//! Not how Metsuke reads: this asks every app for its collaborators.
//!
//! Invariant: follows `Next-Range` and nothing else.

use std::collections::BTreeSet;

use metsuke_simulator::{Grant, Options, Simulator};
use reqwest::{Client, Method, Response};
use serde_json::Value;

pub(crate) const ACCEPT: &str = "application/vnd.heroku+json; version=3";

pub(crate) struct Probe {
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
    pub(crate) token: String,
}

impl Probe {
    pub(crate) async fn new(options: Options) -> Self {
        // Whoever is first installs it; the others find it there.
        let _first = rustls::crypto::ring::default_provider().install_default().is_ok();
        let simulator = Simulator::local(options).await.expect("the simulator starts");
        let client = Client::builder().build().expect("a client");
        let token = simulator.token().to_owned();
        Self { simulator, client, token }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.simulator.url());
        self.client.request(method, url).bearer_auth(&self.token).header("accept", ACCEPT)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.expect("an answer")
    }

    pub(crate) async fn ranged(&self, path: &str, range: &str) -> Response {
        self.request(Method::GET, path).header("range", range).send().await.expect("an answer")
    }

    pub(crate) async fn status(&self, path: &str) -> u16 {
        self.get(path).await.status().as_u16()
    }

    pub(crate) async fn one(&self, path: &str) -> Value {
        json(self.get(path).await).await
    }

    /// Every row of a list, however many pages; `None` when it is refused.
    pub(crate) async fn try_all(&self, path: &str) -> Option<Vec<Value>> {
        let mut rows = Vec::new();
        let mut range = Some("id ..; max=1000".to_owned());
        while let Some(asked) = range {
            let answer = self.ranged(path, &asked).await;
            if !answer.status().is_success() {
                return None;
            }
            range = header(&answer, "next-range");
            rows.extend(json(answer).await.as_array().expect("a list").clone());
        }
        Some(rows)
    }

    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        self.try_all(path).await.unwrap_or_else(|| panic!("{path} was refused"))
    }

    pub(crate) async fn write(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request(method, path).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.expect("an answer");
        (answer.status().as_u16(), json(answer).await)
    }

    /// Direct grants as read through HTTP, one collaborator listing per app.
    pub(crate) async fn grants(&self) -> BTreeSet<Grant> {
        let mut grants = BTreeSet::new();
        let mut teams = self.all("/teams").await;
        for account in self.all("/enterprise-accounts").await {
            let id = text(&account, "id");
            for row in self.all(&format!("/enterprise-accounts/{id}/members")).await {
                let Some(user) = row["user"]["id"].as_str() else { continue };
                for permission in row["permissions"].as_array().expect("permissions") {
                    grants.insert(grant("enterprise_account", &id, &text(permission, "name"), user));
                }
            }
            for team in self.all(&format!("/enterprise-accounts/{id}/teams")).await {
                if teams.iter().all(|known| known["id"] != team["id"]) {
                    teams.push(team);
                }
            }
        }
        let mut apps: BTreeSet<String> = self.all("/apps").await.iter().map(|row| text(row, "id")).collect();
        for team in teams {
            let id = text(&team, "id");
            for row in self.try_all(&format!("/teams/{id}/members")).await.unwrap_or_default() {
                let Some(user) = row["user"]["id"].as_str() else { continue };
                grants.insert(grant("team", &id, row["role"].as_str().unwrap_or("unknown"), user));
            }
            let own = self.try_all(&format!("/teams/{id}/apps")).await.unwrap_or_default();
            apps.extend(own.iter().map(|row| text(row, "id")));
        }
        for app in apps {
            for row in self.all(&format!("/apps/{app}/collaborators")).await {
                if row["role"] == "owner" {
                    continue;
                }
                let user = text(&row["user"], "id");
                grants.insert(grant("app", &app, "collaborator", &user));
                for permission in row["permissions"].as_array().expect("permissions") {
                    grants.insert(grant("app", &app, &text(permission, "name"), &user));
                }
            }
        }
        grants
    }
}

pub(crate) fn grant(kind: &'static str, resource: &str, entitlement: &str, principal: &str) -> Grant {
    Grant {
        resource_type: kind,
        resource_id: resource.to_owned(),
        entitlement: entitlement.to_owned(),
        principal_id: principal.to_owned(),
    }
}

pub(crate) fn header(answer: &Response, name: &str) -> Option<String> {
    answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned())
}

pub(crate) async fn json(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
}

pub(crate) fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_else(|| panic!("`{key}` is text in {row}")).to_owned()
}
