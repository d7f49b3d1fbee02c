//! Grants as messages.
//!
//! Invariant: a grant's id is its entitlement's and its principal's joined; what Heroku has no row for is marked as what
//! nobody can take away, and names what it follows from.

use std::collections::BTreeMap;
use std::ops::Range;

use super::rows::{Manner, Row, Rows};
use super::{Place, Shape, Type, resource_id, text};
use crate::any::pack;
use crate::id::{self, ResourceKey};
use crate::proto::connector::grant_sources::GrantSource;
use crate::proto::connector::{Entitlement, Grant, GrantExpandable, GrantImmutable, GrantSources, Resource};

/// The grants on one resource, made into messages one at a time.
///
/// They stand in a fixed order: direct ones by user and slug, those that tell of inheritance by slug, those that follow from
/// no inheritance, and, where they are expanded, what is inherited by slug and user.
#[derive(Clone, Debug)]
pub struct Grants<'v> {
    shape: Shape<'v>,
    resource: Option<ResourceKey>,
    rows: Rows<'v>,
    /// The ids of the resource's entitlements, by their places in `rows.slugs`.
    entitlements: Vec<String>,
    /// The ids of the sources, by their places in `rows.sources`.
    sources: Vec<String>,
}

impl<'v> Grants<'v> {
    pub(super) fn new(shape: Shape<'v>, place: Place, expanded: bool) -> Self {
        let resource = shape.key(place);
        let rows = Rows::new(shape.view(), place, expanded);
        let entitlement = |key: Option<&ResourceKey>, slug: &str| {
            key.map(|key| id::entitlement(key, &text::part(slug))).unwrap_or_default()
        };
        let entitlements = rows.slugs.iter().map(|slug| entitlement(resource.as_ref(), slug)).collect();
        let sources = rows.sources.iter().map(|(place, slug)| entitlement(shape.key(*place).as_ref(), slug));
        let sources = sources.collect();
        Self { shape, resource, rows, entitlements, sources }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.list.is_empty()
    }

    /// The grants at these places; places behind the end give nothing.
    pub fn range(&self, places: Range<usize>) -> impl Iterator<Item = Grant> {
        let places = places.start.min(self.len())..places.end.min(self.len());
        let rows = self.rows.list.get(places).unwrap_or_default();
        rows.iter().filter_map(|row| self.message(row))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Grant> {
        self.range(0..self.len())
    }

    fn message(&self, row: &Row) -> Option<Grant> {
        let entitlement = self.entitlements.get(row.slug as usize)?;
        let mut grant = bare(entitlement, self.resource.as_ref()?, &self.shape.key(row.principal)?);
        let inherited =
            self.rows.sources_of(row).iter().filter_map(|at| self.sources.get(*at as usize)).cloned();
        if row.manner == Manner::Edge {
            grant.annotations.push(pack(&GrantExpandable {
                entitlement_ids: inherited.collect(),
                shallow: true,
                resource_type_ids: vec![Type::User.as_str().to_owned()],
            }));
        } else {
            let entry = |is_direct| GrantSource { is_direct };
            let mut sources: BTreeMap<String, GrantSource> = inherited.map(|id| (id, entry(true))).collect();
            match row.manner {
                // A grant that was there counts as its own first source as soon as it has others.
                Manner::Direct if !sources.is_empty() => {
                    sources.insert(entitlement.clone(), entry(true));
                }
                Manner::Given(base) => {
                    sources.insert(self.entitlements.get(base as usize)?.clone(), entry(false));
                }
                _ => {}
            }
            grant.sources = Some(GrantSources { sources }).filter(|all| !all.sources.is_empty());
        }
        if row.manner != Manner::Direct {
            grant.annotations.push(pack(&GrantImmutable::default()));
        }
        Some(grant)
    }
}

/// A grant of ids alone: readers look the rest up.
pub(super) fn bare(entitlement: &str, resource: &ResourceKey, principal: &ResourceKey) -> Grant {
    let reference = |key: &ResourceKey| Resource { id: Some(resource_id(key)), ..Resource::default() };
    Grant {
        id: id::grant(entitlement, principal),
        entitlement: Some(Entitlement {
            id: entitlement.to_owned(),
            resource: Some(reference(resource)),
            ..Entitlement::default()
        }),
        principal: Some(reference(principal)),
        ..Grant::default()
    }
}
