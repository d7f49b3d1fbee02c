//! A random estate with a connector beside it, and the other people who change it meanwhile.
//!
//! Invariant: the same seed gives the same estate, and the connector's own account is nobody else's to change.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use metsuke_clients::heroku::{Heroku, Settings};
use metsuke_engine::sync;
use metsuke_model::{FixedClock, Moment, SyncStatus};
use metsuke_simulator::{Manners, Options, Simulator, Size, World};
use metsuke_store::{OpenMode, Store};
use metsuke_testkit::Chance;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::checker::{Checker, Untouchable};

pub(super) const AT: Moment = Moment(1_795_000_000_000_000);

#[derive(Debug)]
pub(super) struct Scene {
    pub(super) simulator: Simulator,
    pub(super) store: Store,
    pub(super) heroku: Heroku,
    pub(super) clock: FixedClock,
    pub(super) untouchable: Untouchable,
    /// Addresses of everybody there was at the beginning.
    pub(super) people: Vec<String>,
    pub(super) teams: Vec<String>,
    pub(super) apps: Vec<String>,
    /// Who was changed by others since the last sync, by address.
    pub(super) stale: BTreeSet<String>,
    pub(super) kill_file: PathBuf,
    /// Where the store is.
    pub(super) url: String,
    _folder: tempfile::TempDir,
}

/// A client that waits long enough for a machine with much to do.
pub(super) fn client(simulator: &Simulator, token: &str) -> Heroku {
    let mut settings = Settings::new(simulator.url().parse().unwrap(), SecretString::from(token.to_owned()));
    settings.first_delay = Duration::from_millis(1);
    settings.max_delay = Duration::from_millis(4);
    Heroku::new(settings).unwrap()
}

