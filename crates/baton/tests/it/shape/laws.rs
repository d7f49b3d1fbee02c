//! What holds for every version of every estate.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_baton::any::{find, is};
use metsuke_baton::expand::{Expand, count_expanded};
use metsuke_baton::id::{self, ResourceKey};
use metsuke_baton::proto::connector::{
    Entitlement, EntitlementExclusionGroup, Grant, GrantExpandable, GrantImmutable, Resource, ResourceId,
};
use metsuke_baton::shape::{Options, Shape, Type, resource_types};
use metsuke_simulator::{Options as Estate, Size};
use prost::Message as _;

use super::house::{House, Line, estates};
use super::{peer, rules};

/// Everything that a file of a version holds.
pub(super) struct Everything {
    pub(super) resources: BTreeMap<ResourceKey, Resource>,
    pub(super) entitlements: BTreeMap<String, Entitlement>,
    pub(super) grants: Vec<Grant>,
    pub(super) expanded: Vec<Grant>,
}

fn key(id: Option<&ResourceId>) -> ResourceKey {
    let id = id.unwrap();
    ResourceKey::new(&id.resource_type, &id.resource)
}

/// Collects a version and holds each message against the rules; ids must be unique.
pub(super) fn everything(shape: Shape<'_>) -> Everything {
    let mut all = Everything {
        resources: BTreeMap::new(),
        entitlements: BTreeMap::new(),
        grants: Vec::new(),
        expanded: Vec::new(),
    };
    for message in resource_types(shape.options()) {
        rules::resource_type(&message);
    }
    for place in shape.places() {
        let resource = shape.resource(place).unwrap();
        rules::resource(&resource);
        assert_eq!(shape.find(&key(resource.id.as_ref())), Some(place));
        for entitlement in shape.entitlements(place) {
            rules::entitlement(&entitlement);
            let (found, slug) = shape.entitlement(&entitlement.id).unwrap();
            assert!(found == place && shape.view().slugs(place.held().unwrap()).contains(&slug));
            assert!(all.entitlements.insert(entitlement.id.clone(), entitlement).is_none());
        }
        all.grants.extend(shape.grants(place).iter());
        all.expanded.extend(shape.expanded(place).iter());
        assert_eq!(shape.count_grants(place, true), shape.expanded(place).len());
        assert!(all.resources.insert(key(resource.id.as_ref()), resource).is_none());
    }
    for grants in [&all.grants, &all.expanded] {
        let ids: BTreeSet<_> = grants.iter().map(|grant| &grant.id).collect();
        assert_eq!(ids.len(), grants.len(), "a grant stands twice");
        grants.iter().for_each(rules::grant);
    }
    all
}

impl Everything {
    /// No id leads nowhere, and no embedded message says other than what it stands for.
    pub(super) fn hangs_together(&self) {
        for resource in self.resources.values() {
            if let Some(parent) = &resource.parent_resource_id {
                assert!(self.resources.contains_key(&key(Some(parent))), "{parent:?}");
            }
        }
        for entitlement in self.entitlements.values() {
            let resource = entitlement.resource.as_ref().unwrap();
            let known = &self.resources[&key(resource.id.as_ref())];
            assert_eq!(resource.display_name, known.display_name);
            assert_eq!(resource.parent_resource_id, known.parent_resource_id);
            assert_eq!(entitlement.id, id::entitlement(&key(resource.id.as_ref()), &entitlement.slug));
        }
        for grant in self.grants.iter().chain(&self.expanded) {
            let entitlement = grant.entitlement.as_ref().unwrap();
            let principal = key(grant.principal.as_ref().unwrap().id.as_ref());
            let known = &self.entitlements[&entitlement.id];
            let resource = |of: &Entitlement| key(of.resource.as_ref().unwrap().id.as_ref());
            assert_eq!(resource(known), resource(entitlement));
            assert!(self.resources.contains_key(&principal), "{principal:?}");
            assert!(known.grantable_to.iter().any(|kind| kind.id == principal.resource_type), "{}", grant.id);
            assert_eq!(grant.id, id::grant(&entitlement.id, &principal));
            for source in grant.sources.iter().flat_map(|sources| sources.sources.keys()) {
                assert!(self.entitlements.contains_key(source), "{source}");
            }
            if let Some(expandable) = find::<GrantExpandable>(&grant.annotations) {
                for source in &expandable.entitlement_ids {
                    assert_eq!(resource(&self.entitlements[source]), principal, "{source}");
                }
            }
        }
    }

