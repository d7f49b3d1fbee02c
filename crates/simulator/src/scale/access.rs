//! Who is in which team and on which app, by arithmetic.
//!
//! Not wire rows: `rows`.
//!
//! Invariant: a generation changes who holds what, never how many grants there are.

use super::{Scale, Shuffle};
use crate::value::mix;

/// One person on one app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) user: u64,
    /// The person's place among the team's members.
    pub(crate) place: u64,
    pub(crate) permissions: Vec<&'static str>,
}

impl Scale {
    pub(crate) fn member_count(&self, team: u64) -> u64 {
        usize::try_from(team).ok().and_then(|team| self.members.get(team)).copied().map_or(0, u64::from)
    }

    /// The person at a place of a team; the caller is at the first of every team.
    pub(crate) fn member(&self, team: u64, place: u64) -> u64 {
        if place == 0 {
            return 0;
        }
        1 + self.roster(team).at(place - 1)
    }

    /// The place of a person in a team.
    pub(crate) fn place(&self, team: u64, user: u64) -> Option<u64> {
        let place = if user == 0 { 0 } else { 1 + self.roster(team).undo(user - 1) };
        (place < self.member_count(team)).then_some(place)
    }

    fn roster(&self, team: u64) -> Shuffle {
        Shuffle::new(mix(self.seed, 20 + team), self.people - 1)
    }

    pub(crate) fn role(&self, team: u64, place: u64, generation: u64) -> &'static str {
        const ROLES: [&str; 4] = ["member", "viewer", "collaborator", "admin"];
        if place == 0 {
            return "admin";
        }
        let salt = mix(mix(self.seed, 30 + team), place);
        let base = match salt % 100 {
            0..=69 => 0,
            70..=79 => 1,
            80..=91 => 2,
            _ => 3,
        };
        let turns = usize::try_from(touches(salt, generation)).unwrap_or(0);
        ROLES.get((base + turns) % ROLES.len()).copied().unwrap_or("member")
    }

    /// People in an enterprise account: its share of all, and the caller.
    pub(crate) fn account_size(&self, account: u64) -> u64 {
        let share = (self.people - account).div_ceil(self.enterprises);
        share + u64::from(account != 0)
    }

    pub(crate) const fn account_member(&self, account: u64, place: u64) -> u64 {
        match (account, place) {
            (0, place) => place * self.enterprises,
            (_, 0) => 0,
            (account, place) => account + (place - 1) * self.enterprises,
        }
    }

    pub(crate) fn account_permissions(&self, user: u64) -> Vec<&'static str> {
        let salt = mix(self.seed ^ 0x00ac_c0de, user);
        let mut held = vec!["view"];
        for (name, one_in) in [("create", 12), ("manage", 25), ("billing", 20)] {
            if user == 0 || mix(salt, one_in).is_multiple_of(one_in) {
                held.push(name);
            }
        }
        held
    }

    pub(super) fn enterprise_grants(&self) -> u64 {
        let per_account = |account| {
            (0..self.account_size(account))
                .map(move |place| self.account_permissions(self.account_member(account, place)).len() as u64)
                .sum::<u64>()
        };
        (0..self.enterprises).map(per_account).sum()
    }

    /// Grants on all apps before this one.
    fn before(&self, app: u64) -> u64 {
        let count = self.apps.count;
        let even = u128::from(app) * u128::from(self.app_grants) / u128::from(count);
        let jitter =
            if app == 0 || app >= count { 0 } else { mix(self.seed ^ 0x0099, app) % (self.spread + 1) };
        u64::try_from(even).unwrap_or(u64::MAX) + jitter
    }

    pub(crate) fn team_of(&self, app: u64) -> u64 {
        usize::try_from(app).ok().and_then(|app| self.app_team.get(app)).copied().map_or(0, u64::from)
    }

    /// The apps of a team, by index, in order.
    pub(crate) fn apps_of(&self, team: u64) -> &[u32] {
        let bound = |at: u64| {
            let at = usize::try_from(at).ok().and_then(|at| self.begins.get(at)).copied().unwrap_or(0);
            usize::try_from(at).unwrap_or(0)
        };
        self.team_apps.get(bound(team)..bound(team + 1)).unwrap_or_default()
    }

    pub(crate) const fn locked(&self, app: u64) -> bool {
        mix(self.seed ^ 0x10c, app) % 100 < 15
    }

    /// Everybody named on an app.
    pub(crate) fn app_users(&self, app: u64, generation: u64) -> Vec<Holder> {
        let mut left = self.before(app + 1) - self.before(app);
        let salt = mix(self.seed ^ 0xa99, app);
        let mut sizes = Vec::with_capacity(8);
        while left > 0 {
            let nth = sizes.len() as u64;
            let mut size = (2 + mix(salt, nth) % 4).min(left);
            if left - size == 1 {
                // One grant cannot stand alone: a collaborator holds at least `view` besides.
                size = if size == 5 { 4 } else { size + 1 };
            }
            left -= size;
            sizes.push(size);
        }
        let team = self.team_of(app);
        let roster = self.roster(team);
        let lane = self.member_count(team) / (sizes.len() as u64).max(1);
        let mut holders = Vec::with_capacity(sizes.len());
        for (nth, size) in (0_u64..).zip(sizes) {
            // Every person has a lane of the roster to themselves, so nobody is named twice.
            let draw = mix(salt ^ 0x1a4e, nth);
            let place = nth * lane + (draw + touches(draw, generation)) % lane.max(1);
            let user = if place == 0 { 0 } else { 1 + roster.at(place - 1) };
            holders.push(Holder { user, place, permissions: permissions(size, draw) });
        }
        holders
    }
}

/// How often something has changed up to a generation: each one changes it with a chance of 1 %.
fn touches(salt: u64, generation: u64) -> u64 {
    (1..=generation).filter(|turn| mix(salt ^ 0x0006_e400, *turn).is_multiple_of(100)).count() as u64
}

/// `view` and as many others as make `size` with `collaborator`.
fn permissions(size: u64, draw: u64) -> Vec<&'static str> {
    const OTHERS: [&str; 3] = ["deploy", "operate", "manage"];
    if size < 2 {
        return Vec::new();
    }
    let from = usize::try_from(draw >> 8 & 0xff).unwrap_or(0);
    let others = usize::try_from(size - 2).unwrap_or(0);
    let mut held = vec!["view"];
    held.extend(OTHERS.iter().cycle().skip(from % 3).take(others.min(3)));
    held
}
