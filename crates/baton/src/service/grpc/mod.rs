//! The services over gRPC: each call is [`Connector`]'s, and nothing is decided here.
//!
//! Invariant: every call goes the way of [`calls`](super::calls), except those that need no connector.

mod others;
mod reading;

use std::sync::Arc;

use tonic::service::Routes;
use tonic::{Response, Status};

use super::calls::{Caller, Calls, calls};
use super::{Connector, Failure};
use crate::proto::connector::account_manager_service_server::AccountManagerServiceServer;
use crate::proto::connector::action_service_server::ActionServiceServer;
use crate::proto::connector::asset_service_server::AssetServiceServer;
use crate::proto::connector::connector_service_server::ConnectorServiceServer;
use crate::proto::connector::credential_manager_service_server::CredentialManagerServiceServer;
use crate::proto::connector::entitlements_service_server::EntitlementsServiceServer;
use crate::proto::connector::event_service_server::EventServiceServer;
use crate::proto::connector::grant_manager_service_server::GrantManagerServiceServer;
use crate::proto::connector::grants_service_server::GrantsServiceServer;
use crate::proto::connector::resource_deleter_service_server::ResourceDeleterServiceServer;
use crate::proto::connector::resource_getter_service_server::ResourceGetterServiceServer;
use crate::proto::connector::resource_manager_service_server::ResourceManagerServiceServer;
use crate::proto::connector::resource_types_service_server::ResourceTypesServiceServer;
use crate::proto::connector::resources_service_server::ResourcesServiceServer;
use crate::proto::connector::tickets_service_server::TicketsServiceServer;
use crate::proto::ratelimit::rate_limiter_service_server::RateLimiterServiceServer;

/// A connector as every service sees it.
#[derive(Clone, Debug)]
struct Served(Caller);

impl Served {
    /// Answers a call that reads.
    async fn answer<R: Send + 'static, F: Future<Output = Result<R, Failure>> + 'static>(
        &self,
        call: impl FnOnce(Arc<Connector>) -> F + Send + 'static,
    ) -> Result<Response<R>, Status> {
        Ok(Response::new(self.0.answer(call).await?))
    }

    /// Answers a call that changes something.
    async fn finish<R: Send + 'static, F: Future<Output = Result<R, Failure>> + 'static>(
        &self,
        call: impl FnOnce(Arc<Connector>) -> F + Send + 'static,
    ) -> Result<Response<R>, Status> {
        Ok(Response::new(self.0.finish(call).await?))
    }
}

/// Every service of the contract, and what answers their calls.
pub(crate) fn services(connector: &Arc<Connector>) -> (Routes, Calls) {
    let (caller, calls) = calls(connector);
    let served = || Served(caller.clone());
    let routes = Routes::new(ConnectorServiceServer::new(served()))
        .add_service(ResourceTypesServiceServer::new(served()))
        .add_service(ResourcesServiceServer::new(served()))
        .add_service(ResourceGetterServiceServer::new(served()))
        .add_service(EntitlementsServiceServer::new(served()))
        .add_service(GrantsServiceServer::new(served()))
        .add_service(GrantManagerServiceServer::new(served()))
        .add_service(ResourceManagerServiceServer::new(served()))
        .add_service(ResourceDeleterServiceServer::new(served()))
        .add_service(AccountManagerServiceServer::new(served()))
        .add_service(CredentialManagerServiceServer::new(served()))
        .add_service(EventServiceServer::new(served()))
        .add_service(TicketsServiceServer::new(served()))
        .add_service(ActionServiceServer::new(served()))
        .add_service(AssetServiceServer::new(served()))
        .add_service(RateLimiterServiceServer::new(served()));
    (routes, calls)
}
