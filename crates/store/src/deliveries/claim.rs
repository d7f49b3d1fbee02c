//! Takes up the next message of a channel: one delivery, or many that go together.
//!
//! Invariant: a message has the same deliveries each time it is taken up; nobody else takes it up before the lease is
//! over, and each time has a number of its own.

use std::collections::HashSet;

use metsuke_model::Moment;

use super::rows::{delivery_columns, delivery_row};
use super::{ChannelHealth, DeliveryRow, READING, WRITING, health};
use crate::connection::{Bind, Connection};
use crate::{Store, StoreError};

/// What is to be taken up.
#[derive(Clone, Copy, Debug)]
pub struct MessageClaim<'c> {
    /// The channel's id.
    pub channel: &'c str,
    /// The present.
    pub now: Moment,
    /// How long the worker holds it, in microseconds.
    pub lease: i64,
    /// Only what may pass quiet hours, with what comes before it about the same.
    pub only_critical: bool,
    /// Many go together, once the first of them is this old, in microseconds; none for each alone.
    pub digest: Option<i64>,
    /// More than this many go together even without a digest.
    pub burst: usize,
    /// The most that go together.
    pub most: usize,
}

/// A message that was taken up.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedMessage {
    /// What tells it from every other; that of its delivery where it is one.
    pub message: String,
    /// The channel's id.
    pub channel: String,
    /// How often it was taken up, this time included.
    pub attempt: i64,
    /// What it tells, in order.
    pub deliveries: Vec<DeliveryRow>,
    /// How the channel fares.
    pub health: ChannelHealth,
}

impl Store {
    /// Takes up the next message of a channel; `None` where there is none now.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is taken up then.
    pub async fn claim_message(
        &self,
        claim: &MessageClaim<'_>,
    ) -> Result<Option<ClaimedMessage>, StoreError> {
        // Most looks find nothing, and need not keep writers waiting.
        let mut connection = self.pool.begin_read().await?;
        if found(&mut connection, claim).await?.is_none() {
            return Ok(None);
        }
        drop(connection);
        let mut connection = self.begin_write().await?;
        let Some(mut claimed) = found(&mut connection, claim).await? else { return Ok(None) };
        claimed.attempt = 1 + claimed.deliveries.iter().map(|row| row.attempt).max().unwrap_or(0);
        let sql = "UPDATE delivery
                      SET message = $1, attempt = $2, lease_until = $3, first_at = COALESCE(first_at, $4)
                    WHERE id = $5";
        for delivery in &claimed.deliveries {
            let binds = [
                Bind::from(&*claimed.message),
                claimed.attempt.into(),
                (claim.now.0 + claim.lease).into(),
                claim.now.0.into(),
                Bind::from(&*delivery.id),
            ];
            connection.execute(WRITING, sql, &binds).await?;
        }
        connection.commit().await?;
        Ok(Some(claimed))
    }
}

/// The next message, not yet taken up.
async fn found(
    connection: &mut Connection,
    claim: &MessageClaim<'_>,
) -> Result<Option<ClaimedMessage>, StoreError> {
    let health = health(connection, claim.channel).await?;
    if health.retry_at.is_some_and(|retry_at| retry_at > claim.now) {
        return Ok(None);
    }
    let (message, deliveries) = match formed(connection, claim).await? {
        Some(message) => {
            let deliveries = members(connection, claim.channel, &message).await?;
            (message, deliveries)
        }
        None => match gathered(connection, claim).await? {
            deliveries if deliveries.is_empty() => return Ok(None),
            deliveries => (name(&deliveries), deliveries),
        },
    };
    let channel = claim.channel.to_owned();
    Ok(Some(ClaimedMessage { message, channel, attempt: 0, deliveries, health }))
}

/// The first message that was put together before and may be sent again.
async fn formed(connection: &mut Connection, claim: &MessageClaim<'_>) -> Result<Option<String>, StoreError> {
    let mut message = None;
    let sql = "SELECT d.message
                 FROM delivery d
                WHERE d.channel = $1 AND d.state = 'waiting' AND d.message IS NOT NULL AND d.due_at <= $2
                  AND (d.lease_until IS NULL OR d.lease_until <= $2)
                  AND ($3 = 0 OR EXISTS (SELECT 1 FROM delivery c
                                          WHERE c.channel = $1 AND c.subject = d.subject AND c.state = 'waiting'
                                            AND c.critical = 1))
                  AND NOT EXISTS (SELECT 1 FROM delivery e
                                   WHERE e.channel = $1 AND e.subject = d.subject AND e.state = 'waiting'
                                     AND e.sequence < d.sequence AND e.message <> d.message)
                ORDER BY d.sequence
                LIMIT 1";
    let binds = [claim.channel.into(), claim.now.0.into(), i64::from(claim.only_critical).into()];
    connection
        .each(READING, sql, &binds, |row| {
            message = row.text(0)?;
            Ok(())
        })
        .await?;
    Ok(message)
}

async fn members(
    connection: &mut Connection,
    channel: &str,
    message: &str,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let mut members = Vec::new();
    let sql =
        delivery_columns!("WHERE message = $1 AND channel = $2 AND state = 'waiting' ORDER BY sequence");
    let binds = [message.into(), channel.into()];
    connection
        .each(READING, sql, &binds, |row| {
            members.push(delivery_row(row)?);
            Ok(())
        })
        .await?;
    Ok(members)
}

/// What goes into the next message: deliveries that no earlier message holds up.
async fn gathered(
    connection: &mut Connection,
    claim: &MessageClaim<'_>,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let mut rows: Vec<DeliveryRow> = Vec::new();
    let sql = delivery_columns!(
        "AS d
          WHERE d.channel = $1 AND d.state = 'waiting' AND d.message IS NULL
            AND ($2 = 0 OR EXISTS (SELECT 1 FROM delivery c
                                    WHERE c.channel = $1 AND c.subject = d.subject AND c.state = 'waiting'
                                      AND c.critical = 1))
            AND NOT EXISTS (SELECT 1 FROM delivery e
                             WHERE e.channel = $1 AND e.subject = d.subject AND e.state = 'waiting'
                               AND e.sequence < d.sequence AND e.message IS NOT NULL)
          ORDER BY d.sequence
          LIMIT $3"
    );
    let most = i64::try_from(claim.most.max(claim.burst + 1)).unwrap_or(i64::MAX);
    let binds = [claim.channel.into(), i64::from(claim.only_critical).into(), most.into()];
    connection
        .each(READING, sql, &binds, |row| {
            rows.push(delivery_row(row)?);
            Ok(())
        })
        .await?;
    // One that was given up and is tried again may still have to wait; what comes after it waits with it.
    let mut held = HashSet::new();
    rows.retain(|row| {
        let waits = row.due_at > claim.now || held.contains(&row.subject);
        if waits {
            held.insert(row.subject.clone());
        }
        !waits
    });
    let Some(first) = rows.first() else { return Ok(rows) };
    match claim.digest {
        Some(window) if first.created_at.0 + window > claim.now.0 => rows.clear(),
        Some(_) => rows.truncate(claim.most),
        None if rows.len() > claim.burst => rows.truncate(claim.most),
        None => rows.truncate(1),
    }
    Ok(rows)
}

/// What tells a message from every other.
fn name(deliveries: &[DeliveryRow]) -> String {
    if let [one] = deliveries {
        return one.id.clone();
    }
    let mut hasher = blake3::Hasher::new();
    for delivery in deliveries {
        hasher.update(delivery.id.as_bytes());
        hasher.update(&[0]);
    }
    format!("digest_{}", hasher.finalize().to_hex().get(..32).unwrap_or_default())
}
