//! Who has to approve a plan, and who may: the decision of rule R7, and nothing else.
//!
//! Which connector asks for it is its setting; that nothing is applied without is the engine's to see to.
//!
//! Invariant: where approval is asked for, two people who are known to be different stand behind a plan, and it is about
//! neither of them. Whoever cannot be told apart counts as the same.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Moment;
use crate::plan::{Plan, State, Step};

/// The most steps of a plan that is no bulk (R7).
pub const BULK: usize = 10;

/// Which plans a second person has to approve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// None: whoever applies a plan approves it.
    #[default]
    None,
    /// Those that make somebody admin or owner or give `manage`, and those of more than [`BULK`] steps.
    Sensitive,
    /// All of them.
    Every,
}

impl Demand {
    /// Every demand, from none up.
    pub const ALL: [Self; 3] = [Self::None, Self::Sensitive, Self::Every];
    /// Their words, in the same order.
    pub const WORDS: &'static [&'static str] = &["none", "sensitive", "every"];

    /// The word of a setting.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sensitive => "sensitive",
            Self::Every => "every",
        }
    }

    /// Why a second person has to approve this plan; none where nobody has to.
    #[must_use]
    pub fn why(self, plan: &Plan) -> Option<String> {
        match self {
            Self::None => None,
            Self::Sensitive => sensitive(plan),
            Self::Every => Some(sensitive(plan).unwrap_or_else(|| "every plan is approved here".into())),
        }
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Demand {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|demand| demand.as_str() == word);
        found.ok_or_else(|| format!("`{word}` is none of `{}`", Self::WORDS.join("`, `")))
    }
}

/// Who asks for a plan, approves it or applies it, as far as a person is known behind the name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Party {
    /// A person, by the e-mail address of their account, or of the token that acts for them.
    Person {
        /// The address, in small letters.
        email: Box<str>,
    },
    /// Somebody at the command line of a machine.
    Login {
        /// The machine's name for them.
        user: Box<str>,
        /// The number of whoever logged in, which stays when they become another user.
        number: Option<u32>,
    },
    /// No person is known: a token that belongs to nobody, or Metsuke itself.
    #[default]
    Nobody,
}

impl Party {
    /// The person with this e-mail address; nobody where it is empty.
    #[must_use]
    pub fn person(email: &str) -> Self {
        match email.trim() {
            "" => Self::Nobody,
            email => Self::Person { email: email.to_lowercase().into() },
        }
    }

    /// Whether no person is known.
    #[must_use]
    pub const fn is_nobody(&self) -> bool {
        matches!(self, Self::Nobody)
    }

    /// Whether it is certain that these are two people.
    ///
    /// A login and an address cannot be told apart: one person has both.
    #[must_use]
    pub fn is_another_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Person { email: one }, Self::Person { email: other }) => {
                one.to_lowercase() != other.to_lowercase()
            }
            (Self::Login { user: one, number: first }, Self::Login { user: other, number: second }) => {
                let numbered = first.is_some() && second.is_some();
                one != other && (!numbered || first != second)
            }
            _ => false,
        }
    }

    /// Whether one of the steps is about them. A login counts as whoever has its name before the `@`.
    #[must_use]
    pub fn is_meant_by(&self, plan: &Plan) -> bool {
        let meant = |step: &Step| {
            let address = step.person.email.trim().to_lowercase();
            match self {
                Self::Person { email } => address == email.trim().to_lowercase(),
                Self::Login { user, .. } => address.split('@').next() == Some(user.to_lowercase().as_str()),
                Self::Nobody => false,
            }
        };
        plan.steps.iter().any(meant)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person { email } => f.pad(email),
            Self::Login { user, .. } => f.pad(user),
            Self::Nobody => f.pad("somebody who is not known"),
        }
    }
}

/// That somebody approved a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who, as the audit trail names them.
    pub by: String,
    /// Which person that is.
    pub party: Party,
    /// The hash of what they approved.
    pub hash: String,
    /// When.
    pub at: Moment,
}

/// Why somebody may not approve a plan, or not apply it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Nobody knows which person it is.
    Unknown,
    /// They asked for it themselves, or cannot be told apart from whoever did.
    Asked,
    /// The plan is about them.
    Meant,
    /// The plan is about whoever asked for it.
    AskedForOneself,
}

