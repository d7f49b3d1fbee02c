//! Grants and revokes: the simulated Heroku's own state is the judge.

use metsuke_baton::any::{find, is};
use metsuke_baton::id::ResourceKey;
use metsuke_baton::proto::connector as v2;
use metsuke_baton::proto::rpc;
use metsuke_baton::shape::direct_grant;
use metsuke_simulator::{Fault, FaultKind, Options as Company, Size};
use prost::Message as _;
use tonic::{Code, Response, Status};

use super::house::{House, Parent, company, options, provisioning, serve};
use super::listing::{resources_of, walk};

/// An Enterprise team, its first app and people of the team who are no admins, by ids and names.
struct Cast {
    team: String,
    team_name: String,
    app: String,
    app_name: String,
    people: Vec<(String, String)>,
    caller: String,
    admin: String,
}

fn cast(house: &House) -> Cast {
    house.edit(|world| {
        let team_name = world
            .enterprise_team_names()
            .into_iter()
            .find(|team| !world.app_names(Some(team)).is_empty() && world.members_of(team).len() > 4)
            .unwrap();
        let app_name = world.app_names(Some(&team_name)).first().unwrap().clone();
        let caller = world.caller_email();
        let members = world.members_of(&team_name);
        let holds = |email: &String| world.permissions_on(&app_name, email).is_some();
        let of_role = |wanted: &str| {
            let members =
                members.iter().filter(|(email, role)| role.as_deref() == Some(wanted) && *email != caller);
            members.map(|(email, _)| email.clone()).filter(|email| !holds(email)).collect::<Vec<_>>()
        };
        let id = |email: &String| world.person_id(email).unwrap().to_string();
        Cast {
            team: world.team_id(&team_name).unwrap().to_string(),
            app: world.app_id(&app_name).unwrap().to_string(),
            people: of_role("member").iter().map(|email| (id(email), email.clone())).collect(),
            admin: of_role("admin").first().map(id).unwrap_or_default(),
            caller: id(&caller),
            team_name,
            app_name,
        }
    })
}

fn grant_of(kind: &str, resource: &str, slug: &str, user: &str) -> v2::Grant {
    direct_grant(&ResourceKey::new(kind, resource), slug, &ResourceKey::new("user", user))
}

async fn give(
    parent: &Parent<'_>,
    grant: &v2::Grant,
) -> Result<Response<v2::GrantManagerServiceGrantResponse>, Status> {
    let v2::Grant { entitlement, principal, .. } = grant.clone();
    let request = v2::GrantManagerServiceGrantRequest { entitlement, principal, annotations: Vec::new() };
    parent.manager().grant(request).await
}

async fn take(
    parent: &Parent<'_>,
    grant: &v2::Grant,
) -> Result<Response<v2::GrantManagerServiceRevokeResponse>, Status> {
    let request =
        v2::GrantManagerServiceRevokeRequest { grant: Some(grant.clone()), annotations: Vec::new() };
    parent.manager().revoke(request).await
}

fn ids(grants: &[v2::Grant]) -> Vec<&str> {
    grants.iter().map(|grant| grant.id.as_str()).collect()
}

fn info(status: &Status) -> Option<rpc::ErrorInfo> {
    find(&rpc::Status::decode(status.details()).unwrap().details)
}

#[tokio::test]
async fn a_permission_is_given_once_and_taken_once() {
    let house = House::new(company(), provisioning()).await;
    let cast = cast(&house);
    let (id, email) = cast.people.first().unwrap();
    let held = || house.edit(|world| world.permissions_on(&cast.app_name, email));
    serve(&house, async |parent| {
        let deploy = grant_of("app", &cast.app, "deploy", id);
        let answer = give(parent, &deploy).await.unwrap().into_inner();
        assert!(ids(&answer.grants).contains(&deploy.id.as_str()), "{answer:?}");
        assert!(answer.annotations.is_empty());
        assert_eq!(held().unwrap(), ["view", "deploy"]);
        let again = give(parent, &deploy).await.unwrap().into_inner();
        assert!(again.annotations.iter().any(is::<v2::GrantAlreadyExists>) && again.grants.is_empty());
        let operate = grant_of("app", &cast.app, "operate", id);
        give(parent, &operate).await.unwrap();
        assert_eq!(held().unwrap(), ["view", "deploy", "operate"], "one joins the others");
        let answer = take(parent, &deploy).await.unwrap().into_inner();
        assert!(answer.annotations.is_empty());
        assert_eq!(held().unwrap(), ["view", "operate"]);
    })
    .await;
}

#[tokio::test]
async fn a_role_replaces_the_one_before_and_taking_it_twice_is_said() {
    let house = House::new(company(), provisioning()).await;
    let cast = cast(&house);
    let (id, email) = cast.people.first().unwrap();
    let role = || house.edit(|world| world.role_in(&cast.team_name, email));
    serve(&house, async |parent| {
        let viewer = grant_of("team", &cast.team, "viewer", id);
        let answer = give(parent, &viewer).await.unwrap().into_inner();
        let replaced: v2::GrantReplaced = find(&answer.annotations).unwrap();
        assert_eq!(replaced.replaced_grant_id, format!("team:{}:member:user:{id}", cast.team));
        assert_eq!(ids(&answer.grants), [viewer.id.as_str()]);
        assert_eq!(role().as_deref(), Some("viewer"));
        let answer = take(parent, &viewer).await.unwrap().into_inner();
        assert!(answer.annotations.is_empty());
        assert_eq!(role(), None);
        let again = take(parent, &viewer).await.unwrap().into_inner();
        assert!(again.annotations.iter().any(is::<v2::GrantAlreadyRevoked>));
    })
    .await;
}

