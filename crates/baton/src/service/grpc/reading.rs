//! The services that read, and the one that changes grants.

use tonic::{Request, Response, Status, async_trait};

use super::Served;
use crate::proto::connector as v2;
use crate::proto::connector::connector_service_server::ConnectorService;
use crate::proto::connector::entitlements_service_server::EntitlementsService;
use crate::proto::connector::event_service_server::EventService;
use crate::proto::connector::grant_manager_service_server::GrantManagerService;
use crate::proto::connector::grants_service_server::GrantsService;
use crate::proto::connector::resource_getter_service_server::ResourceGetterService;
use crate::proto::connector::resource_types_service_server::ResourceTypesService;
use crate::proto::connector::resources_service_server::ResourcesService;

type Answer<R> = Result<Response<R>, Status>;

#[async_trait]
impl ConnectorService for Served {
    async fn get_metadata(
        &self,
        _: Request<v2::ConnectorServiceGetMetadataRequest>,
    ) -> Answer<v2::ConnectorServiceGetMetadataResponse> {
        self.answer(async |connector| connector.metadata()).await
    }

    async fn validate(
        &self,
        _: Request<v2::ConnectorServiceValidateRequest>,
    ) -> Answer<v2::ConnectorServiceValidateResponse> {
        self.answer(async |connector| connector.validate().await).await
    }

    async fn cleanup(
        &self,
        request: Request<v2::ConnectorServiceCleanupRequest>,
    ) -> Answer<v2::ConnectorServiceCleanupResponse> {
        self.answer(async move |connector| connector.cleanup(request.get_ref())).await
    }
}

#[async_trait]
impl ResourceTypesService for Served {
    async fn list_resource_types(
        &self,
        request: Request<v2::ResourceTypesServiceListResourceTypesRequest>,
    ) -> Answer<v2::ResourceTypesServiceListResourceTypesResponse> {
        self.answer(async move |connector| connector.list_resource_types(request.get_ref())).await
    }
}

#[async_trait]
impl ResourcesService for Served {
    async fn list_resources(
        &self,
        request: Request<v2::ResourcesServiceListResourcesRequest>,
    ) -> Answer<v2::ResourcesServiceListResourcesResponse> {
        self.answer(async move |connector| connector.list_resources(request.get_ref()).await).await
    }
}

#[async_trait]
impl ResourceGetterService for Served {
    async fn get_resource(
        &self,
        request: Request<v2::ResourceGetterServiceGetResourceRequest>,
    ) -> Answer<v2::ResourceGetterServiceGetResourceResponse> {
        self.answer(async move |connector| connector.get_resource(request.get_ref()).await).await
    }
}

#[async_trait]
impl EntitlementsService for Served {
    async fn list_entitlements(
        &self,
        request: Request<v2::EntitlementsServiceListEntitlementsRequest>,
    ) -> Answer<v2::EntitlementsServiceListEntitlementsResponse> {
        self.answer(async move |connector| connector.list_entitlements(request.get_ref()).await).await
    }

    async fn list_static_entitlements(
        &self,
        request: Request<v2::EntitlementsServiceListStaticEntitlementsRequest>,
    ) -> Answer<v2::EntitlementsServiceListStaticEntitlementsResponse> {
        self.answer(async move |connector| connector.list_static_entitlements(request.get_ref())).await
    }
}

#[async_trait]
impl GrantsService for Served {
    async fn list_grants(
        &self,
        request: Request<v2::GrantsServiceListGrantsRequest>,
    ) -> Answer<v2::GrantsServiceListGrantsResponse> {
        self.answer(async move |connector| connector.list_grants(request.get_ref()).await).await
    }
}

#[async_trait]
impl GrantManagerService for Served {
    async fn grant(
        &self,
        request: Request<v2::GrantManagerServiceGrantRequest>,
    ) -> Answer<v2::GrantManagerServiceGrantResponse> {
        self.finish(async move |connector| connector.grant(request.get_ref()).await).await
    }

    async fn revoke(
        &self,
        request: Request<v2::GrantManagerServiceRevokeRequest>,
    ) -> Answer<v2::GrantManagerServiceRevokeResponse> {
        self.finish(async move |connector| connector.revoke(request.get_ref()).await).await
    }
}

#[async_trait]
impl EventService for Served {
    async fn list_events(&self, request: Request<v2::ListEventsRequest>) -> Answer<v2::ListEventsResponse> {
        self.answer(async move |connector| connector.list_events(request.get_ref()).await).await
    }

    async fn list_event_feeds(
        &self,
        _: Request<v2::ListEventFeedsRequest>,
    ) -> Answer<v2::ListEventFeedsResponse> {
        self.answer(async |connector| connector.list_event_feeds()).await
    }
}
