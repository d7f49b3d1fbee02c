//! Compares the listed objects with the known ones.
//!
//! Writing what differs is done in `rows`.
//!
//! Invariant: an object that was not listed is only marked gone where the coverage proves it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::thread;

use metsuke_model::record::{App, Invitation, UnresolvedMember};
use metsuke_model::{Cell, Coverage, HerokuId, Kind, Record, Records, Value};

use super::Writer;
use super::halves::mapped;
use super::rows::{Standing, Written, log_gone};
use crate::StoreError;
use crate::objects::read;

impl Writer {
    /// Takes all listed objects of one kind. Hints are known by little more than their id: they say that the object is
    /// there, and are written only where it was not known.
    pub(super) async fn apply_objects<T: Record + Send + Sync + 'static>(
        &mut self,
        mut records: Records<T>,
        hints: Records<T>,
        coverage: &Coverage,
    ) -> Result<(), StoreError> {
        for hint in hints {
            match self.heads.find_mut(T::KIND, hint.id()).filter(|head| head.gone.is_none()) {
                Some(head) => head.seen = true,
                None => records.push(hint),
            }
        }
        if T::KIND == Kind::User && !coverage.proves_gone(T::KIND, None) {
            self.fill_gaps(&mut records).await?;
        }
        let written = self.classify(&records);
        self.write(&records, &written).await?;
        // Many small pieces of memory are given back beside the next step, not before it.
        thread::spawn(move || drop(records));
        self.mark_gone(T::KIND, coverage).await
    }

    /// Where not every source was read, a property that no source told keeps its known value.
    async fn fill_gaps<T: Record>(&mut self, records: &mut Records<T>) -> Result<(), StoreError> {
        let mut places = HashMap::new();
        for ((index, record), hash) in records.iter().enumerate().zip(records.fingerprints()) {
            let head = self.heads.find(T::KIND, record.id());
            if let Some(head) = head.filter(|head| head.gone.is_none() && head.hash != *hash) {
                places.insert(head.id, index);
            }
        }
        let known: Vec<i64> = places.keys().copied().collect();
        for known in read::<T>(&mut self.connection, &known).await? {
            let Some(place) = places.get(&known.dense) else { continue };
            let filled = records.get(*place).map(|record| filled(record, &known.record));
            if let Some(filled) = filled {
                records.replace(*place, filled);
            }
        }
        Ok(())
    }

    /// Finds out which records are new, changed or back, and gives the new ones their ids, in the order of
    /// Heroku's ids.
    pub(super) fn classify<T: Record + Sync>(&mut self, records: &Records<T>) -> Vec<Written> {
        let mut written = Vec::new();
        let mut new: Vec<(HerokuId, usize, u64)> = Vec::new();
        let places = mapped(records, |record| self.heads.place(T::KIND, record.id()));
        let listed = records.iter().zip(records.fingerprints().iter().copied()).zip(places);
        for (index, ((record, hash), place)) in listed.enumerate() {
            let Some(head) = place.and_then(|place| self.heads.at_mut(T::KIND, place)) else {
                new.push((record.id().clone(), index, hash));
                continue;
            };
            if std::mem::replace(&mut head.seen, true) {
                continue;
            }
            let standing = match head.gone.take() {
                Some(0) => Standing::Stub,
                Some(_) => Standing::Back,
                None if head.hash != hash => Standing::Changed,
                None => continue,
            };
            (head.hash, head.changed) = (hash, true);
            written.push(Written { index, dense: head.id, standing });
        }
        written.sort_unstable_by_key(|entry| entry.dense);
        new.sort_unstable();
        new.dedup_by(|later, earlier| later.0 == earlier.0);
        self.heads.reserve(T::KIND, new.len());
        written.reserve(new.len());
        for (id, index, hash) in new {
            let dense = self.heads.add(T::KIND, id, hash, None);
            written.push(Written { index, dense, standing: Standing::New });
        }
        written
    }

    /// Marks what was there, was not listed, and is proved to be no more.
    async fn mark_gone(&mut self, kind: Kind, coverage: &Coverage) -> Result<(), StoreError> {
        let unseen: Vec<i64> =
            self.heads.present(kind).filter(|head| !head.seen).map(|head| head.id).collect();
        if unseen.is_empty() {
            return Ok(());
        }
        let parents = self.parents(kind, &unseen).await?;
        let teams = self.heads.heroku_ids(Kind::Team);
        let gone: HashSet<i64> = unseen
            .into_iter()
            .filter(|id| {
                let parent = parents.get(id).and_then(|parent| teams.get(parent).copied());
                let orphaned = parent.is_some_and(|parent| self.is_gone(Kind::Team, parent));
                coverage.proves_gone(kind, parent) || (orphaned && coverage.proves_orphans_gone(kind))
            })
            .collect();
        let version = self.version;
        for head in self.heads.of_kind_mut(kind).filter(|head| gone.contains(&head.id)) {
            (head.gone, head.changed) = (Some(version), true);
        }
        self.changes.removed += gone.len() as u64;
        let mut gone: Vec<i64> = gone.into_iter().collect();
        gone.sort_unstable();
        log_gone(&mut self.connection, kind, version, &gone).await
    }

    /// Marks these objects of a kind gone.
    pub(super) async fn retire(&mut self, kind: Kind, ids: &[HerokuId]) -> Result<(), StoreError> {
        let version = self.version;
        let mut gone = Vec::new();
        for id in ids {
            let head = self.heads.find_mut(kind, id).filter(|head| head.gone.is_none());
            if let Some(head) = head {
                (head.gone, head.changed) = (Some(version), true);
                gone.push(head.id);
            }
        }
        gone.sort_unstable();
        self.changes.removed += gone.len() as u64;
        log_gone(&mut self.connection, kind, version, &gone).await
    }

    fn is_gone(&self, kind: Kind, id: &HerokuId) -> bool {
        self.heads.find(kind, id).is_none_or(|head| head.gone.is_some())
    }

    /// The teams that apps, invitations and unresolved members belong to, by dense ids.
    async fn parents(&mut self, kind: Kind, ids: &[i64]) -> Result<HashMap<i64, i64>, StoreError> {
        let head = match kind {
            App::KIND => "SELECT id, team FROM app WHERE team IS NOT NULL AND id IN (",
            Invitation::KIND => "SELECT id, team FROM invitation WHERE team IS NOT NULL AND id IN (",
            UnresolvedMember::KIND => {
                "SELECT id, team FROM unresolved_member WHERE team IS NOT NULL AND id IN ("
            }
            _ => return Ok(HashMap::new()),
        };
        let mut parents = HashMap::new();
        self.connection
            .each_in("looking up teams", (head, ")"), ids, |row| {
                parents.insert(row.number(0)?, row.number(1)?);
                Ok(())
            })
            .await?;
        Ok(parents)
    }
}

/// Sources spell one e-mail address in different cases; another source is no change of the address.
fn only_case_differs(cell: Cell<'_>, known: Cell<'_>) -> bool {
    matches!((cell, known), (Cell::Text(text), Cell::Text(known)) if text.contains('@') && text.eq_ignore_ascii_case(known))
}

/// The record, with the known value wherever it has none.
fn filled<T: Record>(record: &T, known: &T) -> T {
    let owned = |cell: Cell<'_>| match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => Value::Int(number),
        Cell::Text(text) => Value::Text(text.into()),
        Cell::Reference(id) => Value::Reference(id.clone()),
    };
    let values = record
        .cells()
        .into_iter()
        .zip(known.cells())
        .map(|(cell, known)| {
            owned(if cell == Cell::Null || only_case_differs(cell, known) { known } else { cell })
        })
        .collect();
    let bare = &**record.properties() == "{}";
    let properties = if bare { known.properties() } else { record.properties() };
    T::from_values(record.id().clone(), values, Arc::clone(properties))
}
