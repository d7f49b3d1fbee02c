//! The registry of connectors in the main store, and what each is set to in its own.
//!
//! What settings mean is decided above; here they are a document with an edition. Credentials come sealed.
//!
//! Invariant: a name belongs to one connector at a time, and is free again once that is removed.

use metsuke_model::audit::NewEvent;
use metsuke_model::{ConnectorId, Moment};
use serde_json::Value;

use crate::connection::{Bind, Connection, Row};
use crate::jobs::{self, NewJob};
use crate::{Store, StoreError, audit};

const READING: &str = "reading connectors";
const WRITING: &str = "changing a connector";

/// How far a connector's life is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectorStatus {
    /// Its store is being made.
    Making,
    /// It is there.
    Live,
    /// What it has is being wiped.
    Removing,
    /// Nothing is left of it but its audit trail.
    Removed,
}

impl ConnectorStatus {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Making => "making",
            Self::Live => "live",
            Self::Removing => "removing",
            Self::Removed => "removed",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Making, Self::Live, Self::Removing, Self::Removed]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// A connector as the registry has it.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorRow {
    /// Its id.
    pub id: ConnectorId,
    /// Its name.
    pub name: String,
    /// How far its life is.
    pub status: ConnectorStatus,
    /// When it was added.
    pub created_at: Moment,
    /// When it was removed.
    pub removed_at: Option<Moment>,
    /// What went with it.
    pub removal: Option<Value>,
}

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

/// When something is next due by the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScheduleRow {
    /// The next planned moment; none where nothing is planned.
    pub next_at: Option<Moment>,
    /// The planned moment that was served last.
    pub slot: Option<Moment>,
}

fn connector(row: Row<'_>) -> Result<ConnectorRow, StoreError> {
    let damaged = |what: &str| StoreError::Damaged { what: what.to_owned() };
    let text = |index| row.text(index).map(Option::unwrap_or_default);
    let removal = row.text(5)?.map(|text| serde_json::from_str(&text)).transpose();
    Ok(ConnectorRow {
        id: text(0)?.parse().map_err(|_| damaged("a connector has no id"))?,
        name: text(1)?,
        status: ConnectorStatus::parse(&text(2)?)
            .ok_or_else(|| damaged("a connector has an unknown status"))?,
        created_at: Moment(row.number(3)?),
        removed_at: row.int(4)?.map(Moment),
        removal: removal.map_err(|error| damaged(&format!("what went with a connector: {error}")))?,
    })
}

/// Writes what is planned next.
pub(crate) async fn plan(
    connection: &mut Connection,
    name: &str,
    schedule: ScheduleRow,
) -> Result<(), StoreError> {
    let row = [
        name.into(),
        Bind::Int(schedule.next_at.map(|moment| moment.0)),
        Bind::Int(schedule.slot.map(|moment| moment.0)),
    ];
    let tail = " ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at, slot = excluded.slot";
    connection
        .insert("planning what is due", ("INSERT INTO schedule (name, next_at, slot) ", tail), [row])
        .await
}

/// Writes what is planned next, if nobody else has done so since; tells whether.
pub(crate) async fn replan(
    connection: &mut Connection,
    planned: ScheduleRow,
    next: ScheduleRow,
) -> Result<bool, StoreError> {
    if scheduled(connection).await? != planned {
        return Ok(false);
    }
    plan(connection, SYNC, next).await?;
    Ok(true)
}

async fn scheduled(connection: &mut Connection) -> Result<ScheduleRow, StoreError> {
    let mut found = ScheduleRow::default();
    let sql = "SELECT next_at, slot FROM schedule WHERE name = $1";
    connection
        .each("reading what is due", sql, &[SYNC.into()], |row| {
            found = ScheduleRow { next_at: row.int(0)?.map(Moment), slot: row.int(1)?.map(Moment) };
            Ok(())
        })
        .await?;
    Ok(found)
}

impl Store {
    /// Every connector that there ever was, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn connectors(&self) -> Result<Vec<ConnectorRow>, StoreError> {
        let mut rows = Vec::new();
        let sql = "SELECT id, name, status, created_at, removed_at, removal FROM connector ORDER BY id";
        self.pool
            .begin_read()
            .await?
            .each(READING, sql, &[], |row| {
                rows.push(connector(row)?);
                Ok(())
            })
            .await?;
        Ok(rows)
    }

    /// Takes a name for a new connector whose store is still to be made; `false` where the name is taken.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn register_connector(
        &self,
        id: ConnectorId,
        name: &str,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "INSERT INTO connector (id, name, name_key, status, created_at)
                   VALUES ($1, $2, $3, 'making', $4)
                   ON CONFLICT (name_key) DO NOTHING";
        let (id, key) = (id.to_string(), name.to_lowercase());
        let binds = [id.as_str().into(), name.into(), key.as_str().into(), now.0.into()];
        let taken = connection.execute(WRITING, sql, &binds).await?;
        connection.commit().await?;
        Ok(taken == 1)
    }

    /// Gives a connector another name; `false` where that is taken.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn rename_connector(
        &self,
        id: ConnectorId,
        name: &str,
        event: NewEvent,
    ) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE connector SET name = $1, name_key = $2
                    WHERE id = $3
                      AND NOT EXISTS (SELECT 1 FROM connector AS other WHERE other.name_key = $2 AND other.id <> $3)";
        let (id, key) = (id.to_string(), name.to_lowercase());
        let binds = [name.into(), key.as_str().into(), id.as_str().into()];
        let renamed = connection.execute(WRITING, sql, &binds).await?;
        if renamed == 0 {
            return Ok(false);
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// Says how far a connector's life is, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn mark_connector(
        &self,
        id: ConnectorId,
        status: ConnectorStatus,
        removed: Option<(Moment, &Value)>,
        event: Option<NewEvent>,
    ) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE connector
                      SET status = $1, removed_at = $2, removal = $3,
                          name_key = CASE WHEN $1 = 'removed' THEN NULL ELSE name_key END
                    WHERE id = $4 AND status <> 'removed'";
        let id = id.to_string();
        let binds = [
            status.as_str().into(),
            Bind::Int(removed.map(|(at, _)| at.0)),
            Bind::Text(removed.map(|(_, removal)| removal.to_string())),
            id.as_str().into(),
        ];
        let changed = connection.execute(WRITING, sql, &binds).await?;
        if changed == 0 {
            return Ok(());
        }
        if let Some(event) = event {
            audit::append(&mut connection, event).await?;
        }
        connection.commit().await
    }

    /// Forgets a connector whose store was never finished.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn forget_connector(&self, id: ConnectorId) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "DELETE FROM connector WHERE id = $1 AND status = 'making'";
        connection.execute(WRITING, sql, &[id.to_string().as_str().into()]).await?;
        connection.commit().await
    }

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

    /// When the connector's next sync is due.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn schedule(&self) -> Result<ScheduleRow, StoreError> {
        scheduled(&mut self.pool.begin_read().await?).await
    }

    /// Plans something else, unless somebody has done so since; tells whether.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn replan(&self, planned: ScheduleRow, next: ScheduleRow) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let planned = replan(&mut connection, planned, next).await?;
        connection.commit().await?;
        Ok(planned)
    }
}

/// The schedule of a connector's syncs.
pub(crate) const SYNC: &str = "sync";

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

pub(crate) async fn settings(connection: &mut Connection) -> Result<Option<SettingRow>, StoreError> {
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
