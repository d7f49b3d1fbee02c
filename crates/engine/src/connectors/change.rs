//! Making and changing connectors.
//!
//! Invariant: a connector appears whole or not at all, and what was sealed for it is never shown again.

use metsuke_model::ConnectorId;
use metsuke_model::audit::{Actor, EventCode};
use metsuke_store::{ConnectorStatus, Credential, OpenMode, SettingRow, Store};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::heroku::{jupiterone_row, token_row};
use super::settings::{Check, ConnectorEdit, NewConnector, Settings};
use super::{Connector, Installation, view};
use crate::EngineError;

/// The member of a stored document that holds the sealed key of JupiterOne; no setting is named so.
const JUPITERONE_KEY: &str = "sealed_jupiterone_key";

impl Installation {
    /// Makes a connector and starts its first sync, whatever its schedule.
    ///
    /// # Errors
    ///
    /// [`EngineError::Fields`], [`EngineError::NameTaken`], and what the databases said.
    pub async fn create(&self, by: &Actor, new: NewConnector) -> Result<Connector, EngineError> {
        let mut check = Check::default();
        check.name(&new.name);
        check.settings(&new.settings);
        check.token("api_token", &new.api_token);
        if let Some(key) = &new.jupiterone_key {
            check.token("jupiterone_key", key);
        }
        check.end()?;
        let now = self.now();
        let id = ConnectorId::new(now, self.chance()?);
        let sealed = self.sealing_key()?.seal(self.name(), &token_row(id), &new.api_token)?;
        let document = self.document(id, &new.settings, new.jupiterone_key.as_ref(), None)?;
        if !self.main().register_connector(id, &new.name, now).await? {
            return Err(EngineError::NameTaken { name: new.name });
        }
        let credential = Credential { sealed, set_at: now, account: None };
        let event = self
            .main()
            .clone()
            .acting_as(by.clone())
            .event(now, EventCode::ConnectorCreated)
            .about("connector", id)
            .detail("name", new.name.as_str())
            .detail("settings", public(&document));
        let store = self.open_estate(id, OpenMode::Create).await?;
        let planned = new.settings.polling_interval.begin(now);
        store.set_up(&document, &credential, planned, event.clone()).await?;
        self.ask(&store, by, "created", None).await?;
        self.main().mark_connector(id, ConnectorStatus::Live, None, Some(event)).await?;
        self.wake();
        self.connector(id).await
    }

    /// Changes a connector; with `edition`, only where its settings are still in that one.
    ///
    /// # Errors
    ///
    /// [`EngineError::Fields`], [`EngineError::NameTaken`], [`EngineError::Changed`], [`EngineError::NoConnector`], and
    /// what the databases said.
    pub async fn edit(
        &self,
        by: &Actor,
        id: ConnectorId,
        edition: Option<i64>,
        edit: ConnectorEdit,
    ) -> Result<Connector, EngineError> {
        let mut check = Check::default();
        if let Some(name) = &edit.name {
            check.name(name);
        }
        if let Some(settings) = &edit.settings {
            check.settings(settings);
        }
        for (field, token) in [("api_token", &edit.api_token), ("jupiterone_key", &edit.jupiterone_key)] {
            if let Some(token) = token {
                check.token(field, token);
            }
        }
        check.end()?;
        let (row, store) = (self.row(id).await?, self.estate(id).await?.acting_as(by.clone()));
        let (settings, setting) = self.stored(id, &store).await?;
        refuse_changed(edition, setting.edition)?;
        let now = self.now();
        if let Some(name) = edit.name.filter(|name| *name != row.name) {
            let event = store
                .event(now, EventCode::ConnectorEdited)
                .about("connector", id)
                .detail("name", json!({ "before": row.name, "after": name }));
            if !self.main().rename_connector(id, &name, event).await? {
                return Err(EngineError::NameTaken { name });
            }
        }
        let wanted = edit.settings.unwrap_or_else(|| settings.clone());
        if wanted != settings || edit.jupiterone_key.is_some() {
            self.set_anew(id, &store, (&settings, &setting), &wanted, edit.jupiterone_key.as_ref()).await?;
        }
        if let Some(token) = &edit.api_token {
            let sealed = self.sealing_key()?.seal(self.name(), &token_row(id), token)?;
            let event = store.event(now, EventCode::ConnectorTokenReplaced).about("connector", id);
            let credential = Credential { sealed, set_at: now, account: None };
            store.replace_credential(&credential, event).await?;
        }
        self.wake();
        self.connector(id).await
    }

