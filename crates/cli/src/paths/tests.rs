//! What path sentences read like.

use metsuke_engine::access::Held;
use metsuke_model::{HerokuId, PathStep, ResourceRef, ResourceType};

use super::*;

fn step(resource_type: ResourceType, name: &str, entitlement: &str) -> PathStep {
    let resource = ResourceRef { resource_type, id: HerokuId::new(name), name: name.into() };
    PathStep { resource, entitlement: entitlement.into() }
}

fn direct(entitlement: &str) -> Held {
    Held { entitlement: entitlement.into(), direct: true, path: Vec::new() }
}

fn derived(from: PathStep, entitlement: &str) -> Held {
    let path = vec![from, step(ResourceType::App, "api", entitlement)];
    Held { entitlement: entitlement.into(), direct: false, path }
}

fn role(role: &str, entitlement: &str) -> Held {
    derived(step(ResourceType::Team, "core", role), entitlement)
}

fn on_app(held: &str, entitlement: &str) -> Held {
    derived(step(ResourceType::App, "api", held), entitlement)
}

fn said(held: &[Held]) -> String {
    sentence(Subject::One("ann@example.com"), Object::App("api"), &clauses(held))
}

#[test]
fn an_admin_is_told_with_the_team() {
    let held = ["view", "deploy", "operate", "manage"].map(|entitlement| role("admin", entitlement));
    assert_eq!(
        said(&held),
        "ann@example.com can view, deploy to, operate and manage `api` because they are an admin of team `core`, which owns the app"
    );
}

#[test]
fn members_share_one_sentence() {
    let clauses = clauses(&[role("member", "view")]);
    assert_eq!(
        sentence(Subject::Many(37), Object::App("api"), &clauses),
        "37 people can view `api` because they are members of team `core`, which owns the app"
    );
}

#[test]
fn what_is_implied_follows_what_is_granted() {
    assert_eq!(
        said(&[direct("collaborator"), on_app("deploy", "view"), direct("deploy")]),
        "ann@example.com can deploy to `api` because that is granted to them on the app directly; \
         they can view it because `deploy` implies it"
    );
}

#[test]
fn a_collaborator_of_a_standard_app_is_told_once() {
    let held = [direct("collaborator"), on_app("collaborator", "view"), on_app("collaborator", "deploy")];
    assert_eq!(
        said(&held),
        "ann@example.com can view and deploy to `api` because they are a collaborator of the app"
    );
}

#[test]
fn a_collaborator_without_permissions_can_do_nothing() {
    let clauses = clauses(&[direct("collaborator")]);
    assert_eq!(sentence(Subject::One("ann"), Object::App("api"), &clauses), "ann is a collaborator of `api`");
    assert!(allowed(&clauses).is_empty());
}

#[test]
fn owners_unknown_entitlements_and_unknown_roles_have_words() {
    assert!(said(&[on_app("owner", "manage")]).ends_with("can manage `api` because they own the app"));
    assert!(said(&[direct("audit")]).starts_with("ann@example.com holds `audit` on `api`"));
    assert!(said(&[role("wizard", "view")]).contains("because they have the role `wizard` in team `core`"));
}

#[test]
fn several_apps_are_told_in_one_sentence() {
    let clauses = clauses(&[role("admin", "manage")]);
    assert_eq!(
        sentence(Subject::One("ann"), Object::Apps(12), &clauses),
        "ann can manage 12 apps because they are an admin of team `core`, which owns these apps"
    );
}

#[test]
fn a_hostile_name_stays_on_its_line() {
    let held = [derived(step(ResourceType::Team, "co\nre", "admin"), "view")];
    assert!(said(&held).contains("team `co\\u{a}re`"));
}
