//! What is refused before anything is sent: tokens that cannot write, an unknown connector, writes switched off.

use metsuke_engine::access::provision::{Ask, On, Outcome, Planned, Provisioner, Refusal, Settings};
use metsuke_model::Clock as _;
use metsuke_model::audit::EventCode;
use metsuke_simulator::Size;

use super::checker::Checker;
use super::scene::{Scene, client};
use super::script::settings;

struct Stage {
    scene: Scene,
    team: String,
    app: String,
    own_app: String,
    /// A member of the team who is on the app.
    member: String,
}

impl Stage {
    async fn new() -> Self {
        let scene = Scene::new(Size::Small, 3, &mut Checker::default()).await;
        let (team, app, own_app) = ("more-0".to_owned(), "more-app-0".to_owned(), "own-app-0".to_owned());
        let member = "mary@example.com".to_owned();
        scene.simulator.edit(|world| {
            world.set_member(&team, &world.caller_email(), Some("admin"));
            world.set_member(&team, &member, Some("member"));
            world.set_collaborator(&app, &member, &["view", "deploy"]);
            world.set_collaborator(&own_app, &member, &[]);
        });
        scene.sync().await;
        Self { scene, team, app, own_app, member }
    }

    fn on_team(&self, role: &str) -> On {
        On::Team { team: self.team.clone(), role: role.into() }
    }

    /// Every kind of operation, for one person.
    fn asks(&self, user: &str) -> Vec<Ask> {
        let on = [
            self.on_team("admin"),
            self.on_team("member"),
            On::App { app: self.app.clone(), permissions: vec!["deploy".into()] },
            On::App { app: self.app.clone(), permissions: vec!["manage".into()] },
            On::App { app: self.own_app.clone(), permissions: Vec::new() },
        ];
        let mut asks = vec![Ask::Remove { user: user.into() }];
        for on in on {
            asks.push(Ask::Grant { user: user.into(), on: on.clone() });
            asks.push(Ask::Revoke { user: user.into(), on });
        }
        asks
    }

    async fn asked(&self, token: &str, settings: Settings, ask: &Ask) -> Result<Outcome, Refusal> {
        let heroku = client(&self.scene.simulator, &self.scene.simulator.token_with(token));
        let (store, clock) = (&self.scene.store, &self.scene.clock);
        clock.advance(7_200_000_000);
        let provisioner = Provisioner::new(&heroku, store, settings, clock, &()).unwrap();
        match provisioner.plan(ask, None).await.unwrap() {
            Planned::Refused(refusal) => Err(refusal),
            Planned::Unchanged(_) => Ok(Outcome::Unchanged),
            Planned::Plan(plan) => {
                let applied = provisioner.apply(&plan.id(), None).await.unwrap();
                match (applied.outcome, applied.reason) {
                    (Outcome::RefusedByRule, Some(reason)) => {
                        Err(Refusal { rule: None, reason, hint: applied.hint })
                    }
                    (outcome, _) => Ok(outcome),
                }
            }
        }
    }

    fn writes(&self) -> usize {
        self.scene.simulator.journal().writes.len()
    }
}

#[tokio::test]
async fn a_token_that_cannot_write_is_refused_with_the_scope_that_is_needed() {
    let stage = Stage::new().await;
    for token in ["read", "read-protected", "identity-read"] {
        for ask in stage.asks(&stage.member).iter().chain(&stage.asks("nobody@example.com")) {
            let refusal = stage.asked(token, settings(&stage.scene), ask).await.unwrap_err();
            let told = format!("{} {}", refusal.reason, refusal.hint.unwrap_or_default());
            assert_eq!(refusal.rule, Some("R10"), "{token}, {ask:?}: {told}");
            assert!(told.contains("read") && told.contains("`global`"), "{token}, {ask:?}: {told}");
        }
    }
    assert_eq!(stage.writes(), 0);
}

#[tokio::test]
async fn without_a_known_account_nothing_is_written() {
    let stage = Stage::new().await;
    for ask in stage.asks(&stage.member) {
        let refusal = stage.asked("accountless", settings(&stage.scene), &ask).await.unwrap_err();
        assert_eq!(refusal.rule, Some("R2"), "{refusal:?}");
        assert!(refusal.hint.unwrap().contains("--connector-account"), "{}", refusal.reason);
    }
    assert_eq!(stage.writes(), 0);
}

