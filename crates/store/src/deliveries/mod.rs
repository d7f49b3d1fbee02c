//! What is to be told, to which channel, and how far that has come.
//!
//! Which channels there are, when they are quiet, and how a message is sent is not known here.
//!
//! Invariant: a delivery that is waiting stays so until its receiver took it or somebody gave it up; of one subject, a
//! later one is not taken up before the earlier ones have ended or go with it; a worker that no longer holds a message
//! records nothing of it.

mod claim;
mod rows;

use metsuke_model::finding::DeliveryState;
use metsuke_model::{Moment, Version};
use serde_json::Value as Json;

use crate::connection::{Bind, Connection};
use crate::findings::{self, Evaluated};
use crate::{Store, StoreError};
use rows::{delivery_row, health_row};

pub use claim::{ClaimedMessage, MessageClaim};

/// Something to be told, before it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDelivery {
    /// What tells it from every other; the same for the same news.
    pub id: String,
    /// The channel's id.
    pub channel: String,
    /// What it is about; its deliveries keep their order.
    pub subject: String,
    /// The rule's id.
    pub rule: String,
    /// The version that it came with.
    pub version: Version,
    /// It may pass quiet hours.
    pub critical: bool,
    /// The alert.
    pub document: Json,
}

/// Something to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryRow {
    /// What tells it from every other.
    pub id: String,
    /// Its place in the order of all.
    pub sequence: i64,
    /// The channel's id.
    pub channel: String,
    /// What it is about.
    pub subject: String,
    /// The rule's id.
    pub rule: String,
    /// The version that it came with.
    pub version: Version,
    /// It may pass quiet hours.
    pub critical: bool,
    /// How far it has come.
    pub state: DeliveryState,
    /// With which others it is sent, once it was taken up.
    pub message: Option<String>,
    /// How often it was taken up.
    pub attempt: i64,
    /// When it was stored.
    pub created_at: Moment,
    /// When it is tried next.
    pub due_at: Moment,
    /// When it was taken up for the first time.
    pub first_at: Option<Moment>,
    /// When the receiver took it.
    pub sent_at: Option<Moment>,
    /// What came of the last try.
    pub told: Option<String>,
    /// What the receiver calls it.
    pub receipt: Option<String>,
    /// The alert.
    pub document: Json,
}

/// How a channel fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelHealth {
    /// Failures of the channel, one after the other.
    pub failures: i64,
    /// Since when it fails.
    pub failing_since: Option<Moment>,
    /// Nothing is tried before.
    pub retry_at: Option<Moment>,
    /// When it took something last.
    pub last_sent_at: Option<Moment>,
    /// What it said last.
    pub told: Option<String>,
}

/// What came of sending a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageOutcome {
    /// The receiver took it.
    Sent {
        /// What the receiver calls it.
        receipt: Option<String>,
    },
    /// It is tried again.
    Retry {
        /// When.
        at: Moment,
        /// The whole channel waits until then.
        channel: bool,
        /// What happened.
        told: String,
    },
    /// It is given up.
    Dead {
        /// Why.
        told: String,
    },
}

/// What is recorded of a message, and what follows from it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What came of it.
    pub outcome: MessageOutcome,
    /// When.
    pub at: Moment,
    /// Findings and deliveries that follow; its edition is not looked at.
    pub follows: Option<Evaluated>,
}

/// Which deliveries are listed.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Those of this channel.
    pub channel: Option<String>,
    /// Those about this.
    pub subject: Option<String>,
    /// Those in this state.
    pub state: Option<DeliveryState>,
    /// Those before this place, for the next page.
    pub before: Option<i64>,
    /// How many at most; 0 for all.
    pub limit: usize,
}

const READING: &str = "reading deliveries";
const WRITING: &str = "keeping deliveries";

