//! Makes the presets: estates of different kinds from a seed.
//!
//! Not the awkward rows, which `awkward` adds afterwards, nor the names that `hostile` gives.
//!
//! Invariant: a preset is a pure function of its size, its seed and the manners.

mod awkward;
mod hostile;
mod names;
mod people;
mod things;

use crate::options::{Manners, Size};

use super::World;

/// How much of everything an estate has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) enterprises: usize,
    pub(crate) enterprise_teams: usize,
    pub(crate) standard_teams: usize,
    pub(crate) people: usize,
    pub(crate) apps: usize,
    pub(crate) personal_apps: usize,
    /// Apps of strangers on which the caller is a collaborator.
    pub(crate) invited_apps: usize,
    pub(crate) spaces: usize,
    /// Teams of the first enterprise account in which the caller has no role.
    pub(crate) roleless_teams: usize,
    pub(crate) awkward: Awkwardness,
    /// Everything has a name that does harm where it is believed.
    pub(crate) hostile: bool,
}

/// How much there is to trip over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Awkwardness {
    #[default]
    None,
    Some,
    All,
}

impl Plan {
    /// The plan of a size; `None` for the one that is not held in memory.
    pub(crate) fn of(size: Size) -> Option<Self> {
        let base = Self { enterprises: 1, personal_apps: 2, ..Self::default() };
        Some(match size {
            Size::Small => {
                Self { enterprise_teams: 3, standard_teams: 1, people: 24, apps: 30, spaces: 1, ..base }
            }
            Size::Hostile => {
                Self { enterprise_teams: 12, standard_teams: 2, people: 48, apps: 60, hostile: true, ..base }
            }
            Size::Company { teams, people, apps } => Self {
                enterprises: if teams > 20 { 2 } else { 1 },
                enterprise_teams: teams - teams / 8,
                standard_teams: teams / 8,
                people,
                apps,
                personal_apps: 4,
                invited_apps: 2,
                spaces: 1 + teams / 10,
                ..base
            },
            Size::Enterprise => Self {
                enterprise_teams: 6,
                people: 120,
                apps: 150,
                personal_apps: 0,
                spaces: 2,
                roleless_teams: 1,
                ..base
            },
            Size::Standard => Self { enterprises: 0, standard_teams: 4, people: 40, apps: 50, ..base },
            Size::Personal => Self { enterprises: 0, people: 12, personal_apps: 8, invited_apps: 3, ..base },
            Size::Mixed | Size::Awkward => Self {
                enterprises: 2,
                enterprise_teams: 5,
                standard_teams: 3,
                people: 90,
                apps: 110,
                personal_apps: 4,
                invited_apps: 3,
                spaces: 2,
                roleless_teams: 1,
                awkward: if size == Size::Mixed { Awkwardness::Some } else { Awkwardness::All },
                hostile: false,
            },
            Size::Scale { .. } => return None,
        })
    }
}

/// Makes the estate of a plan.
pub(crate) fn world(plan: &Plan, seed: u64, manners: Manners) -> World {
    let mut world = World::empty(seed, manners);
    people::people(&mut world, plan);
    people::enterprises(&mut world, plan);
    people::teams(&mut world, plan);
    things::spaces(&mut world, plan);
    things::team_apps(&mut world, plan);
    things::personal_apps(&mut world, plan);
    things::addons(&mut world);
    things::pipelines(&mut world);
    if plan.awkward >= Awkwardness::Some {
        awkward::some(&mut world);
    }
    if plan.awkward == Awkwardness::All {
        awkward::all(&mut world);
    }
    if plan.hostile {
        hostile::names(&mut world);
    }
    if manners.large_team {
        awkward::large_team(&mut world);
    }
    world
}
