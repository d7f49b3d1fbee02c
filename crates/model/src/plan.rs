//! A plan: what exactly is to be changed on Heroku, why, and what became of it.
//!
//! It is a plain fact that is stored, shown and approved by its hash; making and applying one is the engine's.
//!
//! Invariant: the hash covers everything that decides what is done, so an approved plan cannot become another.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::access::Entitlement;
use crate::approval::Party;
use crate::{HerokuId, Moment, ResourceRef};

/// How one person stands to one team or app, as Heroku tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum State {
    /// No row.
    Absent,
    /// A pending invitation to a team: announced access, not access.
    Invited {
        /// With this role.
        role: Box<str>,
    },
    /// In a team.
    Member {
        /// With this role, as Heroku spells it.
        role: Box<str>,
    },
    /// On an app.
    Collaborator {
        /// With these permissions, `view` among them; none where the app knows no single permissions.
        permissions: Option<BTreeSet<Box<str>>>,
    },
}

impl State {
    /// Whether what Heroku has fulfils this wish. A wish without permissions asks for the row alone.
    #[must_use]
    pub fn fulfilled_by(&self, found: &Self) -> bool {
        match (self, found) {
            (Self::Collaborator { permissions: None }, Self::Collaborator { .. }) => true,
            _ => self == found,
        }
    }

    /// Whether it is the row of somebody who only works on apps of the team, and is no member.
    #[must_use]
    pub fn is_of_apps(&self) -> bool {
        matches!(self, Self::Member { role } if **role == *Entitlement::TEAM_COLLABORATOR.slug())
    }

    /// The state in words, such as `admin` or `collaborator with deploy, view`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Absent => "nothing".into(),
            Self::Invited { role } => format!("invited as {role}"),
            Self::Member { role } => role.to_string(),
            Self::Collaborator { permissions } => {
                let names: Vec<&str> = permissions.iter().flatten().map(AsRef::as_ref).collect();
                if names.is_empty() {
                    "collaborator".into()
                } else {
                    format!("collaborator with {}", names.join(", "))
                }
            }
        }
    }
}

/// Who a step is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Heroku's id; none for somebody who is not known by more than an address.
    pub id: Option<HerokuId>,
    /// The e-mail address, which is what Heroku's calls take.
    pub email: Box<str>,
}

/// One write, as it will be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCall {
    /// `PUT`, `POST`, `PATCH` or `DELETE`.
    pub method: Box<str>,
    /// The path.
    pub path: Box<str>,
    /// The body, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Json>,
}

/// One step of a plan: a call with what must hold before it and what is wished after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its place in the plan, from 1.
    pub ordinal: u32,
    /// The team or app.
    pub resource: ResourceRef,
    /// The team that the resource is or belongs to; none for a personal app.
    pub team: Option<ResourceRef>,
    /// Whose access.
    pub person: Person,
    /// What must be found before the call.
    pub expected: State,
    /// Which row that is, by its id and when it was made; none where there is no row. A row that was taken away and
    /// put back is another one, however like it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<Box<str>>,
    /// What must be found after it.
    pub wished: State,
    /// The call.
    pub call: PlannedCall,
    /// Somebody loses something.
    pub removes: bool,
    /// Somebody becomes `admin` of a team or gets `manage` on an app.
    pub elevates: bool,
}

/// How far a plan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    /// Stored, nothing done.
    Planned,
    /// Over a cap: it waits until its number is typed.
    Frozen,
    /// Approved; its steps are on their way.
    Applying,
    /// Done and read back.
    Applied,
    /// A rule, or Heroku, refused it.
    Refused,
    /// It ended before its end; what was done stays, and it can be applied again.
    Stopped,
    /// The effect of a step is not known.
    Unknown,
    /// What it found is no longer so.
    Superseded,
    /// Too old.
    Expired,
    /// Somebody called it off; what was done before stays.
    Cancelled,
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Nothing done.
    Planned,
    /// Written down; the call may follow.
    Intent,
    /// The call was about to be sent, or was.
    Sent,
    /// Heroku said yes.
    Confirmed,
    /// Heroku said no.
    Refused,
    /// Nobody knows.
    Unknown,
    /// Read back as wished.
    Verified,
    /// Somebody else changed it meanwhile.
    Superseded,
}

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),+ $(,)?) => {
        impl $type {
            /// The word that a database stores and the command line prints.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Reads the word; `None` for any other.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words!(PlanStatus: Planned = "planned", Frozen = "frozen", Applying = "applying", Applied = "applied",
    Refused = "refused", Stopped = "stopped", Unknown = "unknown", Superseded = "superseded", Expired = "expired",
    Cancelled = "cancelled");
words!(StepStatus: Planned = "planned", Intent = "intent", Sent = "sent", Confirmed = "confirmed",
    Refused = "refused", Unknown = "unknown", Verified = "verified", Superseded = "superseded");

/// Everything that is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What was asked for, in words.
    pub title: String,
    /// Why, if somebody said.
    pub reason: Option<String>,
    /// Who asked.
    pub actor: String,
    /// Which person that is; nobody in plans of a version that did not ask.
    #[serde(default, skip_serializing_if = "Party::is_nobody")]
    pub asked_by: Party,
    /// When it was made.
    pub created_at: Moment,
    /// When it is too old.
    pub expires_at: Moment,
    /// The version of the estate that the effects were computed on.
    pub version: i64,
    /// The calls, in order.
    pub steps: Vec<Step>,
    /// Who gains and loses which effective access.
    pub effects: Json,
    /// What a careful reader should know.
    pub warnings: Vec<String>,
}

