//! A version that is brought to JupiterOne because somebody asks for it.
//!
//! New versions go there by themselves where a connector is set so; that is the [`supervisor`](crate::supervisor)'s.
//!
//! Invariant: nobody who asks says to which address it goes; that is set where the server is.

pub use metsuke_clients::jupiterone::Origin;
use metsuke_clients::jupiterone::{DEFAULT_URL, JobStatus, JupiterOne, Settings};
use metsuke_model::audit::{Actor, EventCode};
use metsuke_model::{AsOf, Version};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Desk;
use super::apart::apart;
use crate::EngineError;
use crate::jupiterone::{Estate, Options, Uploaded, upload};

/// Where a version is to go.
#[derive(Debug)]
pub struct Destination {
    /// The id of the JupiterOne account.
    pub account: String,
    /// The key of its API.
    pub api_key: SecretString,
    /// Whose objects they are.
    pub origin: Origin,
}

/// What came of an upload, as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadTold {
    /// The version that was uploaded.
    pub version: Version,
    /// JupiterOne's job.
    pub job: String,
    /// How far it was when it was last looked at, in JupiterOne's word.
    pub status: String,
    /// Entities.
    pub entities: Brought,
    /// Relationships.
    pub relationships: Brought,
    /// Objects whose raw data was shortened.
    pub shortened: u64,
    /// Keys of objects that are too large even alone.
    pub skipped: Vec<String>,
    /// Types of which something could not be read.
    pub partial: Vec<String>,
}

/// What became of objects of one sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brought {
    /// Sent.
    pub uploaded: u64,
    /// New there.
    pub created: u64,
    /// Other than before.
    pub updated: u64,
    /// Gone there.
    pub deleted: u64,
    /// Not made there; only of relationships.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
}

impl UploadTold {
    /// What came of the upload of a version.
    #[must_use]
    pub fn of(version: Version, uploaded: Uploaded) -> Self {
        let Uploaded { job, status, counted, entities, relationships, shortened, skipped, partial } =
            uploaded;
        Self {
            version,
            job,
            status: status.as_str().to_owned(),
            entities: Brought {
                uploaded: entities,
                created: counted.num_entities_created,
                updated: counted.num_entities_updated,
                deleted: counted.num_entities_deleted,
                failed: None,
            },
            relationships: Brought {
                uploaded: relationships,
                created: counted.num_relationships_created,
                updated: counted.num_relationships_updated,
                deleted: counted.num_relationships_deleted,
                failed: Some(counted.num_relationship_create_errors),
            },
            shortened,
            skipped,
            partial: partial.into_iter().map(ToOwned::to_owned).collect(),
        }
    }
}

impl UploadTold {
    /// Whether JupiterOne has taken the objects, or is about to.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        let status = JobStatus::from(self.status.clone());
        status == JobStatus::Finished || status.goes_on()
    }
}

impl Desk {
    /// Uploads a version, and waits until JupiterOne has taken it.
    ///
    /// # Errors
    ///
    /// As [`estate`](Self::estate); [`EngineError::NoVersion`], and as [`upload`].
    pub async fn upload_version(
        &self,
        by: &Actor,
        (connector, as_of): (Option<&str>, Option<AsOf>),
        to: Destination,
        options: Options,
    ) -> Result<UploadTold, EngineError> {
        let refused = |source| EngineError::JupiterOne { source };
        let estate = self.estate(connector).await?;
        let address = match self.jupiterone() {
            Some(address) => address,
            None => {
                Url::parse(DEFAULT_URL).map_err(|_| EngineError::field("jupiterone", "it has no address"))?
            }
        };
        let Destination { account, api_key, origin } = to;
        let client = JupiterOne::new(Settings::new(address, api_key, account.clone())).map_err(refused)?;
        let (by, clock) = (by.clone(), self.installation().clone());
        apart(async move || {
            let snapshot = estate.version(as_of).await?.ok_or(EngineError::NoVersion)?;
            let version = snapshot.sync().version;
            let mut read = Estate::of(&estate.store, snapshot).await?;
            let cancel = CancellationToken::new();
            let uploaded = upload(&client, &origin, &mut read, &options, &(), &cancel).await?;
            let store = estate.store.acting_as(by);
            let event = store
                .event(clock.now(), EventCode::VersionUploaded)
                .about("version", version.0)
                .detail("account", account)
                .detail("job", uploaded.job.as_str());
            store.record(event).await?;
            Ok(UploadTold::of(version, uploaded))
        })
        .await
    }
}