#[tokio::test]
async fn what_follows_from_something_else_is_not_called_revoked() {
    let house = House::new(company(), provisioning()).await;
    let cast = cast(&house);
    let inherited = grant_of("app", &cast.app, "manage", &cast.admin);
    let mut edge = grant_of("app", &cast.app, "manage", &cast.team);
    edge.principal = grant_of("team", &cast.team, "admin", "1").entitlement.unwrap().resource;
    serve(&house, async |parent| {
        let status = parent.failed(take(parent, &inherited).await);
        assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
        assert!(
            status.message().contains(&format!("the role `admin` in team `{}`", cast.team_name)),
            "{status}"
        );
        let status = parent.failed(take(parent, &edge).await);
        assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
        assert!(status.message().contains("a role in the team"), "{status}");
        // The same with a version of the whole estate, in which somebody holds two permissions.
        walk!(parent, resources.list_resources, resources_of("app", 0));
        let status = parent.failed(take(parent, &inherited).await);
        assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    })
    .await;
}

#[tokio::test]
async fn ownership_of_a_personal_app_is_not_called_revoked() {
    let house = House::new(company(), provisioning()).await;
    let (app, other) = house.edit(|world| {
        let app = world.add_app(None, "my-own").unwrap().to_string();
        world.set_collaborator("my-own", "helper@example.com", &["view"]).unwrap();
        (app, world.person_id("helper@example.com").unwrap().to_string())
    });
    let caller = cast(&house).caller;
    serve(&house, async |parent| {
        let status = parent.failed(take(parent, &grant_of("app", &app, "manage", &caller)).await);
        assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
        assert!(status.message().contains("owns app"), "{status}");
        let status = parent.failed(take(parent, &grant_of("app", &app, "deploy", &other)).await);
        assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
        assert!(status.message().contains("only those have single permissions"), "{status}");
        let answer = take(parent, &grant_of("app", &app, "collaborator", &other)).await.unwrap().into_inner();
        assert!(answer.annotations.is_empty());
        let answer = take(parent, &grant_of("app", &app, "collaborator", &other)).await.unwrap().into_inner();
        assert!(answer.annotations.iter().any(is::<v2::GrantAlreadyRevoked>));
    })
    .await;
}

#[tokio::test]
async fn a_rule_declines_with_its_reason() {
    let house = House::new(company(), provisioning()).await;
    let cast = cast(&house);
    serve(&house, async |parent| {
        let own = grant_of("team", &cast.team, "viewer", &cast.caller);
        let status = parent.failed(give(parent, &own).await);
        assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
        let info = info(&status).unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("grant_cancelled", "github.com/conductorone/baton-sdk")
        );
        assert!(info.metadata["reason"].starts_with("R2: "), "{info:?}");
        assert!(status.message().starts_with(&info.metadata["reason"]));
    })
    .await;
    assert!(house.simulator.journal().writes.is_empty());
}

#[tokio::test]
async fn nothing_changes_while_provisioning_is_off() {
    let house = House::new(company(), options()).await;
    let cast = cast(&house);
    let grant = grant_of("app", &cast.app, "deploy", &cast.people.first().unwrap().0);
    serve(&house, async |parent| {
        for status in [parent.failed(give(parent, &grant).await), parent.failed(take(parent, &grant).await)] {
            assert_eq!(status.code(), Code::FailedPrecondition);
            assert_eq!(status.message(), "provisioning is not enabled");
        }
        assert_eq!(house.simulator.stats().requests, 0);
    })
    .await;
}

#[tokio::test]
async fn somebody_who_has_to_accept_first_is_said_to_be_pending() {
    let house = House::new(Company::of(Size::Standard).seed(2), provisioning()).await;
    let (team, person) = house.edit(|world| {
        let team =
            world.standard_team_names().into_iter().find(|team| !world.app_names(Some(team)).is_empty());
        let team = team.unwrap();
        let app = world.app_names(None).into_iter().next().unwrap();
        world.set_collaborator(&app, "known@example.com", &["view"]).unwrap();
        (world.team_id(&team).unwrap().to_string(), world.person_id("known@example.com").unwrap().to_string())
    });
    let member = grant_of("team", &team, "member", &person);
    serve(&house, async |parent| {
        let answer = give(parent, &member).await.unwrap().into_inner();
        assert!(answer.grants.is_empty(), "nothing is held yet: {answer:?}");
        let metadata: v2::GrantMetadata = find(&answer.annotations).unwrap();
        assert!(metadata.metadata.unwrap().fields.contains_key("invitation_pending"));
    })
    .await;
}

#[tokio::test]
async fn what_heroku_says_has_its_code() {
    let house = House::new(company(), provisioning()).await;
    let cast = cast(&house);
    let (id, _) = cast.people.first().unwrap();
    let grant = grant_of("app", &cast.app, "deploy", id);
    serve(&house, async |parent| {
        for (kind, code) in [
            (FaultKind::Unauthorized401, Code::Unauthenticated),
            (FaultKind::Forbidden403, Code::PermissionDenied),
            (FaultKind::NotFound404, Code::NotFound),
        ] {
            house.simulator.faults().add(Fault::always(kind));
            let status = parent.failed(give(parent, &grant).await);
            assert_eq!(status.code(), code, "{status}");
            house.simulator.faults().clear();
        }
        let nobody = grant_of("app", "00000000-0000-4000-8000-000000000000", "deploy", id);
        let status = parent.failed(give(parent, &nobody).await);
        assert_eq!(status.code(), Code::NotFound, "{status}");
        give(parent, &grant).await.unwrap();
    })
    .await;
}
