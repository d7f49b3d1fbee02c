//! Deliveries and the health of channels as rows.
//!
//! Invariant: what is read back is what was written.

use metsuke_model::finding::DeliveryState;
use metsuke_model::{Moment, Version};

use super::{ChannelHealth, DeliveryRow, NewDelivery};
use crate::StoreError;
use crate::connection::{Bind, Row};

macro_rules! delivery_columns {
    ($tail:literal) => {
        concat!(
            "SELECT id, sequence, channel, subject, rule, version, critical, state, message, attempt, created_at,
                    due_at, first_at, sent_at, told, receipt, document
               FROM delivery ",
            $tail
        )
    };
}
pub(super) use delivery_columns;

pub(super) fn new_binds(new: &NewDelivery, sequence: i64, now: Moment) -> [Bind; 12] {
    [
        Bind::from(&*new.id),
        sequence.into(),
        Bind::from(&*new.channel),
        Bind::from(&*new.subject),
        Bind::from(&*new.rule),
        new.version.0.into(),
        i64::from(new.critical).into(),
        DeliveryState::Waiting.as_str().into(),
        0.into(),
        now.0.into(),
        now.0.into(),
        Bind::from(&*new.document.to_string()),
    ]
}

pub(super) fn delivery_row(row: Row<'_>) -> Result<DeliveryRow, StoreError> {
    let word = |index| row.text(index).map(Option::unwrap_or_default);
    let damaged = |what: &str| StoreError::Damaged { what: format!("a delivery's {what}") };
    Ok(DeliveryRow {
        id: word(0)?,
        sequence: row.number(1)?,
        channel: word(2)?,
        subject: word(3)?,
        rule: word(4)?,
        version: Version(row.number(5)?),
        critical: row.number(6)? != 0,
        state: DeliveryState::parse(&word(7)?).ok_or_else(|| damaged("state"))?,
        message: row.text(8)?,
        attempt: row.number(9)?,
        created_at: Moment(row.number(10)?),
        due_at: Moment(row.number(11)?),
        first_at: row.int(12)?.map(Moment),
        sent_at: row.int(13)?.map(Moment),
        told: row.text(14)?,
        receipt: row.text(15)?,
        document: serde_json::from_str(&word(16)?).map_err(|_| damaged("document"))?,
    })
}

pub(super) fn health_row(row: Row<'_>) -> Result<ChannelHealth, StoreError> {
    Ok(ChannelHealth {
        failures: row.number(0)?,
        failing_since: row.int(1)?.map(Moment),
        retry_at: row.int(2)?.map(Moment),
        last_sent_at: row.int(3)?.map(Moment),
        told: row.text(4)?,
    })
}

pub(super) fn health_binds(channel: &str, health: &ChannelHealth) -> [Bind; 6] {
    let moment = |moment: Option<Moment>| Bind::Int(moment.map(|moment| moment.0));
    [
        channel.into(),
        health.failures.into(),
        moment(health.failing_since),
        moment(health.retry_at),
        moment(health.last_sent_at),
        health.told.as_deref().map_or(Bind::Text(None), Bind::from),
    ]
}