    /// The grants of users as lines; those that somebody could take away count as direct.
    pub(super) fn lines(grants: &[Grant]) -> BTreeSet<Line> {
        let of_users = grants.iter().filter_map(|grant| {
            let principal = key(grant.principal.as_ref().unwrap().id.as_ref());
            let (resource, slug) = id::parse_entitlement(&grant.entitlement.as_ref().unwrap().id).unwrap();
            let direct = !grant.annotations.iter().any(is::<GrantImmutable>);
            (principal.resource_type == "user").then(|| {
                (resource.resource_type, resource.resource, slug.to_owned(), principal.resource, direct)
            })
        });
        of_users.collect()
    }
}

async fn agrees(house: &House) {
    let all = everything(house.shape());
    all.hangs_together();
    let (direct, effective) = (house.lines(false).await, house.lines(true).await);
    let unexpanded = Everything::lines(&all.grants);
    let taken: BTreeSet<Line> = unexpanded.iter().filter(|line| line.4).cloned().collect();
    assert_eq!(taken, direct);
    assert!(unexpanded.is_subset(&effective));
    assert_eq!(Everything::lines(&all.expanded), effective);
    let ours: BTreeMap<_, _> = all.expanded.iter().map(|grant| (grant.id.clone(), grant.clone())).collect();
    let theirs = peer::expand(&all.grants);
    for (id, grant) in &theirs {
        assert_eq!(ours.get(id), Some(grant));
    }
    assert_eq!(ours.len(), theirs.len());
    assert_eq!(count_expanded(house.shape(), usize::MAX), all.expanded.len());
}

#[tokio::test]
async fn every_estate_is_shown_as_it_is_and_expands_as_readers_would() {
    for estate in estates() {
        agrees(&House::of(estate).await).await;
    }
}

#[tokio::test]
async fn apps_of_teams_that_no_list_holds_are_shown_with_them() {
    let house = House::with_unlisted_teams().await;
    assert!(house.view.teams().iter().any(|team| team.listed != Some(true)));
    agrees(&house).await;
}

/// The sources of grants that nobody can take away and that no edge explains, as (entitlement, source, direct).
fn given(house: &House) -> Vec<(String, String, bool)> {
    let all = everything(house.shape());
    let given = all.grants.into_iter().filter(|grant| {
        grant.annotations.iter().any(is::<GrantImmutable>)
            && !grant.annotations.iter().any(is::<GrantExpandable>)
    });
    given
        .map(|grant| {
            let [(source, entry)] =
                grant.sources.unwrap().sources.into_iter().collect::<Vec<_>>().try_into().unwrap();
            (grant.entitlement.unwrap().id, source, entry.is_direct)
        })
        .collect()
}

#[tokio::test]
async fn an_owner_holds_what_no_row_says_and_no_edge_gives() {
    let house = House::of(Estate { size: Size::Personal, ..Estate::default() }).await;
    let given = given(&house);
    assert!(!given.is_empty());
    for (entitlement, source, direct) in given {
        assert_eq!(entitlement, source);
        assert!(!direct);
    }
}

#[tokio::test]
async fn who_is_named_on_an_app_of_an_unlisted_team_holds_what_follows_from_that() {
    let house = House::with_unlisted_teams().await;
    let given = given(&house);
    let mut found = given.iter().filter(|(entitlement, source, _)| entitlement != source).peekable();
    assert!(found.peek().is_some());
    for (_, source, direct) in found {
        assert!(source.ends_with(":collaborator") && !direct, "{source}");
    }
}

