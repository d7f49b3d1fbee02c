//! The vocabulary of Metsuke: the words that every other crate uses for who may do what on Heroku.
//!
//! Nothing here talks to a network, a disk or a clock of its own; a value of this crate is a plain fact.
//!
//! In reading order:
//!
//! * [`HerokuId`]: Heroku's own id of a thing, kept as Heroku spelled it. [`Moment`]: a point in time.
//! * [`Kind`] and the records of [`record`]: the objects of an estate (users, teams, apps, add-ons, …).
//! * [`ResourceType`], [`Entitlement`], [`Access`]: what may be held, on what; [`Principal`]: by whom.
//! * [`Grant`] and [`mod@derive`]: direct and derived access, and the path that explains it.
//! * [`Estate`] with its [`Coverage`]: all that one sync read, and how far absence from it can be trusted.
//! * [`diff`]: what differs between two sorted states. [`SyncReport`]: what a sync did and could not do.
//! * [`Clock`]: time as an argument.
//! * [`plan`]: what is to be changed on Heroku, and what became of it. [`approval`]: which plans a second person approves.
//! * [`audit`]: the audit trail, and how it is verified.
//! * [`graph`]: the estate as entities and relationships.
//! * [`people`]: whose a Heroku account is.
//! * [`finding`]: how far findings, alerts and deliveries have come.
//! * [`uid`]: ids of what an installation has: connectors, runs, jobs.

pub mod access;
pub mod approval;
pub mod audit;
pub mod clock;
pub mod coverage;
pub mod derive;
pub mod diff;
pub mod estate;
pub mod finding;
pub mod grant;
pub mod graph;
pub mod id;
pub mod moment;
pub mod people;
pub mod plan;
pub mod record;
pub mod records;
pub mod sync;
pub mod uid;

pub use access::{Access, Entitlement, ResourceType};
pub use clock::{Clock, FixedClock, SystemClock};
pub use coverage::Coverage;
pub use estate::{AccessRow, Estate, Resource};
pub use grant::{Grant, PathStep, Principal, ResourceRef};
pub use id::HerokuId;
pub use moment::Moment;
pub use record::{Cell, Column, ColumnType, Kind, Record, Value};
pub use records::Records;
pub use sync::{AsOf, Changes, Counts, Outcome, ScopeReport, SyncReport, SyncStatus, Version};
pub use uid::{AccountId, ConnectorId, JobId, RuleId, RunId, SessionId, TokenId};
