//! Ids that were there, in little memory, and whether rows fit together.
//!
//! The same judge sits over what is written, where an offence means that no file is made, and over what is read.
//!
//! Invariant: every row is looked at once, in the order of the kinds.

use std::hash::{Hash as _, Hasher as _};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxHasher;

use super::{C1zError, Offence, Offences, RowKind, SyncType};
use crate::any;
use crate::id::LONGEST;
use crate::proto::connector::{Entitlement, Grant, GrantExpandable, Resource, ResourceId, ResourceType};

/// Texts, each with a number from zero on.
#[derive(Default)]
struct Known {
    letters: String,
    texts: HashTable<Text>,
}

/// Where a text is, and its number.
#[derive(Clone, Copy)]
struct Text {
    start: u32,
    end: u32,
    place: u32,
}

impl Text {
    fn of(self, letters: &str) -> &str {
        letters.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl Known {
    fn find(&self, text: &str) -> Option<u32> {
        let found = self.texts.find(hash(text), |known| known.of(&self.letters) == text);
        found.map(|known| known.place)
    }

    /// Adds a text; `false` where it was there.
    ///
    /// # Errors
    ///
    /// Where there is more than 4 GiB of them.
    fn add(&mut self, text: &str) -> Result<bool, C1zError> {
        let number = |number: usize| u32::try_from(number).map_err(C1zError::source_failed);
        let (start, end) = (number(self.letters.len())?, number(self.letters.len() + text.len())?);
        let place = number(self.texts.len())?;
        let letters = &self.letters;
        let is_it = |known: &Text| known.of(letters) == text;
        let Entry::Vacant(entry) = self.texts.entry(hash(text), is_it, |known| hash(known.of(letters)))
        else {
            return Ok(false);
        };
        entry.insert(Text { start, end, place });
        self.letters.push_str(text);
        Ok(true)
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The id of a resource among the rows: `<type>:<resource>`.
pub(super) fn resource_key<'a>(id: &ResourceId, key: &'a mut String) -> &'a str {
    key.clear();
    key.push_str(&id.resource_type);
    key.push(':');
    key.push_str(&id.resource);
    key
}

/// Looks at rows one by one.
pub(super) struct Integrity {
    kind: RowKind,
    /// Whether it is part of a sync, whose grants name rows of the whole one.
    is_part: bool,
    types: Known,
    resources: Known,
    entitlements: Known,
    /// The resource of each entitlement.
    owners: Vec<Option<u32>>,
    /// The entitlement of the grant before, which often is the next one's too.
    last: Last,
    key: String,
    offences: Offences,
}

impl Integrity {
    pub(super) fn of(sync_type: &SyncType) -> Self {
        Self {
            kind: RowKind::ResourceType,
            is_part: *sync_type == SyncType::Partial,
            types: Known::default(),
            resources: Known::default(),
            entitlements: Known::default(),
            owners: Vec::new(),
            last: Last::default(),
            key: String::new(),
            offences: Offences::default(),
        }
    }

    /// What did not fit.
    pub(super) fn into_offences(self) -> Offences {
        self.offences
    }

    /// Notes an offence that was found elsewhere.
    pub(super) fn add(&mut self, offence: Offence) {
        self.offences.add(offence);
    }

    fn begin(&mut self, kind: RowKind) -> Result<(), C1zError> {
        if kind < self.kind {
            let what = format!("a {kind} came after the first {}", self.kind);
            return Err(C1zError::source_failed(what));
        }
        self.kind = kind;
        Ok(())
    }

    fn has_id(&mut self, kind: RowKind, id: &str) -> bool {
        let fits = !id.is_empty() && id.len() <= LONGEST;
        if !fits {
            self.offences.add(Offence::Id(kind, id.to_owned()));
        }
        fits
    }

    fn dangling(&mut self, kind: RowKind, id: &str, missing: RowKind, named: &str) {
        let (id, named) = (id.to_owned(), named.to_owned());
        self.offences.add(Offence::Dangling { kind, id, missing, named });
    }

    pub(super) fn resource_type(&mut self, row: &ResourceType) -> Result<(), C1zError> {
        let kind = RowKind::ResourceType;
        self.begin(kind)?;
        if self.has_id(kind, &row.id) && !self.types.add(&row.id)? {
            self.offences.add(Offence::Twice(kind, row.id.clone()));
        }
        Ok(())
    }

    /// The answer is the resource's id, where it has one.
    pub(super) fn resource<'a>(&mut self, row: &'a Resource) -> Result<Option<&'a ResourceId>, C1zError> {
        let kind = RowKind::Resource;
        self.begin(kind)?;
        let Some(id) = row.id.as_ref().filter(|id| !id.resource_type.is_empty() && !id.resource.is_empty())
        else {
            self.offences.add(Offence::Id(kind, String::new()));
            return Ok(None);
        };
        let mut key = std::mem::take(&mut self.key);
        resource_key(id, &mut key);
        if self.has_id(kind, &key) && !self.resources.add(&key)? {
            self.offences.add(Offence::Twice(kind, key.clone()));
        }
        if self.types.find(&id.resource_type).is_none() {
            self.dangling(kind, &key, RowKind::ResourceType, &id.resource_type);
        }
        self.key = key;
        Ok(Some(id))
    }

