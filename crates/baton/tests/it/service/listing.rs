//! Listings, page by page.

use metsuke_baton::id::ResourceKey;
use metsuke_baton::proto::connector as v2;
use metsuke_baton::shape::{Options as Shown, Place, Shape, Type, resource_id, resource_types};
use metsuke_simulator::{Options as Company, Size};
use tonic::Code;

use super::house::{House, Parent, company, options, serve};

/// The parent's sync.
pub(crate) const SYNC: &str = "2FpXkZ0n3yQ7bR1sT9uVwXyZaBc";

pub(crate) fn resource(key: &ResourceKey) -> v2::Resource {
    v2::Resource { id: Some(resource_id(key)), ..v2::Resource::default() }
}

macro_rules! walk {
    ($parent:expr, $client:ident.$call:ident, $request:expr) => {{
        let mut request = $request;
        let mut all = Vec::new();
        loop {
            let answer = $parent.$client().$call(request.clone()).await.unwrap().into_inner();
            assert!(request.page_size == 0 || answer.list.len() <= request.page_size as usize);
            assert_ne!(answer.next_page_token.as_str(), "same");
            all.extend(answer.list);
            if answer.next_page_token.is_empty() {
                break all;
            }
            assert_ne!(answer.next_page_token, request.page_token);
            request.page_token = answer.next_page_token;
        }
    }};
}
pub(crate) use walk;

pub(crate) fn resources_of(kind: &str, page_size: u32) -> v2::ResourcesServiceListResourcesRequest {
    v2::ResourcesServiceListResourcesRequest {
        resource_type_id: kind.to_owned(),
        page_size,
        active_sync_id: SYNC.to_owned(),
        ..Default::default()
    }
}

fn grants_of(key: &ResourceKey, page_size: u32) -> v2::GrantsServiceListGrantsRequest {
    v2::GrantsServiceListGrantsRequest {
        resource: Some(resource(key)),
        page_size,
        active_sync_id: SYNC.to_owned(),
        ..Default::default()
    }
}

fn entitlements_of(key: &ResourceKey, page_size: u32) -> v2::EntitlementsServiceListEntitlementsRequest {
    v2::EntitlementsServiceListEntitlementsRequest {
        resource: Some(resource(key)),
        page_size,
        active_sync_id: SYNC.to_owned(),
        ..Default::default()
    }
}

async fn everything_is_listed(parent: &Parent<'_>, page_size: u32) {
    let types = walk!(
        parent,
        types.list_resource_types,
        v2::ResourceTypesServiceListResourceTypesRequest {
            page_size: page_size.min(3),
            active_sync_id: SYNC.to_owned(),
            ..Default::default()
        }
    );
    assert_eq!(types, resource_types(Shown::default()));
    let mut listed = Vec::new();
    for kind in &types {
        listed.push(walk!(parent, resources.list_resources, resources_of(&kind.id, page_size)));
    }
    let view = parent.house.view().await;
    let shape = Shape::new(&view, Shown::default());
    for (kind, listed) in Type::ALL.into_iter().zip(listed) {
        let expected: Vec<_> = shape.resources(kind, 0..usize::MAX).collect();
        assert_eq!(listed, expected, "{kind:?}");
    }
    for place in shape.places() {
        let key = shape.key(place).unwrap();
        let entitlements = walk!(parent, entitlements.list_entitlements, entitlements_of(&key, page_size));
        assert_eq!(entitlements, shape.entitlements(place), "{key:?}");
        let grants = walk!(parent, grants.list_grants, grants_of(&key, page_size));
        assert_eq!(grants, shape.grants(place).iter().collect::<Vec<_>>(), "{key:?}");
    }
    assert_eq!(parent.house.readings(), 1, "one sync reads Heroku once");
}

#[tokio::test]
async fn pages_to_exhaustion_are_the_version() {
    for (size, page_size) in [(Size::Small, 1), (Size::Awkward, 2), (Size::Mixed, 7), (Size::Enterprise, 0)] {
        let house = House::new(Company::of(size).seed(2), options()).await;
        serve(&house, async |parent| everything_is_listed(parent, page_size).await).await;
    }
}