impl PlanStatus {
    /// Whether somebody may still call it off: it has not ended, and nothing of it is on its way.
    #[must_use]
    pub const fn can_be_cancelled(self) -> bool {
        matches!(self, Self::Planned | Self::Frozen | Self::Refused | Self::Stopped)
    }

    /// Whether applying it may still do something.
    #[must_use]
    pub const fn can_be_applied(self) -> bool {
        matches!(
            self,
            Self::Planned | Self::Frozen | Self::Applying | Self::Refused | Self::Stopped | Self::Unknown
        )
    }
}

impl Plan {
    /// The hash of the whole plan, in hexadecimal: what is approved.
    #[must_use]
    pub fn hash(&self) -> String {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        blake3::hash(&bytes).to_hex().to_string()
    }

    /// The plan's short name: the beginning of its hash.
    #[must_use]
    pub fn id(&self) -> String {
        self.hash().chars().take(12).collect()
    }

    /// The number that releases the plan when it is frozen: removals, one for each team or personal app, and
    /// grants of `admin` or `manage`.
    #[must_use]
    pub fn confirm_count(&self) -> usize {
        let removals: BTreeSet<&HerokuId> =
            self.steps.iter().filter(|step| step.removes).map(Step::capped).collect();
        removals.len() + self.steps.iter().filter(|step| step.elevates).count()
    }
}

impl Step {
    /// What a removal is counted for: the team, or the app that belongs to none.
    #[must_use]
    pub fn capped(&self) -> &HerokuId {
        self.team.as_ref().map_or(&self.resource.id, |team| &team.id)
    }

    /// It takes somebody out of a team.
    #[must_use]
    pub fn removes_member(&self) -> bool {
        self.removes && matches!(self.expected, State::Member { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_without_permissions_asks_for_the_row_alone() {
        let plain = State::Collaborator { permissions: None };
        let some = State::Collaborator { permissions: Some(BTreeSet::from(["view".into()])) };
        assert!(
            plain.fulfilled_by(&some) && !some.fulfilled_by(&plain) && !plain.fulfilled_by(&State::Absent)
        );
    }

    #[test]
    fn a_plan_that_differs_in_anything_has_another_hash() {
        let plan = Plan {
            title: "grant".into(),
            reason: None,
            actor: "ann".into(),
            asked_by: Party::Nobody,
            created_at: Moment(1),
            expires_at: Moment(2),
            version: 1,
            steps: Vec::new(),
            effects: Json::Null,
            warnings: Vec::new(),
        };
        let other = Plan { reason: Some("why".into()), ..plan.clone() };
        assert_ne!(plan.hash(), other.hash());
        assert_eq!(plan.hash(), plan.clone().hash());
        assert!(plan.hash().starts_with(&plan.id()));
    }

    #[test]
    fn a_status_is_read_back_from_its_word() {
        assert_eq!(PlanStatus::parse(PlanStatus::Frozen.as_str()), Some(PlanStatus::Frozen));
        assert_eq!(StepStatus::parse("verified"), Some(StepStatus::Verified));
        assert_eq!(StepStatus::parse("gone"), None);
    }

    #[test]
    fn what_has_ended_is_neither_applied_nor_called_off() {
        for ended in [PlanStatus::Applied, PlanStatus::Superseded, PlanStatus::Expired, PlanStatus::Cancelled]
        {
            assert!(!ended.can_be_applied() && !ended.can_be_cancelled(), "{ended:?}");
        }
        // Of what is not known, somebody has to find out first.
        assert!(PlanStatus::Unknown.can_be_applied() && !PlanStatus::Unknown.can_be_cancelled());
    }
}
