//! The Heroku client of a connector: its token unsealed, its budget that of the account, whoever else uses it.
//!
//! Invariant: of one Heroku account there is one budget in a process, however many connectors have tokens of it.

use std::sync::Arc;

use metsuke_clients::heroku::{Heroku, Settings as HerokuSettings};
use metsuke_clients::{Budget, ClientError};
use metsuke_model::ConnectorId;
use metsuke_store::{Credential, Store};
use secrecy::SecretString;

use super::{Installation, view};
use crate::EngineError;

/// The row that a connector's token is sealed for.
pub(super) fn token_row(id: ConnectorId) -> String {
    format!("connector/{id}/api_token")
}

/// The row that a connector's key of JupiterOne is sealed for.
pub(super) fn jupiterone_row(id: ConnectorId) -> String {
    format!("connector/{id}/jupiterone_key")
}

impl Installation {
    /// The client of a live connector. Where its account is not known yet, Heroku is asked.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], [`EngineError::Sealed`], and what Heroku or the database said.
    pub async fn heroku(&self, id: ConnectorId) -> Result<Heroku, EngineError> {
        let store = self.estate(id).await?;
        self.client(id, &store).await
    }

    pub(crate) async fn client(&self, id: ConnectorId, store: &Store) -> Result<Heroku, EngineError> {
        let gone = || EngineError::NoConnector { asked: id.to_string() };
        let (settings, _) = view::settings(store).await?.ok_or_else(gone)?;
        let credential = store.credential().await?.ok_or_else(gone)?;
        let token = self.sealing_key()?.open(self.name(), &token_row(id), &credential.sealed)?;
        self.client_of(&settings.api_url, token, Some((store, &credential))).await
    }

    /// A client for a token; the account of a stored one is noted, so that it is asked for once.
    pub(super) async fn client_of(
        &self,
        api_url: &str,
        token: SecretString,
        stored: Option<(&Store, &Credential)>,
    ) -> Result<Heroku, EngineError> {
        let upstream = |source| EngineError::Upstream { source };
        let mut settings = HerokuSettings::parse(api_url, token).map_err(upstream)?;
        self.tune(&mut settings);
        let heroku = Heroku::new(settings.clone()).map_err(upstream)?;
        let known = stored.and_then(|(_, credential)| credential.account.clone());
        let account = if let Some((account, _)) = known {
            account
        } else {
            let account = heroku.account().await.map_err(refused)?;
            if let Some((store, credential)) = stored {
                store.note_account(credential.set_at, &account.id, account.email.as_deref()).await?;
            }
            account.id
        };
        let budget = self.budget_of(api_url, account, heroku.budget());
        if Arc::ptr_eq(&budget, heroku.budget()) {
            return Ok(heroku);
        }
        Heroku::with_budget(settings, budget).map_err(upstream)
    }

    /// The budget of an account: the one that there is, else this one from now on.
    fn budget_of(&self, api_url: &str, account: String, own: &Arc<Budget>) -> Arc<Budget> {
        let mut budgets = self.budgets();
        Arc::clone(budgets.entry((api_url.to_owned(), account)).or_insert_with(|| Arc::clone(own)))
    }
}

/// What is wrong with a token whose account cannot be read.
pub(super) fn refused(source: ClientError) -> EngineError {
    match source.status() {
        Some(401) => EngineError::WrongToken { source },
        _ => EngineError::Upstream { source },
    }
}
