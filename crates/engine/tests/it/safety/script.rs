//! One operation of the connector after another, each from a number of its own, and the checker after each.
//!
//! Invariant: an operation depends on its number and on the state it meets, so any of them can be left out.

use std::time::Duration;

use metsuke_clients::heroku::{AppPermission, Heroku, TeamRole, WriteCall};
use metsuke_engine::EngineError;
use metsuke_engine::access::provision::{Applied, Ask, Caps, On, Outcome, Planned, Provisioner, Settings};
use metsuke_model::audit::EventCode;
use metsuke_model::plan::Plan;
use metsuke_model::{Clock as _, HerokuId};
use metsuke_simulator::Size;
use metsuke_testkit::Chance;

use super::checker::{Broken, Checker, Deed, Look};
use super::scene::Scene;
use super::wish::fulfilled;

/// Who stands in for the connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connector {
    /// The product.
    Real,
    /// The product with caps that hold nothing back.
    Uncapped,
    /// One that sends what it is asked for, whatever the rules say.
    Reckless,
}

/// A script: an estate, and a number for each operation.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) size: Size,
    pub(super) seed: u64,
    pub(super) steps: Vec<u64>,
    pub(super) connector: Connector,
}

/// What came of a script.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// Which outcome, and how often.
    pub(super) outcomes: std::collections::BTreeMap<String, u64>,
    pub(super) changes: u64,
    pub(super) released: u64,
    /// The rules that were broken: all of a script that goes on, else those of the first operation that broke one.
    pub(super) broken: Vec<Broken>,
    /// How many operations were done.
    pub(super) done: usize,
}

pub(super) fn settings(scene: &Scene) -> Settings {
    Settings {
        allow_writes: true,
        kill_file: Some(scene.kill_file.clone()),
        poll: Duration::from_millis(1),
        verify_patience: Duration::from_millis(50),
        ..Settings::default()
    }
}

/// Plays a script to its end or, unless it is to go on, to the first broken rule.
pub(super) async fn play(script: &Script, goes_on: bool) -> Played {
    let mut checker = Checker::default();
    let mut scene = Scene::new(script.size, script.seed, &mut checker).await;
    let mut played = Played::default();
    let mut chance = Chance::new(script.seed ^ 0x5afe);
    let pace = *chance.one_of(&[4_i64, 20, 300]);
    let taking = *chance.one_of(&[35_usize, 55, 80]);
    let (mut killed, mut waiting) = (false, Vec::new());
    for step in &script.steps {
        let mut chance = Chance::new(*step);
        scene.clock.advance(1 + i64::try_from(chance.number() % 2_000_000).unwrap() * pace);
        for _ in 0..chance.below(100).saturating_sub(82).min(3) {
            scene.others_move(&mut chance, &mut checker);
        }
        if chance.percent(4) {
            scene.sync().await;
            scene.stale.clear();
        }
        if chance.percent(if killed { 25 } else { 3 }) {
            killed = !killed;
            turn_switch(&scene, killed, &mut chance).await;
        }
        if chance.percent(5) {
            protect_somebody(&mut scene, &mut chance).await;
        }
        let mut act = Act {
            scene: &scene,
            connector: script.connector,
            killed,
            deed: Deed::default(),
            plan: None,
            applied: false,
        };
        let ask = some_ask(&scene, taking, &mut chance);
        let before = Look::at(&scene.simulator);
        scene.simulator.reset_journal();
        scene.simulator.reset_stats();
        let doing = act.does(&ask, &mut waiting, &mut chance);
        let outcome = tokio::time::timeout(Duration::from_mins(1), doing).await.expect("an operation hangs");
        *played.outcomes.entry(outcome).or_default() += 1;
        let Act { deed, plan, applied, .. } = act;
        let after = Look::at(&scene.simulator);
        let writes = scene.simulator.journal().writes;
        let mut broken = checker.judge(&deed, &scene.untouchable, (&before, &after), &writes);
        if applied && let Some(plan) = &plan {
            broken.extend(fulfilled(&scene, &deed, plan, &after).await);
        }
        played.done += 1;
        let stop = !broken.is_empty() && !goes_on;
        played.broken.extend(broken);
        if stop {
            break;
        }
    }
    (played.changes, played.released) = (checker.changes, checker.released);
    played
}

