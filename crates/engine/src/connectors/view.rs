//! A connector as it is shown: its settings, its state, and why.
//!
//! Invariant: nothing here holds a token.

use std::fmt;

use metsuke_model::{ConnectorId, Moment};
use metsuke_store::{ConnectorRow, RunRow, RunStatus, SettingRow, Store};
use serde::Serialize;

use super::Installation;
use super::settings::Settings;
use crate::EngineError;

/// How a connector does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing was read yet.
    New,
    /// A sync waits or reads.
    Syncing,
    /// The last sync read everything.
    Connected,
    /// The last sync read what it could, or waits for somebody to accept it.
    Partial,
    /// The last sync made no version.
    Failing,
    /// Its schedule starts nothing.
    Paused,
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Syncing => "syncing",
            Self::Connected => "connected",
            Self::Partial => "partial",
            Self::Failing => "failing",
            Self::Paused => "paused",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A connector.
#[derive(Clone, Debug, PartialEq)]
pub struct Connector {
    /// Its id.
    pub id: ConnectorId,
    /// Its name.
    pub name: String,
    /// What it is set to.
    pub settings: Settings,
    /// 1, and one more with each change of the settings.
    pub edition: i64,
    /// How it does.
    pub state: State,
    /// Why, in words.
    pub reason: String,
    /// When it was added.
    pub created_at: Moment,
    /// When it was changed last.
    pub changed_at: Moment,
    /// Since when its schedule starts nothing.
    pub paused_at: Option<Moment>,
    /// When its token was set.
    pub token_set_at: Option<Moment>,
    /// The address of the Heroku account that the token belongs to, or the account's id; none before it was asked.
    pub account: Option<String>,
    /// When the next sync is due.
    pub next_sync_at: Option<Moment>,
    /// The sync that waits or reads.
    pub open_run: Option<RunRow>,
    /// The last sync that came to an end.
    pub last_run: Option<RunRow>,
}

impl Connector {
    /// What connectors of all kinds are: there is one kind so far.
    pub const KIND: &'static str = "heroku";
}

impl Installation {
    /// The live connectors, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// What the databases said.
    pub async fn connectors(&self) -> Result<Vec<Connector>, EngineError> {
        let mut connectors = Vec::new();
        for row in self.live().await? {
            match self.estate(row.id).await {
                Ok(store) => connectors.extend(view(row, &store).await?),
                // Somebody has removed it meanwhile.
                Err(EngineError::NoConnector { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(connectors)
    }

    /// One live connector.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn connector(&self, id: ConnectorId) -> Result<Connector, EngineError> {
        let (row, store) = (self.row(id).await?, self.estate(id).await?);
        view(row, &store).await?.ok_or_else(|| EngineError::NoConnector { asked: id.to_string() })
    }
}

/// The settings of a store's connector; none where there are none.
pub(crate) async fn settings(store: &Store) -> Result<Option<(Settings, SettingRow)>, EngineError> {
    let Some(row) = store.settings().await? else { return Ok(None) };
    let settings = serde_json::from_value(row.document.clone()).map_err(|error| {
        metsuke_store::StoreError::Damaged { what: format!("a connector's settings: {error}") }
    })?;
    Ok(Some((settings, row)))
}

async fn view(row: ConnectorRow, store: &Store) -> Result<Option<Connector>, EngineError> {
    let Some((settings, setting)) = settings(store).await? else { return Ok(None) };
    let credential = store.credential().await?;
    let (open_run, last_run) = store.run_state().await?;
    let next_sync_at = match setting.paused_at {
        Some(_) => None,
        None => store.schedule().await?.next_at,
    };
    let (state, reason) = judge(&setting, open_run.as_ref(), last_run.as_ref());
    let account = credential.as_ref().and_then(|credential| credential.account.clone());
    Ok(Some(Connector {
        id: row.id,
        name: row.name,
        settings,
        edition: setting.edition,
        state,
        reason,
        created_at: row.created_at,
        changed_at: setting.changed_at,
        paused_at: setting.paused_at,
        token_set_at: credential.map(|credential| credential.set_at),
        account: account.map(|(id, email)| email.unwrap_or(id)),
        next_sync_at,
        open_run,
        last_run,
    }))
}

/// The state that follows from what is stored, and why.
fn judge(setting: &SettingRow, open: Option<&RunRow>, last: Option<&RunRow>) -> (State, String) {
    if let Some(run) = open {
        let why = match run.status {
            RunStatus::Queued => format!("a sync was asked for at {} and waits", run.asked_at),
            _ => format!("a sync has been reading since {}", run.started_at.unwrap_or(run.asked_at)),
        };
        return (State::Syncing, why);
    }
    let told = last.and_then(|run| run.reason.clone()).unwrap_or_default();
    if let Some(since) = setting.paused_at {
        let last = if told.is_empty() { String::new() } else { format!(", the last sync: {told}") };
        return (State::Paused, format!("paused since {since}{last}"));
    }
    match last.map(|run| run.status) {
        None => (State::New, "nothing was read yet".into()),
        Some(RunStatus::Complete) => (State::Connected, told),
        Some(RunStatus::Partial | RunStatus::Quarantined) => (State::Partial, told),
        Some(_) => (State::Failing, told),
    }
}
