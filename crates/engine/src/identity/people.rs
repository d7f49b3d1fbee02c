//! People who sign in: the one value that holds what signing in needs.
//!
//! What is done with it stands in the files beside: accounts, sessions, signing in, the first person, the second factor.
//!
//! Invariant: clones share the place where passwords are hashed, so that its bound holds for all of them.

use std::sync::Arc;

use metsuke_model::audit::{EventCode, NewEvent};
use metsuke_model::{Clock, Moment};
use metsuke_store::Store;

use super::password::Passwords;
use super::policy::Caller;
use super::provider::Provider;
use crate::EngineError;
use crate::connectors::Installation;

/// The people of an installation.
#[derive(Clone, Debug)]
pub struct People {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) installation: Installation,
    pub(super) passwords: Arc<Passwords>,
    pub(super) provider: Option<Arc<Provider>>,
}

impl People {
    /// The people of an installation. Who changes their accounts is whoever acts through its main store.
    #[must_use]
    pub fn new(installation: Installation, clock: Arc<dyn Clock>) -> Self {
        let store = installation.main().clone();
        Self { store, clock, installation, passwords: Arc::default(), provider: None }
    }

    /// The same people, who may also sign in through a provider of identities.
    #[must_use]
    pub fn with_provider(self, provider: Provider) -> Self {
        Self { provider: Some(Arc::new(provider)), ..self }
    }

    /// The same people, for somebody who asks through the API.
    #[must_use]
    pub fn by(&self, caller: &Caller) -> Self {
        Self { store: self.store.clone().acting_as(caller.actor()), ..self.clone() }
    }

    /// The name of the provider that somebody may sign in through.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref().map(Provider::name)
    }

    /// Whether nobody has an account yet.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn nobody(&self) -> Result<bool, EngineError> {
        Ok(self.store.count_accounts().await? == 0)
    }

    /// An event about an account, by whoever acts through the store.
    pub(super) fn event(&self, now: Moment, code: EventCode, account: &str) -> NewEvent {
        self.store.event(now, code).about("account", account)
    }
}
