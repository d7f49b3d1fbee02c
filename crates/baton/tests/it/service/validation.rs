//! What the contract's rules refuse.

use metsuke_baton::id::ResourceKey;
use metsuke_baton::proto::connector as v2;
use metsuke_baton::proto::ratelimit::rate_limiter_service_client::RateLimiterServiceClient;
use metsuke_baton::proto::ratelimit::{
    DoRequest, RateLimitDescriptors, ReportRequest, rate_limit_descriptors,
};
use metsuke_baton::shape::resource_id;
use tonic::{Code, Status};

use super::house::{House, Parent, company, provisioning, serve};
use super::listing::{resource, resources_of};

const TOO_LONG: usize = 1_025;

fn long() -> String {
    "x".repeat(TOO_LONG)
}

fn app() -> v2::Resource {
    resource(&ResourceKey::new("app", "1"))
}

fn entitlement() -> v2::Entitlement {
    v2::Entitlement { id: "app:1:view".to_owned(), resource: Some(app()), ..Default::default() }
}

fn grant() -> v2::Grant {
    v2::Grant {
        id: "app:1:view:user:2".to_owned(),
        entitlement: Some(entitlement()),
        principal: Some(resource(&ResourceKey::new("user", "2"))),
        ..Default::default()
    }
}

/// The status names the field, and repeats nothing that was sent.
fn names(status: &Status, field: &str) {
    assert_eq!(status.code(), Code::InvalidArgument, "{field}: {status}");
    assert!(status.message().contains(&format!("`{field}`")), "{field}: {status}");
    assert!(!status.message().contains("xxx"), "{field}: {status}");
}

#[tokio::test]
async fn listings_refuse_what_breaks_a_rule() {
    let house = House::new(company(), provisioning()).await;
    serve(&house, async |parent| {
        let list = resources_of("app", 0);
        let bare = v2::ResourceId { resource_type: "app".to_owned(), ..Default::default() };
        let table = [
            ("resource_type_id", v2::ResourcesServiceListResourcesRequest::default()),
            ("resource_type_id", resources_of(&long(), 0)),
            ("page_size", resources_of("app", 251)),
            (
                "active_sync_id",
                v2::ResourcesServiceListResourcesRequest { active_sync_id: long(), ..list.clone() },
            ),
            (
                "page_token",
                v2::ResourcesServiceListResourcesRequest {
                    page_token: "x".repeat((1 << 20) + 1),
                    ..list.clone()
                },
            ),
            (
                "parent_resource_id.resource",
                v2::ResourcesServiceListResourcesRequest {
                    parent_resource_id: Some(bare.clone()),
                    ..list.clone()
                },
            ),
        ];
        for (field, request) in table {
            names(&parent.failed(parent.resources().list_resources(request).await), field);
        }
        let stub = v2::Resource { id: Some(bare.clone()), ..Default::default() };
        let nameless = v2::Resource::default();
        for (field, resource) in
            [("resource", None), ("resource.id", Some(nameless)), ("resource.id.resource", Some(stub))]
        {
            let request =
                v2::GrantsServiceListGrantsRequest { resource: resource.clone(), ..Default::default() };
            names(&parent.failed(parent.grants().list_grants(request).await), field);
            let request = v2::EntitlementsServiceListEntitlementsRequest { resource, ..Default::default() };
            names(&parent.failed(parent.entitlements().list_entitlements(request).await), field);
        }
        let static_ones = v2::EntitlementsServiceListStaticEntitlementsRequest::default();
        names(
            &parent.failed(parent.entitlements().list_static_entitlements(static_ones).await),
            "resource_type_id",
        );
        others_refuse(parent).await;
        assert_eq!(house.simulator.stats().requests, 0, "nothing was asked for any of it");
    })
    .await;
}