    /// Stops a connector's schedule; a sync that runs goes on, and one may still be asked for.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn pause(&self, by: &Actor, id: ConnectorId) -> Result<Connector, EngineError> {
        self.set_paused(by, id, true).await
    }

    /// Starts a connector's schedule again.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn resume(&self, by: &Actor, id: ConnectorId) -> Result<Connector, EngineError> {
        self.set_paused(by, id, false).await
    }

    /// The key of JupiterOne's API that a connector uploads with.
    ///
    /// # Errors
    ///
    /// [`EngineError::Sealed`], and what the database said.
    pub async fn jupiterone_key(&self, id: ConnectorId) -> Result<Option<SecretString>, EngineError> {
        let store = self.estate(id).await?;
        let (_, setting) = self.stored(id, &store).await?;
        let sealed = setting.document.get(JUPITERONE_KEY).and_then(Value::as_str).and_then(unhex);
        sealed.map(|sealed| self.sealing_key()?.open(self.name(), &jupiterone_row(id), &sealed)).transpose()
    }

    async fn set_paused(&self, by: &Actor, id: ConnectorId, pause: bool) -> Result<Connector, EngineError> {
        let store = self.estate(id).await?.acting_as(by.clone());
        loop {
            let (settings, setting) = self.stored(id, &store).await?;
            if setting.paused_at.is_some() == pause {
                return self.connector(id).await;
            }
            let now = self.now();
            let code = if pause { EventCode::ConnectorPaused } else { EventCode::ConnectorResumed };
            let event = store.event(now, code).about("connector", id);
            let planned = settings.polling_interval.begin(now);
            let edition = setting.edition;
            let setting = SettingRow { paused_at: pause.then_some(now), changed_at: now, ..setting };
            if store.edit_settings(edition, &setting, planned, &[], event).await? {
                self.wake();
                return self.connector(id).await;
            }
        }
    }

    /// Writes other settings; what is planned begins anew where the polling interval is another.
    async fn set_anew(
        &self,
        id: ConnectorId,
        store: &Store,
        (settings, setting): (&Settings, &SettingRow),
        wanted: &Settings,
        key: Option<&SecretString>,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let document = self.document(id, wanted, key, setting.document.get(JUPITERONE_KEY))?;
        let planned = if wanted.polling_interval == settings.polling_interval {
            store.schedule().await?
        } else {
            wanted.polling_interval.begin(now)
        };
        let event = store
            .event(now, EventCode::ConnectorEdited)
            .about("connector", id)
            .detail("settings", differing(&public(&setting.document), &public(&document)));
        let edition = setting.edition;
        let setting = SettingRow { document, changed_at: now, ..setting.clone() };
        if store.edit_settings(edition, &setting, planned, &[], event).await? {
            return Ok(());
        }
        let (_, found) = self.stored(id, store).await?;
        Err(EngineError::Changed { found: found.edition, asked: edition })
    }

    async fn stored(&self, id: ConnectorId, store: &Store) -> Result<(Settings, SettingRow), EngineError> {
        view::settings(store).await?.ok_or_else(|| EngineError::NoConnector { asked: id.to_string() })
    }

    /// The settings as they are stored, with the sealed key of JupiterOne.
    fn document(
        &self,
        id: ConnectorId,
        settings: &Settings,
        key: Option<&SecretString>,
        before: Option<&Value>,
    ) -> Result<Value, EngineError> {
        let mut document = json!(settings);
        let sealed = match key {
            Some(key) => {
                Some(json!(hex(&self.sealing_key()?.seal(self.name(), &jupiterone_row(id), key)?)))
            }
            None => before.cloned(),
        };
        if let (Some(members), Some(sealed)) = (document.as_object_mut(), sealed) {
            members.insert(JUPITERONE_KEY.to_owned(), sealed);
        }
        Ok(document)
    }
}

fn refuse_changed(asked: Option<i64>, found: i64) -> Result<(), EngineError> {
    match asked {
        Some(asked) if asked != found => Err(EngineError::Changed { found, asked }),
        _ => Ok(()),
    }
}

/// A stored document without what is sealed.
fn public(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(members) = document.as_object_mut() {
        members.remove(JUPITERONE_KEY);
    }
    document
}

/// What differs, before and after.
fn differing(before: &Value, after: &Value) -> Value {
    let empty = serde_json::Map::new();
    let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let changed = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    changed
        .map(|(key, value)| (key.clone(), json!({ "before": before.get(key), "after": value })))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |four: u8| DIGITS.get(usize::from(four)).copied().map_or('0', char::from);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
