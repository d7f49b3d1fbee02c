//! Audit trails signed, let out and verified from outside.
//!
//! What makes a log right, and when it is signed, is [`audit`](crate::audit)'s.

use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom};

use metsuke_model::audit::{Event, Expected, PublicKey, Verdict};
use serde::Serialize;

use super::apart::apart;
use super::{Desk, Estate, EventLine};
use crate::EngineError;
use crate::audit::{self, KeyFile, Listed, Signed, Verified};
use crate::identity::Caller;

/// What verifying a trail found.
#[derive(Clone, Debug, Serialize)]
pub struct TrailVerified {
    /// Nothing was changed, as far as can be shown.
    pub clean: bool,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What could not be shown.
    pub caveats: Vec<String>,
}

/// One event of a trail, with what the trail keeps of it.
#[derive(Clone, Debug)]
pub struct TrailEntry {
    /// The event.
    pub event: EventLine,
    /// The text that was hashed, as it was written.
    pub text: String,
    /// Its hash in the trail's tree.
    pub leaf: String,
    /// Whether a later one stands behind it.
    pub followed: bool,
}

/// A checkpoint that was signed.
#[derive(Clone, Debug, Serialize)]
pub struct TrailSigned {
    /// The events that it covers.
    pub size: u64,
    /// The signed note, to be kept elsewhere.
    pub note: String,
    /// What checks it.
    pub public_key: String,
}

impl Desk {
    /// One event of the trail of the installation, or of a connector, by its number.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`]; [`EngineError::Unknown`] where there is no such event; what the database said.
    pub async fn trail_entry(
        &self,
        connector: Option<&str>,
        sequence: u64,
    ) -> Result<TrailEntry, EngineError> {
        let store = self.trail(connector).await?.store;
        let rows = store.audit_rows_before(sequence.checked_add(2), 2).await?;
        let followed = rows.iter().any(|row| row.sequence > sequence);
        let row = rows
            .into_iter()
            .find(|row| row.sequence == sequence)
            .ok_or_else(|| EngineError::Unknown { what: "event", asked: sequence.to_string() })?;
        let event = Event::decode(&row.text).map_err(|_| row.text.clone());
        let listed = Listed { sequence, event };
        Ok(TrailEntry { event: listed.into(), leaf: row.leaf.to_string(), text: row.text, followed })
    }

    /// Verifies the trail of the installation, or of a connector.
    ///
    /// # Errors
    ///
    /// As [`audit::verify`]; [`EngineError::Fields`] for a public key that is none.
    pub async fn verify_trail(
        &self,
        connector: Option<&str>,
        public_key: Option<&str>,
        checkpoints: Vec<String>,
    ) -> Result<TrailVerified, EngineError> {
        let read = |text: &str| text.parse::<PublicKey>();
        let public_key = public_key.map(read).transpose();
        let public_key = public_key.map_err(|error| EngineError::field("public_key", error.to_string()))?;
        let expected = Expected { public_key, checkpoints };
        let (trail, key) = (self.trail(connector).await?, self.audit_key());
        let Verified { verdict, key_from_file } =
            apart(async move || audit::verify(&trail.store, key.as_ref(), expected).await).await?;
        let mut caveats = verdict.caveats();
        if let (true, Some(key)) = (key_from_file, &verdict.public_key) {
            let told = "the public key was taken from the key file; compare it with the one you keep";
            caveats.insert(0, format!("{told}: {key}"));
        }
        Ok(TrailVerified { clean: verdict.is_clean(), verdict, caveats })
    }

    /// Signs a checkpoint of the trail of the installation, or of a connector.
    ///
    /// # Errors
    ///
    /// As [`audit::checkpoint`]; [`EngineError::Refused`] where there is no file for the key.
    pub async fn sign_trail(
        &self,
        caller: &Caller,
        connector: Option<&str>,
    ) -> Result<TrailSigned, EngineError> {
        let (store, key) = (self.trail(connector).await?.store.acting_as(caller.actor()), self.key()?);
        let installation = self.installation().clone();
        apart(async move || {
            let clock = installation.clock();
            let signed = audit::checkpoint(&store, &key, clock).await?;
            audit::record_exported(&store, &signed, "the API", clock).await?;
            Ok(told(signed))
        })
        .await
    }

    /// The trail of the installation, or of a connector, as lines that can be verified without the database.
    ///
    /// # Errors
    ///
    /// As [`audit::export`]; [`EngineError::Refused`] where there is no file for the key.
    pub async fn export_trail(&self, caller: &Caller, connector: Option<&str>) -> Result<File, EngineError> {
        let (store, key) = (self.trail(connector).await?.store.acting_as(caller.actor()), self.key()?);
        let installation = self.installation().clone();
        apart(async move || {
            let scratch = |source| EngineError::Scratch { source };
            let clock = installation.clock();
            let mut writer = BufWriter::new(tempfile::tempfile().map_err(scratch)?);
            let signed = audit::export(&store, &key, clock, &mut writer).await?;
            let mut file = writer.into_inner().map_err(|error| scratch(error.into_error()))?;
            file.seek(SeekFrom::Start(0)).map_err(scratch)?;
            audit::record_exported(&store, &signed, "the API", clock).await?;
            Ok(file)
        })
        .await
    }

    /// The trail of the installation, or of a connector.
    async fn trail(&self, connector: Option<&str>) -> Result<Estate, EngineError> {
        let missing = || EngineError::NoConnector { asked: connector.unwrap_or_default().into() };
        // Without a name, the installation's own comes first.
        self.trails(connector).await?.into_iter().next().ok_or_else(missing)
    }

    fn key(&self) -> Result<KeyFile, EngineError> {
        self.audit_key().ok_or_else(|| EngineError::Refused {
            reason: "there is no file for the audit trail's key".into(),
            hint: Some("the server takes it from METSUKE_AUDIT_KEY; it is made when first needed".into()),
        })
    }
}

fn told(signed: Signed) -> TrailSigned {
    TrailSigned { size: signed.checkpoint.size, note: signed.note, public_key: signed.public_key.to_string() }
}
