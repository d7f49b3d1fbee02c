//! Tries a token: whose it is, what its scope lets it see, and how far it reaches.
//!
//! It commits nothing and changes nothing.
//!
//! Invariant: what Heroku refuses is told as a problem, and ends the trial only where the token itself is refused.

use metsuke_clients::heroku::{Endpoint, Heroku, Row, endpoint};
use metsuke_model::ConnectorId;
use secrecy::SecretString;
use serde::Serialize;

use super::Installation;
use super::heroku::refused;
use crate::EngineError;

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// The id of the account that the token belongs to.
    pub account_id: String,
    /// Its address.
    pub account_email: Option<String>,
    /// The token's scopes, as far as Heroku tells.
    pub scopes: Vec<String>,
    /// Teams that it lists.
    pub teams: Option<u64>,
    /// Enterprise accounts that it lists.
    pub enterprise_accounts: Option<u64>,
    /// Apps on the first page of their list.
    pub apps: Option<u64>,
    /// Whether there are more apps than that.
    pub more_apps: bool,
    /// Requests that the account has left.
    pub calls_left: Option<u32>,
    /// What is in the way of reading everything; empty for a token that is good.
    pub problems: Vec<String>,
}

impl Installation {
    /// Tries the token of a live connector.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`]; [`EngineError::WrongToken`] and [`EngineError::Upstream`] where nothing can be
    /// read with it.
    pub async fn test(&self, id: ConnectorId) -> Result<Probe, EngineError> {
        let heroku = self.heroku(id).await?;
        probe(&heroku).await
    }

    /// Tries a token before a connector is made of it.
    ///
    /// # Errors
    ///
    /// As [`test`](Self::test).
    pub async fn test_token(&self, api_url: &str, token: SecretString) -> Result<Probe, EngineError> {
        let heroku = self.client_of(api_url, token, None).await?;
        probe(&heroku).await
    }
}

async fn probe(heroku: &Heroku) -> Result<Probe, EngineError> {
    let account = heroku.account().await.map_err(refused)?;
    let mut problems = Vec::new();
    let scopes = heroku.scopes().unwrap_or_default();
    if !scopes.is_empty() && !scopes.iter().any(|scope| scope == "global") {
        let told = scopes.join(" ");
        problems.push(format!(
            "the token's scope is `{told}`, with which Heroku does not show the members of teams"
        ));
    }
    if account.federated == Some(true) {
        problems.push("the account is federated, and such an account cannot keep a lasting token".to_owned());
    }
    let teams = first(heroku, endpoint::teams(), &mut problems).await;
    let enterprise_accounts = first(heroku, endpoint::enterprise_accounts(), &mut problems).await;
    let apps = first(heroku, endpoint::apps(), &mut problems).await;
    Ok(Probe {
        account_id: account.id,
        account_email: account.email,
        scopes,
        teams: teams.map(|(rows, _)| rows),
        enterprise_accounts: enterprise_accounts.map(|(rows, _)| rows),
        apps: apps.map(|(rows, _)| rows),
        more_apps: apps.is_some_and(|(_, last)| !last),
        calls_left: heroku.budget().remaining(),
        problems,
    })
}

/// The rows of a list's first page, and whether it is the last one.
async fn first<T: Row>(
    heroku: &Heroku,
    endpoint: Endpoint<T>,
    problems: &mut Vec<String>,
) -> Option<(u64, bool)> {
    match heroku.walk(endpoint).next().await {
        Ok(page) => Some((page.rows.len() as u64, page.last)),
        Err(error) => {
            problems.push(error.to_string());
            None
        }
    }
}
