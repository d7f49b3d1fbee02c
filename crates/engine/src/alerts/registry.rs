//! The channels of an installation: made, changed, removed, and opened for use.
//!
//! Who may do so is decided by the doors.
//!
//! Invariant: a secret is sealed for its channel before it is stored, and is shown to nobody.

use metsuke_model::Moment;
use metsuke_model::audit::{Actor, EventCode};
use metsuke_model::finding::{FindingEvent, FindingState};
use metsuke_store::{ChannelRow, Evaluated, FindingRow, Happened, Store};
use secrecy::SecretString;
use serde_json::Value as Json;

use super::channel::{Channel, ChannelSettings};
use super::deliver::FAILING;
use crate::connectors::Installation;
use crate::findings::hash;
use crate::{BadField, EngineError};

/// A channel to be made, or changed.
#[derive(Debug)]
pub struct NewChannel<'c> {
    /// Its name.
    pub name: &'c str,
    /// Its settings.
    pub settings: &'c Json,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Its secret; none leaves the one that it has.
    pub secret: Option<SecretString>,
}

/// Where a channel's secret is sealed for.
fn place(id: &str) -> String {
    format!("channel/{id}/secret")
}

/// Makes a channel, or changes the one of this id or name.
///
/// # Errors
///
/// [`EngineError::Fields`] for what is wrong with it, [`EngineError::NameTaken`], what sealing met, and what the database
/// said.
pub async fn save_channel(
    installation: &Installation,
    actor: &Actor,
    asked: Option<&str>,
    new: NewChannel<'_>,
) -> Result<ChannelRow, EngineError> {
    let bad = |field: &'static str, problem: String| EngineError::Fields {
        fields: vec![BadField { field, problem }],
    };
    let settings = ChannelSettings::read(new.settings).map_err(|problem| bad("settings", problem))?;
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(bad("name", "a name has 1 to 100 characters, none of them a control character".into()));
    }
    let known = installation.main().channels().await?;
    let is = |row: &&ChannelRow| asked.is_some_and(|asked| row.id == asked || row.name == asked);
    let before = known.iter().find(is).cloned();
    if known.iter().any(|row| row.name == name && before.as_ref().is_none_or(|before| before.id != row.id)) {
        return Err(EngineError::NameTaken { name: name.to_owned() });
    }
    let now = installation.now();
    let id = if let Some(before) = &before {
        before.id.clone()
    } else {
        let chance: Vec<String> = installation.chance()?.iter().map(ToString::to_string).collect();
        hash(&[name, &now.to_string(), &chance.join(".")])
    };
    let secret = match &new.secret {
        Some(secret) => Some(installation.sealing_key()?.seal(installation.name(), &place(&id), secret)?),
        None => before.as_ref().and_then(|before| before.secret.clone()),
    };
    if let (Some(needs), None) = (settings.way.needs(), &secret) {
        return Err(bad("secret", format!("this sort of channel needs {needs}")));
    }
    let row = ChannelRow {
        id,
        name: name.to_owned(),
        kind: settings.way.kind().to_owned(),
        enabled: new.enabled,
        created_at: before.map_or(now, |before| before.created_at),
        updated_at: now,
        document: serde_json::to_value(&settings).unwrap_or_default(),
        secret,
    };
    let store = installation.main().clone().acting_as(actor.clone());
    let event = store
        .event(now, EventCode::ChannelSaved)
        .about("channel", &row.id)
        .detail("name", row.name.clone())
        .detail("kind", row.kind.clone())
        .detail("enabled", row.enabled)
        .detail("new_secret", new.secret.is_some());
    store.put_channel(&row, event).await?;
    Ok(row)
}

/// Removes the channel of this id or name, and gives up what waits for it; how much that was, or `None` where there is no
/// such channel.
///
/// # Errors
///
/// What the database said.
pub async fn remove_channel(
    installation: &Installation,
    actor: &Actor,
    asked: &str,
) -> Result<Option<u64>, EngineError> {
    let known = installation.main().channels().await?;
    let Some(row) = known.into_iter().find(|row| row.id == asked || row.name == asked) else {
        return Ok(None);
    };
    let store = installation.main().clone().acting_as(actor.clone());
    let event = store
        .event(installation.now(), EventCode::ChannelRemoved)
        .about("channel", &row.id)
        .detail("name", row.name.clone());
    store.remove_channel(&row.id, event).await?;
    let why = "the channel was removed";
    let mut stores = vec![store];
    for connector in installation.live().await? {
        stores.push(installation.estate(connector.id).await?);
    }
    let mut waiting = 0;
    for store in stores {
        waiting += store.end_channel(&row.id, why).await?;
        fails_no_more(&store, &row.id, installation.now()).await?;
    }
    Ok(Some(waiting))
}

/// Ends the finding that a channel fails.
async fn fails_no_more(store: &Store, channel: &str, now: Moment) -> Result<(), EngineError> {
    let fingerprint = hash(&[FAILING, channel]);
    loop {
        let edition = store.finding_edition().await?;
        let known = store.finding(&fingerprint).await?;
        let Some(row) = known.filter(|row| row.state != FindingState::Resolved) else { return Ok(()) };
        let row = FindingRow { state: FindingState::Resolved, until: None, changed_at: now, ..row };
        let happened = Happened {
            fingerprint: fingerprint.clone(),
            what: FindingEvent::Resolved,
            version: None,
            person: None,
            reason: Some("the channel was removed".into()),
        };
        let (findings, happened) = (vec![row], vec![happened]);
        let ended = Evaluated { edition, at: Some(now), findings, happened, ..Evaluated::default() };
        // Somebody wrote of findings in between: looked at again.
        if store.keep_evaluation(&ended).await? {
            return Ok(());
        }
    }
}

/// The channels, ready to be used; one that cannot be opened is named in the log and left out.
///
/// # Errors
///
/// What the database said.
pub async fn open_channels(installation: &Installation) -> Result<Vec<Channel>, EngineError> {
    let mut channels = Vec::new();
    for row in installation.main().channels().await? {
        let unseal = |id: &str, sealed: &[u8]| {
            installation.sealing_key()?.open(installation.name(), &place(id), sealed)
        };
        match Channel::open(&row, &unseal) {
            Ok(channel) => channels.push(channel),
            Err(error) => tracing::warn!(channel = row.id, %error, "a channel cannot be opened"),
        }
    }
    Ok(channels)
}
