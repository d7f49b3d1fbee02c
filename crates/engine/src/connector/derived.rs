//! What follows from direct access on an app: as edges that hold for everybody, and as single lines where they do not.
//!
//! Invariant: direct access, one step along the edges from it, and the single lines together are the effective access of
//! [`grants`](crate::access::grants).

use metsuke_model::ResourceType;
use metsuke_model::access::{Entitlement, Mask};
use metsuke_model::derive::{self, Owner};

use super::view::{At, View};

/// Whoever directly holds the source holds the target, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge<'v> {
    /// What has to be held.
    pub source: Source<'v>,
    /// What follows on the app.
    pub target: Entitlement,
}

/// Something that gives more than itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source<'v> {
    /// A role in the team of the app: the team's place, and the role.
    Team(usize, &'static str),
    /// An entitlement on the app itself.
    Own(&'v str),
}

/// A derived grant that follows from no edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Given {
    /// Who: a place in [`View::users`].
    pub user: usize,
    /// What on the app.
    pub entitlement: Entitlement,
    /// What it follows from.
    pub because: Because,
}

/// What a derived grant follows from that is no edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Because {
    /// The person owns the app.
    Owner,
    /// The app's listing names the person without single permissions, and the kind of its team is not known.
    Collaborator,
}

impl Because {
    /// The word that a path shows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => Entitlement::OWNER.slug(),
            Self::Collaborator => Entitlement::COLLABORATOR.slug(),
        }
    }
}

impl View {
    /// What follows for everybody from roles in the app's team and from entitlements on the app, whether or not
    /// somebody holds them.
    ///
    /// One step is enough: nothing that follows gives more.
    #[must_use]
    pub fn edges(&self, app: usize) -> Vec<Edge<'_>> {
        let Some(record) = self.apps.get(app) else { return Vec::new() };
        let owner = self.kind_of_owner(app);
        let mut edges = Vec::new();
        if let Some(team) = self.team_of(app) {
            for role in ResourceType::Team.entitlements() {
                let gives = derive::from_team_role(*role, owner, record.locked.unwrap_or(false));
                add(&mut edges, Source::Team(team, role.slug()), gives);
            }
        }
        for entitlement in ResourceType::App.entitlements() {
            if !is_personal_rule(*entitlement, owner) {
                let gives = derive::from_app_entitlement(*entitlement, entitlement.mask(), owner);
                add(&mut edges, Source::Own(entitlement.slug()), gives);
            }
        }
        for slug in self.unknown_slugs(At::App(app)) {
            add(&mut edges, Source::Own(slug), Entitlement::VIEW.mask());
        }
        edges
    }

    /// The derived grants on the app that no edge gives, in the order of users and entitlements.
    #[must_use]
    pub fn given(&self, app: usize) -> Vec<Given> {
        let owner = self.kind_of_owner(app);
        let mut given = Vec::new();
        let mut add = |user: usize, gives: Mask, because: Because| {
            let left = gives.without(self.held_or_followed(app, user, owner));
            let line = |entitlement| Given { user, entitlement, because };
            given.extend(left.entitlements(ResourceType::App).map(line));
        };
        if let Some(user) = self.owner_of(app) {
            add(user, derive::from_ownership(), Because::Owner);
        }
        let collaborator = Entitlement::COLLABORATOR;
        if is_personal_rule(collaborator, owner) {
            let holders = self.on_apps.rows(app).iter().filter(|row| row.1.contains(collaborator.mask()));
            for (user, held) in holders {
                let work = derive::from_app_entitlement(collaborator, *held, owner);
                add(*user as usize, work, Because::Collaborator);
            }
        }
        given.sort_unstable();
        given
    }

    fn kind_of_owner(&self, app: usize) -> Owner {
        let team = self.team_of(app).and_then(|team| self.teams.get(team));
        team.map_or(Owner::Person, Owner::of_team)
    }

    /// What a user directly holds on an app, and what follows from that and from roles along edges.
    fn held_or_followed(&self, app: usize, user: usize, owner: Owner) -> Mask {
        let own = self.on_apps.mask(app, user);
        let mut all = own;
        for entitlement in own.entitlements(ResourceType::App) {
            if !is_personal_rule(entitlement, owner) {
                all = all.with(derive::from_app_entitlement(entitlement, own, owner));
            }
        }
        if own.contains(Mask::OTHER) {
            all = all.with(Entitlement::VIEW.mask());
        }
        if let Some(team) = self.team_of(app) {
            let locked = self.apps.get(app).and_then(|app| app.locked).unwrap_or(false);
            for role in self.on_teams.mask(team, user).entitlements(ResourceType::Team) {
                all = all.with(derive::from_team_role(role, owner, locked));
            }
        }
        all
    }
}

/// Whether what the entitlement gives depends on what else its holder holds.
fn is_personal_rule(entitlement: Entitlement, owner: Owner) -> bool {
    entitlement == Entitlement::COLLABORATOR && owner == Owner::UnlistedTeam
}

/// Adds an edge to everything that a source gives.
fn add<'v>(edges: &mut Vec<Edge<'v>>, source: Source<'v>, gives: Mask) {
    edges.extend(gives.entitlements(ResourceType::App).map(|target| Edge { source, target }));
}
