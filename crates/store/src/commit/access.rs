//! Compares the listed access with the known one and writes what differs.
//!
//! Invariant: access to a resource that was not read to its end is never taken away.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use metsuke_model::access::Mask;
use metsuke_model::diff::{Difference, differences};
use metsuke_model::{Coverage, Estate, Kind, Resource, ResourceType};

use rustc_hash::FxHashSet;

use super::Writer;
use super::brake::Losses;
use super::halves::mapped;
use super::state::{self, State};
use crate::StoreError;
use crate::checkpoint::{key, pack, parts, unpack};
use crate::connection::Bind;
use crate::dense::KIND_MASK;

/// A new checkpoint is written when the changes since the last one are one in so many of all rows.
const WORTH_PACKING: usize = 16;

/// Checkpoints that stay for good: one in so many versions.
const KEEP_EVERY: i64 = 32;

/// What is listed of access, in dense ids.
#[derive(Debug)]
pub(super) struct Listed {
    state: State,
    other: BTreeSet<(u64, Box<str>)>,
}

impl Writer {
    /// Translates the estate's access into dense ids.
    pub(super) fn list_access(&self, estate: &mut Estate) -> Result<Listed, StoreError> {
        let unknown = |what: &str| StoreError::Damaged { what: format!("access names an unknown {what}") };
        let resources = mapped(&estate.resources, |resource| {
            self.heads.dense(resource.resource_type.kind(), &resource.id)
        });
        let resources: Option<Vec<i64>> = resources.into_iter().collect();
        let resources = resources.ok_or_else(|| unknown("resource"))?;
        let principals = mapped(&estate.principals, |principal| self.heads.dense(Kind::User, principal));
        let principals: Option<Vec<i64>> = principals.into_iter().collect();
        let principals = principals.ok_or_else(|| unknown("user"))?;
        let dense_key = |resource: u32, principal: u32| {
            let resource = resources.get(resource as usize).copied().ok_or_else(|| unknown("resource"))?;
            let principal = principals.get(principal as usize).copied().ok_or_else(|| unknown("user"))?;
            key(resource, principal)
        };
        let state = state::sorted(std::mem::take(&mut estate.access), &resources, dense_key)?;
        let mut other = BTreeSet::new();
        for (resource, principal, slug) in std::mem::take(&mut estate.other_access) {
            other.insert((dense_key(resource, principal)?, slug));
        }
        Ok(Listed { state, other })
    }

    /// Writes the difference; returns the new state, and what is lost with it.
    pub(super) async fn apply_access(
        &mut self,
        listed: Listed,
        coverage: &Coverage,
    ) -> Result<(State, Losses), StoreError> {
        let Listed { state, other } = listed;
        if self.first {
            let version = self.version;
            let rows = state.iter().copied().map(move |(key, mask)| access_row(key, mask, version));
            self.connection.insert("writing access", (ACCESS_HEAD, ""), rows).await?;
            let held = state::by_principal(&state);
            let rows = held.iter().copied().map(|(key, mask)| held_row(key, mask));
            self.connection.insert("writing access", (HELD_HEAD, ""), rows).await?;
            self.apply_other(BTreeSet::new(), other, |_| true).await?;
            self.changes.added += self.grants(&state);
            self.write_checkpoint(&state).await?;
            return Ok((state, Losses::default()));
        }
        let known_other = self.known_other().await?;
        let (known, since_checkpoint) = self.known_access().await?;
        let removed = self.changes.removed;
        let mut changes: Vec<(u64, u32, u32)> = differences(known.iter().copied(), state.iter().copied())
            .map(|difference| match difference {
                Difference::Added(key, mask) => (key, 0, mask),
                Difference::Removed(key, mask) => (key, mask, 0),
                Difference::Changed(key, before, after) => (key, before, after),
            })
            .collect();
        let missing = changes.iter().filter(|(_, _, after)| *after == 0).map(|(key, _, _)| key);
        let proved = self.proved(missing.chain(known_other.iter().map(|(key, _)| key)), coverage);
        changes.retain(|(key, _, after)| *after != 0 || proved.contains(&parts(*key).0));
        // A pair that was listed without an unknown entitlement has lost it, whatever else is missing.
        let listed_pairs: FxHashSet<u64> = known_other
            .iter()
            .map(|(key, _)| *key)
            .filter(|key| state.binary_search_by_key(key, |(listed, _)| *listed).is_ok())
            .collect();
        let state = state::applied(known, &changes);
        self.write_changes(&changes).await?;
        let gone = |key: &u64| proved.contains(&parts(*key).0) || listed_pairs.contains(key);
        self.apply_other(known_other, other, gone).await?;
        let since_checkpoint = if changes.is_empty() { 0 } else { since_checkpoint + changes.len() };
        self.keep_checkpoint(&state, since_checkpoint).await?;
        let losses = Losses::of(self.changes.removed - removed, &changes, &state)?;
        Ok((state, losses))
    }

