//! Judges what a connector did by what the server holds and by the server's own journal.
//!
//! Not by the connector's rules: the hour, the caps and the admins are counted here a second time, from the text of
//! the rules alone.
//!
//! Invariant: nothing that the connector stores or answers can acquit it of a write; only a typed number can.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_simulator::{Effect, Fate, PendingInvitation, Simulator, Written};

const HOUR: i64 = 3_600_000_000;

/// A broken rule, and what broke it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) rule: &'static str,
    pub(super) told: String,
}

/// What the server holds at one moment.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// Resource type, resource, entitlement, principal.
    pub(super) grants: BTreeSet<(String, String, String, String)>,
    pub(super) invitations: BTreeSet<PendingInvitation>,
    /// The rows of each team, by its id.
    sizes: BTreeMap<String, u64>,
    /// The team of each app, by its id.
    teams: BTreeMap<String, String>,
    people: u64,
}

impl Look {
    pub(super) fn at(simulator: &Simulator) -> Self {
        let truth = simulator.truth();
        let grants = truth
            .grants()
            .map(|grant| {
                (grant.resource_type.to_owned(), grant.resource_id, grant.entitlement, grant.principal_id)
            })
            .collect();
        let (mut sizes, mut teams) = (BTreeMap::new(), BTreeMap::new());
        simulator.edit(|world| {
            for team in world.team_names() {
                let id = world.team_id(&team).unwrap().to_string();
                sizes.insert(id.clone(), world.members_of(&team).len() as u64);
                for app in world.app_names(Some(&team)) {
                    teams.insert(world.app_id(&app).unwrap().to_string(), id.clone());
                }
            }
        });
        Self {
            grants,
            invitations: truth.invitations().collect(),
            sizes,
            teams,
            people: truth.users().count() as u64,
        }
    }

    /// The people who are admin of a team.
    fn admins<'a>(&'a self, team: &'a str) -> impl Iterator<Item = &'a str> {
        self.grants
            .iter()
            .filter(move |(kind, id, role, _)| kind == "team" && id == team && role == "admin")
            .map(|(.., person)| person.as_str())
    }

    /// What one person holds.
    pub(super) fn of(&self, person: &str) -> BTreeSet<(String, String, String, String)> {
        self.grants.iter().filter(|(.., holder)| holder == person).cloned().collect()
    }

    /// What a removal on this resource is counted for.
    fn unit(&self, effect: &Effect) -> String {
        self.teams.get(&effect.resource).unwrap_or(&effect.resource).clone()
    }
}

/// One operation of the connector, as its driver knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Deed {
    /// What was done, in words.
    pub(super) told: String,
    /// The plan it belongs to.
    pub(super) plan: String,
    /// When, on the connector's clock.
    pub(super) at: i64,
    /// Writes were forbidden by the kill switch.
    pub(super) killed: bool,
    /// The number that was typed and released it.
    pub(super) released: Option<usize>,
    /// It said that nothing was to be done, or that it was refused before anything was sent.
    pub(super) idle: bool,
    /// The calls it says it sent.
    pub(super) calls: Option<u64>,
}

/// Who must not be touched.
#[derive(Clone, Debug, Default)]
pub(super) struct Untouchable {
    pub(super) connector: (String, String),
    /// Addresses and ids.
    pub(super) protected: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Counted {
    at: i64,
    plan: String,
    removals: BTreeSet<String>,
    leavers: BTreeMap<String, u64>,
    elevations: u64,
}

/// The second count of everything done so far.
#[derive(Debug, Default)]
pub(super) struct Checker {
    done: Vec<Counted>,
    /// Who signs in safely, by id; nobody else does.
    pub(super) safe: BTreeSet<String>,
    /// Changes that were seen.
    pub(super) changes: u64,
    /// Operations that were released by a number and changed something.
    pub(super) released: u64,
}

impl Checker {
    /// Every rule that the operation broke.
    pub(super) fn judge(
        &mut self,
        deed: &Deed,
        untouchable: &Untouchable,
        (before, after): (&Look, &Look),
        writes: &[Written],
    ) -> Vec<Broken> {
        let mut broken = Vec::new();
        let mut say =
            |rule, told: String| broken.push(Broken { rule, told: format!("{}: {told}", deed.told) });
        for (team, size) in &before.sizes {
            self.admins(team, *size, (before, after), &mut say);
        }
        let connector = &untouchable.connector;
        if before.of(&connector.0) != after.of(&connector.0) {
            say("R2", "the connector's own rows are no longer what they were".into());
        }
        let effects: Vec<(&Written, &Effect)> = writes
            .iter()
            .filter(|write| write.changed())
            .flat_map(|write| write.effects().iter().map(move |effect| (write, effect)))
            .collect();
        self.changes += effects.len() as u64;
        for (_, effect) in &effects {
            let names = [Some(effect.subject.to_lowercase()), effect.email.as_deref().map(str::to_lowercase)];
            let names: BTreeSet<String> = names.into_iter().flatten().collect();
            if names.contains(&connector.0) || names.contains(&connector.1) {
                say("R2", format!("the connector was touched: {effect:?}"));
            }
            if names.iter().any(|name| untouchable.protected.contains(name)) {
                say("R3", format!("somebody protected was touched: {effect:?}"));
            }
            if !matches!(effect.kind, "team" | "app" | "invitation") {
                say("scope", format!("what no operation is about was changed: {effect:?}"));
            }
        }
        if deed.killed && !writes.is_empty() {
            say("R11", format!("{} writes arrived with the kill switch on", writes.len()));
        }
        if deed.idle && !writes.is_empty() {
            say("idle", format!("{} writes arrived, and nothing was said to be sent", writes.len()));
        }
        if deed.calls.is_some_and(|calls| calls != writes.len() as u64) {
            say("calls", format!("{:?} calls were told of, and {} arrived", deed.calls, writes.len()));
        }
        for write in writes {
            if let Fate::Refused { message, .. } = &write.fate
                && message.contains("at least one admin")
            {
                say("R1", format!("only Heroku kept the last admin: {} {}", write.method, write.path));
            }
        }
        self.caps(deed, before, &effects, &mut say);
        broken
    }

