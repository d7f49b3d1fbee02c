//! What does the work of tasks: the connector behind service mode.
//!
//! Leases, uploads and what C1 is told are not its affair.
//!
//! Invariant: a failure is a gRPC status with its details, so that nothing of it is lost on the way to C1.

use std::path::PathBuf;

use prost::Message as _;
use tokio_util::sync::CancellationToken;

use crate::proto::connector::{
    ConnectorMetadata, GrantManagerServiceGrantRequest, GrantManagerServiceGrantResponse,
    GrantManagerServiceRevokeRequest, GrantManagerServiceRevokeResponse, ListEventFeedsRequest,
    ListEventFeedsResponse, ListEventsRequest, ListEventsResponse, Resource,
};
use crate::proto::rpc;
use crate::service::Failure;

/// Does what tasks ask for.
///
/// A call that gets a [`CancellationToken`] ends soon after it fires, whatever its answer is then.
pub trait Worker: Send + Sync + 'static {
    /// What the connector is, with its capabilities.
    fn metadata(&self) -> impl Future<Output = Result<ConnectorMetadata, Failed>> + Send;

    /// Whether the connector works.
    fn validate(&self) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Syncs into a file in the folder of the order, and gives its path.
    fn sync(
        &self,
        order: SyncOrder,
        cancel: CancellationToken,
    ) -> impl Future<Output = Result<PathBuf, Failed>> + Send;

    /// Grants an entitlement.
    fn grant(
        &self,
        request: GrantManagerServiceGrantRequest,
        cancel: CancellationToken,
    ) -> impl Future<Output = Result<GrantManagerServiceGrantResponse, Failed>> + Send;

    /// Revokes a grant.
    fn revoke(
        &self,
        request: GrantManagerServiceRevokeRequest,
        cancel: CancellationToken,
    ) -> impl Future<Output = Result<GrantManagerServiceRevokeResponse, Failed>> + Send;

    /// The event feeds that there are.
    fn list_event_feeds(
        &self,
        request: ListEventFeedsRequest,
        cancel: CancellationToken,
    ) -> impl Future<Output = Result<ListEventFeedsResponse, Failed>> + Send;

    /// A page of a feed.
    fn list_events(
        &self,
        request: ListEventsRequest,
        cancel: CancellationToken,
    ) -> impl Future<Output = Result<ListEventsResponse, Failed>> + Send;
}

/// What a sync is to bring.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncOrder {
    /// Where the file is made; all of the folder is removed after the upload.
    pub folder: PathBuf,
    /// Whether expandable grants are expanded; C1 mostly does that itself.
    pub expand: bool,
    /// Whether entitlements and grants are left out.
    pub resources_only: bool,
    /// Whether grants are left out.
    pub skip_grants: bool,
    /// Only these resources, unless empty.
    pub resources: Vec<Resource>,
    /// Only resources of these types, unless empty; this outweighs the connector's own settings.
    pub resource_types: Vec<String>,
    /// The file's engine that C1 would like: `sqlite`, `pebble`, or nothing. Every reader takes `sqlite`.
    pub storage_engine: String,
}

/// A failure, as C1 is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// Code, words and details.
    pub status: rpc::Status,
    /// Whether a sync is not to be tried again, because it would fail the same way.
    pub non_retryable: bool,
}

impl Failed {
    /// A failure with a gRPC code and without details.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        let status = rpc::Status { code, message: message.into(), details: Vec::new() };
        Self { status, non_retryable: false }
    }
}

impl From<rpc::Status> for Failed {
    fn from(status: rpc::Status) -> Self {
        Self { status, non_retryable: false }
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        failure.status().clone().into()
    }
}

impl From<tonic::Status> for Failed {
    fn from(status: tonic::Status) -> Self {
        // The details are a status of their own, in which the details proper are.
        let packed = rpc::Status::decode(status.details()).unwrap_or_default();
        let code = status.code().into();
        rpc::Status { code, message: status.message().to_owned(), details: packed.details }.into()
    }
}
