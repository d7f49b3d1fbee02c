//! Changes as events: every entry of the change log once, with the effective access that it gave or took, and who did it.
//!
//! What follows from a change, and who made it, is worked out by the engine. Beside the events stands what finding that
//! out takes: entries of Heroku's audit trail, objects to be read again, and webhooks.
//!
//! Invariant: the events of a version are written together with the mark that says so, after those of every version
//! before it, or not at all.

mod filter;
mod read;
mod trail;
mod webhooks;
mod write;

use metsuke_model::access::{Access, ResourceType};
use metsuke_model::{HerokuId, Moment, Version};
use serde_json::Value as Json;

pub use self::filter::EventFilter;
pub use self::trail::{TrailEntry, WantedRead};
pub use self::webhooks::{Webhook, WebhookState};
use crate::ChangeKind;

/// A change to be written as an event.
#[derive(Clone, Debug, PartialEq)]
pub struct NewChangeEvent {
    /// The place of its entry in the change log of its version.
    pub place: u32,
    /// When its version ended.
    pub at: Moment,
    /// It was made after this moment.
    pub since: Moment,
    /// `grant`, or the kind of the object.
    pub kind: Box<str>,
    /// What happened.
    pub change: ChangeKind,
    /// The object, or what the grant is on, by dense id.
    pub object: i64,
    /// Whose grant it is.
    pub principal: Option<i64>,
    /// The entry as the command line prints it.
    pub document: Json,
    /// What Heroku's audit trail would name, each as `app:ID`.
    pub about: Vec<String>,
    /// What a search looks in.
    pub words: String,
    /// Who did it.
    pub author: Option<Author>,
    /// What it gave and took.
    pub effects: Vec<NewEffect>,
}

/// Effective access of one person to one resource that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEffect {
    /// The resource, by dense id.
    pub resource: i64,
    /// The person, by dense id.
    pub principal: i64,
    /// It came; else it went.
    pub gained: bool,
    /// By which way it is held, or was.
    pub via: Box<str>,
    /// The entitlements.
    pub access: Access,
}

/// Who made a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Author {
    /// The names by which one would look for them.
    pub names: Vec<String>,
    /// Everything that is known, in the engine's words.
    pub document: Json,
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeEvent {
    /// The version that the change came with.
    pub version: Version,
    /// Its place in the change log of that version.
    pub place: u32,
    /// Where it stands in the order in which events were written or given another author.
    pub turn: u64,
    /// 1, and one more with each time that its author became another.
    pub edition: u32,
    /// When its version ended.
    pub at: Moment,
    /// It was made after this moment.
    pub since: Moment,
    /// `grant`, or the kind of the object.
    pub kind: Box<str>,
    /// What happened.
    pub change: ChangeKind,
    /// The entry as the command line prints it.
    pub document: Json,
    /// What Heroku's audit trail would name, each as `app:ID`.
    pub about: Vec<Box<str>>,
    /// Who did it, in the engine's words.
    pub author: Option<Json>,
    /// What it gave and took.
    pub effects: Vec<ChangeEffect>,
}

/// Effective access that came or went, with names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeEffect {
    /// The resource's type.
    pub resource_type: ResourceType,
    /// Heroku's id of the resource.
    pub resource: HerokuId,
    /// The resource's name, as it is now.
    pub resource_name: String,
    /// Heroku's id of the person.
    pub principal: HerokuId,
    /// The person's e-mail address, as it is now.
    pub email: String,
    /// It came; else it went.
    pub gained: bool,
    /// By which way it is held, or was.
    pub via: String,
    /// The entitlements, as Heroku spells them.
    pub entitlements: Vec<String>,
    /// How many more there are that differ in the resource alone, where effects are told in short.
    pub others: u64,
}
