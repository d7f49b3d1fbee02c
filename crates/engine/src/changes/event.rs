//! An event as a door shows it.
//!
//! Invariant: the members of what changed are those that `metsuke changes` prints; nothing is added by the door.

use metsuke_model::{HerokuId, Moment, ResourceRef, Version};
use metsuke_store::{ChangeEffect, ChangeEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::By;

/// A change, told once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// Its id, the same for good: the version and the place in its log.
    pub id: Box<str>,
    /// The version that it came with.
    pub version: Version,
    /// When it was noticed: when that version ended.
    pub at: Moment,
    /// It was made after this moment.
    pub since: Moment,
    /// `added`, `removed` or `changed`.
    pub change: Box<str>,
    /// `grant`, or the kind of the object.
    pub kind: Box<str>,
    /// What: an object with its properties before and after, or a grant with its principal and resource.
    #[serde(flatten)]
    pub what: Map<String, Json>,
    /// Effective access that somebody has through it and had not before.
    pub gained: Vec<Line>,
    /// Effective access that somebody had and has no more.
    pub lost: Vec<Line>,
    /// Who did it, as far as it is known.
    pub by: Option<By>,
    /// 1, and one more with each time that it became known otherwise who did it.
    pub edition: u32,
    /// Where it stands in the stream: [`Following`](super::Following) goes on after it.
    pub turn: u64,
}

/// Effective access of one person to one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Whose.
    pub principal: Holder,
    /// To what.
    pub resource: ResourceRef,
    /// Which entitlements.
    pub entitlements: Vec<Box<str>>,
    /// By which way they are held, or were: `direct`, `team` and the role there, or what else they follow from.
    pub via: Box<str>,
    /// How many more lines there are that differ in the resource alone, of an event that is told in short.
    #[serde(skip)]
    pub others: u64,
}

/// A person in an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Heroku's id.
    pub id: HerokuId,
    /// The e-mail address, as it is now.
    pub email: Box<str>,
}

impl Event {
    pub(super) fn of(stored: ChangeEvent) -> Self {
        let what = match stored.document {
            Json::Object(members) => members,
            other => Map::from_iter([("what".to_owned(), other)]),
        };
        let (gained, lost): (Vec<_>, Vec<_>) = stored.effects.into_iter().partition(|effect| effect.gained);
        Self {
            id: format!("{}-{}", stored.version, stored.place).into(),
            version: stored.version,
            at: stored.at,
            since: stored.since,
            change: stored.change.as_str().into(),
            kind: stored.kind,
            what,
            gained: gained.into_iter().map(line).collect(),
            lost: lost.into_iter().map(line).collect(),
            by: stored.author.and_then(|author| serde_json::from_value(author).ok()),
            edition: stored.edition,
            turn: stored.turn,
        }
    }
}

fn line(effect: ChangeEffect) -> Line {
    Line {
        principal: Holder { id: effect.principal, email: effect.email.into() },
        resource: ResourceRef {
            resource_type: effect.resource_type,
            id: effect.resource,
            name: effect.resource_name.into(),
        },
        entitlements: effect.entitlements.into_iter().map(Into::into).collect(),
        via: effect.via.into(),
        others: effect.others,
    }
}
