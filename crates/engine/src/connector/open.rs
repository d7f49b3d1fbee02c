//! A connector by addresses alone, for doors that name neither the client nor the database.
//!
//! Where a door has settings of its own for either, it makes them and calls [`Connector::new`].

use metsuke_clients::heroku::{Heroku, Settings as HerokuSettings};
use metsuke_model::AsOf;
use metsuke_store::{OpenMode, Store};
use secrecy::SecretString;

use super::{Connector, Settings};
use crate::EngineError;
use crate::access::{self, GrantFilter, Sink};

/// Where the estate is, and where the connector keeps what it reads of it.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Heroku's address.
    pub heroku: String,
    /// The token.
    pub token: SecretString,
    /// `sqlite:FILE` or `postgres://…`; it is made where it is missing.
    pub database: String,
}

impl Connector {
    /// Opens the database; nothing is sent to Heroku.
    ///
    /// # Errors
    ///
    /// [`EngineError::Upstream`] for an address that no client can use, and what the database said.
    pub async fn open(opening: Opening, settings: Settings) -> Result<Self, EngineError> {
        let heroku = HerokuSettings::parse(&opening.heroku, opening.token)
            .and_then(Heroku::new)
            .map_err(|source| EngineError::Upstream { source })?;
        let store = Store::open(&opening.database, OpenMode::Create).await?;
        Ok(Self::new(store, heroku, settings))
    }

    /// Hands over the lines of `metsuke grants` of the newest version, or of the one asked for.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoVersion`] where nothing was ever read, and as [`grants`](access::grants).
    pub async fn grants(
        &self,
        as_of: Option<AsOf>,
        filter: &GrantFilter,
        each: Sink<'_>,
    ) -> Result<std::io::Result<()>, EngineError> {
        let mut snapshot = self.store.snapshot(as_of).await?.ok_or(EngineError::NoVersion)?;
        access::grants(&mut snapshot, filter, each).await
    }
}