#[tokio::test]
async fn a_named_account_is_kept_by_address_and_by_id() {
    let stage = Stage::new().await;
    let (id, email) = stage.scene.untouchable.connector.clone();
    for named in [id.clone(), email.clone(), id.to_uppercase(), email.to_uppercase()] {
        let named_so = Settings { connector_account: Some(named.clone()), ..settings(&stage.scene) };
        for user in [&id, &email, &email.to_uppercase()] {
            for ask in stage.asks(user) {
                let outcome = stage.asked("accountless", named_so.clone(), &ask).await;
                let kept = match &outcome {
                    Err(refusal) => matches!(refusal.rule, Some("R1" | "R2") | None),
                    Ok(outcome) => *outcome == Outcome::Unchanged,
                };
                assert!(kept, "{named}, {ask:?}: {outcome:?}");
            }
        }
        let before = stage.writes();
        assert_eq!(before % 2, 0, "only what follows is written");
        for (ask, role) in [(true, "admin"), (false, "member")] {
            let grant = Ask::Grant { user: stage.member.clone(), on: stage.on_team(role) };
            let outcome = stage.asked("accountless", named_so.clone(), &grant).await;
            assert_eq!(outcome.unwrap(), Outcome::Applied, "{ask}");
        }
        assert_eq!(stage.writes(), before + 2);
    }
}

#[tokio::test]
async fn writes_that_are_off_are_not_sent() {
    let stage = Stage::new().await;
    let off = Settings { allow_writes: false, ..settings(&stage.scene) };
    for ask in stage.asks(&stage.member) {
        match stage.asked("global", off.clone(), &ask).await {
            Ok(outcome) => assert_eq!(outcome, Outcome::Unchanged, "{ask:?}"),
            Err(refusal) => assert!(refusal.reason.contains("R10"), "{refusal:?}"),
        }
    }
    assert_eq!(stage.writes(), 0);
}

/// Somebody whose address has changed since the last sync is meant by the new one.
#[tokio::test]
async fn who_is_kept_by_id_is_kept_under_a_new_address() {
    let stage = Stage::new().await;
    let (id, email) = stage.scene.untouchable.connector.clone();
    let scene = &stage.scene;
    let mary = scene.simulator.edit(|world| {
        world.set_email(&email, "new.connector@example.com");
        world.set_email(&stage.member, "new.mary@example.com");
        world.person_id("new.mary@example.com").unwrap().to_string()
    });
    let now = scene.clock.now();
    let event = scene.store.event(now, EventCode::ProtectedPrincipalAdded);
    scene.store.protect(&mary.unwrap(), true, now, event).await.unwrap();
    let named = Settings { connector_account: Some(id), ..settings(scene) };
    for user in ["new.connector@example.com", "new.mary@example.com"] {
        for ask in stage.asks(user) {
            let outcome = stage.asked("accountless", named.clone(), &ask).await;
            assert!(!matches!(outcome, Ok(Outcome::Applied)), "{ask:?}: {outcome:?}");
        }
    }
    assert_eq!(stage.writes(), 0);
}

/// Somebody who has left the estate is known by address alone, and no row tells the id that is protected.
#[tokio::test]
async fn who_is_protected_by_id_stays_so_after_leaving_the_estate() {
    let stage = Stage::new().await;
    let scene = &stage.scene;
    let mary = scene.simulator.edit(|world| {
        let id = world.person_id(&stage.member).unwrap().to_string();
        for team in &scene.teams {
            world.remove_member(team, &stage.member);
        }
        for app in &scene.apps {
            world.remove_collaborator(app, &stage.member);
        }
        id
    });
    scene.sync().await;
    let now = scene.clock.now();
    let event = scene.store.event(now, EventCode::ProtectedPrincipalAdded);
    scene.store.protect(&mary.unwrap(), true, now, event).await.unwrap();
    let asks = stage.asks(&stage.member);
    for ask in asks {
        match stage.asked("global", settings(scene), &ask).await {
            Ok(outcome) => assert_eq!(outcome, Outcome::Unchanged, "{ask:?}"),
            Err(refusal) => assert_eq!(refusal.rule, Some("R3"), "{ask:?}: {refusal:?}"),
        }
    }
    assert_eq!(stage.writes(), 0);
}
