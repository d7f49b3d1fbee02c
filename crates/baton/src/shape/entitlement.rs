//! Entitlements: what a team, an Enterprise account or an app offers, as messages.
//!
//! Invariant: what is held is offered, whether this version knows it or not; what Heroku lets nobody give is marked so.

use metsuke_engine::connector::Source;
use metsuke_model::Entitlement as Known;
use metsuke_model::derive::Owner;
use prost_types::Any;

use super::resource::{display_name, reference};
use super::{Place, Shape, Type, text};
use crate::any::pack;
use crate::id;
use crate::proto::connector::entitlement::PurposeValue;
use crate::proto::connector::{Entitlement, EntitlementExclusionGroup, EntitlementImmutable, ResourceType};

/// So many bytes of a name or of Heroku's word are shown beside others.
const LONGEST_WORD: usize = 256;

/// What a resource offers, in the order of its slugs.
pub(super) fn entitlements(shape: Shape<'_>, place: Place) -> Vec<Entitlement> {
    let (Some(at), Some(key)) = (place.held(), shape.key(place)) else { return Vec::new() };
    let name = display_name(shape, place).unwrap_or_default();
    let owner = owner(shape, place);
    let edges = edges(shape, place);
    let slugs = shape.view().slugs(at).into_iter();
    slugs
        .map(|slug| {
            let part = text::part(slug);
            Entitlement {
                resource: reference(shape, place),
                id: id::entitlement(&key, &part),
                display_name: text::name([Some(&*title(&name, place.kind, slug))]),
                description: description(place.kind, slug, owner),
                grantable_to: grantable_to(&edges, slug),
                annotations: annotations(shape, place, slug, owner),
                purpose: purpose(place.kind, slug).into(),
                slug: part.into_owned(),
            }
        })
        .collect()
}

