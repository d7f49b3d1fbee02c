//! The estate as JupiterOne takes it: written as its integration would write it, or uploaded to its API.
//!
//! What the entities and relationships are, [`graph`](crate::graph) says; here they get JupiterOne's shape. Files and
//! uploads take the same stream of objects.
//!
//! Invariant: a type of which something could not be read is called partial, so that nothing of it is deleted there.

mod export;
mod folder;
mod objects;
mod partial;
mod shape;
mod steps;
mod unpack;
mod upload;

use metsuke_model::ScopeReport;
use metsuke_store::{People, Snapshot, Store};

use crate::EngineError;

pub use export::{Exported, StepResult, export};
pub use unpack::{Unpacked, unpack};
pub use upload::{Uploaded, upload};

/// Whose idea of the classes' properties the objects follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// That of JupiterOne's Heroku integration, and of data models up to 0.54: a user name is a text.
    #[default]
    Classic,
    /// That of data models from 0.62: user names and addresses are lists, an account names its vendor.
    Current,
}

impl Profile {
    /// The word on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Current => "current",
        }
    }
}

/// What goes out, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whose idea of the properties.
    pub profile: Profile,
    /// The account name with which every entity is tagged.
    pub account_name: Option<String>,
    /// Every entity is tagged as production.
    pub production: bool,
    /// Leaves out what JupiterOne's own integration never had.
    pub only_original: bool,
    /// Also lets out effective access, which is computed.
    pub effective: bool,
}

/// A version to let out, and what its sync could not read.
#[derive(Debug)]
pub struct Estate {
    /// The version.
    pub snapshot: Snapshot,
    /// Every scope of the sync that made it.
    pub scopes: Vec<ScopeReport>,
    /// The people of the rosters, as they are now.
    pub people: People,
}

impl Estate {
    /// The version with the scopes of its sync.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn of(store: &Store, snapshot: Snapshot) -> Result<Self, EngineError> {
        let scopes = store.scopes(snapshot.sync().version).await?;
        Ok(Self { snapshot, scopes, people: store.people().await? })
    }
}
