//! Rosters are brought into all estates, and it is said whose account is whose.
//!
//! Reading and matching is [`people`](crate::people)'s; lists are in [`directory`](super::directory).
//!
//! Invariant: a roster goes into every estate that is meant, or its mistakes are told before it goes into any.

use std::time::Duration;

use metsuke_clients::ClientError;
use metsuke_clients::roster::{Roster, Settings as RosterSettings};
use metsuke_model::HerokuId;
use metsuke_model::people::RosterKind;
use metsuke_store::{Imported, Whose};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use super::apart::to_its_end;
use super::shelves::Reading;
use super::{Desk, Placed};
use crate::EngineError;
use crate::identity::Caller;
use crate::people::{self, Parsed, assign, unassign};

/// How long fetching a roster may take, for whoever waits for it.
const FETCHING: Duration = Duration::from_mins(10);

/// What importing a roster came to in an estate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RosterTaken {
    /// The roster's name.
    pub roster: String,
    /// What it was: `csv`, `scim` or `okta`.
    pub kind: Box<str>,
    /// People in it.
    pub people: u64,
    /// Those who are new.
    pub added: u64,
    /// Those who are others than before.
    pub changed: u64,
    /// Those whom it names no more.
    pub missing: u64,
    /// What that means for accounts.
    pub accounts: Accounts,
}

/// How accounts are matched with people.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Accounts {
    /// It is known whose.
    pub matched: u64,
    /// Several people fit.
    pub unsure: u64,
    /// Nobody fits.
    pub unknown: u64,
    /// They are nobody's.
    pub nobody: u64,
    /// Those of which it is known otherwise than before.
    pub changed: u64,
}

impl RosterTaken {
    /// What an import came to.
    #[must_use]
    pub fn of(roster: &str, kind: RosterKind, imported: &Imported) -> Self {
        let Imported { rows, added, changed, missing, matching, .. } = imported;
        Self {
            roster: roster.to_owned(),
            kind: kind.as_str().into(),
            people: *rows,
            added: *added,
            changed: *changed,
            missing: *missing,
            accounts: Accounts {
                matched: matching.matched,
                unsure: matching.unsure,
                unknown: matching.unknown,
                nobody: matching.nobody,
                changed: matching.changed,
            },
        }
    }
}

/// A server that has a roster.
#[derive(Debug)]
pub struct RosterSource {
    /// Its address.
    pub url: String,
    /// The token by which it lets one read.
    pub token: SecretString,
}

impl Desk {
    /// Whose the account is that stands in a reading, as far as that is known now; none where there is no roster.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn whose(&self, reading: &Reading, account: &HerokuId) -> Result<Option<Whose>, EngineError> {
        Ok(self.store_of(reading).await?.whose(account).await?)
    }

    /// Imports a roster in place of what it said before, into every estate or that of a connector.
    ///
    /// # Errors
    ///
    /// As [`people::parse`] and [`people::import`]; [`EngineError::NoVersion`] where there is no estate.
    pub async fn import_roster(
        &self,
        caller: &Caller,
        connector: Option<&str>,
        (roster, kind): (&str, RosterKind),
        bytes: &[u8],
        shrunken: bool,
    ) -> Result<Vec<Placed<RosterTaken>>, EngineError> {
        let parsed = people::parse(roster, kind, bytes)?;
        self.keep_roster(caller, connector, (roster, kind), parsed, shrunken).await
    }

    /// Fetches a roster from a server that answers as Okta's users API does, and imports it as
    /// [`import_roster`](Self::import_roster) does. The server is reached by the way out of alerts, and the token is kept nowhere.
    ///
    /// # Errors
    ///
    /// [`EngineError::Fields`] for an address that is not asked, or a token that is none; as [`people::fetch`], and as
    /// [`import_roster`](Self::import_roster).
    pub async fn fetch_roster(
        &self,
        caller: &Caller,
        connector: Option<&str>,
        roster: &str,
        source: RosterSource,
        shrunken: bool,
    ) -> Result<Vec<Placed<RosterTaken>>, EngineError> {
        let outside =
            self.outside().ok_or_else(|| EngineError::field("url", "nothing is fetched from here"))?;
        // Whether there is anywhere to put it is known before anybody is asked.
        if self.estates(connector).await?.is_empty() {
            return Err(EngineError::NoVersion);
        }
        let wrong = |error: &ClientError| match error {
            ClientError::Config { reason } => Some(EngineError::field("url", reason.as_str())),
            _ => None,
        };
        let url = Url::parse(source.url.trim());
        let url = url.map_err(|error| EngineError::field("url", format!("it cannot be read: {error}")))?;
        let settings = RosterSettings { total_timeout: FETCHING, ..RosterSettings::new(url, source.token) };
        let server = Roster::guarded(settings, outside);
        let server =
            server.map_err(|error| wrong(&error).unwrap_or(EngineError::RosterSource { source: error }))?;
        let parsed = people::fetch(roster, &server).await.map_err(|error| match &error {
            EngineError::RosterSource { source } => wrong(source).unwrap_or(error),
            _ => error,
        })?;
        self.keep_roster(caller, connector, (roster, RosterKind::Okta), parsed, shrunken).await
    }

    async fn keep_roster(
        &self,
        caller: &Caller,
        connector: Option<&str>,
        (roster, kind): (&str, RosterKind),
        parsed: Parsed,
        shrunken: bool,
    ) -> Result<Vec<Placed<RosterTaken>>, EngineError> {
        let mut taken = Vec::new();
        for estate in self.estates(connector).await? {
            let store = estate.store.acting_as(caller.actor());
            let (installation, name) = (self.installation().clone(), roster.to_owned());
            let employees = parsed.employees.clone();
            let imported = to_its_end(async move || {
                let clock = installation.clock();
                people::import(&store, (&name, kind), employees, shrunken, clock).await
            })
            .await?;
            let row = RosterTaken::of(roster, kind, &imported);
            taken.push(Placed { connector: estate.connector, version: None, row });
        }
        if taken.is_empty() { Err(EngineError::NoVersion) } else { Ok(taken) }
    }

    /// Says whose an account is, or with no employee that it is nobody's; `false` where that was said already.
    ///
    /// # Errors
    ///
    /// As [`assign`].
    pub async fn match_account(
        &self,
        caller: &Caller,
        connector: Option<&str>,
        account: &str,
        employee: Option<&str>,
    ) -> Result<bool, EngineError> {
        let store = self.estate(connector).await?.store.acting_as(caller.actor());
        assign(&store, account, employee, self.installation().clock()).await
    }

    /// Takes back what was said of an account; `false` where nothing was.
    ///
    /// # Errors
    ///
    /// As [`unassign`].
    pub async fn unmatch_account(
        &self,
        caller: &Caller,
        connector: Option<&str>,
        account: &str,
    ) -> Result<bool, EngineError> {
        let store = self.estate(connector).await?.store.acting_as(caller.actor());
        unassign(&store, account, self.installation().clock()).await
    }
}
