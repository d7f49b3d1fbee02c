//! The estate that is held in memory and can be changed.
//!
//! Not its wire form (`wire`), nor how it comes to be (`seed`).
//!
//! Invariant: every reference by id inside a `World` leads somewhere, except where a preset breaks it on purpose.

mod ask;
mod credentials;
mod edit;
mod edit_apps;
mod edit_teams;
mod edit_things;
mod find;
mod live;
mod read;
mod rows;
pub(crate) mod seed;
mod sight;
mod standing;
mod trail;
mod truth;
mod webhooks;
mod write;
mod write_apps;
mod write_enterprises;
mod write_teams;

use std::collections::{BTreeMap, BTreeSet};

use crate::options::Manners;
use crate::value::{Chance, EPOCH, Id, Stamp};

pub(crate) use credentials::Credentials;
pub(crate) use live::Live;
pub(crate) use read::read;
pub(crate) use truth::truth;
pub(crate) use webhooks::Outgoing;
pub(crate) use write::write;

/// A whole estate: people, teams, apps and what hangs on them. Change it through its methods.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) manners: Manners,
    pub(crate) caller: Id,
    pub(crate) people: BTreeMap<Id, Person>,
    pub(crate) enterprises: BTreeMap<Id, Enterprise>,
    pub(crate) teams: BTreeMap<Id, Team>,
    pub(crate) apps: BTreeMap<Id, App>,
    pub(crate) spaces: BTreeMap<Id, Space>,
    pub(crate) addons: BTreeMap<Id, AddOn>,
    pub(crate) attachments: BTreeMap<Id, Attachment>,
    pub(crate) pipelines: BTreeMap<Id, Pipeline>,
    pub(crate) couplings: BTreeMap<Id, Coupling>,
    pub(crate) credentials: Credentials,
    pub(crate) chance: Chance,
    pub(crate) clock: Stamp,
    /// App and person of collaborators who are gone but are still shown.
    pub(crate) leaving: BTreeSet<(Id, Id)>,
    /// Events of audit trails that no row tells of.
    pub(crate) told: Vec<trail::Told>,
    /// Who acts by hand; none is the caller.
    pub(crate) actor: Option<trail::Actor>,
    /// Who made a row that the caller has not made, by its id and the moment.
    pub(crate) makers: BTreeMap<(Id, Stamp), trail::Actor>,
    pub(crate) webhooks: BTreeMap<Id, webhooks::Webhook>,
    /// Changes happen at the machine's time, where that is later than the estate's own.
    pub(crate) live_clock: bool,
}

/// Somebody, known by one id everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: Id,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    pub(crate) federated: bool,
    pub(crate) two_factor: bool,
    pub(crate) last_login: Option<Stamp>,
    pub(crate) created: Stamp,
}

impl Person {
    /// Somebody of whom nothing is known but an address.
    pub(crate) fn newcomer(id: Id, email: &str, created: Stamp) -> Self {
        Self {
            id,
            email: email.to_owned(),
            name: None,
            federated: false,
            two_factor: false,
            last_login: None,
            created,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Enterprise {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) trial: bool,
    pub(crate) provider: Option<Id>,
    pub(crate) members: BTreeMap<Id, EnterpriseMember>,
    pub(crate) created: Stamp,
    pub(crate) updated: Stamp,
}

#[derive(Clone, Debug)]
pub(crate) struct EnterpriseMember {
    pub(crate) id: Id,
    /// `None` gives a row whose `user` is null.
    pub(crate) user: Option<Id>,
    pub(crate) email: String,
    pub(crate) permissions: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Team {
    pub(crate) id: Id,
    pub(crate) name: String,
    /// The enterprise account it belongs to; `None` is a standard team.
    pub(crate) enterprise: Option<Id>,
    /// New members must be invited (feature `team-invite-acceptance`).
    pub(crate) wants_invitations: bool,
    pub(crate) members: BTreeMap<Id, Member>,
    pub(crate) invitations: BTreeMap<Id, Invitation>,
    pub(crate) created: Stamp,
    pub(crate) updated: Stamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: Id,
    /// `None` gives a row whose `user` is null: someone who has not accepted yet.
    pub(crate) user: Option<Id>,
    /// The address as this list spells it.
    pub(crate) email: String,
    pub(crate) role: Option<String>,
    pub(crate) created: Stamp,
    pub(crate) updated: Stamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Invitation {
    pub(crate) id: Id,
    pub(crate) user: Id,
    pub(crate) email: String,
    pub(crate) role: Option<String>,
    pub(crate) by: Id,
    pub(crate) created: Stamp,
    pub(crate) updated: Stamp,
}

/// Who an app belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Team(Id),
    Person(Id),
    /// A team app whose `owner` is null on the wire.
    Nobody(Id),
}

#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) owner: Owner,
    pub(crate) space: Option<Id>,
    pub(crate) locked: bool,
    pub(crate) archived: Option<Stamp>,
    /// Missing from `/apps` when the manners hide unjoined apps.
    pub(crate) shy: bool,
    pub(crate) collaborators: BTreeMap<Id, Collaborator>,
    pub(crate) created: Stamp,
    pub(crate) updated: Stamp,
}

impl App {
    /// The team it belongs to, if any.
    pub(crate) const fn team(&self) -> Option<Id> {
        match self.owner {
            Owner::Team(team) | Owner::Nobody(team) => Some(team),
            Owner::Person(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Collaborator {
    pub(crate) id: Id,
    pub(crate) user: Id,
    pub(crate) email: String,
    pub(crate) role: Option<String>,
    pub(crate) permissions: Vec<String>,
    pub(crate) created: Stamp,
    pub(crate) updated: Stamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Space {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) team: Id,
    pub(crate) shield: bool,
    /// Row id, person, permissions.
    pub(crate) members: Vec<(Id, Id, Vec<String>)>,
    pub(crate) created: Stamp,
}

#[derive(Clone, Debug)]
pub(crate) struct AddOn {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) app: Id,
    /// Index into the catalogue of services.
    pub(crate) service: usize,
    pub(crate) plan: usize,
    pub(crate) priced: bool,
    pub(crate) created: Stamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Attachment {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) addon: Id,
    pub(crate) app: Id,
    pub(crate) created: Stamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) owner: Option<Owner>,
    pub(crate) created: Stamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Coupling {
    pub(crate) id: Id,
    pub(crate) pipeline: Id,
    pub(crate) app: Id,
    pub(crate) stage: &'static str,
    pub(crate) created: Stamp,
}

impl World {
    pub(crate) fn empty(seed: u64, manners: Manners) -> Self {
        Self {
            manners,
            caller: Id::default(),
            people: BTreeMap::new(),
            enterprises: BTreeMap::new(),
            teams: BTreeMap::new(),
            apps: BTreeMap::new(),
            spaces: BTreeMap::new(),
            addons: BTreeMap::new(),
            attachments: BTreeMap::new(),
            pipelines: BTreeMap::new(),
            couplings: BTreeMap::new(),
            credentials: Credentials::default(),
            chance: Chance::new(seed),
            clock: EPOCH,
            leaving: BTreeSet::new(),
            told: Vec::new(),
            actor: None,
            makers: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            live_clock: false,
        }
    }

    /// The time of the next change: each is a second after the one before, or later.
    pub(crate) fn tick(&mut self) -> Stamp {
        self.clock = Stamp(self.clock.0 + 1);
        if self.live_clock {
            self.clock = self.clock.max(Stamp::now());
        }
        self.clock
    }
}