async fn turn_switch(scene: &Scene, on: bool, chance: &mut Chance) {
    if on && chance.percent(50) {
        std::fs::write(&scene.kill_file, "").unwrap();
        return;
    }
    if !on && scene.kill_file.exists() {
        std::fs::remove_file(&scene.kill_file).unwrap();
    }
    let code = if on { EventCode::KillSwitchOn } else { EventCode::KillSwitchOff };
    let event = scene.store.event(scene.clock.now(), code);
    scene.store.set_kill_switch(on, event).await.unwrap();
}

async fn protect_somebody(scene: &mut Scene, chance: &mut Chance) {
    let email = chance.one_of(&scene.people).clone();
    let id = scene.simulator.edit(|world| world.person_id(&email)).flatten();
    // Heroku tells nobody the address of an id: by id only those can be kept whom a sync has ever named.
    let ids: Vec<HerokuId> = id.iter().map(|id| HerokuId::new(&id.to_string())).collect();
    let seen = !scene.store.ever_seen(&ids).await.unwrap().is_empty();
    let by_id = id.filter(|_| chance.percent(40) && seen).map(|id| id.to_string());
    let name = by_id.unwrap_or_else(|| email.to_lowercase());
    let protect = !scene.untouchable.protected.remove(&name);
    let code =
        if protect { EventCode::ProtectedPrincipalAdded } else { EventCode::ProtectedPrincipalRemoved };
    let now = scene.clock.now();
    assert!(scene.store.protect(&name, protect, now, scene.store.event(now, code)).await.unwrap());
    if protect {
        scene.untouchable.protected.insert(name);
    }
}

/// Something that the connector may be asked for.
fn some_ask(scene: &Scene, taking: usize, chance: &mut Chance) -> Ask {
    let team = chance.one_of(&scene.teams).clone();
    let app = chance.one_of(&scene.apps).clone();
    let mut user = scene.somebody(chance);
    let take = chance.percent(taking);
    let on_team = chance.percent(55);
    let mut role =
        (*chance.one_of(&["admin", "member", "viewer", "member", "admin", "collaborator"])).to_owned();
    let all = ["view", "deploy", "operate", "manage"];
    let mut permissions: Vec<String> =
        (0..chance.below(3)).map(|_| (*chance.one_of(&all)).to_owned()).collect();
    // Most of what is taken should be there.
    let there = take && chance.percent(85);
    let plain = chance.percent(50);
    let place = chance.number();
    scene.simulator.edit(|world| {
        let at = |count: usize| usize::try_from(place % count.max(1) as u64).unwrap();
        if there && on_team {
            let mut rows = world.members_of(&team);
            if !plain {
                rows.retain(|(_, role)| role.as_deref() == Some("admin"));
            }
            if let Some((email, Some(held))) = rows.get(at(rows.len())) {
                (user, role) = (email.clone(), held.clone());
            }
        } else if there {
            let rows = world.collaborators_of(&app);
            if let Some((email, held)) = rows.get(at(rows.len())) {
                user.clone_from(email);
                permissions = if plain { Vec::new() } else { held.iter().skip(1).cloned().collect() };
            }
        }
        if place.is_multiple_of(7)
            && let Some(id) = world.person_id(&user)
        {
            user = id.to_string();
        }
    });
    if take && chance.percent(8) {
        return Ask::Remove { user };
    }
    let on = if on_team { On::Team { team, role } } else { On::App { app, permissions } };
    if take { Ask::Revoke { user, on } } else { Ask::Grant { user, on } }
}

/// The connector at work on one operation.
struct Act<'s> {
    scene: &'s Scene,
    connector: Connector,
    killed: bool,
    deed: Deed,
    plan: Option<Plan>,
    applied: bool,
}

