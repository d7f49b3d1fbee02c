//! Says whether a commit takes away too much, and if so keeps what it would change instead of the change.
//!
//! How a run is accepted later stands in `accept`.
//!
//! Invariant: a first version is never held up, and of what is held up nothing stays in the estate's tables.

use std::collections::BTreeMap;

use metsuke_model::access::Mask;
use metsuke_model::audit::EventCode;
use metsuke_model::record::{
    AddOn, App, Attachment, Authorization, Coupling, EnterpriseAccount, Invitation, Key, Pipeline, Space,
    Team, UnresolvedMember, User,
};
use metsuke_model::{AsOf, Clock, HerokuId, Kind, Record, ResourceType, SyncReport, SyncStatus, Version};

use super::state::State;
use super::{Committed, Writer};
use crate::checkpoint::{key, parts};
use crate::history::ChangeKind;
use crate::objects::{heroku_ids, read};
use crate::quarantine::difference::{Line, Packer};
use crate::{Brake, Store, StoreError, audit, dense, quarantine, syncs};

/// Teams that one reason names.
const NAMED: usize = 20;
/// Records that are read back at a time.
const AT_ONCE: usize = 4_096;

/// What a commit takes away.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Grants on teams, Enterprise accounts and apps.
    pub(super) grants: u64,
    /// Teams on which nobody holds anything any more, and how many people did.
    pub(super) teams: BTreeMap<i64, u64>,
}

impl Losses {
    /// What sorted changes of access take away, where `grants` went in all.
    pub(super) fn of(grants: u64, changes: &[(u64, u32, u32)], state: &State) -> Result<Self, StoreError> {
        let mut teams: BTreeMap<i64, u64> = BTreeMap::new();
        for (key, _, _) in changes.iter().filter(|(_, _, after)| *after == 0) {
            let resource = parts(*key).0;
            if dense::kind(resource) == Some(Kind::Team) {
                *teams.entry(resource).or_default() += 1;
            }
        }
        let mut lost = BTreeMap::new();
        for (team, people) in teams {
            let first = key(team, 0)?;
            let place = state.partition_point(|(key, _)| *key < first);
            if state.get(place).is_none_or(|(key, _)| parts(*key).0 != team) {
                lost.insert(team, people);
            }
        }
        Ok(Self { grants, teams: lost })
    }
}

impl Store {
    /// Takes everything back, and records the run with what it would have changed.
    pub(super) async fn hold_up(
        &self,
        mut writer: Writer,
        state: &State,
        reasons: Vec<String>,
        manners: &[(HerokuId, Mask)],
        report: &SyncReport,
        clock: &dyn Clock,
    ) -> Result<Committed, StoreError> {
        let (counts, changes) = (writer.counts(state).await?, writer.changes);
        let base = writer.base.unwrap_or(Version(0));
        let packed = writer.difference(manners).await?;
        writer.connection.rollback().await?;

        let mut connection = self.begin_write().await?;
        let newest = syncs::newest(&mut connection, false).await?;
        let version = Version(newest.map_or(0, |version| version.0) + 1);
        let finished_at = clock.now();
        let status = report.status;
        let report = SyncReport { status: SyncStatus::Quarantined, finished_at, ..report.clone() };
        syncs::insert(&mut connection, version, &report, &counts, &changes).await?;
        quarantine::keep(&mut connection, (version, base), status, &reasons, packed).await?;
        let event = self.event(finished_at, EventCode::SyncQuarantined);
        let event = syncs::tell(event, version, &report, &counts, &changes);
        audit::append(&mut connection, event.detail("reasons", reasons.clone())).await?;
        connection.commit().await?;
        Ok(Committed { version, finished_at, counts, changes, quarantine: reasons })
    }
}

impl Writer {
    /// Why a person has to look at the commit first; nothing where nobody has to.
    pub(super) async fn judge(&mut self, losses: &Losses, brake: Brake) -> Result<Vec<String>, StoreError> {
        let mut reasons = Vec::new();
        let Some(base) = self.base.filter(|_| losses.grants > 0) else { return Ok(reasons) };
        let before = syncs::resolve(&mut self.connection, AsOf::Version(base)).await?.counts.grants;
        if before < brake.least_grants {
            return Ok(reasons);
        }
        let percent = u64::from(brake.percent.min(100));
        if losses.grants.saturating_mul(100) > before.saturating_mul(percent) {
            let lost = losses.grants;
            reasons.push(format!("{lost} of {before} grants would go, more than {percent} %"));
        }
        let teams: Vec<i64> = losses.teams.keys().copied().collect();
        let mut names = BTreeMap::new();
        self.connection
            .each_in("looking up names", ("SELECT id, name FROM team WHERE id IN (", ")"), &teams, |row| {
                names.insert(row.number(0)?, row.text(1)?);
                Ok(())
            })
            .await?;
        for (team, people) in losses.teams.iter().take(NAMED) {
            let name = names.remove(team).flatten().unwrap_or_else(|| "?".into());
            let people = if *people == 1 { "1 person".into() } else { format!("{people} people") };
            reasons.push(format!("nobody would be left on team `{name}`, which had {people}"));
        }
        if teams.len() > NAMED {
            reasons.push(format!("nobody would be left on {} more teams", teams.len() - NAMED));
        }
        Ok(reasons)
    }

    /// What this version has changed so far, packed: read back from its own change log.
    async fn difference(&mut self, manners: &[(HerokuId, Mask)]) -> Result<Vec<u8>, StoreError> {
        let mut packer = Packer::new()?;
        self.pack_objects(&mut packer).await?;
        self.pack_access(&mut packer).await?;
        for (team, roles) in manners {
            packer.line(&Line::Manner(team.clone(), roles.0))?;
        }
        packer.finish()
    }