impl Store {
    /// Deliveries, the newest first.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut found = Vec::new();
        let sql = rows::delivery_columns!(
            "WHERE sequence < $1 AND ($2 = '' OR channel = $2) AND ($3 = '' OR subject = $3)
                AND ($4 = '' OR state = $4)
              ORDER BY sequence DESC
              LIMIT $5"
        );
        let limit =
            if filter.limit == 0 { i64::MAX } else { i64::try_from(filter.limit).unwrap_or(i64::MAX) };
        let binds = [
            filter.before.unwrap_or(i64::MAX).into(),
            Bind::from(filter.channel.as_deref().unwrap_or_default()),
            Bind::from(filter.subject.as_deref().unwrap_or_default()),
            Bind::from(filter.state.map_or("", DeliveryState::as_str)),
            limit.into(),
        ];
        connection
            .each(READING, sql, &binds, |row| {
                found.push(delivery_row(row)?);
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// How a channel fares.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn channel_health(&self, channel: &str) -> Result<ChannelHealth, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        health(&mut connection, channel).await
    }

    /// When a channel has something to do next: the earliest that is waiting and not held by anybody.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn next_delivery(&self, channel: &str, now: Moment) -> Result<Option<Moment>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut next = None;
        let sql = "SELECT MIN(CASE WHEN lease_until > $2 THEN lease_until ELSE due_at END)
                     FROM delivery
                    WHERE channel = $1 AND state = 'waiting'";
        connection
            .each(READING, sql, &[channel.into(), now.0.into()], |row| {
                next = row.int(0)?.map(Moment);
                Ok(())
            })
            .await?;
        Ok(next)
    }

    /// Records what came of a message, and what follows; `false`, and nothing recorded, where somebody else holds it
    /// by now.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is recorded then.
    pub async fn record_message(
        &self,
        claimed: &ClaimedMessage,
        recorded: &Recorded,
    ) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let now = recorded.at;
        let (state, due, told, receipt) = match &recorded.outcome {
            MessageOutcome::Sent { receipt } => (DeliveryState::Sent, None, None, receipt.as_deref()),
            MessageOutcome::Retry { at, told, .. } => {
                (DeliveryState::Waiting, Some(*at), Some(&**told), None)
            }
            MessageOutcome::Dead { told } => (DeliveryState::Dead, None, Some(&**told), None),
        };
        let sql = "UPDATE delivery
                      SET state = $1, due_at = COALESCE($2, due_at), told = $3, receipt = $4, lease_until = NULL,
                          sent_at = CASE WHEN $1 = 'sent' THEN $5 ELSE NULL END
                    WHERE message = $6 AND channel = $7 AND attempt = $8 AND state = 'waiting'";
        let text = |value: Option<&str>| value.map_or(Bind::Text(None), Bind::from);
        let binds = [
            state.as_str().into(),
            Bind::Int(due.map(|due| due.0)),
            text(told),
            text(receipt),
            now.0.into(),
            Bind::from(&*claimed.message),
            Bind::from(&*claimed.channel),
            claimed.attempt.into(),
        ];
        if connection.execute(WRITING, sql, &binds).await? == 0 {
            return Ok(false);
        }
        self::note_health(&mut connection, &claimed.channel, recorded).await?;
        if let Some(follows) = &recorded.follows {
            findings::write(&mut connection, follows, now).await?;
        }
        connection.commit().await?;
        Ok(true)
    }

    /// Gives up what waits for a channel that is no more; how many there were.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn end_channel(&self, channel: &str, why: &str) -> Result<u64, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE delivery SET state = 'dead', told = $2, lease_until = NULL
                    WHERE channel = $1 AND state = 'waiting'";
        let count = connection.execute(WRITING, sql, &[channel.into(), why.into()]).await?;
        let sql = "DELETE FROM channel_health WHERE channel = $1";
        connection.execute(WRITING, sql, &[channel.into()]).await?;
        connection.commit().await?;
        Ok(count)
    }

    /// Tries a delivery that was given up once more, with those that were sent with it; `false` where there is none.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn revive_delivery(&self, id: &str, now: Moment) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE delivery SET state = 'waiting', due_at = $2, first_at = NULL
                    WHERE state = 'dead'
                      AND (id = $1 OR message = (SELECT message FROM delivery WHERE id = $1))";
        let revived = connection.execute(WRITING, sql, &[id.into(), now.0.into()]).await?;
        connection.commit().await?;
        Ok(revived > 0)
    }

    /// What the receiver called the last delivery about a subject that it took.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn last_receipt(&self, channel: &str, subject: &str) -> Result<Option<String>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut found = None;
        let sql = "SELECT receipt
                     FROM delivery
                    WHERE channel = $1 AND subject = $2 AND receipt IS NOT NULL
                    ORDER BY sequence DESC
                    LIMIT 1";
        let binds = [channel.into(), subject.into()];
        connection
            .each(READING, sql, &binds, |row| {
                found = row.text(0)?;
                Ok(())
            })
            .await?;
        Ok(found)
    }
}