    /// Packs the state where so many changes since the last checkpoint are worth it, and every so many versions.
    pub(super) async fn keep_checkpoint(&mut self, state: &State, changes: usize) -> Result<(), StoreError> {
        if changes * WORTH_PACKING > state.len() || self.version % KEEP_EVERY == 0 {
            return self.write_checkpoint(state).await;
        }
        Ok(())
    }

    /// Of the resources of these keys, those whose unlisted access is gone: read to their end, or gone themselves.
    fn proved<'k>(&self, keys: impl Iterator<Item = &'k u64>, coverage: &Coverage) -> FxHashSet<i64> {
        let asked: FxHashSet<i64> = keys.map(|key| parts(*key).0).collect();
        let types =
            [ResourceType::Team, ResourceType::EnterpriseAccount, ResourceType::App, ResourceType::Space];
        let mut proved = FxHashSet::default();
        for resource_type in types {
            for head in self.heads.of_kind(resource_type.kind()).filter(|head| asked.contains(&head.id)) {
                let resource = Resource { resource_type, id: head.uuid.clone() };
                if head.gone.is_some() || coverage.proves_access(&resource) {
                    proved.insert(head.id);
                }
            }
        }
        proved
    }

    /// Writes sorted changes (key, before, after) with their log, where a mask of 0 means none.
    pub(super) async fn write_changes(&mut self, changes: &[(u64, u32, u32)]) -> Result<(), StoreError> {
        let version = self.version;
        let logged = changes.iter().copied().map(move |(key, before, after)| {
            let (resource, principal) = parts(key);
            let (before, after) = (i64::from(before), i64::from(after));
            [version.into(), resource.into(), principal.into(), before.into(), Bind::from(after)]
        });
        self.connection.insert("logging access", (ACCESS_CHANGE_HEAD, ""), logged).await?;
        self.write_tables(changes).await?;
        let spaces = self.spaces();
        for (_, before, after) in changes.iter().filter(|(key, _, _)| !spaces.contains(&parts(*key).0)) {
            self.changes.added += u64::from(Mask(*after).without(Mask(*before)).count());
            self.changes.removed += u64::from(Mask(*before).without(Mask(*after)).count());
        }
        Ok(())
    }

    /// Applies sorted changes to the table ordered by resource and to the one ordered by principal.
    async fn write_tables(&mut self, changes: &[(u64, u32, u32)]) -> Result<(), StoreError> {
        let version = self.version;
        let mut turned: Vec<(u64, u32, u32)> =
            changes.iter().map(|(key, before, after)| (state::turned(*key), *before, *after)).collect();
        turned.sort_unstable();
        let new = |change: &&(u64, u32, u32)| change.1 == 0;
        let other = |change: &&(u64, u32, u32)| change.1 != 0 && change.2 != 0;
        let ended = |change: &&(u64, u32, u32)| change.2 == 0;
        let to = &mut self.connection;

        let rows = |(key, _, after): &(u64, u32, u32)| access_row(*key, *after, version);
        to.insert("writing access", (ACCESS_HEAD, ""), changes.iter().filter(new).map(rows)).await?;
        to.insert("changing access", ACCESS_UPDATE, changes.iter().filter(other).map(rows)).await?;
        let pairs = |(key, _, _): &(u64, u32, u32)| pair(*key);
        to.insert("removing access", ACCESS_DELETE, changes.iter().filter(ended).map(pairs)).await?;

        let rows = |(key, _, after): &(u64, u32, u32)| held_row(*key, *after);
        to.insert("writing access", (HELD_HEAD, ""), turned.iter().filter(new).map(rows)).await?;
        to.insert("changing access", HELD_UPDATE, turned.iter().filter(other).map(rows)).await?;
        to.insert("removing access", HELD_DELETE, turned.iter().filter(ended).map(pairs)).await
    }

    /// The last version's access: the newest checkpoint and what changed since; and how many changes those are.
    pub(super) async fn known_access(&mut self) -> Result<(State, usize), StoreError> {
        let mut packed = None;
        let sql = "SELECT version, packed, digest FROM checkpoint ORDER BY version DESC LIMIT 1";
        self.connection
            .each("reading known access", sql, &[], |row| {
                let bytes = row.bytes(1)?.unwrap_or_default();
                if row.bytes(2)?.as_deref() != Some(blake3::hash(&bytes).as_bytes().as_slice()) {
                    return Err(StoreError::Damaged {
                        what: "the packed access does not fit its digest".into(),
                    });
                }
                packed = Some((row.number(0)?, bytes));
                Ok(())
            })
            .await?;
        let Some((version, packed)) = packed else { return Ok((State::new(), 0)) };
        let mut changes = BTreeMap::new();
        let mut count = 0;
        let sql = "SELECT resource_id, principal_id, after
                     FROM access_change
                    WHERE version > $1
                    ORDER BY version";
        self.connection
            .each("reading known access", sql, &[version.into()], |row| {
                let after = u32::try_from(row.number(2)?).unwrap_or(0);
                changes.insert(key(row.number(0)?, row.number(1)?)?, after);
                count += 1;
                Ok(())
            })
            .await?;
        let changes: Vec<_> = changes.into_iter().map(|(key, after)| (key, 0, after)).collect();
        let state = unpack(&packed)?;
        Ok((if changes.is_empty() { state } else { state::applied(state, &changes) }, count))
    }

    pub(super) async fn known_other(&mut self) -> Result<BTreeSet<(u64, Box<str>)>, StoreError> {
        let mut known = BTreeSet::new();
        let sql = "SELECT resource_id, principal_id, slug FROM access_other";
        self.connection
            .each("reading known access", sql, &[], |row| {
                let slug = row.text(2)?.unwrap_or_default();
                known.insert((key(row.number(0)?, row.number(1)?)?, slug.into()));
                Ok(())
            })
            .await?;
        Ok(known)
    }

    /// Entitlements without a bit: compared as a set. A pair that was listed without them has lost them.
    pub(super) async fn apply_other(
        &mut self,
        known: BTreeSet<(u64, Box<str>)>,
        listed: BTreeSet<(u64, Box<str>)>,
        proved: impl Fn(&u64) -> bool,
    ) -> Result<(), StoreError> {
        let version = self.version;
        let added: Vec<_> = listed.difference(&known).collect();
        let removed: Vec<_> = known.difference(&listed).filter(|(key, _)| proved(key)).collect();
        let row = |(key, slug): &(u64, Box<str>)| {
            let (resource, principal) = parts(*key);
            [resource.into(), principal.into(), Bind::from(&**slug)]
        };
        let head = "INSERT INTO access_other (resource_id, principal_id, slug) ";
        let rows: Vec<_> = added.iter().map(|entry| row(entry)).collect();
        self.connection.insert("writing access", (head, ""), rows).await?;
        for entry in &removed {
            let sql = "DELETE FROM access_other WHERE resource_id = $1 AND principal_id = $2 AND slug = $3";
            self.connection.execute("removing access", sql, &row(entry)).await?;
        }
        let spaces = self.spaces();
        let counted = |entries: &[&(u64, Box<str>)]| {
            entries.iter().filter(|(key, _)| !spaces.contains(&parts(*key).0)).count() as u64
        };
        self.changes.added += counted(&added);
        self.changes.removed += counted(&removed);
        if !self.first {
            let log = |entry: &(u64, Box<str>), added: i64| {
                let [resource, principal, slug] = row(entry);
                [version.into(), resource, principal, slug, added.into()]
            };
            let rows =
                added.iter().map(|entry| log(entry, 1)).chain(removed.iter().map(|entry| log(entry, 0)));
            let head = "INSERT INTO access_other_change (version, resource_id, principal_id, slug, added) ";
            self.connection.insert("logging access", (head, ""), rows.collect::<Vec<_>>()).await?;
        }
        let sql = "SELECT COUNT(*) FROM access_other WHERE (resource_id & $1) <> $2";
        let mut count = 0;
        self.connection
            .each("counting access", sql, &[KIND_MASK.into(), Kind::Space.number().into()], |row| {
                count = row.count(0)?;
                Ok(())
            })
            .await?;
        self.other_grants = count;
        Ok(())
    }

    /// Keeps the newest state packed, and one of every [`KEEP_EVERY`] versions for good.
    async fn write_checkpoint(&mut self, state: &State) -> Result<(), StoreError> {
        let packed = pack(state)?;
        let digest = blake3::hash(&packed);
        let sql = "DELETE FROM checkpoint WHERE version % $1 <> 0";
        self.connection.execute("packing access", sql, &[KEEP_EVERY.into()]).await?;
        let row = [self.version.into(), Bind::Bytes(packed), Bind::Bytes(digest.as_bytes().to_vec())];
        let head = "INSERT INTO checkpoint (version, packed, digest) ";
        self.connection.insert("packing access", (head, ""), [row]).await
    }

    /// How many grants a state holds on teams, Enterprise accounts and apps, known entitlements only.
    pub(super) fn grants(&self, state: &State) -> u64 {
        let spaces = self.spaces();
        state
            .iter()
            .filter(|(key, _)| spaces.is_empty() || !spaces.contains(&parts(*key).0))
            .map(|(_, mask)| u64::from(Mask(*mask).count()))
            .sum()
    }

    fn spaces(&self) -> HashSet<i64> {
        self.heads.of_kind(Kind::Space).map(|head| head.id).collect()
    }
}