async fn others_refuse(parent: &Parent<'_>) {
    let types = v2::ResourceTypesServiceListResourceTypesRequest { page_size: 300, ..Default::default() };
    names(&parent.failed(parent.types().list_resource_types(types).await), "page_size");
    let nothing = v2::ResourceGetterServiceGetResourceRequest::default();
    names(&parent.failed(parent.getter().get_resource(nothing).await), "resource_id");
    let cleanup = v2::ConnectorServiceCleanupRequest { active_sync_id: long(), ..Default::default() };
    names(&parent.failed(parent.connector().cleanup(cleanup).await), "active_sync_id");
    for (field, request) in [
        ("cursor", v2::ListEventsRequest { cursor: "x".repeat(4_097), ..Default::default() }),
        ("page_size", v2::ListEventsRequest { page_size: 1_001, ..Default::default() }),
        ("event_feed_id", v2::ListEventsRequest { event_feed_id: long(), ..Default::default() }),
    ] {
        names(&parent.failed(parent.events().list_events(request).await), field);
    }
    let mut limiter = RateLimiterServiceClient::new(parent.channel.clone());
    let descriptors = Some(RateLimitDescriptors::default());
    let request = DoRequest { descriptors, ..Default::default() };
    names(&parent.failed(limiter.r#do(request).await), "descriptors.entries");
    let entries = vec![rate_limit_descriptors::Entry { key: "k".to_owned(), value: String::new() }];
    let request = ReportRequest { descriptors: Some(RateLimitDescriptors { entries }), ..Default::default() };
    names(&parent.failed(limiter.report(request).await), "descriptors.entries[0].value");
}

#[tokio::test]
async fn changes_refuse_what_breaks_a_rule_or_contradicts_itself() {
    let house = House::new(company(), provisioning()).await;
    let with = |change: fn(&mut v2::Grant)| {
        let mut grant = grant();
        change(&mut grant);
        grant
    };
    let entitlement_of = |grant: &mut v2::Grant| grant.entitlement.take().unwrap();
    let table = [
        ("entitlement", with(|grant| grant.entitlement = None)),
        ("principal", with(|grant| grant.principal = None)),
        (
            "entitlement.resource",
            with(|grant| {
                grant.entitlement = Some(v2::Entitlement { resource: None, ..entitlement() });
            }),
        ),
        (
            "entitlement.id",
            with(|grant| {
                grant.entitlement = Some(v2::Entitlement { id: String::new(), ..entitlement() });
            }),
        ),
        (
            "entitlement.slug",
            with(|grant| {
                grant.entitlement = Some(v2::Entitlement { slug: "deploy".to_owned(), ..entitlement() });
            }),
        ),
        (
            "entitlement.resource",
            with(|grant| {
                let other = resource(&ResourceKey::new("app", "2"));
                grant.entitlement = Some(v2::Entitlement { resource: Some(other), ..entitlement() });
            }),
        ),
        (
            "entitlement.purpose",
            with(|grant| {
                grant.entitlement = Some(v2::Entitlement { purpose: 17, ..entitlement() });
            }),
        ),
        ("principal.id", with(|grant| grant.principal = Some(v2::Resource::default()))),
    ];
    serve(&house, async |parent| {
        for (field, mut grant) in table {
            let request =
                v2::GrantManagerServiceRevokeRequest { grant: Some(grant.clone()), annotations: Vec::new() };
            let status = parent.failed(parent.manager().revoke(request).await);
            let inside = status.message().contains(&format!("`grant.{field}`"));
            names(&status, &if inside { format!("grant.{field}") } else { field.to_owned() });
            if grant.entitlement.is_some() {
                let request = v2::GrantManagerServiceGrantRequest {
                    entitlement: Some(entitlement_of(&mut grant)),
                    principal: grant.principal,
                    annotations: Vec::new(),
                };
                names(&parent.failed(parent.manager().grant(request).await), field);
            }
        }
        let nothing = v2::GrantManagerServiceRevokeRequest::default();
        names(&parent.failed(parent.manager().revoke(nothing).await), "grant");
        let unnamed = v2::Grant { id: String::new(), ..grant() };
        let request = v2::GrantManagerServiceRevokeRequest { grant: Some(unnamed), annotations: Vec::new() };
        names(&parent.failed(parent.manager().revoke(request).await), "grant.id");
        for id in ["app", "app:1", "app:1:", ":1:view"] {
            let entitlement = v2::Entitlement { id: id.to_owned(), ..entitlement() };
            let request = v2::GrantManagerServiceGrantRequest {
                entitlement: Some(entitlement),
                principal: grant().principal,
                annotations: Vec::new(),
            };
            let status = parent.failed(parent.manager().grant(request).await);
            assert_eq!(status.code(), Code::InvalidArgument, "{id}: {status}");
        }
        only_people_of_our_own(parent).await;
        assert_eq!(house.simulator.stats().requests, 0, "nothing was asked for any of it");
    })
    .await;
}

async fn only_people_of_our_own(parent: &Parent<'_>) {
    let team = resource(&ResourceKey::new("team", "2"));
    let foreign = v2::ResourceId { baton_resource: true, ..resource_id(&ResourceKey::new("user", "2")) };
    let foreign = v2::Resource { id: Some(foreign), ..Default::default() };
    for principal in [team, foreign] {
        let request = v2::GrantManagerServiceGrantRequest {
            entitlement: Some(entitlement()),
            principal: Some(principal),
            annotations: Vec::new(),
        };
        names(&parent.failed(parent.manager().grant(request).await), "principal");
    }
    for kind in ["enterprise_account", "user", "space"] {
        let key = ResourceKey::new(kind, "1");
        let entitlement = v2::Entitlement {
            id: format!("{kind}:1:view"),
            resource: Some(resource(&key)),
            ..Default::default()
        };
        let request = v2::GrantManagerServiceGrantRequest {
            entitlement: Some(entitlement),
            principal: grant().principal,
            annotations: Vec::new(),
        };
        let status = parent.failed(parent.manager().grant(request).await);
        assert_eq!(status.code(), Code::Unimplemented, "{kind}: {status}");
    }
}
