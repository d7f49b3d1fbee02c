//! What the product does: syncing an estate, and answering who can do what, and why.
//!
//! It speaks to Heroku only through `metsuke-clients` and to the database only through `metsuke-store`; doors
//! (the command line) translate its answers for people and programs.

pub mod access;
pub mod audit;
pub mod backup;
pub mod c1;
pub mod connector;
mod error;
pub mod graph;
pub mod jupiterone;
pub mod lists;
pub mod people;
pub mod progress;
pub mod query;
pub mod questions;
pub mod retention;
pub mod sync;

pub use error::{EngineError, ErrorKind};
pub use progress::{Progress, ProgressState};
