//! The services that a parent expects to be there, though a connector for Heroku has nothing to do in them; and the
//! limiter, which the parent asks before each call and tells after it.

use futures::stream::Empty;
use tonic::{Request, Response, Status, async_trait};

use super::super::failure::{Code, Failure};
use super::super::provisioning::disabled;
use super::super::rules;
use super::Served;
use crate::proto::connector as v2;
use crate::proto::connector::account_manager_service_server::AccountManagerService;
use crate::proto::connector::action_service_server::ActionService;
use crate::proto::connector::asset_service_server::AssetService;
use crate::proto::connector::credential_manager_service_server::CredentialManagerService;
use crate::proto::connector::resource_deleter_service_server::ResourceDeleterService;
use crate::proto::connector::resource_manager_service_server::ResourceManagerService;
use crate::proto::connector::tickets_service_server::TicketsService;
use crate::proto::ratelimit::rate_limiter_service_server::RateLimiterService;
use crate::proto::ratelimit::{
    DoRequest, DoResponse, RateLimitDescription, ReportRequest, ReportResponse, rate_limit_description,
};

type Answer<R> = Result<Response<R>, Status>;

const RESOURCES: &str = "teams and apps are made and deleted at Heroku, not by this connector";
const ACCOUNTS: &str = "people make their own Heroku accounts; grant them a role in a team instead";
const CREDENTIALS: &str = "credentials are not handled by this connector";
const TICKETS: &str = "this connector has no tickets";
const ACTIONS: &str = "this connector has no actions";

fn not_here<R>(why: &str) -> Answer<R> {
    Err(Failure::new(Code::Unimplemented, why).into())
}

impl Served {
    /// What a manager answers that would change something.
    async fn manager<R: Send + 'static>(&self, why: &'static str) -> Answer<R> {
        self.answer(async move |connector| {
            let is_on = connector.options.provisioning;
            Err(if is_on { Failure::new(Code::Unimplemented, why) } else { disabled() })
        })
        .await
    }
}

#[async_trait]
impl RateLimiterService for Served {
    async fn r#do(&self, request: Request<DoRequest>) -> Answer<DoResponse> {
        let request = request.into_inner();
        rules::asked(&request)?;
        // Heroku's pool is paced where requests leave; nothing is held back here.
        let description = RateLimitDescription {
            status: rate_limit_description::Status::Empty.into(),
            ..RateLimitDescription::default()
        };
        let request_token = request.request_token;
        Ok(Response::new(DoResponse { request_token, description: Some(description) }))
    }

    async fn report(&self, request: Request<ReportRequest>) -> Answer<ReportResponse> {
        rules::asked(request.get_ref())?;
        Ok(Response::new(ReportResponse {}))
    }
}

#[async_trait]
impl AssetService for Served {
    type GetAssetStream = Empty<Result<v2::AssetServiceGetAssetResponse, Status>>;

    async fn get_asset(
        &self,
        request: Request<v2::AssetServiceGetAssetRequest>,
    ) -> Answer<Self::GetAssetStream> {
        rules::asked(request.get_ref())?;
        Err(Failure::new(Code::NotFound, "this connector has no assets").into())
    }
}

#[async_trait]
impl ResourceManagerService for Served {
    async fn create_resource(
        &self,
        _: Request<v2::CreateResourceRequest>,
    ) -> Answer<v2::CreateResourceResponse> {
        self.manager(RESOURCES).await
    }

    async fn delete_resource(
        &self,
        _: Request<v2::DeleteResourceRequest>,
    ) -> Answer<v2::DeleteResourceResponse> {
        self.manager(RESOURCES).await
    }
}

#[async_trait]
impl ResourceDeleterService for Served {
    async fn delete_resource_v2(
        &self,
        _: Request<v2::DeleteResourceV2Request>,
    ) -> Answer<v2::DeleteResourceV2Response> {
        self.manager(RESOURCES).await
    }
}

#[async_trait]
impl AccountManagerService for Served {
    async fn create_account(
        &self,
        _: Request<v2::CreateAccountRequest>,
    ) -> Answer<v2::CreateAccountResponse> {
        self.manager(ACCOUNTS).await
    }
}

#[async_trait]
impl CredentialManagerService for Served {
    async fn rotate_credential(
        &self,
        _: Request<v2::RotateCredentialRequest>,
    ) -> Answer<v2::RotateCredentialResponse> {
        self.manager(CREDENTIALS).await
    }

    async fn issue_credential(
        &self,
        _: Request<v2::IssueCredentialRequest>,
    ) -> Answer<v2::IssueCredentialResponse> {
        self.manager(CREDENTIALS).await
    }
}

#[async_trait]
impl TicketsService for Served {
    async fn create_ticket(
        &self,
        _: Request<v2::TicketsServiceCreateTicketRequest>,
    ) -> Answer<v2::TicketsServiceCreateTicketResponse> {
        not_here(TICKETS)
    }

    async fn get_ticket(
        &self,
        _: Request<v2::TicketsServiceGetTicketRequest>,
    ) -> Answer<v2::TicketsServiceGetTicketResponse> {
        not_here(TICKETS)
    }

    async fn list_ticket_schemas(
        &self,
        _: Request<v2::TicketsServiceListTicketSchemasRequest>,
    ) -> Answer<v2::TicketsServiceListTicketSchemasResponse> {
        Ok(Response::new(v2::TicketsServiceListTicketSchemasResponse::default()))
    }

    async fn get_ticket_schema(
        &self,
        _: Request<v2::TicketsServiceGetTicketSchemaRequest>,
    ) -> Answer<v2::TicketsServiceGetTicketSchemaResponse> {
        not_here(TICKETS)
    }

    async fn bulk_create_tickets(
        &self,
        _: Request<v2::TicketsServiceBulkCreateTicketsRequest>,
    ) -> Answer<v2::TicketsServiceBulkCreateTicketsResponse> {
        not_here(TICKETS)
    }

    async fn bulk_get_tickets(
        &self,
        _: Request<v2::TicketsServiceBulkGetTicketsRequest>,
    ) -> Answer<v2::TicketsServiceBulkGetTicketsResponse> {
        not_here(TICKETS)
    }
}

#[async_trait]
impl ActionService for Served {
    async fn invoke_action(&self, _: Request<v2::InvokeActionRequest>) -> Answer<v2::InvokeActionResponse> {
        not_here(ACTIONS)
    }

    async fn get_action_status(
        &self,
        _: Request<v2::GetActionStatusRequest>,
    ) -> Answer<v2::GetActionStatusResponse> {
        not_here(ACTIONS)
    }

    async fn get_action_schema(
        &self,
        _: Request<v2::GetActionSchemaRequest>,
    ) -> Answer<v2::GetActionSchemaResponse> {
        not_here(ACTIONS)
    }

    async fn list_action_schemas(
        &self,
        _: Request<v2::ListActionSchemasRequest>,
    ) -> Answer<v2::ListActionSchemasResponse> {
        Ok(Response::new(v2::ListActionSchemasResponse::default()))
    }
}
