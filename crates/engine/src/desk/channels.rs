//! The channels that are told of findings, and how they fare.
//!
//! What a channel is, is [`alerts`](crate::alerts)'s to say. Each estate sends its own alerts; of a channel is shown what they come to.
//!
//! Invariant: no secret of a channel is shown.

use metsuke_model::Moment;
use metsuke_model::finding::DeliveryState;
use metsuke_store::{ChannelRow, DeliveryFilter};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Desk, Estate};
use crate::EngineError;
use crate::alerts::{ChannelSettings, NewChannel, open_channels, remove_channel, save_channel, try_channel};
use crate::identity::Caller;

/// A channel as it is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChannelShown {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How it is told.
    pub kind: String,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Where it leads, in words; none where the settings cannot be read.
    pub to: Option<String>,
    /// Whether it has a secret.
    pub has_secret: bool,
    /// When it was made.
    pub created_at: Moment,
    /// When it was changed.
    pub updated_at: Moment,
    /// Its settings.
    pub settings: Value,
    /// Alerts that wait for it.
    pub waiting: u64,
    /// When it last took something.
    pub last_sent_at: Option<Moment>,
    /// Since when it takes nothing; none where it does.
    pub failing_since: Option<Moment>,
    /// What it said last, where it fails.
    pub told: Option<String>,
}

/// A channel that is to be kept.
#[derive(Debug)]
pub struct ChannelAsk {
    /// Its name.
    pub name: String,
    /// Its settings.
    pub settings: Value,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Its secret; none leaves the one that it has.
    pub secret: Option<SecretString>,
}

impl Desk {
    /// The channels, by name.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn channels(&self) -> Result<Vec<ChannelShown>, EngineError> {
        let rows = self.installation().main().channels().await?;
        let estates = if rows.is_empty() { Vec::new() } else { self.estates(None).await? };
        let mut channels = Vec::with_capacity(rows.len());
        for row in rows {
            channels.push(with_health(channel(row), &estates).await?);
        }
        channels.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        Ok(channels)
    }

    /// One channel.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], and what the database said.
    pub async fn channel(&self, id: &str) -> Result<ChannelShown, EngineError> {
        let row = self.installation().main().channels().await?.into_iter().find(|row| row.id == id);
        let row = row.ok_or_else(|| EngineError::Unknown { what: "channel", asked: id.into() })?;
        with_health(channel(row), &self.estates(None).await?).await
    }

    /// Makes a channel, or changes the one with this id.
    ///
    /// # Errors
    ///
    /// As [`save_channel`]; [`EngineError::Unknown`].
    pub async fn save_channel(
        &self,
        caller: &Caller,
        id: Option<&str>,
        ask: ChannelAsk,
    ) -> Result<ChannelShown, EngineError> {
        if let Some(id) = id {
            self.channel(id).await?;
        }
        let ChannelAsk { name, settings, enabled, secret } = ask;
        let new = NewChannel { name: &name, settings: &settings, enabled, secret };
        let saved = save_channel(self.installation(), &caller.actor(), id, new).await?;
        with_health(channel(saved), &self.estates(None).await?).await
    }

    /// Removes a channel; gives how many deliveries were given up.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], and what the database said.
    pub async fn remove_channel(&self, caller: &Caller, id: &str) -> Result<u64, EngineError> {
        self.channel(id).await?;
        let removed = remove_channel(self.installation(), &caller.actor(), id).await?;
        removed.ok_or_else(|| EngineError::Unknown { what: "channel", asked: id.into() })
    }

    /// Sends a word to a channel, to try it; gives why it did not work, where it did not.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`] for a channel that is not there or cannot be opened, and what the database said.
    pub async fn try_channel(&self, id: &str) -> Result<Option<String>, EngineError> {
        let unknown = || EngineError::Unknown { what: "channel", asked: id.into() };
        let channels = open_channels(self.installation()).await?;
        let channel = channels.iter().find(|channel| channel.id == id).ok_or_else(unknown)?;
        let outside = self.outside().ok_or_else(unknown)?;
        let tried = try_channel(outside, channel, self.installation().clock()).await;
        Ok(tried.err().map(|failed| failed.to_string()))
    }
}

/// A channel of which nobody has asked yet how it fares.
fn channel(row: ChannelRow) -> ChannelShown {
    ChannelShown {
        to: ChannelSettings::read(&row.document).ok().map(|settings| settings.way.to_string()),
        id: row.id,
        name: row.name,
        kind: row.kind,
        enabled: row.enabled,
        has_secret: row.secret.is_some(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        settings: row.document,
        waiting: 0,
        last_sent_at: None,
        failing_since: None,
        told: None,
    }
}

/// How it fares with the alerts of all estates: what fails longest is told.
async fn with_health(mut shown: ChannelShown, estates: &[Estate]) -> Result<ChannelShown, EngineError> {
    for estate in estates {
        let health = estate.store.channel_health(&shown.id).await?;
        shown.last_sent_at = shown.last_sent_at.max(health.last_sent_at);
        if let Some(since) = health.failing_since
            && shown.failing_since.is_none_or(|known| since < known)
        {
            (shown.failing_since, shown.told) = (Some(since), health.told);
        }
        let (channel, state) = (Some(shown.id.clone()), Some(DeliveryState::Waiting));
        let waiting = DeliveryFilter { channel, state, ..DeliveryFilter::default() };
        shown.waiting += estate.store.deliveries(&waiting).await?.len() as u64;
    }
    Ok(shown)
}
