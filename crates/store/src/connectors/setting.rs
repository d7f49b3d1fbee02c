//! What a connector is set to, in its own store.
//!
//! What settings mean is decided above; here they are a document with an edition. Credentials come sealed.
//!
//! Invariant: each change is one transaction with the event that tells of it.

use metsuke_model::Moment;
use metsuke_model::audit::NewEvent;
use serde_json::Value;

use super::schedule::{ScheduleRow, plan};
use super::{READING, SYNC, WRITING};
use crate::connection::{Bind, Connection};
use crate::jobs::{self, NewJob};
use crate::{Store, StoreError, audit};

/// What a connector is set to.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingRow {
    /// 1, and one more with each change.
    pub edition: i64,
    /// The settings.
    pub document: Value,
    /// Since when its schedule starts nothing.
    pub paused_at: Option<Moment>,
    /// When they were changed last.
    pub changed_at: Moment,
}

/// A connector's API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The token, sealed.
    pub sealed: Vec<u8>,
    /// When it was set.
    pub set_at: Moment,
    /// The Heroku account that it belongs to, as far as Heroku was asked: its id and address.
    pub account: Option<(String, Option<String>)>,
}

impl Store {
    /// What the connector of this store is set to; none before it was made and after it was removed.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn settings(&self) -> Result<Option<SettingRow>, StoreError> {
        settings(&mut self.pool.begin_read().await?).await
    }

    /// Sets a connector for the first time: its settings, its sealed token and what is planned, with the event.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is set then.
    pub async fn set_up(
        &self,
        document: &Value,
        credential: &Credential,
        planned: ScheduleRow,
        event: NewEvent,
    ) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let row = [1.into(), 1.into(), document.to_string().as_str().into(), credential.set_at.0.into()];
        let head = "INSERT INTO connector_setting (id, edition, document, changed_at) ";
        connection.insert(WRITING, (head, ""), [row]).await?;
        keep_credential(&mut connection, credential).await?;
        plan(&mut connection, SYNC, planned).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }

    /// Sets a connector anew, with what is planned then and the event; `false` where another edition than the one
    /// given is there.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn edit_settings(
        &self,
        edition: i64,
        setting: &SettingRow,
        planned: ScheduleRow,
        jobs: &[NewJob],
        event: NewEvent,
    ) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE connector_setting
                      SET edition = edition + 1, document = $1, paused_at = $2, changed_at = $3
                    WHERE id = 1 AND edition = $4";
        let document = setting.document.to_string();
        let binds = [
            document.as_str().into(),
            Bind::Int(setting.paused_at.map(|moment| moment.0)),
            setting.changed_at.0.into(),
            edition.into(),
        ];
        if connection.execute(WRITING, sql, &binds).await? == 0 {
            return Ok(false);
        }
        plan(&mut connection, SYNC, planned).await?;
        for job in jobs {
            jobs::insert(&mut connection, job).await?;
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// The connector's token, sealed.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn credential(&self) -> Result<Option<Credential>, StoreError> {
        let mut found = None;
        let sql = "SELECT sealed, set_at, account_id, account_email FROM connector_credential WHERE id = 1";
        self.pool
            .begin_read()
            .await?
            .each("reading a credential", sql, &[], |row| {
                let account = row.text(2)?.map(|id| row.text(3).map(|email| (id, email))).transpose()?;
                let sealed = row.bytes(0)?.unwrap_or_default();
                found = Some(Credential { sealed, set_at: Moment(row.number(1)?), account });
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// Replaces the connector's token, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said; the old one stays then.
    pub async fn replace_credential(
        &self,
        credential: &Credential,
        event: NewEvent,
    ) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        keep_credential(&mut connection, credential).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }

    /// Notes whose the connector's token is, unless it was replaced since `set_at`.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn note_account(
        &self,
        set_at: Moment,
        id: &str,
        email: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE connector_credential SET account_id = $1, account_email = $2
                    WHERE id = 1 AND set_at = $3";
        let binds = [id.into(), Bind::Text(email.map(Into::into)), set_at.0.into()];
        connection.execute("noting whose a credential is", sql, &binds).await?;
        connection.commit().await
    }
}

async fn keep_credential(connection: &mut Connection, credential: &Credential) -> Result<(), StoreError> {
    let (account, email) = credential.account.clone().unzip();
    let row = [
        1.into(),
        Bind::Bytes(credential.sealed.clone()),
        credential.set_at.0.into(),
        Bind::Text(account),
        Bind::Text(email.flatten()),
    ];
    let head = "INSERT INTO connector_credential (id, sealed, set_at, account_id, account_email) ";
    let tail = " ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, set_at = excluded.set_at,
                    account_id = excluded.account_id, account_email = excluded.account_email";
    connection.insert("keeping a credential", (head, tail), [row]).await
}

async fn settings(connection: &mut Connection) -> Result<Option<SettingRow>, StoreError> {
    let mut found = None;
    let sql = "SELECT edition, document, paused_at, changed_at FROM connector_setting WHERE id = 1";
    connection
        .each(READING, sql, &[], |row| {
            let document = serde_json::from_str(&row.text(1)?.unwrap_or_default())
                .map_err(|error| StoreError::Damaged { what: format!("a connector's settings: {error}") })?;
            found = Some(SettingRow {
                edition: row.number(0)?,
                document,
                paused_at: row.int(2)?.map(Moment),
                changed_at: Moment(row.number(3)?),
            });
            Ok(())
        })
        .await?;
    Ok(found)
}