const ACCESS_HEAD: &str = "INSERT INTO access (resource_id, principal_id, mask, since) ";
const ACCESS_UPDATE: (&str, &str) = (
    "UPDATE access SET mask = listed.column3, since = listed.column4 FROM (",
    ") AS listed WHERE access.resource_id = listed.column1 AND access.principal_id = listed.column2",
);
const ACCESS_DELETE: (&str, &str) = ("DELETE FROM access WHERE (resource_id, principal_id) IN (", ")");
const ACCESS_CHANGE_HEAD: &str =
    "INSERT INTO access_change (version, resource_id, principal_id, before, after) ";

const HELD_HEAD: &str = "INSERT INTO held (principal_id, resource_id, mask) ";
const HELD_UPDATE: (&str, &str) = (
    "UPDATE held SET mask = listed.column3 FROM (",
    ") AS listed WHERE held.principal_id = listed.column1 AND held.resource_id = listed.column2",
);
const HELD_DELETE: (&str, &str) = ("DELETE FROM held WHERE (principal_id, resource_id) IN (", ")");

fn access_row(key: u64, mask: u32, version: i64) -> [Bind; 4] {
    let (resource, principal) = parts(key);
    [resource.into(), principal.into(), i64::from(mask).into(), version.into()]
}

/// A row of the same access, ordered by principal; its key is a [`turned`](state::turned) one.
fn held_row(key: u64, mask: u32) -> [Bind; 3] {
    let (principal, resource) = parts(key);
    [principal.into(), resource.into(), i64::from(mask).into()]
}

fn pair(key: u64) -> [Bind; 2] {
    let (first, second) = parts(key);
    [first.into(), second.into()]
}