impl Scene {
    pub(super) async fn new(size: Size, seed: u64, checker: &mut Checker) -> Self {
        let mut chance = Chance::new(seed);
        let manners = Manners {
            leavers_keep_apps: chance.percent(30),
            collaborators_linger: chance.percent(20),
            strangers_pending: chance.percent(20),
            standard_teams_invite: chance.percent(70),
            ..Manners::default()
        };
        let mut options = Options::of(size).seed(seed).manners(manners);
        options.rate_limit = false;
        let simulator = Simulator::local(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
        let store = Store::open(&url, OpenMode::Create).await.unwrap();
        let mut people = BTreeSet::new();
        let mut untouchable = Untouchable::default();
        let (teams, apps) = simulator
            .edit(|world| {
                prepare(world, &mut chance);
                for team in world.team_names() {
                    people.extend(world.members_of(&team).into_iter().map(|(email, _)| email));
                }
                let caller = world.caller_email();
                untouchable.connector =
                    (world.person_id(&caller).unwrap().to_string(), caller.to_lowercase());
                for email in &people {
                    let unsafely = if *email == caller { 70 } else { 50 };
                    sign_in(world, checker, email, (!chance.percent(unsafely), chance.percent(15)));
                }
                let mut apps: Vec<String> = world.app_names(None);
                apps.extend(world.team_names().iter().flat_map(|team| world.app_names(Some(team))));
                (world.team_names(), apps)
            })
            .unwrap();
        let scene = Self {
            heroku: client(&simulator, simulator.token()),
            simulator,
            store,
            clock: FixedClock::at(AT),
            untouchable,
            people: people.into_iter().collect(),
            teams,
            apps,
            stale: BTreeSet::new(),
            kill_file: folder.path().join("stop"),
            url,
            _folder: folder,
        };
        scene.sync().await;
        scene
    }

    /// Syncs; what others took away may be enough for the brake, and is accepted as an operator would.
    pub(super) async fn sync(&self) {
        let (settings, cancel) = (sync::Settings::default(), CancellationToken::new());
        let summary =
            sync::run(&self.heroku, &self.store, &settings, &self.clock, &(), &cancel).await.unwrap();
        if summary.report.status == SyncStatus::Quarantined {
            self.store.accept(summary.version, &self.clock).await.unwrap();
        }
    }

    /// Somebody of the estate, the connector and newcomers among them.
    pub(super) fn somebody(&self, chance: &mut Chance) -> String {
        match chance.below(100) {
            0..=3 => self.untouchable.connector.1.clone(),
            4..=12 => format!("newcomer-{}@example.com", chance.below(9)),
            13..=17 => {
                let protected: Vec<&String> = self.untouchable.protected.iter().collect();
                protected.get(chance.below(protected.len())).map_or_else(String::new, |name| (*name).clone())
            }
            _ => chance.one_of(&self.people).clone(),
        }
    }

    /// What somebody other than the connector does.
    pub(super) fn others_move(&mut self, chance: &mut Chance, checker: &mut Checker) {
        let (team, app) = (chance.one_of(&self.teams).clone(), chance.one_of(&self.apps).clone());
        let email = chance.one_of(&self.people).to_lowercase();
        if email == self.untouchable.connector.1 {
            return;
        }
        let stale = &mut self.stale;
        self.simulator.edit(|world| {
            let fine = world.enterprise_team_names().contains(&team);
            stale.insert(email.clone());
            match chance.below(9) {
                0 | 1 => {
                    let role = *chance.one_of(&["admin", "member", if fine { "viewer" } else { "admin" }]);
                    world.set_member(&team, &email, Some(role));
                }
                2 => _ = world.remove_member(&team, &email),
                3 | 4 => {
                    let of_team = world.app_names(Some(&team));
                    if fine && !of_team.is_empty() {
                        let sets: [&[&str]; 3] =
                            [&["view"], &["view", "deploy"], &["view", "operate", "manage"]];
                        let app: &String = chance.one_of(&of_team);
                        let set: &&[&str] = chance.one_of(&sets);
                        world.set_collaborator(app, &email, set);
                    }
                }
                5 => _ = world.remove_collaborator(&app, &email),
                6 | 7 => sign_in(world, checker, &email, (chance.percent(50), chance.percent(15))),
                _ => {
                    if let Some((invited, _)) = world.invitations_of(&team).first() {
                        world.accept_invitation(&team, invited);
                        stale.insert(invited.to_lowercase());
                    }
                }
            }
        });
    }
}

/// Says how somebody signs in, to the server and to the checker.
fn sign_in(world: &mut World, checker: &mut Checker, email: &str, (two_factor, federated): (bool, bool)) {
    let Some(id) = world.person_id(email) else { return };
    world.set_two_factor(email, two_factor);
    world.set_federated(email, federated);
    if two_factor || federated {
        checker.safe.insert(id.to_string());
    } else {
        checker.safe.remove(&id.to_string());
    }
}

/// More teams, with people who are in all of them, and more to lose.
fn prepare(world: &mut World, chance: &mut Chance) {
    let enterprises = world.enterprise_names();
    let mut people: Vec<String> = Vec::new();
    for team in world.team_names() {
        people.extend(world.members_of(&team).into_iter().map(|(email, _)| email));
    }
    let caller = world.caller_email();
    people.retain(|email| *email != caller);
    people.sort_unstable();
    people.dedup();
    for number in 0..4 {
        let name = format!("more-{number}");
        let enterprise = enterprises.first().filter(|_| number % 2 == 0);
        world.add_team(enterprise.map(String::as_str), &name);
        for email in people.iter().take(3).chain([chance.one_of(&people), chance.one_of(&people)]) {
            world.set_member(&name, email, Some(*chance.one_of(&["admin", "member", "member"])));
        }
        let app = format!("more-app-{number}");
        world.add_app(Some(&name), &app);
        world.add_app(None, &format!("own-app-{number}"));
        for email in people.iter().take(4) {
            let set: &[&str] = if enterprise.is_some() { &["view", "deploy"] } else { &[] };
            world.set_collaborator(&app, email, set);
            world.set_collaborator(&format!("own-app-{number}"), email, &[]);
        }
    }
    if chance.percent(40) {
        let team = chance.one_of(&world.team_names()).clone();
        world.set_role(&team, &caller, Some("member"));
    }
}
