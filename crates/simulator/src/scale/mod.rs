//! The estate that is too large to hold: every row is made from the seed and its index when it is asked for.
//!
//! Not changeable, except by moving to another generation.
//!
//! Invariant: ids grow with the index, so a page by id is arithmetic; the number of grants is exactly what was asked.

mod access;
mod read;
mod rows;

use crate::SimulatorError;
use crate::truth::Grant;
use crate::value::{Id, mix};

/// Ids whose order is the order of their indexes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series {
    salt: u64,
    count: u64,
}

impl Series {
    pub(crate) const fn new(salt: u64, count: u64) -> Self {
        Self { salt, count }
    }

    pub(crate) fn id(self, index: u64) -> Id {
        let step = (1_u64 << 48) / self.count.max(1);
        let noise = mix(self.salt, index);
        let top = index * step + noise % step.max(1);
        Id::from_bits(
            (u128::from(top) << 80)
                | u128::from(mix(noise, self.salt))
                | (u128::from(noise) << 64 & (0xffff << 64)),
        )
    }

    /// The index of an id of this series.
    pub(crate) fn index(self, id: Id) -> Option<u64> {
        let step = (1_u64 << 48) / self.count.max(1);
        let index = u64::try_from(id.0 >> 80).ok()? / step.max(1);
        (index < self.count && self.id(index) == id).then_some(index)
    }
}

/// A shuffle of `0..count` that can be undone by arithmetic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shuffle {
    count: u64,
    stride: u64,
    back: u64,
    offset: u64,
}

impl Shuffle {
    pub(crate) fn new(salt: u64, count: u64) -> Self {
        let count = count.max(1);
        let mut stride = count * 618 / 1_000 + 1 + mix(salt, 1) % 97;
        while common(stride, count) != 1 {
            stride += 1;
        }
        let stride = stride % count.max(2);
        Self { count, stride, back: inverse(stride, count), offset: mix(salt, 2) % count }
    }

    pub(crate) const fn at(self, index: u64) -> u64 {
        (index % self.count * self.stride + self.offset) % self.count
    }

    pub(crate) const fn undo(self, place: u64) -> u64 {
        (place + self.count - self.offset) % self.count * self.back % self.count
    }
}

const fn common(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common(b, a % b) }
}

/// The number that undoes multiplication by `of` modulo `modulus`, by Euclid's algorithm.
fn inverse(of: u64, modulus: u64) -> u64 {
    let (mut old, mut new) = (i128::from(of), i128::from(modulus));
    let (mut old_factor, mut factor) = (1_i128, 0_i128);
    while new != 0 {
        let quotient = old / new;
        (old, new) = (new, old - quotient * new);
        (old_factor, factor) = (factor, old_factor - quotient * factor);
    }
    u64::try_from(old_factor.rem_euclid(i128::from(modulus))).unwrap_or(0)
}

/// Sizes, a few numbers per team, and two indexes of four bytes per app.
#[derive(Debug)]
pub(crate) struct Scale {
    seed: u64,
    enterprises: u64,
    people: u64,
    users: Series,
    teams: Series,
    apps: Series,
    accounts: Series,
    addons: Series,
    attachments: Series,
    pipelines: Series,
    couplings: Series,
    /// Members of each team.
    members: Vec<u32>,
    /// The apps of all teams, one team after the other, in order within a team.
    team_apps: Vec<u32>,
    /// Where each team begins in `team_apps`.
    begins: Vec<u32>,
    app_team: Vec<u32>,
    /// Grants on apps, which is what the roles and the enterprise permissions leave.
    app_grants: u64,
    /// How far the grants of one app may be from the average.
    spread: u64,
    total: u64,
    addon_home: Shuffle,
    coupled: Shuffle,
}

impl Scale {
    pub(crate) fn new(
        seed: u64,
        teams: u32,
        apps: u32,
        people: u32,
        grants: u64,
    ) -> Result<Self, SimulatorError> {
        let wrong = |reason: String| SimulatorError::Size { reason };
        if teams == 0 || apps == 0 || people < 30 {
            return Err(wrong("it takes at least 1 team, 1 app and 30 people".to_owned()));
        }
        let (team_count, app_count, people) = (u64::from(teams), u64::from(apps), u64::from(people));
        let addons = app_count * 8 / 10;
        let pipelines = app_count / 200;
        let series = |kind: u64, count: u64| Series::new(mix(seed, kind), count);
        let enterprises = (team_count / 250).clamp(1, people / 10);
        let (team_apps, begins, app_team) = deal(seed, teams, apps);
        let mut scale = Self {
            seed,
            enterprises,
            people,
            users: series(1, people),
            teams: series(2, team_count),
            apps: series(3, app_count),
            accounts: series(4, enterprises),
            addons: series(5, addons),
            attachments: series(6, addons + addons / 20),
            pipelines: series(7, pipelines),
            couplings: series(8, pipelines * 2),
            members: Vec::new(),
            team_apps,
            begins,
            app_team,
            app_grants: 0,
            spread: 0,
            total: grants,
            addon_home: Shuffle::new(mix(seed, 9), app_count),
            coupled: Shuffle::new(mix(seed, 10), app_count),
        };
        let rough = grants / app_count;
        let most = rough * 4 / 5 + 2;
        let least = (most * 2).max(6);
        if least > people / 2 {
            return Err(wrong(format!("{grants} grants on {apps} apps need more than {people} people")));
        }
        scale.members = crew(teams, people, least);
        let roles: u64 = scale.members.iter().copied().map(u64::from).sum();
        let fixed = roles + scale.enterprise_grants();
        let Some(left) = grants.checked_sub(fixed) else {
            return Err(wrong(format!("team roles and enterprise permissions alone are {fixed} grants")));
        };
        scale.app_grants = left;
        let average = left / app_count;
        scale.spread = if average < 4 { 0 } else { average * 6 / 10 };
        Ok(scale)
    }

