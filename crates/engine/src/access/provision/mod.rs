//! Grants and revokes on Heroku: planned, checked against a fresh read, written down, sent, and read back.
//!
//! Everything that writes to Heroku goes through here. The protocol and the rules R1 to R13 are those of the
//! design's reliability chapter; the calls themselves are the client's.
//!
//! Invariant: no call is sent whose intent, with its event, is not durable; and none is sent again before a read.

mod apply;
mod approve;
mod ask;
mod call;
mod cancel;
mod draft;
mod fresh;
mod reconcile;
mod restored;
pub(crate) mod rules;
mod seen;
mod verdict;
mod verdicts;

use std::path::PathBuf;
use std::time::Duration;

use metsuke_clients::heroku::{Heroku, Provisioning};
use metsuke_model::approval::{Demand, Party};
use metsuke_model::plan::Plan;
use metsuke_model::{Clock, Grant};
use metsuke_store::Store;

pub use approve::approve;
pub use ask::{Ask, On};
pub use cancel::cancel;
pub use reconcile::Settled;
pub use rules::Caps;
pub use verdicts::{Standing, Verdict, verdicts};

use crate::EngineError;

/// What holds provisioning back, and how patient it is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Writes are allowed (R10); without, plans are made and refused.
    pub allow_writes: bool,
    /// The name of the connector whose own setting that is; none for the installation's.
    pub connector: Option<String>,
    /// Which plans a second person has to approve (R7).
    pub approval: Demand,
    /// The connector's own account, by e-mail address or id, for a token to which Heroku does not tell it (R2).
    pub connector_account: Option<String>,
    /// A file whose presence stops every write (R11).
    pub kill_file: Option<PathBuf>,
    /// The caps (R4).
    pub caps: Caps,
    /// How long after it was sent an effect may still arrive: the request's time limit and a minute.
    pub late_window: Duration,
    /// How long Heroku may take to show what it confirmed.
    pub verify_patience: Duration,
    /// How often it is asked meanwhile.
    pub poll: Duration,
    /// How long to wait for another process's turn.
    pub lock_patience: Duration,
    /// How often one step is tried before it is left unknown.
    pub attempts: u32,
    /// Steps left out on purpose, by tests that must then fail.
    #[doc(hidden)]
    pub sabotage: Option<Sabotage>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_writes: false,
            connector: None,
            approval: Demand::None,
            connector_account: None,
            kill_file: None,
            caps: Caps::default(),
            late_window: Duration::from_mins(2),
            verify_patience: Duration::from_secs(15),
            poll: Duration::from_millis(500),
            lock_patience: Duration::from_mins(3),
            attempts: 3,
            sabotage: None,
        }
    }
}

/// What a test takes out of the protocol to see that its checker notices.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The intent is written after the call.
    RecordAfterTheCall,
    /// What is unknown is sent again without reading.
    RetryWithoutReading,
    /// A restored store counts as any other.
    ForgetTheRestore,
    /// What a second person has to approve is applied without.
    SkipTheApproval,
}

/// Where in the protocol a worker is; a crash harness stops it at each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Point {
    /// The turn is taken.
    Locked,
    /// The plan is approved.
    Approved,
    /// The step's state was read.
    Read,
    /// The intent is durable.
    Intent,
    /// It is durable that the call is about to be sent.
    Sent,
    /// Heroku's answer, or that there is none, is known.
    Answered,
    /// The answer is durable.
    Recorded,
    /// The effect was read back.
    Verified,
    /// The version with the effect is durable.
    Amended,
}

impl Point {
    /// Every point, in order.
    pub const ALL: [Self; 9] = [
        Self::Locked,
        Self::Approved,
        Self::Read,
        Self::Intent,
        Self::Sent,
        Self::Answered,
        Self::Recorded,
        Self::Verified,
        Self::Amended,
    ];