#[tokio::test]
async fn every_person_and_app_is_there_once() {
    for estate in estates() {
        let house = House::of(estate).await;
        let shape = house.shape();
        let ids = |kind: Type| -> BTreeSet<String> {
            let resources = shape.resources(kind, 0..usize::MAX);
            resources.map(|resource| key(resource.id.as_ref()).resource).collect()
        };
        let truth = house.simulator.truth();
        assert_eq!(ids(Type::User), truth.users().collect());
        assert_eq!(ids(Type::App), truth.apps().collect());
        let children =
            |kind: Type| -> usize { shape.places().map(|parent| shape.children(kind, parent).count()).sum() };
        let with_parent = |kind: Type| {
            shape
                .resources(kind, 0..usize::MAX)
                .filter(|resource| resource.parent_resource_id.is_some())
                .count()
        };
        assert_eq!(children(Type::App), with_parent(Type::App));
        assert_eq!(children(Type::Team), with_parent(Type::Team));
        assert_eq!(children(Type::User), 0);
    }
}

#[tokio::test]
async fn the_same_version_gives_the_same_bytes_page_by_page() {
    let house = House::of(Estate { size: Size::Mixed, ..Estate::default() }).await;
    let again = house.connector.view(None).await.unwrap().unwrap();
    let (one, two) = (house.shape(), Shape::new(&again, Options::default()));
    for kind in Type::ALL {
        let whole: Vec<_> = one.resources(kind, 0..one.count(kind)).map(|all| all.encode_to_vec()).collect();
        let pages =
            (0..one.count(kind).div_ceil(3)).flat_map(|page| two.resources(kind, page * 3..page * 3 + 3));
        assert_eq!(pages.map(|all| all.encode_to_vec()).collect::<Vec<_>>(), whole);
    }
    for place in one.places() {
        let (whole, other) = (one.expanded(place), two.expanded(place));
        let bytes: Vec<_> = whole.iter().map(|grant| grant.encode_to_vec()).collect();
        let pages = (0..other.len().div_ceil(7)).flat_map(|page| other.range(page * 7..page * 7 + 7));
        assert_eq!(pages.map(|grant| grant.encode_to_vec()).collect::<Vec<_>>(), bytes);
        assert_eq!(other.range(other.len()..usize::MAX).count(), 0);
        assert_eq!(one.entitlements(place), two.entitlements(place));
        // What is unexpanded stands first, in the same order.
        let first: Vec<_> = one.grants(place).iter().map(|grant| grant.id).collect();
        assert_eq!(whole.range(0..first.len()).map(|grant| grant.id).collect::<Vec<_>>(), first);
    }
}

#[tokio::test]
async fn newer_annotations_are_there_only_where_they_are_taken() {
    let house = House::of(Estate { size: Size::Mixed, ..Estate::default() }).await;
    let groups = |options: Options| {
        let all = everything(Shape::new(&house.view, options));
        let entitlements = all.entitlements.into_values();
        entitlements
            .filter_map(|entitlement| {
                let group = find::<EntitlementExclusionGroup>(&entitlement.annotations)?;
                Some((key(entitlement.resource.unwrap().id.as_ref()), entitlement.slug, group))
            })
            .collect::<Vec<_>>()
    };
    assert!(groups(Options::default()).is_empty());
    let newer = groups(Options { newer_annotations: true });
    assert_eq!(newer.len(), 5 * house.view.teams().len());
    let mut orders: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for (team, _, group) in &newer {
        assert_eq!(group.exclusion_group_id, format!("team-role-{}", team.resource));
        assert!(!group.is_default);
        orders.entry(team.resource.clone()).or_default().insert(group.order);
    }
    assert!(orders.values().all(|order| order.len() == 5));
    let order = |slug: &str| newer.iter().find(|(_, known, _)| known == slug).unwrap().2.order;
    assert!(order("viewer") < order("collaborator") && order("member") < order("admin"));
}

#[tokio::test]
async fn counting_ends_where_it_is_enough() {
    let house = House::of(Estate { size: Size::Mixed, ..Estate::default() }).await;
    let shape = house.shape();
    let all = count_expanded(shape, usize::MAX);
    let some = count_expanded(shape, 10);
    assert!(some > 10 && some < all, "{some} of {all}");
    assert!(Expand::Always.decide(shape) && Expand::Auto.decide(shape) && !Expand::Never.decide(shape));
}