impl Act<'_> {
    /// Does one operation; how it ended, in words.
    async fn does(&mut self, ask: &Ask, waiting: &mut Vec<Plan>, chance: &mut Chance) -> String {
        let scene = self.scene;
        self.deed.told = format!("{ask:?}");
        (self.deed.at, self.deed.killed) = (scene.clock.now().0, self.killed);
        self.deed.plan = format!("without a plan at {}", self.deed.at);
        if self.connector == Connector::Reckless {
            recklessly(&scene.heroku, ask).await;
            return "reckless".into();
        }
        let mut settings = settings(scene);
        if self.connector == Connector::Uncapped {
            let most = 1_000_000;
            settings.caps = Caps {
                plan_removals: most,
                plan_percent: 100,
                team_removals: most,
                team_percent: 100,
                hour_removals: most,
                hour_elevations: most,
            };
        }
        let provisioner = Provisioner::new(&scene.heroku, &scene.store, settings, &scene.clock, &()).unwrap();
        let plan = if !waiting.is_empty() && chance.percent(8) {
            waiting.swap_remove(chance.below(waiting.len()))
        } else {
            match provisioner.plan(ask, None).await {
                Ok(Planned::Plan(plan)) if chance.percent(5) => {
                    waiting.push(*plan);
                    self.deed.idle = true;
                    return "only planned".into();
                }
                Ok(Planned::Plan(plan)) => *plan,
                Ok(Planned::Unchanged(_)) => {
                    self.deed.idle = true;
                    return "unchanged".into();
                }
                Ok(Planned::Refused(refusal)) => {
                    self.deed.idle = true;
                    return format!("refused when planned by {}", refusal.rule.unwrap_or("the request"));
                }
                Err(error) => return self.failed(&error),
            }
        };
        self.deed.plan = plan.id();
        self.deed.told = format!("{} ({})", plan.title, plan.id());
        self.plan = Some(plan.clone());
        let right = plan.confirm_count();
        let first = match chance.below(100) {
            0..=3 => Some(right),
            4..=7 => Some(right + 1),
            _ => None,
        };
        match provisioner.apply(&plan.id(), first).await {
            Ok(applied) if applied.outcome == Outcome::Frozen && applied.calls == 0 && chance.percent(40) => {
                self.deed.released = Some(right);
                match provisioner.apply(&plan.id(), Some(right)).await {
                    Ok(applied) => format!("released, {}", self.ended(&applied)),
                    Err(error) => self.failed(&error),
                }
            }
            Ok(applied) => {
                self.deed.released = first.filter(|number| *number == right);
                if applied.outcome == Outcome::Frozen {
                    waiting.push(plan);
                }
                self.ended(&applied)
            }
            Err(error) => self.failed(&error),
        }
    }

    fn ended(&mut self, applied: &Applied) -> String {
        self.deed.calls = Some(applied.calls.into());
        self.applied = applied.outcome == Outcome::Applied;
        let reason = applied.reason.clone().unwrap_or_default();
        let rule = reason.split(':').next().filter(|rule| rule.len() <= 3 && rule.starts_with('R'));
        if applied.outcome == Outcome::Unknown {
            // Who was only invited gets another id with an account, and is not recognised by the old one.
            assert!(self.under_another_id(), "{}: nothing is in doubt here: {reason}", self.deed.told);
        }
        format!("{:?} {}", applied.outcome, rule.unwrap_or_default()).trim().to_owned()
    }

    fn under_another_id(&self) -> bool {
        let step = self.plan.as_ref().and_then(|plan| plan.steps.first());
        step.is_some_and(|step| {
            let id = self.scene.simulator.edit(|world| world.person_id(&step.person.email)).flatten();
            let known = step.person.id.as_ref().map(ToString::to_string);
            known.is_some() && id.is_some_and(|id| known != Some(id.to_string()))
        })
    }

    /// What cannot be found changes nothing.
    fn failed(&mut self, error: &EngineError) -> String {
        self.deed.idle = true;
        match error {
            EngineError::NotFound { .. } => "not found".into(),
            // An invitee who got an account by another way is known under two ids.
            EngineError::Ambiguous { .. } => "ambiguous".into(),
            EngineError::Upstream { source } => {
                let status = source.answer().map(|answer| answer.status);
                assert!(matches!(status, Some(403 | 404)), "{}: {source:?}", self.deed.told);
                "not to be read".into()
            }
            error => panic!("{}: {error:?}", self.deed.told),
        }
    }
}

/// Sends what is asked for, and asks nobody.
async fn recklessly(heroku: &Heroku, ask: &Ask) {
    let (user, on, grant) = match ask {
        Ask::Grant { user, on } => (user, on, true),
        Ask::Revoke { user, on } => (user, on, false),
        Ask::Remove { .. } => return,
    };
    let call = match on {
        On::Team { team, role } if grant => match role.parse::<TeamRole>() {
            Ok(role) => WriteCall::set_member(team, user, role),
            Err(_) => return,
        },
        On::Team { team, .. } => WriteCall::remove_member(team, user),
        On::App { app, permissions } if grant => {
            let asked = permissions.iter().filter_map(|name| name.parse::<AppPermission>().ok());
            WriteCall::set_permissions(app, user, asked)
        }
        On::App { app, .. } => WriteCall::remove_collaborator(app, user),
    };
    if let Ok(call) = call {
        drop(heroku.provisioning().unwrap().send_write(&call).await);
    }
}
