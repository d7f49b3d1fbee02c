//! What one side has and the other has not: a sync of a file, whoever made it, and a version of the estate.
//!
//! Which row is which is found in `counterparts`.
//!
//! Invariant: each resource, entitlement and grant of either side is counted once, and told where it is not on both.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use metsuke_engine::connector::{View, ViewSync};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::counterparts::{Counterpart, Counterparts, slug};
use super::{Named, Subject};
use crate::c1z::{
    C1zError, Content, EntitlementRow, GrantRow, Manner, ReadOptions, ResourceRow, SyncHead, SyncRun,
    SyncType,
};
use crate::expand::Expand;
use crate::id::ResourceKey;
use crate::shape::Options;
use crate::source::{Choice, Part, Source};

/// Which side has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The file alone.
    There,
    /// The version alone.
    Here,
    /// Both, and not in the same manner.
    Both,
}

impl Side {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::There => "only there",
            Self::Here => "only here",
            Self::Both => "both",
        }
    }
}

/// What is not on both sides, or not in the same manner.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Difference {
    /// Which side has it.
    #[serde(rename = "where")]
    pub side: Side,
    /// What it is.
    #[serde(flatten)]
    pub subject: Subject,
    /// How it is held there and here, where both sides have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manners: Option<(Manner, Manner)>,
}

/// How many there are of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Count {
    /// In the file alone.
    pub only_there: u64,
    /// In the version alone.
    pub only_here: u64,
    /// On both sides.
    pub both: u64,
    /// Of those on both sides: found by a name, because the ids are others.
    pub by_name: u64,
    /// Of those on both sides: grants that are held in another manner.
    pub otherwise: u64,
}

/// A resource type that the other side does not have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct LoneType {
    /// Which side has it.
    #[serde(rename = "where")]
    pub side: Side,
    /// Its id.
    pub id: String,
    /// Resources of it.
    pub resources: u64,
    /// Entitlements on them.
    pub entitlements: u64,
    /// Grants on them.
    pub grants: u64,
}

/// A file's sync held against a version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Comparison {
    /// Resources.
    pub resources: Count,
    /// Entitlements.
    pub entitlements: Count,
    /// Grants.
    pub grants: Count,
    /// Whether grants that follow from others are written out in the file, and were compared therefore.
    pub is_expanded: bool,
    /// Types that only one side has.
    pub types: Vec<LoneType>,
    /// What differs: resources, entitlements, grants.
    pub differences: Vec<Difference>,
}

/// Holds the newest finished sync of a file, or the one of this id, against a version of the estate.
///
/// Blocks. Takes memory for the names of both sides and some dozens of bytes for each grant.
///
/// # Errors
///
/// As [`Content::read`]; and a stop that was asked for.
pub fn with_view(
    path: &Path,
    sync: Option<&str>,
    options: &ReadOptions,
    view: View,
    cancel: CancellationToken,
) -> Result<(SyncRun, Comparison), C1zError> {
    let there = Content::read(path, sync, options)?;
    let about = view.sync();
    let run = run(about);
    let expand = if there.is_expanded { Expand::Always } else { Expand::Never };
    let choice = Choice { expand, ..Choice::default() };
    let mut rows = Source::new(vec![Part::whole(view)], choice, Options::default(), cancel);
    let here = Content::of(run, &mut rows)?;
    let comparison = contents(&there, &here);
    Ok((there.run, comparison))
}

/// A version as a sync of a file.
fn run(about: &ViewSync) -> SyncRun {
    let head = SyncHead::of(about.version, about.started_at, about.finished_at, SyncType::Full);
    SyncRun {
        id: head.id,
        started_at: Some(head.started_at),
        ended_at: Some(head.ended_at),
        is_finished: true,
        sync_type: head.sync_type,
        parent: None,
        linked: None,
        supports_diff: true,
        stats: None,
    }
}

/// Holds two syncs against each other, whatever ids either uses.
#[must_use]
pub fn contents(there: &Content, here: &Content) -> Comparison {
    let pairs = Counterparts::find(there, here);
    let (theirs, ours) = (by_key(there), by_key(here));
    let mut differences = Vec::new();
    let mut tell = |side, subject| differences.push(Difference { side, subject, manners: None });
    let resources = rows(
        (&there.resources, &here.resources, &pairs.resources),
        |row| row.is_there,
        |side, row| tell(side, resource(if side == Side::There { &theirs } else { &ours }, row)),
    );
    let entitlements = rows(
        (&there.entitlements, &here.entitlements, &pairs.entitlements),
        |row| row.is_there,
        |side, row| tell(side, entitlement(if side == Side::There { there } else { here }, row)),
    );
    let grants = grants(there, here, &pairs, &mut differences);
    Comparison {
        resources,
        entitlements,
        grants,
        is_expanded: there.is_expanded,
        types: lone_types(there, here),
        differences,
    }
}

