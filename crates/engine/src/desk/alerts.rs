//! Alerts of all estates: what is to be told, how far it has come, and what is tried again.

use metsuke_model::finding::DeliveryState;
use metsuke_model::{Moment, Version};
use metsuke_store::{DeliveryFilter, DeliveryRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Desk, Estate, Listing, Timed};
use crate::EngineError;
use crate::identity::Caller;

/// Alerts, newest first.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    /// Those for this channel, by id.
    pub channel: Option<String>,
    /// Those in this state.
    pub state: Option<DeliveryState>,
}

/// An alert for one channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AlertLine {
    /// Its id, the same however often it is sent.
    pub id: String,
    /// Its place in the order of all of its estate.
    pub sequence: i64,
    /// The channel's id.
    pub channel: String,
    /// What it is about.
    pub subject: String,
    /// The rule's id.
    pub rule: String,
    /// The version that it came with.
    pub version: Version,
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was stored.
    pub created_at: Moment,
    /// When it is tried next.
    pub due_at: Moment,
    /// When the receiver took it.
    pub sent_at: Option<Moment>,
    /// What came of the last try.
    pub told: Option<String>,
    /// What is told.
    pub document: Value,
}

impl Listing for Alerts {
    type Row = AlertLine;
    type Key = i64;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&i64>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<AlertLine>), EngineError> {
        let filter = DeliveryFilter {
            channel: self.channel.clone(),
            subject: None,
            state: self.state,
            before: after.copied(),
            limit: count,
        };
        Ok((None, estate.store.deliveries(&filter).await?.into_iter().map(line).collect()))
    }

    fn key(&self, row: &AlertLine) -> i64 {
        row.sequence
    }
}

impl Timed for Alerts {
    fn at(&self, row: &AlertLine) -> Moment {
        row.created_at
    }
}

impl Desk {
    /// Tries an alert that was given up once more.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`] where none of this id was given up, and what the database said.
    pub async fn retry_alert(&self, caller: &Caller, id: &str) -> Result<(), EngineError> {
        let now = self.installation().clock().now();
        for estate in self.estates(None).await? {
            let store = estate.store.acting_as(caller.actor());
            if store.revive_delivery(id, now).await? {
                self.installation().wake();
                return Ok(());
            }
        }
        Err(EngineError::Unknown { what: "alert that was given up", asked: id.into() })
    }
}

fn line(row: DeliveryRow) -> AlertLine {
    AlertLine {
        id: row.id,
        sequence: row.sequence,
        channel: row.channel,
        subject: row.subject,
        rule: row.rule,
        version: row.version,
        state: row.state,
        attempts: row.attempt,
        created_at: row.created_at,
        due_at: row.due_at,
        sent_at: row.sent_at,
        told: row.told,
        document: row.document,
    }
}
