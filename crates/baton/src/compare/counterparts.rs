//! Which resource and which entitlement of one side is which of the other's.
//!
//! Ids count first. Connectors may choose their own, so what is left is paired by what people know it by: users by
//! address, everything else by its name within its type, entitlements by their short name on a resource that was paired.
//!
//! Invariant: nothing has two counterparts, and a name that fits several on either side pairs none of them.

use std::collections::HashMap;
use std::hash::Hash;

use crate::c1z::{Content, EntitlementRow, ResourceRow};
use crate::id;
use crate::shape::Type;

/// A place on the other side, and whether a name led there.
pub(super) type Counterpart = Option<(u32, bool)>;

/// The counterparts of one side's rows, by their places.
pub(super) struct Counterparts {
    pub(super) resources: Vec<Counterpart>,
    pub(super) entitlements: Vec<Counterpart>,
}

impl Counterparts {
    /// Where the rows of `there` are in `here`.
    pub(super) fn find(there: &Content, here: &Content) -> Self {
        let resources = pair(&there.resources, &here.resources, |row| &row.key, |_, row| label(row));
        let own = |place: u32| Some(place);
        let across = |place: u32| resources.get(place as usize).copied().flatten().map(|pair| pair.0);
        let entitlements = pair(
            &there.entitlements,
            &here.entitlements,
            |row| &row.id,
            |side, row| {
                let resource = if side == Of::There { across(row.resource) } else { own(row.resource) };
                Some((resource?, slug(row).to_lowercase()))
            },
        );
        Self { resources, entitlements }
    }

    pub(super) fn resource(&self, place: u32) -> Counterpart {
        self.resources.get(place as usize).copied().flatten()
    }

    pub(super) fn entitlement(&self, place: u32) -> Counterpart {
        self.entitlements.get(place as usize).copied().flatten()
    }
}

/// Which side a row is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    There,
    Here,
}

/// What people know a resource by, within its type.
fn label(row: &ResourceRow) -> Option<(String, String)> {
    let is_user = Type::parse(&row.key.resource_type) == Some(Type::User);
    let known_by = if is_user { row.email.as_deref() } else { Some(row.name.as_str()) };
    let label = known_by?.trim().to_lowercase();
    (!label.is_empty()).then(|| (row.key.resource_type.clone(), label))
}

/// The short name of an entitlement.
pub(super) fn slug(row: &EntitlementRow) -> &str {
    match row.slug.as_str() {
        "" => id::parse_entitlement(&row.id).map_or(row.id.as_str(), |(_, slug)| slug),
        slug => slug,
    }
}

/// Pairs by `key`, and what is left by `label`.
fn pair<'a, R, K: Hash + Eq + ?Sized + 'a, L: Hash + Eq>(
    there: &'a [R],
    here: &'a [R],
    key: impl Fn(&'a R) -> &'a K,
    label: impl Fn(Of, &R) -> Option<L>,
) -> Vec<Counterpart> {
    let mut places: HashMap<&K, u32> = numbered(here).map(|(place, row)| (key(row), place)).collect();
    // What was taken out has its counterpart.
    let mut found: Vec<Counterpart> =
        there.iter().map(|row| places.remove(key(row)).map(|place| (place, false))).collect();
    if places.is_empty() || found.iter().all(Option::is_some) {
        return found;
    }
    let free = numbered(here).filter(|(_, row)| places.contains_key(key(row)));
    let ours = once(free.map(|(place, row)| (label(Of::Here, row), place)));
    let open = numbered(there).filter(|(place, _)| found.get(*place as usize) == Some(&None));
    let theirs = once(open.map(|(place, row)| (label(Of::There, row), place)));
    for (label, place) in theirs {
        if let (Some(place), Some(Some(other))) = (place, ours.get(&label))
            && let Some(pair) = found.get_mut(place as usize)
        {
            *pair = Some((*other, true));
        }
    }
    found
}

fn numbered<R>(rows: &[R]) -> impl Iterator<Item = (u32, &R)> {
    (0..).zip(rows)
}

/// The places of labels; none for a label that is there twice.
fn once<L: Hash + Eq>(labels: impl Iterator<Item = (Option<L>, u32)>) -> HashMap<L, Option<u32>> {
    let mut places = HashMap::new();
    for (label, place) in labels {
        if let Some(label) = label {
            places.entry(label).and_modify(|known| *known = None).or_insert(Some(place));
        }
    }
    places
}
