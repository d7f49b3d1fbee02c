//! What happened: Heroku's audit trail of Enterprise accounts, and our own change log between versions.
//!
//! Invariant: read on from the cursor of each page, a feed gives no event twice.

mod changes;
mod cursor;
mod trail;

use metsuke_model::{HerokuId, Moment, ResourceType};

pub(super) use trail::Trail;

use super::{Connector, Target};
use crate::EngineError;

/// Where events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feed {
    /// Heroku's audit trail of the Enterprise accounts that the token's user manages.
    AuditTrail,
    /// What differs between the versions of our own database.
    Changes,
}

impl Feed {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::AuditTrail, Self::Changes];

    /// The feed's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuditTrail => "audit-trail",
            Self::Changes => "changes",
        }
    }

    /// The feed of this name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feed| feed.as_str() == word)
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id, the same whenever it is read.
    pub id: Box<str>,
    /// When it happened; in feed `changes`, when it was noticed.
    pub at: Moment,
    /// In a word: `team_membership.create` as Heroku spells it, or `added`, `removed`, `changed`.
    pub word: Box<str>,
    /// Who did it, where that is known.
    pub actor: Option<Someone>,
    /// What.
    pub happened: Happened,
}

/// A person in an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Someone {
    /// Heroku's id.
    pub id: HerokuId,
    /// The address.
    pub email: Option<Box<str>>,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Somebody directly holds something that they did not hold.
    Granted(Held),
    /// Somebody does not directly hold any more what they held.
    Revoked(Held),
    /// The object, or access to it, is not as it was: it is worth reading afresh.
    Changed {
        /// The object.
        target: Target,
        /// The team of an app or the Enterprise account of a team, where the event names it.
        parent: Option<Target>,
    },
    /// Somebody used the object.
    Used {
        /// The object.
        target: Target,
        /// Who.
        by: HerokuId,
    },
}

/// A direct grant in an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// On what.
    pub resource_type: ResourceType,
    /// Heroku's id of that.
    pub resource: HerokuId,
    /// Its name.
    pub name: Box<str>,
    /// Which entitlement.
    pub slug: Box<str>,
    /// Whose.
    pub user: Someone,
}

/// A part of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The events, oldest first; a page may be empty though more follow.
    pub events: Vec<Event>,
    /// Where the next page begins, now or later; at most 4 096 bytes of plain ASCII.
    pub cursor: Box<str>,
    /// More can be read at once.
    pub more: bool,
}

impl Connector {
    /// Reads on in a feed: from a cursor that it gave out, else from `since`, else from where it begins.
    ///
    /// At most `limit` events come at once, at least one where there are any.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadCursor`], [`EngineError::Upstream`] where Heroku's trail cannot be read, and what the database said.
    pub async fn events(
        &self,
        feed: Feed,
        cursor: Option<&str>,
        since: Option<Moment>,
        limit: usize,
    ) -> Result<EventPage, EngineError> {
        match feed {
            Feed::AuditTrail => self.trail_events(cursor, since, limit.max(1)).await,
            Feed::Changes => self.change_events(cursor, since, limit.max(1)).await,
        }
    }
}
