//! A mixed estate with a team of each kind at hand, and short ways to write to it.
//!
//! Not a client: what is sent is exactly what a test says.
//!
//! Invariant: the caller is admin of both teams, and the apps belong to them.

use metsuke_simulator::{Fate, Fault, Options, Size, World, Written};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::probe::{ACCEPT, Probe};

pub(crate) struct House {
    pub(crate) probe: Probe,
    /// An enterprise team with apps.
    pub(crate) team: String,
    /// A standard team with apps and members.
    pub(crate) standard: String,
    /// An app of the enterprise team.
    pub(crate) app: String,
    /// An app of the standard team.
    pub(crate) standard_app: String,
    /// An app of the caller.
    pub(crate) own_app: String,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(Options::of(Size::Mixed)).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let probe = Probe::new(options).await;
        let found = probe.simulator.edit(|world| {
            let first = |teams: Vec<String>| {
                let team = teams.into_iter().find(|team| world.app_names(Some(team)).len() > 1);
                team.expect("a team with apps")
            };
            let (team, standard) = (first(world.enterprise_team_names()), first(world.standard_team_names()));
            let app = |team: &str| world.app_names(Some(team))[0].clone();
            let own_app = world.app_names(None)[0].clone();
            (team.clone(), standard.clone(), app(&team), app(&standard), own_app)
        });
        let (team, standard, app, standard_app, own_app) = found.expect("a held estate");
        Self { probe, team, standard, app, standard_app, own_app }
    }

    /// A house whose next write meets this fault, once.
    pub(crate) async fn struck_by(fault: &str) -> Self {
        let house = Self::new().await;
        house.fault(fault);
        house
    }

    pub(crate) fn fault(&self, fault: &str) {
        self.probe.simulator.faults().add(fault.parse::<Fault>().expect("a fault").times(1));
    }

    pub(crate) async fn write(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.probe.write(method, path, &body).await
    }

    /// The write is answered with this status and, where it is refused, this error id.
    pub(crate) async fn expect(&self, method: Method, path: &str, body: Value, status: u16, id: &str) {
        let (got, answer) = self.write(method.clone(), path, body).await;
        assert_eq!((got, answer["id"].as_str()), (status, Some(id)), "{method} {path}: {answer}");
    }

    /// Sends on a connection of its own, so that no client repeats it by itself.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> reqwest::Result<Response> {
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
        let request = client.request(method, format!("{}{path}", self.probe.simulator.url()));
        let request = request.bearer_auth(&self.probe.token).header("accept", ACCEPT);
        request.body(body.to_string()).send().await
    }

    pub(crate) fn members(&self) -> String {
        format!("/teams/{}/members", self.team)
    }

    /// Puts somebody into the enterprise team; whatever is answered.
    pub(crate) async fn put(&self, email: &str, role: &str) -> reqwest::Result<Response> {
        self.send(Method::PUT, &self.members(), json!({"email": email, "role": role})).await
    }

    pub(crate) fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        self.probe.simulator.edit(change).expect("a held estate")
    }

    pub(crate) fn role(&self, email: &str) -> Option<String> {
        self.edit(|world| world.role_in(&self.team, email))
    }

    /// The latest write.
    pub(crate) fn latest(&self) -> Written {
        self.probe.simulator.journal().writes.pop().expect("a write")
    }

    pub(crate) fn fate(&self) -> Fate {
        self.latest().fate
    }

    /// The wire and the truth say the same.
    pub(crate) async fn agrees(&self) {
        assert_eq!(self.probe.grants().await, self.probe.simulator.truth().grant_set());
    }

    /// Takes the role of admin from everybody in the enterprise team but this one, who gets it.
    pub(crate) fn only_admin(&self, email: &str) {
        self.edit(|world| {
            world.set_member(&self.team, email, Some("admin"));
            for (other, role) in world.members_of(&self.team) {
                if role.as_deref() == Some("admin") && !other.eq_ignore_ascii_case(email) {
                    world.set_role(&self.team, &other, Some("member"));
                }
            }
        });
    }
}
