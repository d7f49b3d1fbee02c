//! What a simulator is asked to be.
//!
//! Not the command line, which lives elsewhere and fills these in.
//!
//! Invariant: the same options give the same estate, byte for byte.

use std::net::SocketAddr;
use std::time::Duration;

use crate::delay::Delay;
use crate::fault::Fault;
use crate::pool::Allowance;

/// Which estate to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Size {
    /// One enterprise account, a few teams of both kinds, a personal app: for tests.
    #[default]
    Small,
    /// A believable company for the demo.
    Company {
        /// Teams, most of them in enterprise accounts.
        teams: usize,
        /// People.
        people: usize,
        /// Team apps.
        apps: usize,
    },
    /// Only teams of one enterprise account, in one of which the caller has no role.
    Enterprise,
    /// Only standard teams.
    Standard,
    /// No team at all: own apps, and apps the caller was invited to.
    Personal,
    /// Everything together, lightly awkward.
    Mixed,
    /// Everything that a client might trip over.
    Awkward,
    /// Ordinary rows with names that do harm where they are believed.
    Hostile,
    /// Made row by row on request, for measurements; read-only.
    Scale {
        /// Enterprise teams.
        teams: u32,
        /// Apps, all of them in teams.
        apps: u32,
        /// People, each a member of one enterprise account.
        people: u32,
        /// Direct grants in total.
        grants: u64,
    },
}

impl Size {
    /// The company of the demo: 40 teams, 900 people, 1 200 apps.
    pub const COMPANY: Self = Self::Company { teams: 40, people: 900, apps: 1_200 };
    /// The estate of the benchmarks: 1 000 teams, 100 000 apps, 20 000 people, 1.5 million grants.
    pub const LARGE: Self = Self::Scale { teams: 1_000, apps: 100_000, people: 20_000, grants: 1_500_000 };
}

/// How an endpoint turns down a question it has no answer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Denial {
    /// 403 `forbidden`.
    #[default]
    Forbidden,
    /// 404 `not_found`.
    NotFound,
    /// An empty list.
    Empty,
}

/// Manners of the service that nobody outside it is sure of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent doubt about the real service")]
pub struct Manners {
    /// `/teams/{t}/permissions` also lists what admins, members and viewers have implicitly.
    pub implicit_listing: bool,
    /// What `/teams/{t}/permissions` says for a standard team.
    pub standard_permissions: Denial,
    /// `/teams/{t}/permissions` is for team admins only.
    pub permissions_need_admin: bool,
    /// Some team apps that the caller has not joined are missing from `/apps`.
    pub unjoined_hidden: bool,
    /// What team-level calls say where the caller has no role: 403, or 404.
    pub roleless_team: Denial,
    /// The caller signs in through an identity provider.
    pub federated_caller: bool,
    /// Adds an enterprise team with more than 1 000 members and more than 1 000 apps.
    pub large_team: bool,
    /// New members of standard teams must be invited (feature `team-invite-acceptance`); else they are put in.
    pub standard_teams_invite: bool,
    /// Somebody unknown who is put into an enterprise team shows as a row without a person until they accept.
    pub strangers_pending: bool,
    /// Somebody taken out of a team who is named on its apps stays on them, and in the team as `collaborator`.
    pub leavers_keep_apps: bool,
    /// A `collaborator` of a team stays one when taken off the last of its apps.
    pub collaborators_linger: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            implicit_listing: false,
            standard_permissions: Denial::Forbidden,
            permissions_need_admin: true,
            unjoined_hidden: false,
            roleless_team: Denial::Forbidden,
            federated_caller: false,
            large_team: false,
            standard_teams_invite: true,
            strangers_pending: false,
            leavers_keep_apps: false,
            collaborators_linger: false,
        }
    }
}

/// Everything that can be chosen at the start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which estate.
    pub size: Size,
    /// Which of the estates of that size.
    pub seed: u64,
    /// How long every answer takes at least.
    pub latency: Duration,
    /// Whether the pool can run dry.
    pub rate_limit: bool,
    /// The pool.
    pub allowance: Allowance,
    /// Manners that differ between accounts of the world.
    pub manners: Manners,
    /// For how long after a write the reads of what it changed show the state before; until then, adding a
    /// removed collaborator again is refused as a duplicate.
    pub settling: Delay,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// Tokens accepted besides the built-in ones, each with its scopes, space separated.
    pub tokens: Vec<(String, String)>,
    /// Where other processes may ask for journal, statistics and truth, and set faults; nowhere by default.
    pub control: Option<SocketAddr>,
    /// What changes changes at the machine's time; else a second after what changed before, from a fixed day on.
    pub live_clock: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            size: Size::default(),
            seed: 1,
            latency: Duration::ZERO,
            rate_limit: true,
            allowance: Allowance::default(),
            manners: Manners::default(),
            settling: Delay::NONE,
            faults: Vec::new(),
            tokens: Vec::new(),
            control: None,
            live_clock: false,
        }
    }
}

impl Options {
    /// The defaults for one size.
    #[must_use]
    pub fn of(size: Size) -> Self {
        Self { size, ..Self::default() }
    }

    /// The same with another seed.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same with these manners.
    #[must_use]
    pub const fn manners(mut self, manners: Manners) -> Self {
        self.manners = manners;
        self
    }

    /// The same with this latency.
    #[must_use]
    pub const fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// The same with reads that lag this much behind writes.
    #[must_use]
    pub const fn settling(mut self, settling: Delay) -> Self {
        self.settling = settling;
        self
    }

    /// The same with changes at the machine's time.
    #[must_use]
    pub const fn live_clock(mut self) -> Self {
        self.live_clock = true;
        self
    }

    /// The same with one more fault.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }
}
