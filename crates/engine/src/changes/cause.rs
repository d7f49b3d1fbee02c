//! Which entry of the change log a shift of access is told with.
//!
//! Invariant: every shift is told with exactly one entry, the one nearest to it: the row on the app, the role in its team,
//! the app, its team, the person.

use std::collections::{BTreeMap, HashMap};

use metsuke_model::access::{Access, ResourceType};
use metsuke_store::{ChangeKind, Changed, Logged, NewEffect};

use crate::access::shift::{Shift, Touched};
use metsuke_model::Kind;

/// Properties of an app on which access follows.
const OF_APPS: [&str; 3] = ["locked", "owner", "team"];
/// Properties of a team on which access to its apps follows.
const OF_TEAMS: [&str; 3] = ["enterprise_account", "listed", "type"];

/// The place of an entry, which entitlement it is about, and what became of it.
type Shifted<'l> = (u32, &'l str, ChangeKind);

/// The entries of a version's log, by what they are about.
#[derive(Debug, Default)]
pub(super) struct Causes<'l> {
    rows: HashMap<(i64, i64), Vec<Shifted<'l>>>,
    objects: HashMap<i64, u32>,
}

impl<'l> Causes<'l> {
    /// Sorts a log, and says what in it may have shifted access.
    pub(super) fn of(log: &'l [Logged]) -> (Self, Touched) {
        let (mut causes, mut touched) = (Self::default(), Touched::default());
        for (place, logged) in (0..).zip(log) {
            match (&logged.change.changed, logged.principal) {
                (Changed::Grant { resource_type, entitlement, .. }, Some(person)) => {
                    let row = (logged.object, person);
                    causes.rows.entry(row).or_default().push((place, entitlement, logged.change.change));
                    match resource_type {
                        ResourceType::App => touched.app_rows.insert(row),
                        ResourceType::Team => touched.team_rows.insert(row),
                        ResourceType::EnterpriseAccount | ResourceType::Space => false,
                    };
                }
                (Changed::Object { kind, before, after, .. }, _) => {
                    causes.objects.insert(logged.object, place);
                    let differs = |names: [&str; 3]| {
                        logged.change.change != ChangeKind::Changed
                            || names
                                .iter()
                                .any(|name| before.contains_key(*name) || after.contains_key(*name))
                    };
                    match kind {
                        Kind::App if differs(OF_APPS) => touched.apps.insert(logged.object),
                        Kind::Team if differs(OF_TEAMS) => touched.teams.insert(logged.object),
                        Kind::User if logged.change.change != ChangeKind::Changed => {
                            touched.people.insert(logged.object)
                        }
                        _ => false,
                    };
                }
                (Changed::Grant { .. }, None) => {}
            }
        }
        (causes, touched)
    }

    /// The place of the entry that a shift is told with.
    fn place(&self, shift: &Shift) -> Option<u32> {
        let teams = || shift.teams.into_iter().flatten();
        let row = |resource: i64| {
            let rows = self.rows.get(&(resource, shift.person))?;
            let same = |change: ChangeKind| (change == ChangeKind::Added) == shift.gained;
            rows.iter()
                .min_by_key(|(_, slug, change)| (!same(*change), **slug != *shift.entitlement))
                .map(|(place, ..)| *place)
        };
        row(shift.app)
            .or_else(|| teams().find_map(row))
            .or_else(|| self.objects.get(&shift.app).copied())
            .or_else(|| teams().find_map(|team| self.objects.get(&team).copied()))
            .or_else(|| self.objects.get(&shift.person).copied())
    }

    /// What each entry gave and took, by its place: its own row where that is on no app, and the shifts.
    pub(super) fn effects(&self, log: &[Logged], shifts: &[Shift]) -> BTreeMap<u32, Vec<NewEffect>> {
        let mut grouped: BTreeMap<(u32, i64, i64, bool, &str), Access> = BTreeMap::new();
        for (place, logged) in (0..).zip(log) {
            let Some(person) = logged.principal else { continue };
            if let Changed::Grant { resource_type, entitlement, .. } = &logged.change.changed
                && *resource_type != ResourceType::App
            {
                let gained = logged.change.change == ChangeKind::Added;
                let key = (place, logged.object, person, gained, "direct");
                grouped.entry(key).or_default().add(*resource_type, entitlement);
            }
        }
        for shift in shifts {
            if let Some(place) = self.place(shift) {
                let key = (place, shift.app, shift.person, shift.gained, &*shift.via);
                grouped.entry(key).or_default().add(ResourceType::App, &shift.entitlement);
            } else {
                tracing::debug!(app = shift.app, "access shifted with no entry of the log");
            }
        }
        let mut effects: BTreeMap<u32, Vec<NewEffect>> = BTreeMap::new();
        for ((place, resource, principal, gained, via), access) in grouped {
            let effect = NewEffect { resource, principal, gained, via: via.into(), access };
            effects.entry(place).or_default().push(effect);
        }
        effects
    }
}