    /// The answer is the id of the resource that offers it, where it has one.
    pub(super) fn entitlement<'a>(
        &mut self,
        row: &'a Entitlement,
    ) -> Result<Option<&'a ResourceId>, C1zError> {
        let kind = RowKind::Entitlement;
        self.begin(kind)?;
        let Some(resource) = row.resource.as_ref().and_then(|resource| resource.id.as_ref()) else {
            self.offences.add(Offence::Lacks(kind, row.id.clone(), "resource"));
            return Ok(None);
        };
        let owner = self.find_resource(kind, &row.id, resource);
        if self.has_id(kind, &row.id) {
            if self.entitlements.add(&row.id)? {
                self.owners.push(owner);
            } else {
                self.offences.add(Offence::Twice(kind, row.id.clone()));
            }
        }
        Ok(Some(resource))
    }

    fn find_resource(&mut self, kind: RowKind, id: &str, resource: &ResourceId) -> Option<u32> {
        let found = self.resources.find(resource_key(resource, &mut self.key));
        if found.is_none() {
            let key = self.key.clone();
            self.dangling(kind, id, RowKind::Resource, &key);
        }
        found
    }

    /// Looks up what is granted, unless the grant before was of the same.
    fn entitlement_of(&mut self, granted: &Granted<'_>) {
        let (id, resource) = (&granted.entitlement.id, granted.resource);
        if self.last.id == *id && self.last.resource == *resource {
            return;
        }
        self.last.id.clone_from(id);
        self.last.resource.clone_from(resource);
        self.last.place = self.entitlements.find(id);
        // The entitlement's own row told whether its resource is there.
        let owner = self.last.place.and_then(|place| self.owners.get(place as usize)).copied().flatten();
        self.last.is_on_its_resource = self.resources.find(resource_key(resource, &mut self.key)) == owner;
    }

    /// The answer is what is granted, where, and to whom, where all three are there.
    ///
    /// Whether an id is there twice is told by whoever sorts them.
    pub(super) fn grant<'a>(
        &mut self,
        row: &'a Grant,
        expansion: Option<&GrantExpandable>,
    ) -> Result<Option<Granted<'a>>, C1zError> {
        let kind = RowKind::Grant;
        self.begin(kind)?;
        let granted = match Granted::of(row) {
            Ok(granted) => granted,
            Err(part) => {
                self.offences.add(Offence::Lacks(kind, row.id.clone(), part));
                return Ok(None);
            }
        };
        self.has_id(kind, &row.id);
        self.entitlement_of(&granted);
        if self.last.place.is_none() {
            self.dangling(kind, &row.id, RowKind::Entitlement, &granted.entitlement.id);
        } else if !self.last.is_on_its_resource {
            let key = resource_key(granted.resource, &mut self.key).to_owned();
            self.dangling(kind, &row.id, RowKind::Resource, &key);
        }
        let principal = if self.is_part {
            self.resources.find(resource_key(granted.principal, &mut self.key))
        } else {
            self.find_resource(kind, &row.id, granted.principal)
        };
        for source in expansion.iter().flat_map(|expansion| &expansion.entitlement_ids) {
            match self.entitlements.find(source).map(|place| self.owners.get(place as usize)) {
                None if self.is_part => {}
                None => self.dangling(kind, &row.id, RowKind::Entitlement, source),
                Some(owner) if owner.copied().flatten() == principal => {}
                Some(_) => {
                    let (grant, source) = (row.id.clone(), source.clone());
                    self.offences.add(Offence::Foreign { grant, source });
                }
            }
        }
        Ok(Some(granted))
    }
}

/// What was looked up for a grant.
#[derive(Default)]
struct Last {
    id: String,
    resource: ResourceId,
    place: Option<u32>,
    is_on_its_resource: bool,
}

/// The parts of a grant that every reader needs.
pub(super) struct Granted<'a> {
    pub(super) entitlement: &'a Entitlement,
    pub(super) resource: &'a ResourceId,
    pub(super) principal: &'a ResourceId,
}

impl<'a> Granted<'a> {
    fn of(row: &'a Grant) -> Result<Self, &'static str> {
        let entitlement = row.entitlement.as_ref().ok_or("entitlement")?;
        let resource = entitlement.resource.as_ref().and_then(|resource| resource.id.as_ref());
        let resource = resource.ok_or("resource of its entitlement")?;
        let principal = row.principal.as_ref().and_then(|resource| resource.id.as_ref());
        Ok(Self { entitlement, resource, principal: principal.ok_or("principal")? })
    }
}

/// What a grant is passed on from; `None` where it is not, blank ids being none.
pub(crate) fn expansion(row: &Grant) -> Option<GrantExpandable> {
    if row.annotations.is_empty() {
        return None;
    }
    let mut expansion: GrantExpandable = any::find(&row.annotations)?;
    expansion.entitlement_ids.retain(|id| !id.trim().is_empty());
    (!expansion.entitlement_ids.is_empty()).then_some(expansion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_once() {
        let mut known = Known::default();
        for number in 0..1_000 {
            assert!(known.add(&format!("id-{number}")).unwrap());
        }
        assert!(!known.add("id-7").unwrap());
        assert_eq!(known.find("id-999"), Some(999));
        assert_eq!(known.find("id-1000"), None);
        assert!(known.add("").unwrap());
        assert_eq!(known.find(""), Some(1_000));
    }
}