impl Bar {
    /// Why, in words that begin with who it is about.
    #[must_use]
    pub fn words(self, party: &Party, plan: &Plan) -> String {
        match self {
            Self::Unknown => "no person is known who approves it".into(),
            Self::Asked if *party == plan.asked_by => {
                format!("{party} asked for the plan, and somebody else has to approve it")
            }
            Self::Asked => format!(
                "{party} cannot be told apart from {}, who asked for the plan, and somebody else has to approve it",
                plan.asked_by
            ),
            Self::Meant => format!("the plan changes the access of {party}"),
            Self::AskedForOneself => {
                format!("{} asked for a change of their own access", plan.asked_by)
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Unknown => {
                "sign in, or use a token that acts for a person (`metsuke token create --person`)"
            }
            Self::Asked => {
                "ask a colleague who may apply plans, in the same way as you are known: by account or token"
            }
            Self::Meant => "ask a colleague whom it is not about",
            Self::AskedForOneself => "have somebody else ask for it, and a third person approve it",
        }
    }
}

/// Whether somebody's approval of a plan counts.
///
/// # Errors
///
/// Why not.
pub fn may_approve(plan: &Plan, party: &Party) -> Result<(), Bar> {
    if plan.asked_by.is_meant_by(plan) {
        return Err(Bar::AskedForOneself);
    }
    if party.is_nobody() {
        return Err(Bar::Unknown);
    }
    if party.is_meant_by(plan) {
        return Err(Bar::Meant);
    }
    // Where it is not known who asked, two others approve.
    if !plan.asked_by.is_nobody() && !party.is_another_than(&plan.asked_by) {
        return Err(Bar::Asked);
    }
    Ok(())
}

/// Whether somebody may apply a plan that had to be approved: anybody but those whom it is about.
///
/// # Errors
///
/// Why not.
pub fn may_apply(plan: &Plan, party: &Party) -> Result<(), Bar> {
    if party.is_meant_by(plan) { Err(Bar::Meant) } else { Ok(()) }
}

/// How many people's approval is still missing, of those that a plan needs: one beside whoever asked for it, and two where
/// nobody knows who that is.
#[must_use]
pub fn missing(plan: &Plan, approvals: &[Approval]) -> usize {
    let hash = plan.hash();
    let counts = |approval: &&Approval| approval.hash == hash && may_approve(plan, &approval.party).is_ok();
    let counting: Vec<&Party> = approvals.iter().filter(counts).map(|approval| &approval.party).collect();
    let two = || counting.iter().any(|one| counting.iter().any(|other| one.is_another_than(other)));
    let people = if counting.is_empty() { 0 } else { 1 + usize::from(two()) };
    let needed = if plan.asked_by.is_nobody() { 2 } else { 1 };
    usize::saturating_sub(needed, people)
}

/// What makes a plan sensitive, in words.
fn sensitive(plan: &Plan) -> Option<String> {
    let powers: BTreeSet<&str> = plan.steps.iter().filter_map(power).collect();
    if !powers.is_empty() {
        let powers: Vec<&str> = powers.into_iter().collect();
        return Some(format!("it grants {}", powers.join(" and ")));
    }
    let steps = plan.steps.len();
    (steps > BULK).then(|| format!("it has {steps} steps, and more than {BULK} are a bulk"))
}

/// The power over others that a step gives to somebody who has not had it.
fn power(step: &Step) -> Option<&'static str> {
    let role = |state: &State| match state {
        State::Member { role } => match &**role {
            "owner" => Some("ownership"),
            "admin" => Some("the admin role"),
            _ => None,
        },
        _ => None,
    };
    match &step.wished {
        State::Member { .. } => role(&step.wished).filter(|power| role(&step.expected) != Some(power)),
        // Whoever is invited has nothing yet.
        State::Invited { role: invited } => role(&State::Member { role: invited.clone() }),
        State::Collaborator { permissions: Some(wished) } if wished.contains("manage") => {
            let had = matches!(&step.expected, State::Collaborator { permissions: Some(had) } if had.contains("manage"));
            (!had).then_some("manage on an app")
        }
        State::Collaborator { .. } | State::Absent => None,
    }
    .or_else(|| step.elevates.then_some("power over others"))
}

#[cfg(test)]
mod tests;