    pub(crate) fn caller(&self) -> (Id, String) {
        (self.users.id(0), self.email(0))
    }

    pub(crate) const fn grant_count(&self) -> u64 {
        self.total
    }

    pub(crate) fn user_ids(&self) -> impl Iterator<Item = Id> + '_ {
        (0..self.people).map(|at| self.users.id(at))
    }

    pub(crate) fn team_ids(&self) -> impl Iterator<Item = Id> + '_ {
        (0..self.teams.count).map(|at| self.teams.id(at))
    }

    pub(crate) fn app_ids(&self) -> impl Iterator<Item = Id> + '_ {
        (0..self.apps.count).map(|at| self.apps.id(at))
    }

    pub(crate) fn enterprise_ids(&self) -> impl Iterator<Item = Id> + '_ {
        (0..self.enterprises).map(|at| self.accounts.id(at))
    }

    pub(crate) fn addon_ids(&self) -> impl Iterator<Item = Id> + '_ {
        (0..self.addons.count).map(|at| self.addons.id(at))
    }

    /// Every direct grant: teams first, then enterprise accounts, then apps.
    pub(crate) fn grants(&self, generation: u64) -> impl Iterator<Item = Grant> + '_ {
        let grant = |resource_type, resource: Id, entitlement: &str, principal: Id| Grant {
            resource_type,
            resource_id: resource.to_string(),
            entitlement: entitlement.to_owned(),
            principal_id: principal.to_string(),
        };
        let teams = (0..self.teams.count).flat_map(move |team| {
            (0..self.member_count(team)).map(move |at| {
                let user = self.users.id(self.member(team, at));
                grant("team", self.teams.id(team), self.role(team, at, generation), user)
            })
        });
        let accounts = (0..self.enterprises).flat_map(move |account| {
            (0..self.account_size(account)).flat_map(move |at| {
                let user = self.account_member(account, at);
                let (id, account) = (self.users.id(user), self.accounts.id(account));
                self.account_permissions(user)
                    .into_iter()
                    .map(move |name| grant("enterprise_account", account, name, id))
            })
        });
        let apps = (0..self.apps.count).flat_map(move |app| {
            self.app_users(app, generation).into_iter().flat_map(move |holder| {
                let (id, app) = (self.users.id(holder.user), self.apps.id(app));
                holder
                    .permissions
                    .into_iter()
                    .chain(["collaborator"])
                    .map(move |name| grant("app", app, name, id))
            })
        });
        teams.chain(accounts).chain(apps)
    }
}

/// Deals the apps out to the teams, a few of which own very many.
fn deal(seed: u64, teams: u32, apps: u32) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let ranks = Shuffle::new(mix(seed, 11), u64::from(teams));
    let weight = |team: u32| {
        let rank = u32::try_from(ranks.at(u64::from(team))).unwrap_or(0);
        1.0 / (f64::from(rank) + 3.0)
    };
    let total: f64 = (0..teams).map(weight).sum();
    let places = Shuffle::new(mix(seed, 12), u64::from(apps));
    let (mut begins, mut sum) = (vec![0_u32], 0.0);
    for team in 0..teams {
        sum += weight(team);
        let end = if team + 1 == teams { apps } else { whole(f64::from(apps) * sum / total).min(apps) };
        begins.push(end);
    }
    let mut team_apps: Vec<u32> =
        (0..apps).map(|at| u32::try_from(places.at(u64::from(at))).unwrap_or(0)).collect();
    let mut app_team = vec![0_u32; team_apps.len()];
    for ((from, to), team) in begins.iter().zip(begins.iter().skip(1)).zip(0_u32..) {
        let span = usize::try_from(*from).unwrap_or(0)..usize::try_from(*to).unwrap_or(0);
        if let Some(own) = team_apps.get_mut(span) {
            own.sort_unstable();
            for app in own {
                if let Some(slot) = usize::try_from(*app).ok().and_then(|app| app_team.get_mut(app)) {
                    *slot = team;
                }
            }
        }
    }
    (team_apps, begins, app_team)
}

/// The number of members of each team: about two memberships a person, never fewer than `least` a team.
fn crew(teams: u32, people: u64, least: u64) -> Vec<u32> {
    let weight = |team: u32| 1.0 / (f64::from(team % 97) + 3.0).sqrt();
    let total: f64 = (0..teams).map(weight).sum();
    let people = u32::try_from(people).unwrap_or(u32::MAX);
    let least = u32::try_from(least).unwrap_or(u32::MAX);
    (0..teams)
        .map(|team| whole(2.0 * f64::from(people) * weight(team) / total).clamp(least, people / 2))
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares of a u32 are between 0 and that u32"
)]
const fn whole(share: f64) -> u32 {
    share as u32
}
