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
    /// What a first sync comes to, as far as this tells; none where teams or apps cannot be listed.
    pub estimate: Option<Estimate>,
    /// What is in the way of reading everything; empty for a token that is good.
    pub problems: Vec<String>,
}

/// What a first sync comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Requests, where no team needs a closer look.
    pub requests_least: u64,
    /// Requests, where every team does.
    pub requests_most: u64,
    /// How long the most of them take, in seconds: eight at a time, each a third of a second, and with the wait for the budget
    /// where they are more than the account has left.
    pub seconds: u64,
    /// Whether there are more apps than were counted, so that it may be more.
    pub more: bool,
}

/// Listings that every sync reads: the account, Enterprise accounts, teams, apps, add-ons, attachments, pipelines, their apps, spaces.
const ALWAYS: u64 = 9;
/// Listings of a team: members, permissions, invitations.
const OF_TEAM: u64 = 3;
/// Listings of an Enterprise account: members, teams.
const OF_ENTERPRISE_ACCOUNT: u64 = 2;
/// Requests in a second: eight at a time, a third of a second each.
const PER_SECOND: u64 = 24;
/// Requests that Heroku adds to a budget in a minute.
///
/// Source: <https://devcenter.heroku.com/articles/platform-api-reference#rate-limits>
const REFILL: u64 = 75;

impl Estimate {
    fn of(teams: u64, enterprise_accounts: u64, personal_apps: u64, more: bool, left: Option<u32>) -> Self {
        let least = ALWAYS + OF_TEAM * teams + OF_ENTERPRISE_ACCOUNT * enterprise_accounts + personal_apps;
        let most = least + teams;
        let beyond = left.map_or(0, |left| most.saturating_sub(u64::from(left)));
        let seconds = most.div_ceil(PER_SECOND) + beyond * 60 / REFILL;
        Self { requests_least: least, requests_most: most, seconds, more }
    }
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
    let teams = first(heroku, endpoint::teams(), &mut problems, |_| false).await;
    let enterprise_accounts = first(heroku, endpoint::enterprise_accounts(), &mut problems, |_| false).await;
    let apps = first(heroku, endpoint::apps(), &mut problems, |app| app.team.is_none()).await;
    let calls_left = heroku.budget().remaining();
    let estimate = teams.zip(apps).map(|(teams, apps)| {
        let accounts = enterprise_accounts.map_or(0, |accounts| accounts.rows);
        Estimate::of(teams.rows, accounts, apps.chosen, !apps.last || !teams.last, calls_left)
    });
    Ok(Probe {
        account_id: account.id,
        account_email: account.email,
        scopes,
        teams: teams.map(|page| page.rows),
        enterprise_accounts: enterprise_accounts.map(|page| page.rows),
        apps: apps.map(|page| page.rows),
        more_apps: apps.is_some_and(|page| !page.last),
        calls_left,
        estimate,
        problems,
    })
}

/// The first page of a list.
#[derive(Clone, Copy, Debug)]
struct First {
    rows: u64,
    /// Rows that are of some kind.
    chosen: u64,
    last: bool,
}

async fn first<T: Row>(
    heroku: &Heroku,
    endpoint: Endpoint<T>,
    problems: &mut Vec<String>,
    choose: fn(&T) -> bool,
) -> Option<First> {
    match heroku.walk(endpoint).next().await {
        Ok(page) => {
            let chosen = page.rows.iter().filter(|row| choose(row)).count() as u64;
            Some(First { rows: page.rows.len() as u64, chosen, last: page.last })
        }
        Err(error) => {
            problems.push(error.to_string());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_grows_with_teams_and_waits_for_the_budget() {
        let small = Estimate::of(4, 1, 2, false, Some(4_500));
        assert_eq!((small.requests_least, small.requests_most, small.seconds), (25, 29, 2));
        let large = Estimate::of(2_000, 0, 0, true, Some(4_000));
        assert_eq!((large.requests_most, large.more), (8_009, true));
        assert_eq!(large.seconds, 8_009_u64.div_ceil(24) + 4_009 * 60 / 75);
    }
}
