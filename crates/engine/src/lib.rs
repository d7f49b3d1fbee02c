//! What the product does: syncing an estate, and answering who can do what, and why.
//!
//! It speaks to Heroku only through `metsuke-clients` and to the database only through `metsuke-store`; doors
//! (the command line) translate its answers for people and programs.

pub mod access;
pub mod alerts;
pub mod audit;
pub mod backup;
pub mod c1;
pub mod changes;
pub mod connector;
pub mod connectors;
pub mod desk;
mod error;
pub mod findings;
pub mod graph;
pub mod identity;
pub mod jobs;
pub mod jupiterone;
mod key_file;
pub mod lists;
mod log;
pub mod people;
pub mod progress;
pub mod query;
pub mod questions;
pub mod retention;
pub mod rules;
pub mod schedule;
pub mod seal;
pub mod supervisor;
pub mod sync;

pub use error::{BadField, EngineError, ErrorKind};
pub use log::MOST_ENTRIES;
pub use progress::{Progress, ProgressState};
