//! Channels for alerts, and rules as people set them, in the installation's own store.
//!
//! What settings mean and how a secret is sealed is not known here.
//!
//! Invariant: a change is stored with the event that tells of it, or not at all.

use metsuke_model::Moment;
use metsuke_model::audit::NewEvent;
use serde_json::Value as Json;

use crate::connection::{Bind, Row};
use crate::{Store, StoreError, audit};

/// Where alerts go.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelRow {
    /// Its id.
    pub id: String,
    /// Its name, by which people know it.
    pub name: String,
    /// Its sort.
    pub kind: String,
    /// Whether anything is sent.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Moment,
    /// When it was changed.
    pub updated_at: Moment,
    /// Its settings.
    pub document: Json,
    /// Its secret, sealed.
    pub secret: Option<Vec<u8>>,
}

/// A rule of somebody's own, or what is set of a shipped one.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleRow {
    /// Its id.
    pub id: String,
    /// `own` or `shipped`.
    pub kind: String,
    /// Whether it is evaluated.
    pub enabled: bool,
    /// How often it was changed.
    pub revision: i64,
    /// When it was changed.
    pub updated_at: Moment,
    /// The rule, or the parameters of a shipped one.
    pub document: Json,
}

const READING: &str = "reading channels and rules";
const WRITING: &str = "keeping channels and rules";

impl Store {
    /// The channels, by name.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn channels(&self) -> Result<Vec<ChannelRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut channels = Vec::new();
        let sql = "SELECT id, name, kind, enabled, created_at, updated_at, document, secret
                     FROM channel
                    ORDER BY name";
        connection
            .each(READING, sql, &[], |row| {
                channels.push(channel_row(row)?);
                Ok(())
            })
            .await?;
        Ok(channels)
    }

    /// Makes or changes a channel, by its id, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said, also where another one has the name; nothing is changed then.
    pub async fn put_channel(&self, channel: &ChannelRow, event: NewEvent) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let document = channel.document.to_string();
        let row = [
            Bind::from(&*channel.id),
            Bind::from(&*channel.name),
            Bind::from(&*channel.kind),
            i64::from(channel.enabled).into(),
            channel.created_at.0.into(),
            channel.updated_at.0.into(),
            Bind::from(&*document),
        ];
        let head = "INSERT INTO channel (id, name, kind, enabled, created_at, updated_at, document) ";
        let tail = " ON CONFLICT (id) DO UPDATE SET
            name = excluded.name, kind = excluded.kind, enabled = excluded.enabled,
            updated_at = excluded.updated_at, document = excluded.document, secret = NULL";
        connection.insert(WRITING, (head, tail), [row]).await?;
        if let Some(secret) = &channel.secret {
            let sql = "UPDATE channel SET secret = $1 WHERE id = $2";
            let binds = [Bind::Bytes(secret.clone()), Bind::from(&*channel.id)];
            connection.execute(WRITING, sql, &binds).await?;
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }

    /// Removes a channel, with the event that tells of it; `false` where there is none.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn remove_channel(&self, id: &str, event: NewEvent) -> Result<bool, StoreError> {
        self.remove("DELETE FROM channel WHERE id = $1", id, event).await
    }

    /// The rules, by id.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn rules(&self) -> Result<Vec<RuleRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut rules = Vec::new();
        let sql = "SELECT id, kind, enabled, revision, updated_at, document FROM rule ORDER BY id";
        connection
            .each(READING, sql, &[], |row| {
                rules.push(rule_row(row)?);
                Ok(())
            })
            .await?;
        Ok(rules)
    }

    /// Makes or changes a rule, by its id, with the event that tells of it; its revision grows by one.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn put_rule(&self, rule: &RuleRow, event: NewEvent) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let document = rule.document.to_string();
        let row = [
            Bind::from(&*rule.id),
            Bind::from(&*rule.kind),
            i64::from(rule.enabled).into(),
            1.into(),
            rule.updated_at.0.into(),
            Bind::from(&*document),
        ];
        let head = "INSERT INTO rule (id, kind, enabled, revision, updated_at, document) ";
        let tail = " ON CONFLICT (id) DO UPDATE SET
            kind = excluded.kind, enabled = excluded.enabled, revision = rule.revision + 1,
            updated_at = excluded.updated_at, document = excluded.document";
        connection.insert(WRITING, (head, tail), [row]).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }

    /// Removes a rule, with the event that tells of it; `false` where there is none.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn remove_rule(&self, id: &str, event: NewEvent) -> Result<bool, StoreError> {
        self.remove("DELETE FROM rule WHERE id = $1", id, event).await
    }

    async fn remove(&self, sql: &'static str, id: &str, event: NewEvent) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        if connection.execute(WRITING, sql, &[id.into()]).await? == 0 {
            return Ok(false);
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }
}

fn channel_row(row: Row<'_>) -> Result<ChannelRow, StoreError> {
    let word = |index| row.text(index).map(Option::unwrap_or_default);
    Ok(ChannelRow {
        id: word(0)?,
        name: word(1)?,
        kind: word(2)?,
        enabled: row.number(3)? != 0,
        created_at: Moment(row.number(4)?),
        updated_at: Moment(row.number(5)?),
        document: document(row, 6)?,
        secret: row.bytes(7)?,
    })
}

fn rule_row(row: Row<'_>) -> Result<RuleRow, StoreError> {
    let word = |index| row.text(index).map(Option::unwrap_or_default);
    Ok(RuleRow {
        id: word(0)?,
        kind: word(1)?,
        enabled: row.number(2)? != 0,
        revision: row.number(3)?,
        updated_at: Moment(row.number(4)?),
        document: document(row, 5)?,
    })
}

fn document(row: Row<'_>, index: usize) -> Result<Json, StoreError> {
    serde_json::from_str(&row.text(index)?.unwrap_or_default())
        .map_err(|_| StoreError::Damaged { what: "the settings of a channel or a rule".into() })
}