/// Counts rows of one kind and tells those without a counterpart; what is only named counts on no side.
fn rows<R>(
    (there, here, pairs): (&[R], &[R], &[Counterpart]),
    is_there: impl Fn(&R) -> bool,
    mut tell: impl FnMut(Side, &R),
) -> Count {
    let mut count = Count::default();
    let mut is_paired = vec![false; here.len()];
    for (row, pair) in there.iter().zip(pairs).filter(|(row, _)| is_there(row)) {
        if let Some((at, by_name)) = pair.filter(|(at, _)| here.get(*at as usize).is_some_and(&is_there)) {
            count.both += 1;
            count.by_name += u64::from(by_name);
            if let Some(is_paired) = is_paired.get_mut(at as usize) {
                *is_paired = true;
            }
        } else {
            count.only_there += 1;
            tell(Side::There, row);
        }
    }
    for (row, _) in here.iter().zip(is_paired).filter(|(row, is_paired)| !is_paired && is_there(row)) {
        count.only_here += 1;
        tell(Side::Here, row);
    }
    count
}

/// Counts grants, each by what is held and by whom.
fn grants(there: &Content, here: &Content, pairs: &Counterparts, told: &mut Vec<Difference>) -> Count {
    let mut count = Count::default();
    let mut ours = by_ends(here);
    for (ends, manner) in by_ends(there) {
        let own = match (pairs.entitlement(ends.0), pairs.resource(ends.1)) {
            (Some(what), Some(who)) => ours.remove(&(what.0, who.0)).map(|own| (own, what.1 || who.1)),
            _ => None,
        };
        if let Some((own, by_name)) = own {
            count.both += 1;
            count.by_name += u64::from(by_name);
            if own != manner {
                count.otherwise += 1;
                let subject = grant(there, ends, None);
                told.push(Difference { side: Side::Both, subject, manners: Some((manner, own)) });
            }
        } else {
            count.only_there += 1;
            let subject = grant(there, ends, Some(manner));
            told.push(Difference { side: Side::There, subject, manners: None });
        }
    }
    for (ends, manner) in ours {
        count.only_here += 1;
        let subject = grant(here, ends, Some(manner));
        told.push(Difference { side: Side::Here, subject, manners: None });
    }
    count
}

/// Grants by the places of entitlement and principal; of two with the same ends the first counts.
fn by_ends(content: &Content) -> BTreeMap<(u32, u32), Manner> {
    let mut grants = BTreeMap::new();
    for GrantRow { entitlement, principal, manner } in &content.grants {
        grants.entry((*entitlement, *principal)).or_insert(*manner);
    }
    grants
}

fn by_key(content: &Content) -> HashMap<&ResourceKey, &ResourceRow> {
    content.resources.iter().map(|row| (&row.key, row)).collect()
}

fn resource(all: &HashMap<&ResourceKey, &ResourceRow>, row: &ResourceRow) -> Subject {
    let parent = row.parent.as_ref().map(|parent| match all.get(parent) {
        Some(row) => named(row),
        None => Named::unnamed(parent),
    });
    Subject::Resource { resource: named(row), parent }
}

fn entitlement(content: &Content, row: &EntitlementRow) -> Subject {
    let resource = at(content, row.resource);
    Subject::Entitlement { entitlement: slug(row).to_owned(), resource }
}

fn grant(content: &Content, ends: (u32, u32), manner: Option<Manner>) -> Subject {
    let entitlement = content.entitlements.get(ends.0 as usize);
    Subject::Grant {
        principal: at(content, ends.1),
        entitlement: entitlement.map(|row| slug(row).to_owned()).unwrap_or_default(),
        resource: entitlement.map_or_else(Named::default, |row| at(content, row.resource)),
        manner,
    }
}

fn at(content: &Content, place: u32) -> Named {
    content.resources.get(place as usize).map_or_else(Named::default, named)
}

fn named(row: &ResourceRow) -> Named {
    // People are told apart by their addresses.
    let name = row.email.clone().unwrap_or_else(|| row.name.clone());
    Named { name, ..Named::unnamed(&row.key) }
}

/// Types that only one side has, with the rows that hang on them.
fn lone_types(there: &Content, here: &Content) -> Vec<LoneType> {
    let (theirs, ours) = (types(there), types(here));
    let lone = |side, content, these: &BTreeSet<String>, those: &BTreeSet<String>| {
        these.difference(those).map(|id| lone_type(side, content, id)).collect::<Vec<_>>()
    };
    let mut types = lone(Side::There, there, &theirs, &ours);
    types.extend(lone(Side::Here, here, &ours, &theirs));
    types
}

fn types(content: &Content) -> BTreeSet<String> {
    let named = content.resource_types.iter().map(|(id, _)| id.clone());
    named.chain(content.resources.iter().map(|row| row.key.resource_type.clone())).collect()
}

fn lone_type(side: Side, content: &Content, id: &str) -> LoneType {
    let of_type =
        |place: u32| content.resources.get(place as usize).is_some_and(|row| row.key.resource_type == id);
    let on = |entitlement: u32| {
        content.entitlements.get(entitlement as usize).is_some_and(|row| of_type(row.resource))
    };
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let resources = content.resources.iter().filter(|row| row.is_there && row.key.resource_type == id);
    let entitlements = content.entitlements.iter().filter(|row| row.is_there && of_type(row.resource));
    let grants = content.grants.iter().filter(|row| on(row.entitlement));
    LoneType {
        side,
        id: id.to_owned(),
        resources: count(resources.count()),
        entitlements: count(entitlements.count()),
        grants: count(grants.count()),
    }
}
