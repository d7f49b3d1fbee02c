//! The connector's services: what a parent process, or our own tasks, may ask of it.
//!
//! [`Connector`] answers the messages of the contract without any network, [`Caller`] does so from other threads, and `grpc`
//! serves the same over a network. What is shown is
//! [`shape`]'s, what is read and changed the engine's.
//!
//! Invariant: every request is checked before it is answered, and every answer before it leaves.

mod calls;
mod events;
mod failure;
mod grpc;
mod listing;
mod page;
mod provisioning;
mod rules;
mod versions;

use std::sync::Arc;
use std::time::Duration;

use metsuke_engine::EngineError;
use metsuke_engine::connector::Connector as Estate;
use metsuke_model::Clock;
use tokio_util::sync::CancellationToken;

use crate::any::pack;
use crate::capabilities;
use crate::proto::connector::{
    ConnectorServiceCleanupRequest, ConnectorServiceCleanupResponse, ConnectorServiceGetMetadataResponse,
    ConnectorServiceValidateResponse, RateLimitDescription, rate_limit_description,
};
use crate::shape;
use crate::time::timestamp;
use versions::Versions;

pub use calls::{Caller, Calls, calls};
pub use failure::{Code, Failure};
pub(crate) use grpc::services;

/// The version of the contract: from this one on, parents name their sync in every call.
const CONTRACT: &str = "0.4.3";

/// How a connector answers.
#[derive(Clone, Debug)]
pub struct Options {
    /// Grants and revokes are carried out; without, they are declined.
    pub provisioning: bool,
    /// What readers are known to take.
    pub shape: shape::Options,
    /// How long one call waits for a reading of the estate.
    pub patience: Duration,
    /// How long to wait before a change that could not be made is tried again, where nothing else is said.
    pub pause: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            provisioning: false,
            shape: shape::Options::default(),
            patience: Duration::from_mins(3),
            pause: Duration::from_secs(15),
        }
    }
}

/// A connector that answers the messages of the contract.
#[derive(Debug)]
pub struct Connector {
    estate: Arc<Estate>,
    clock: Arc<dyn Clock>,
    options: Options,
    versions: Versions,
}

impl Connector {
    /// A connector over an account's estate; nothing is read yet.
    #[must_use]
    pub fn new(estate: Arc<Estate>, clock: Arc<dyn Clock>, options: Options) -> Self {
        let versions = Versions::new(Arc::clone(&clock), options.patience);
        Self { estate, clock, options, versions }
    }

    /// Reads the estate whenever a listing asks for it, until `cancel` is set. Listings wait for it: let it run beside them.
    pub async fn work(&self, cancel: &CancellationToken) {
        self.versions.work(&self.estate, cancel).await;
    }

    /// What the connector says of itself.
    ///
    /// # Errors
    ///
    /// None that the program as it is can give.
    pub fn metadata(&self) -> Result<ConnectorServiceGetMetadataResponse, Failure> {
        let metadata = Some(capabilities::metadata(self.options.shape));
        let answer = ConnectorServiceGetMetadataResponse { metadata };
        rules::answered(&answer)?;
        Ok(answer)
    }

    /// Whether Heroku knows the token.
    ///
    /// # Errors
    ///
    /// [`Code::Unauthenticated`] where it does not, [`Code::Unavailable`] where it cannot be asked.
    pub async fn validate(&self) -> Result<ConnectorServiceValidateResponse, Failure> {
        self.estate.validate().await.map_err(|error| self.failed(&error))?;
        self.versions.age();
        Ok(ConnectorServiceValidateResponse { annotations: self.rate(), sdk_version: CONTRACT.to_owned() })
    }

    /// Lets go of what was held for a sync that has ended.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`] for a request that breaks a rule.
    pub fn cleanup(
        &self,
        request: &ConnectorServiceCleanupRequest,
    ) -> Result<ConnectorServiceCleanupResponse, Failure> {
        rules::asked(request)?;
        self.versions.release(&request.active_sync_id);
        Ok(ConnectorServiceCleanupResponse::default())
    }

    /// The account's pool of requests as an annotation, once Heroku told it.
    fn rate(&self) -> Vec<prost_types::Any> {
        let rate = self.estate.rate();
        let description = rate.remaining.map(|remaining| RateLimitDescription {
            status: rate_limit_description::Status::Ok.into(),
            limit: i64::from(rate.limit),
            remaining: i64::from(remaining),
            reset_at: Some(timestamp(rate.full_at)),
        });
        description.iter().map(pack).collect()
    }

    fn failed(&self, error: &EngineError) -> Failure {
        Failure::of(error, self.clock.now())
    }
}
