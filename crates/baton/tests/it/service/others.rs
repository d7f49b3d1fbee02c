//! The services that have little to say.

use metsuke_baton::proto::connector as v2;
use metsuke_baton::proto::connector::account_manager_service_client::AccountManagerServiceClient;
use metsuke_baton::proto::connector::action_service_client::ActionServiceClient;
use metsuke_baton::proto::connector::asset_service_client::AssetServiceClient;
use metsuke_baton::proto::connector::credential_manager_service_client::CredentialManagerServiceClient;
use metsuke_baton::proto::connector::resource_deleter_service_client::ResourceDeleterServiceClient;
use metsuke_baton::proto::connector::resource_manager_service_client::ResourceManagerServiceClient;
use metsuke_baton::proto::connector::tickets_service_client::TicketsServiceClient;
use metsuke_baton::proto::ratelimit;
use metsuke_baton::proto::ratelimit::rate_limiter_service_client::RateLimiterServiceClient;
use tonic::Code;

use super::house::{House, Parent, company, options, provisioning, serve};

async fn managers_answer(parent: &Parent<'_>, code: Code) {
    let channel = || parent.channel.clone();
    let mut resources = ResourceManagerServiceClient::new(channel());
    let mut credentials = CredentialManagerServiceClient::new(channel());
    let statuses = [
        parent.failed(resources.create_resource(v2::CreateResourceRequest::default()).await),
        parent.failed(resources.delete_resource(v2::DeleteResourceRequest::default()).await),
        parent.failed(
            ResourceDeleterServiceClient::new(channel())
                .delete_resource_v2(v2::DeleteResourceV2Request::default())
                .await,
        ),
        parent.failed(
            AccountManagerServiceClient::new(channel())
                .create_account(v2::CreateAccountRequest::default())
                .await,
        ),
        parent.failed(credentials.rotate_credential(v2::RotateCredentialRequest::default()).await),
        parent.failed(credentials.issue_credential(v2::IssueCredentialRequest::default()).await),
    ];
    for status in statuses {
        assert_eq!(status.code(), code, "{status}");
        if code == Code::FailedPrecondition {
            assert_eq!(status.message(), "provisioning is not enabled");
        }
    }
}

#[tokio::test]
async fn managers_decline_while_provisioning_is_off_and_say_what_they_do_not_do() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| managers_answer(parent, Code::FailedPrecondition).await).await;
    let house = House::new(company(), provisioning()).await;
    serve(&house, async |parent| managers_answer(parent, Code::Unimplemented).await).await;
}

#[tokio::test]
async fn there_are_no_tickets_actions_and_assets() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        let mut tickets = TicketsServiceClient::new(parent.channel.clone());
        let answer = tickets.list_ticket_schemas(v2::TicketsServiceListTicketSchemasRequest::default()).await;
        assert!(answer.unwrap().into_inner().list.is_empty());
        let statuses = [
            parent.failed(tickets.create_ticket(v2::TicketsServiceCreateTicketRequest::default()).await),
            parent.failed(tickets.get_ticket(v2::TicketsServiceGetTicketRequest::default()).await),
            parent
                .failed(tickets.get_ticket_schema(v2::TicketsServiceGetTicketSchemaRequest::default()).await),
            parent.failed(
                tickets.bulk_create_tickets(v2::TicketsServiceBulkCreateTicketsRequest::default()).await,
            ),
            parent.failed(tickets.bulk_get_tickets(v2::TicketsServiceBulkGetTicketsRequest::default()).await),
        ];
        assert!(statuses.iter().all(|status| status.code() == Code::Unimplemented));
        let mut actions = ActionServiceClient::new(parent.channel.clone());
        let answer = actions.list_action_schemas(v2::ListActionSchemasRequest::default()).await;
        assert!(answer.unwrap().into_inner().schemas.is_empty());
        let statuses = [
            parent.failed(actions.invoke_action(v2::InvokeActionRequest::default()).await),
            parent.failed(actions.get_action_status(v2::GetActionStatusRequest::default()).await),
            parent.failed(actions.get_action_schema(v2::GetActionSchemaRequest::default()).await),
        ];
        assert!(statuses.iter().all(|status| status.code() == Code::Unimplemented));
        let asset = Some(v2::AssetRef { id: "logo".to_owned() });
        let request = v2::AssetServiceGetAssetRequest { asset };
        let status = parent.failed(AssetServiceClient::new(parent.channel.clone()).get_asset(request).await);
        assert_eq!(status.code(), Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn the_limiter_holds_nothing_back() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        let mut limiter = RateLimiterServiceClient::new(parent.channel.clone());
        let request = ratelimit::DoRequest { request_token: "t".to_owned(), ..Default::default() };
        let answer = limiter.r#do(request).await.unwrap().into_inner();
        assert_eq!(answer.request_token, "t");
        let status = answer.description.unwrap().status();
        assert_eq!(status, ratelimit::rate_limit_description::Status::Empty);
        limiter.report(ratelimit::ReportRequest::default()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_connector_says_what_it_is() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        let answer = parent.connector().get_metadata(v2::ConnectorServiceGetMetadataRequest {}).await;
        let metadata = answer.unwrap().into_inner().metadata.unwrap();
        assert_eq!(metadata.display_name, "Heroku");
        assert!(metadata.capabilities.is_some());
        assert_eq!(house.simulator.stats().requests, 0, "nothing was asked for that");
    })
    .await;
}