/// Stores what is to be told inside a transaction; what is known already stays as it is.
pub(crate) async fn add(
    connection: &mut Connection,
    deliveries: &[NewDelivery],
    now: Moment,
) -> Result<(), StoreError> {
    if deliveries.is_empty() {
        return Ok(());
    }
    let mut last = 0;
    let sql = "SELECT COALESCE(MAX(sequence), 0) FROM delivery";
    connection
        .each(WRITING, sql, &[], |row| {
            last = row.number(0)?;
            Ok(())
        })
        .await?;
    let mut rows = Vec::with_capacity(deliveries.len());
    for (sequence, new) in (last + 1..).zip(deliveries) {
        rows.push(rows::new_binds(new, sequence, now));
    }
    let head = "INSERT INTO delivery
        (id, sequence, channel, subject, rule, version, critical, state, attempt, created_at, due_at, document) ";
    connection.insert(WRITING, (head, " ON CONFLICT (id) DO NOTHING"), rows).await
}

async fn health(connection: &mut Connection, channel: &str) -> Result<ChannelHealth, StoreError> {
    let mut found = ChannelHealth::default();
    let sql = "SELECT failures, failing_since, retry_at, last_sent_at, told
                 FROM channel_health
                WHERE channel = $1";
    connection
        .each(READING, sql, &[channel.into()], |row| {
            found = health_row(row)?;
            Ok(())
        })
        .await?;
    Ok(found)
}

async fn note_health(
    connection: &mut Connection,
    channel: &str,
    recorded: &Recorded,
) -> Result<(), StoreError> {
    let before = health(connection, channel).await?;
    let now = recorded.at;
    let after = match &recorded.outcome {
        MessageOutcome::Sent { .. } => ChannelHealth { last_sent_at: Some(now), ..ChannelHealth::default() },
        MessageOutcome::Retry { at, channel: true, told } => ChannelHealth {
            failures: before.failures + 1,
            failing_since: before.failing_since.or(Some(now)),
            retry_at: Some(*at),
            last_sent_at: before.last_sent_at,
            told: Some(told.clone()),
        },
        _ => return Ok(()),
    };
    if before.failures > 0 && after.failures == 0 {
        // What waited for the channel need not wait any longer.
        let sql = "UPDATE delivery SET due_at = $2 WHERE channel = $1 AND state = 'waiting' AND due_at > $2";
        connection.execute(WRITING, sql, &[channel.into(), now.0.into()]).await?;
    }
    let head = "INSERT INTO channel_health (channel, failures, failing_since, retry_at, last_sent_at, told) ";
    let tail = " ON CONFLICT (channel) DO UPDATE SET
        failures = excluded.failures, failing_since = excluded.failing_since, retry_at = excluded.retry_at,
        last_sent_at = excluded.last_sent_at, told = excluded.told";
    connection.insert(WRITING, (head, tail), [rows::health_binds(channel, &after)]).await
}
