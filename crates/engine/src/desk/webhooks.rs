//! Webhooks of apps: listed, asked for and taken away from outside, and their deliveries taken.
//!
//! What a delivery is good for is [`webhooks`](crate::changes::webhooks)'s to say.
//!
//! Invariant: a delivery for a connector that is not there is told from a forged one by nobody. Asking Heroku goes on to its
//! end, whether somebody waits for it or not.

use metsuke_model::{ConnectorId, Version};
use serde::{Deserialize, Serialize};
use url::Url;

use super::apart::to_its_end;
use super::{Desk, Estate, Listing, Placed};
use crate::EngineError;
use crate::changes::webhooks::{self, Delivery, Door, Hook, Received, Vault};
use crate::identity::Caller;

/// Webhooks, by the app's name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hooks {}

/// The place of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HookKey {
    app: String,
    id: String,
}

impl Listing for Hooks {
    type Row = Hook;
    type Key = HookKey;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&HookKey>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<Hook>), EngineError> {
        let mut hooks = webhooks::list(&estate.store).await?;
        hooks.sort_by_cached_key(|hook| self.key(hook));
        hooks.retain(|hook| after.is_none_or(|after| self.key(hook) > *after));
        hooks.truncate(count);
        Ok((None, hooks))
    }

    fn key(&self, row: &Hook) -> HookKey {
        HookKey { app: row.app_name.clone(), id: row.id.clone() }
    }
}

impl Desk {
    /// Takes a delivery, as a webhook of this connector; whatever calls for a reading is read at once.
    ///
    /// # Errors
    ///
    /// As [`webhooks::receive`].
    pub async fn deliver(&self, connector: &str, delivery: &Delivery<'_>) -> Result<Received, EngineError> {
        let Ok(id) = connector.parse::<ConnectorId>() else { return Ok(Received::Forged) };
        let installation = self.installation();
        let store = match installation.estate(id).await {
            Ok(store) => store,
            Err(EngineError::NoConnector { .. }) => return Ok(Received::Forged),
            Err(error) => return Err(error),
        };
        let vault = Vault { key: installation.sealing_key()?, installation: installation.name() };
        let received = webhooks::receive(&store, &vault, delivery, installation.clock()).await?;
        if received == Received::Taken {
            installation.wake();
        }
        Ok(received)
    }

    /// Makes an app tell this server of its changes; `server` is where Heroku reaches it.
    ///
    /// # Errors
    ///
    /// As [`webhooks::add`]; [`EngineError::Fields`] for an address that is none, [`EngineError::NoConnector`] for an estate that
    /// no connector reads.
    pub async fn add_webhook(
        &self,
        caller: &Caller,
        connector: Option<&str>,
        app: &str,
        server: &str,
    ) -> Result<Placed<Hook>, EngineError> {
        let server: Url =
            server.parse().map_err(|_| EngineError::field("url", "it is no address such as https://…"))?;
        let estate = self.estate(connector).await?;
        let (heroku, settings) = self.way(&estate).await?;
        let store = estate.store.acting_as(caller.actor());
        let (installation, app, id) = (self.installation().clone(), app.to_owned(), estate.connector.clone());
        let base = webhooks::address(&server, id.as_deref().unwrap_or_default());
        let row = to_its_end(async move || {
            let vault = Vault { key: installation.sealing_key()?, installation: installation.name() };
            let clock = installation.clock();
            let door = Door { store: &store, heroku: &heroku, vault, settings: &settings, clock };
            webhooks::add(&door, &app, &base).await
        })
        .await?;
        Ok(Placed { connector: estate.connector, version: None, row })
    }

    /// The webhook with this id of ours.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], and what the database said.
    pub async fn webhook(&self, id: &str) -> Result<Placed<Hook>, EngineError> {
        for estate in self.estates(None).await? {
            let found = webhooks::list(&estate.store).await?.into_iter().find(|hook| hook.id == id);
            if let Some(row) = found {
                return Ok(Placed { connector: estate.connector, version: None, row });
            }
        }
        Err(EngineError::Unknown { what: "webhook", asked: id.into() })
    }

    /// Takes a webhook away, by our id of it.
    ///
    /// # Errors
    ///
    /// As [`webhooks::remove`]; [`EngineError::Unknown`].
    pub async fn remove_webhook(&self, caller: &Caller, id: &str) -> Result<Placed<Hook>, EngineError> {
        let unknown = || EngineError::Unknown { what: "webhook", asked: id.into() };
        for estate in self.estates(None).await? {
            if estate.store.webhook(id).await?.is_none() {
                continue;
            }
            let (heroku, settings) = self.way(&estate).await?;
            let store = estate.store.acting_as(caller.actor());
            let (installation, id) = (self.installation().clone(), id.to_owned());
            let removed = to_its_end(async move || {
                let vault = Vault { key: installation.sealing_key()?, installation: installation.name() };
                let clock = installation.clock();
                let door = Door { store: &store, heroku: &heroku, vault, settings: &settings, clock };
                webhooks::remove(&door, &id).await
            })
            .await?;
            let row = removed.into_iter().next().ok_or_else(unknown)?;
            return Ok(Placed { connector: estate.connector, version: None, row });
        }
        Err(unknown())
    }
}