    /// The point's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Approved => "approved",
            Self::Read => "read",
            Self::Intent => "intent",
            Self::Sent => "sent",
            Self::Answered => "answered",
            Self::Recorded => "recorded",
            Self::Verified => "verified",
            Self::Amended => "amended",
        }
    }
}

/// Who watches a plan being applied.
pub trait Watch: Send + Sync + std::fmt::Debug {
    /// A point of the protocol was reached.
    fn reached(&self, _point: Point) {}

    /// Something takes its time; in words.
    fn waiting(&self, _what: &str) {}
}

impl Watch for () {}

/// What came of asking for a plan.
#[derive(Clone, Debug)]
pub enum Planned {
    /// Everything is as wished; why, in words.
    Unchanged(String),
    /// It is not allowed.
    Refused(Refusal),
    /// The plan, stored.
    Plan(Box<Plan>),
}

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which rule, such as `R1`; none where Heroku or the request itself says no.
    pub rule: Option<&'static str>,
    /// Why, in words.
    pub reason: String,
    /// What to do instead.
    pub hint: Option<String>,
}

impl Refusal {
    fn rule(rule: &'static str, reason: impl Into<String>) -> Self {
        Self { rule: Some(rule), reason: reason.into(), hint: None }
    }

    fn plain(reason: impl Into<String>) -> Self {
        Self { rule: None, reason: reason.into(), hint: None }
    }

    /// The reason with the rule's name in front.
    #[must_use]
    pub fn words(&self) -> String {
        let rule = self.rule.map(|rule| format!("{rule}: ")).unwrap_or_default();
        format!("{rule}{}", self.reason)
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What came of applying a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done and read back.
    Applied,
    /// Nothing was to be done.
    Unchanged,
    /// Over a cap: it waits until its number is typed.
    Frozen,
    /// Somebody else has to approve or apply it (R7); the plan stands as it stood.
    Unapproved,
    /// A rule refused it.
    RefusedByRule,
    /// Heroku refused it.
    RefusedByHeroku,
    /// Heroku could not be reached: nothing was sent.
    NotSent,
    /// The effect of a step is not known.
    Unknown,
}

impl Outcome {
    /// The word that programs read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Frozen => "frozen",
            Self::Unapproved | Self::RefusedByRule | Self::RefusedByHeroku => "refused",
            Self::NotSent => "planned",
            Self::Unknown => "unknown",
        }
    }
}

/// A plan after it was applied, as far as that went.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What came of it.
    pub outcome: Outcome,
    /// Direct grants, and pending ones, that are there now and were not.
    pub added: Vec<Grant>,
    /// Those that are no more.
    pub removed: Vec<Grant>,
    /// Write calls that were sent.
    pub calls: u32,
    /// The status with which Heroku refused.
    pub refused_with: Option<u16>,
    /// Why, where there is more to say.
    pub reason: Option<String>,
    /// What to do now.
    pub hint: Option<String>,
}

/// The one way to change access on Heroku.
#[derive(Debug)]
pub struct Provisioner<'a> {
    heroku: &'a Heroku,
    door: Provisioning,
    store: &'a Store,
    settings: Settings,
    clock: &'a dyn Clock,
    watch: &'a dyn Watch,
    party: Party,
}

impl<'a> Provisioner<'a> {
    /// A provisioner over one account and one database, for nobody in particular; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`EngineError::Upstream`] where the client cannot be set up.
    pub fn new(
        heroku: &'a Heroku,
        store: &'a Store,
        settings: Settings,
        clock: &'a dyn Clock,
        watch: &'a dyn Watch,
    ) -> Result<Self, EngineError> {
        let door = heroku.provisioning().map_err(|source| EngineError::Upstream { source })?;
        Ok(Self { heroku, door, store, settings, clock, watch, party: Party::Nobody })
    }

    /// The same for somebody: who asks for its plans and applies them (R7).
    #[must_use]
    pub fn on_behalf_of(self, party: Party) -> Self {
        Self { party, ..self }
    }
}