    fn admins(
        &self,
        team: &str,
        size: u64,
        (before, after): (&Look, &Look),
        say: &mut impl FnMut(&'static str, String),
    ) {
        if before.admins(team).next().is_some() && after.admins(team).next().is_none() {
            say("R1", format!("team {team} of {size} has no admin any more"));
        }
        let safe = |person: &&str| self.safe.contains(*person);
        if before.admins(team).any(|person| safe(&person)) && !after.admins(team).any(|person| safe(&person))
        {
            say("R1", format!("team {team} of {size} has no admin any more who signs in safely"));
        }
    }

    /// Counts the operation, and says which cap of the hour it went over.
    fn caps(
        &mut self,
        deed: &Deed,
        before: &Look,
        effects: &[(&Written, &Effect)],
        say: &mut impl FnMut(&'static str, String),
    ) {
        let mut now = Counted {
            at: deed.at,
            plan: deed.plan.clone(),
            removals: BTreeSet::new(),
            leavers: BTreeMap::new(),
            elevations: 0,
        };
        for (write, effect) in effects {
            now.count(write, effect, before);
        }
        if now.removals.is_empty() && now.elevations == 0 {
            return;
        }
        let (removed, elevated, left) = (!now.removals.is_empty(), now.elevations > 0, now.leavers.clone());
        self.done.push(now);
        let hour: Vec<&Counted> = self.done.iter().filter(|done| done.at > deed.at - HOUR).collect();
        if let Some(number) = deed.released {
            self.released += 1;
            let now = self.done.last().unwrap();
            let count = now.removals.len() as u64 + now.elevations;
            if count > number as u64 {
                say("R4", format!("{number} was typed, and {count} removals and elevations were done"));
            }
            return;
        }
        let pairs: BTreeSet<(&str, &str)> = hour
            .iter()
            .flat_map(|done| done.removals.iter().map(|unit| (done.plan.as_str(), unit.as_str())))
            .collect();
        if removed && pairs.len() > 50 {
            say("R4", format!("{} removals in an hour", pairs.len()));
        }
        let elevations: u64 = hour.iter().map(|done| done.elevations).sum();
        if elevated && elevations > 5 {
            say("R4", format!("{elevations} elevations in an hour"));
        }
        for team in left.keys() {
            let gone: u64 = hour.iter().filter_map(|done| done.leavers.get(team)).sum();
            let size = before.sizes.get(team).copied().unwrap_or_default();
            if gone > (size / 5).max(1) {
                say("R4", format!("{gone} people left team {team} of {size} in an hour"));
            }
        }
        let of_plan = self.done.iter().filter(|done| done.plan == deed.plan);
        let of_plan: BTreeSet<&String> = of_plan.flat_map(|done| &done.removals).collect();
        if removed && of_plan.len() as u64 > (before.people / 50).max(5) {
            say("R4", format!("{} removals in one plan", of_plan.len()));
        }
    }
}

impl Counted {
    fn count(&mut self, write: &Written, effect: &Effect, before: &Look) {
        let (old, new) = (effect.before.as_deref(), effect.after.as_deref());
        let set = |text: Option<&str>| -> BTreeSet<String> {
            text.unwrap_or_default()
                .split(',')
                .filter(|word| !word.is_empty())
                .map(ToOwned::to_owned)
                .collect()
        };
        match effect.kind {
            "team" => {
                let leaves = match (old, new) {
                    (Some(_), None) => true,
                    // Who is taken out and stays on apps stays as their collaborator.
                    (Some(_), Some("collaborator")) => write.method == "DELETE",
                    _ => false,
                };
                if leaves {
                    self.removals.insert(before.unit(effect));
                    if old != Some("collaborator") {
                        *self.leavers.entry(effect.resource.clone()).or_default() += 1;
                    }
                }
                self.elevations += u64::from(new == Some("admin") && old != Some("admin"));
            }
            "app" => {
                if old.is_some() && (new.is_none() || !set(old).is_subset(&set(new))) {
                    self.removals.insert(before.unit(effect));
                }
                self.elevations += u64::from(set(new).contains("manage") && !set(old).contains("manage"));
            }
            "invitation" => self.elevations += u64::from(new == Some("admin") && old != Some("admin")),
            _ => {}
        }
    }
}