/// Which principals come to what on an app.
fn edges(shape: Shape<'_>, place: Place) -> Vec<(Type, &'static str)> {
    if place.kind != Type::App {
        return Vec::new();
    }
    let edges = shape.view().edges(place.at).into_iter();
    let mut edges: Vec<_> = edges
        .map(|edge| match edge.source {
            Source::Team(..) => (Type::Team, edge.target.slug()),
            Source::Own(_) => (Type::App, edge.target.slug()),
        })
        .collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// Whom a resource belongs to, as far as what it offers depends on it.
fn owner(shape: Shape<'_>, place: Place) -> Owner {
    let view = shape.view();
    let team = match place.kind {
        Type::Team => view.teams().get(place.at),
        Type::App => view.team_of(place.at).and_then(|team| view.teams().get(team)),
        Type::User | Type::EnterpriseAccount => None,
    };
    team.map_or(Owner::Person, Owner::of_team)
}

/// What the entitlement is called: the resource's name, what it is, and Heroku's word.
fn title(name: &str, kind: Type, slug: &str) -> String {
    let kind = match kind {
        Type::User => "user",
        Type::EnterpriseAccount => "Enterprise account",
        Type::Team => "team",
        Type::App => "app",
    };
    format!("{} {kind} {}", text::cut(name, LONGEST_WORD), word(slug))
}

/// Heroku's word, fit to be shown.
fn word(slug: &str) -> String {
    text::cut(&text::name([Some(slug)]), LONGEST_WORD).to_owned()
}

/// Users, and what edges lead from.
fn grantable_to(edges: &[(Type, &str)], slug: &str) -> Vec<ResourceType> {
    let principals = [Type::Team, Type::App].into_iter().filter(|kind| edges.contains(&(*kind, slug)));
    std::iter::once(Type::User).chain(principals).map(Type::named).collect()
}

fn purpose(kind: Type, slug: &str) -> PurposeValue {
    match kind {
        Type::Team if slug == Known::OWNER.slug() => PurposeValue::Ownership,
        Type::Team => PurposeValue::Assignment,
        Type::App if slug == Known::COLLABORATOR.slug() => PurposeValue::Assignment,
        Type::App | Type::EnterpriseAccount | Type::User => PurposeValue::Permission,
    }
}

fn annotations(shape: Shape<'_>, place: Place, slug: &str, owner: Owner) -> Vec<Any> {
    let mut annotations = Vec::new();
    if is_immutable(place.kind, slug, owner) {
        annotations.push(pack(&EntitlementImmutable::default()));
    }
    if shape.options().newer_annotations && place.kind == Type::Team {
        annotations.extend(exclusion_group(shape, place, slug).map(|group| pack(&group)));
    }
    annotations
}

/// Whether Heroku lets nobody give and take it by itself: what follows from something else, or cannot be asked for.
fn is_immutable(kind: Type, slug: &str, owner: Owner) -> bool {
    let known = kind.held().and_then(|held| held.entitlement(slug));
    match (kind, known) {
        (Type::Team, Some(Known::ADMIN | Known::MEMBER)) | (Type::App, Some(Known::COLLABORATOR)) => false,
        (Type::Team, Some(Known::VIEWER)) => owner == Owner::StandardTeam,
        (Type::App, Some(_)) => matches!(owner, Owner::StandardTeam | Owner::Person),
        _ => true,
    }
}

/// The roles of a team exclude each other, the lesser before the greater.
fn exclusion_group(shape: Shape<'_>, place: Place, slug: &str) -> Option<EntitlementExclusionGroup> {
    let roles = [Known::VIEWER, Known::TEAM_COLLABORATOR, Known::MEMBER, Known::ADMIN, Known::OWNER];
    let order = roles.iter().position(|role| role.slug() == slug)?;
    Some(EntitlementExclusionGroup {
        exclusion_group_id: format!("team-role-{}", shape.key(place)?.resource),
        order: u32::try_from(order).ok()?,
        ..EntitlementExclusionGroup::default()
    })
}

/// What the entitlement allows, after Heroku's documentation.
fn description(kind: Type, slug: &str, owner: Owner) -> String {
    let known = kind.held().and_then(|held| held.entitlement(slug));
    let text = match (kind, known) {
        (Type::Team, Some(Known::ADMIN)) => {
            "Manages the team's people, billing and settings, and holds every permission on each of its apps"
        }
        (Type::Team, Some(Known::MEMBER)) if owner == Owner::EnterpriseTeam => {
            "Sees the team's people, makes apps, and views those that are not locked"
        }
        (Type::Team, Some(Known::MEMBER)) => {
            "Sees the team's people, makes apps, and works on those that are not locked"
        }
        (Type::Team, Some(Known::VIEWER)) => "Sees everything in the team and changes nothing",
        (Type::Team, Some(Known::TEAM_COLLABORATOR)) => "Is no member, but named on some of the team's apps",
        (Type::Team, Some(Known::OWNER)) => "Owns the team",
        (Type::Team, Some(Known::UNKNOWN)) => "Holds a role that Heroku does not name",
        (Type::EnterpriseAccount, Some(Known::ENTERPRISE_VIEW)) => "Sees the account's members and teams",
        (Type::EnterpriseAccount, Some(Known::CREATE)) => "Makes teams",
        (Type::EnterpriseAccount, Some(Known::ENTERPRISE_MANAGE)) => {
            "Manages members and settings, and reads the audit trail"
        }
        (Type::EnterpriseAccount, Some(Known::BILLING)) => "Sees invoices",
        (Type::App, Some(Known::COLLABORATOR)) if owner == Owner::EnterpriseTeam => {
            "Is named on the app; single permissions say what that allows"
        }
        (Type::App, Some(Known::COLLABORATOR)) => {
            "Works on the app: deploys, scales, and reads its config vars"
        }
        (Type::App, Some(Known::VIEW)) => "Sees the app",
        (Type::App, Some(Known::DEPLOY)) => "Deploys code and changes config vars",
        (Type::App, Some(Known::OPERATE)) => "Scales, reads logs and config vars, and manages add-ons",
        (Type::App, Some(Known::MANAGE)) => "Manages the app's people, its lock, its name and its end",
        _ => return format!("`{}` is Heroku's own word; what it allows is not known here", word(slug)),
    };
    text.to_owned()
}