#[tokio::test]
async fn a_parent_lists_what_belongs_to_it_and_an_unknown_one_nothing() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        let teams = walk!(parent, resources.list_resources, resources_of("team", 0));
        let apps = walk!(parent, resources.list_resources, resources_of("app", 0));
        let mut children = Vec::new();
        for team in &teams {
            let request = v2::ResourcesServiceListResourcesRequest {
                parent_resource_id: team.id.clone(),
                ..resources_of("app", 3)
            };
            let listed = walk!(parent, resources.list_resources, request);
            assert!(listed.iter().all(|app| app.parent_resource_id == team.id));
            children.extend(listed);
        }
        let mut expected: Vec<_> = apps.iter().filter(|app| app.parent_resource_id.is_some()).collect();
        assert!(!expected.is_empty());
        expected.sort_by_key(|app| app.id.as_ref().map(|id| id.resource.clone()));
        children.sort_by_key(|app| app.id.as_ref().map(|id| id.resource.clone()));
        assert_eq!(children.iter().collect::<Vec<_>>(), expected);
        for (kind, id) in [("team", "nobody"), ("space", "1"), ("app", "1")] {
            let request = v2::ResourcesServiceListResourcesRequest {
                parent_resource_id: Some(resource_id(&ResourceKey::new(kind, id))),
                ..resources_of("app", 0)
            };
            assert_eq!(walk!(parent, resources.list_resources, request), []);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        let status = parent.failed(parent.resources().list_resources(resources_of("space", 0)).await);
        assert_eq!(status.code(), Code::NotFound, "{status}");
        for key in [ResourceKey::new("app", "nothing"), ResourceKey::new("space", "1")] {
            let status = parent.failed(parent.grants().list_grants(grants_of(&key, 0)).await);
            assert_eq!(status.code(), Code::NotFound, "{status}");
            let status =
                parent.failed(parent.entitlements().list_entitlements(entitlements_of(&key, 0)).await);
            assert_eq!(status.code(), Code::NotFound, "{status}");
            let request = v2::ResourceGetterServiceGetResourceRequest {
                resource_id: Some(resource_id(&key)),
                ..Default::default()
            };
            let status = parent.failed(parent.getter().get_resource(request).await);
            assert_eq!(status.code(), Code::NotFound, "{status}");
        }
        let request = v2::EntitlementsServiceListStaticEntitlementsRequest {
            resource_type_id: "app".to_owned(),
            ..Default::default()
        };
        let answer = parent.entitlements().list_static_entitlements(request).await.unwrap().into_inner();
        assert_eq!(answer, v2::EntitlementsServiceListStaticEntitlementsResponse::default());
    })
    .await;
}

#[tokio::test]
async fn a_token_of_elsewhere_is_an_invalid_argument() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        let first = parent.resources().list_resources(resources_of("app", 2)).await.unwrap().into_inner();
        let token = first.next_page_token;
        let asked = |kind: &str, sync: &str, token: &str| v2::ResourcesServiceListResourcesRequest {
            page_token: token.to_owned(),
            active_sync_id: sync.to_owned(),
            ..resources_of(kind, 2)
        };
        parent.resources().list_resources(asked("app", SYNC, &token)).await.unwrap();
        for request in [asked("user", SYNC, &token), asked("app", "another", &token), asked("app", SYNC, "x")]
        {
            let status = parent.failed(parent.resources().list_resources(request).await);
            assert_eq!(status.code(), Code::InvalidArgument, "{status}");
            assert!(status.message().contains("`page_token`"), "{status}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_resource_read_afresh_is_all_that_a_sync_of_it_reads() {
    let house = House::new(company(), options()).await;
    let (id, person) = house.edit(|world| {
        let teams = world.enterprise_team_names();
        let app = teams.iter().flat_map(|team| world.app_names(Some(team))).next().unwrap();
        world.set_collaborator(&app, "newcomer@example.com", &["view", "deploy"]).unwrap();
        let person = world.person_id("newcomer@example.com").unwrap();
        (world.app_id(&app).unwrap().to_string(), person.to_string())
    });
    serve(&house, async |parent| {
        let key = ResourceKey::new("app", &id);
        let request = v2::ResourceGetterServiceGetResourceRequest {
            resource_id: Some(resource_id(&key)),
            active_sync_id: SYNC.to_owned(),
            ..Default::default()
        };
        let read = parent.getter().get_resource(request).await.unwrap().into_inner().resource.unwrap();
        assert_eq!(read.id, Some(resource_id(&key)));
        let entitlements = walk!(parent, entitlements.list_entitlements, entitlements_of(&key, 0));
        assert!(entitlements.iter().any(|entitlement| entitlement.slug == "deploy"));
        let grants = walk!(parent, grants.list_grants, grants_of(&key, 2));
        assert!(grants.iter().any(|grant| grant.id == format!("app:{id}:deploy:user:{person}")));
        assert_eq!(house.readings(), 0, "nothing else was read");
        let view = house.view().await;
        let shape = Shape::new(&view, Shown::default());
        let place = shape.find(&key).unwrap();
        assert_eq!(place, Place::new(Type::App, place.at));
        assert_eq!(Some(read), shape.resource(place));
    })
    .await;
}