    async fn pack_objects(&mut self, packer: &mut Packer) -> Result<(), StoreError> {
        let mut changed: BTreeMap<Kind, Vec<i64>> = BTreeMap::new();
        let mut gone = Vec::new();
        let sql = "SELECT object_id, change FROM object_change WHERE version = $1 ORDER BY object_id";
        self.connection
            .each("reading changes", sql, &[self.version.into()], |row| {
                let id = row.number(0)?;
                match (ChangeKind::from_number(row.number(1)?), dense::kind(id)) {
                    (ChangeKind::Removed, _) => gone.push(id),
                    (_, Some(kind)) => changed.entry(kind).or_default().push(id),
                    (_, None) => {}
                }
                Ok(())
            })
            .await?;
        for (kind, ids) in changed {
            for ids in ids.chunks(AT_ONCE) {
                match kind {
                    Kind::User => self.pack_kind::<User>(ids, packer).await?,
                    Kind::EnterpriseAccount => self.pack_kind::<EnterpriseAccount>(ids, packer).await?,
                    Kind::Team => self.pack_kind::<Team>(ids, packer).await?,
                    Kind::App => self.pack_kind::<App>(ids, packer).await?,
                    Kind::Space => self.pack_kind::<Space>(ids, packer).await?,
                    Kind::AddOn => self.pack_kind::<AddOn>(ids, packer).await?,
                    Kind::Attachment => self.pack_kind::<Attachment>(ids, packer).await?,
                    Kind::Pipeline => self.pack_kind::<Pipeline>(ids, packer).await?,
                    Kind::Coupling => self.pack_kind::<Coupling>(ids, packer).await?,
                    Kind::Invitation => self.pack_kind::<Invitation>(ids, packer).await?,
                    Kind::UnresolvedMember => self.pack_kind::<UnresolvedMember>(ids, packer).await?,
                    Kind::Authorization => self.pack_kind::<Authorization>(ids, packer).await?,
                    Kind::Key => self.pack_kind::<Key>(ids, packer).await?,
                }
            }
        }
        for (id, uuid) in heroku_ids(&mut self.connection, &gone).await? {
            if let Some(kind) = dense::kind(id) {
                packer.line(&Line::Gone(kind, uuid))?;
            }
        }
        Ok(())
    }

    async fn pack_kind<T: Record>(&mut self, ids: &[i64], packer: &mut Packer) -> Result<(), StoreError> {
        for stored in read::<T>(&mut self.connection, ids).await? {
            let head = self.heads.find(T::KIND, stored.record.id());
            packer.object(&stored.record, head.map_or(0, |head| head.hash))?;
        }
        Ok(())
    }

    async fn pack_access(&mut self, packer: &mut Packer) -> Result<(), StoreError> {
        let mut access: Vec<(i64, i64, u32)> = Vec::new();
        let sql = "SELECT resource_id, principal_id, after FROM access_change WHERE version = $1";
        self.connection
            .each("reading changes", sql, &[self.version.into()], |row| {
                let mask = u32::try_from(row.number(2)?).unwrap_or(0);
                access.push((row.number(0)?, row.number(1)?, mask));
                Ok(())
            })
            .await?;
        let mut other: Vec<(i64, i64, Box<str>, bool)> = Vec::new();
        let sql = "SELECT resource_id, principal_id, slug, added FROM access_other_change WHERE version = $1";
        self.connection
            .each("reading changes", sql, &[self.version.into()], |row| {
                let slug = row.text(2)?.unwrap_or_default().into();
                other.push((row.number(0)?, row.number(1)?, slug, row.number(3)? != 0));
                Ok(())
            })
            .await?;
        let pairs = || {
            let access = access.iter().map(|(resource, principal, _)| (*resource, *principal));
            access.chain(other.iter().map(|(resource, principal, _, _)| (*resource, *principal)))
        };
        let resources = places(pairs().map(|(resource, _)| resource));
        let principals = places(pairs().map(|(_, principal)| principal));
        for (id, uuid) in self.named(&resources).await? {
            if let Some(resource_type) = dense::kind(id).and_then(ResourceType::of) {
                packer.line(&Line::Resource(resource_type, uuid))?;
            }
        }
        for (_, uuid) in self.named(&principals).await? {
            packer.line(&Line::Principal(uuid))?;
        }
        let place = |places: &BTreeMap<i64, u32>, id| places.get(&id).copied().unwrap_or(u32::MAX);
        for (resource, principal, mask) in access {
            packer.line(&Line::Access(place(&resources, resource), place(&principals, principal), mask))?;
        }
        for (resource, principal, slug, added) in other {
            let (resource, principal) = (place(&resources, resource), place(&principals, principal));
            packer.line(&Line::Other(resource, principal, slug, added))?;
        }
        Ok(())
    }

    /// Heroku's ids of objects, in the order of their dense ids.
    async fn named(&mut self, places: &BTreeMap<i64, u32>) -> Result<Vec<(i64, HerokuId)>, StoreError> {
        let ids: Vec<i64> = places.keys().copied().collect();
        let mut found = heroku_ids(&mut self.connection, &ids).await?;
        let named = ids.into_iter().map(|id| {
            let unknown = || StoreError::Damaged { what: format!("there is no object {id}") };
            Ok((id, found.remove(&id).ok_or_else(unknown)?))
        });
        named.collect()
    }
}

/// The place of each id among all of them.
fn places(ids: impl Iterator<Item = i64>) -> BTreeMap<i64, u32> {
    let mut places: BTreeMap<i64, u32> = ids.map(|id| (id, 0)).collect();
    for (place, number) in places.values_mut().zip(0..) {
        *place = number;
    }
    places
}
