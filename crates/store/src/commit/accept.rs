//! Makes a quarantined run the version that it would have been.
//!
//! Why it was held up was judged in `brake`; whether it may go through now is a person's decision.
//!
//! Invariant: what is applied is what was read, against the version that it was read against.

use metsuke_model::audit::EventCode;
use metsuke_model::{Clock, HerokuId, Kind, Record, Records, SyncReport, SyncStatus, Version};

use super::state::{self, State};
use super::{Committed, Writer};
use crate::checkpoint::key;
use crate::quarantine::difference::{Difference, unpack};
use crate::{Store, StoreError, audit, quarantine, syncs};

impl Store {
    /// Makes the run that waits in quarantine the newest version, without reading Heroku again.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotAcceptable`] for any other run, and for one after which a version was committed; nothing is
    /// written then.
    pub async fn accept(&self, version: Version, clock: &dyn Clock) -> Result<Committed, StoreError> {
        let mut connection = self.begin_write().await?;
        let refused = |reason| StoreError::NotAcceptable { version, reason };
        let row = syncs::find(&mut connection, version).await?.ok_or(refused("there is no such sync"))?;
        match row.status {
            SyncStatus::Complete | SyncStatus::Partial => return Err(refused("it is a version already")),
            SyncStatus::Failed => return Err(refused("it failed")),
            SyncStatus::Quarantined => {}
        }
        let held = quarantine::of(&mut connection, version).await?.filter(|held| held.waits);
        let held = held.ok_or(refused("a later one has taken its place"))?;
        let difference = unpack(&quarantine::packed(&mut connection, version).await?)?;
        let mut writer = Writer::open(connection).await?;
        writer.version = version.0;
        let state = writer.replay(difference).await?;
        let (counts, changes) = (writer.counts(&state).await?, writer.changes);
        if (counts, changes) != (row.counts, row.changes) {
            let what = format!("quarantined sync {version} does not come to what it was recorded with");
            return Err(StoreError::Damaged { what });
        }
        writer.heads.save(&mut writer.connection, writer.version).await?;
        syncs::set_status(&mut writer.connection, version, held.status).await?;
        quarantine::forget(&mut writer.connection).await?;
        let report = SyncReport {
            status: held.status,
            started_at: row.started_at,
            finished_at: row.finished_at,
            requests: row.requests,
            waited_ms: row.waited_ms,
            error: None,
            scopes: Vec::new(),
        };
        let event = self.event(clock.now(), EventCode::SyncAccepted);
        let event = syncs::tell(event, version, &report, &counts, &changes);
        audit::append(&mut writer.connection, event.detail("reasons", held.reasons)).await?;
        let finished_at = row.finished_at;
        let committed = Committed { version, finished_at, counts, changes, quarantine: Vec::new() };
        self.follow(&mut writer.connection, &committed, clock).await?;
        writer.connection.commit().await?;
        Ok(committed)
    }
}

impl Writer {
    /// Applies what a commit would have changed; returns the new state of access.
    async fn replay(&mut self, difference: Difference) -> Result<State, StoreError> {
        let Difference { mut estate, mut gone, other_gone } = difference;
        let mut gone = |kind| gone.remove(&kind).unwrap_or_default();
        self.replay_kind(std::mem::take(&mut estate.users), gone(Kind::User)).await?;
        let accounts = std::mem::take(&mut estate.enterprise_accounts);
        self.replay_kind(accounts, gone(Kind::EnterpriseAccount)).await?;
        self.replay_kind(std::mem::take(&mut estate.teams), gone(Kind::Team)).await?;
        self.replay_kind(std::mem::take(&mut estate.spaces), gone(Kind::Space)).await?;
        self.replay_kind(std::mem::take(&mut estate.apps), gone(Kind::App)).await?;
        self.replay_kind(std::mem::take(&mut estate.addons), gone(Kind::AddOn)).await?;
        self.replay_kind(std::mem::take(&mut estate.attachments), gone(Kind::Attachment)).await?;
        self.replay_kind(std::mem::take(&mut estate.pipelines), gone(Kind::Pipeline)).await?;
        self.replay_kind(std::mem::take(&mut estate.couplings), gone(Kind::Coupling)).await?;
        self.replay_kind(std::mem::take(&mut estate.invitations), gone(Kind::Invitation)).await?;
        let members = std::mem::take(&mut estate.unresolved_members);
        self.replay_kind(members, gone(Kind::UnresolvedMember)).await?;
        let authorizations = std::mem::take(&mut estate.authorizations);
        self.replay_kind(authorizations, gone(Kind::Authorization)).await?;
        self.replay_kind(std::mem::take(&mut estate.keys), gone(Kind::Key)).await?;
        self.keep_manners(&estate.listing_manners).await?;

        let resources: Vec<Option<i64>> = estate
            .resources
            .iter()
            .map(|resource| self.heads.dense(resource.resource_type.kind(), &resource.id))
            .collect();
        let principals: Vec<Option<i64>> =
            estate.principals.iter().map(|principal| self.heads.dense(Kind::User, principal)).collect();
        let pair = |resource: u32, principal: u32| {
            let resource = resources.get(resource as usize).copied().flatten();
            let principal = principals.get(principal as usize).copied().flatten();
            let (Some(resource), Some(principal)) = (resource, principal) else {
                return Err(StoreError::Damaged {
                    what: "a quarantined sync names what is not there".into(),
                });
            };
            key(resource, principal)
        };
        let (known, since_checkpoint) = self.known_access().await?;
        let mut changes = Vec::with_capacity(estate.access.len());
        for row in &estate.access {
            let key = pair(row.resource, row.principal)?;
            let before = known.binary_search_by_key(&key, |(key, _)| *key).ok();
            let before = before.and_then(|place| known.get(place)).map_or(0, |(_, mask)| *mask);
            changes.push((key, before, row.mask.0));
        }
        changes.sort_unstable();
        let known_other = self.known_other().await?;
        let mut other = known_other.clone();
        for (resource, principal, slug) in other_gone {
            other.remove(&(pair(resource, principal)?, slug));
        }
        for (resource, principal, slug) in estate.other_access {
            other.insert((pair(resource, principal)?, slug));
        }
        let state = state::applied(known, &changes);
        self.write_changes(&changes).await?;
        self.apply_other(known_other, other, |_| true).await?;
        let since_checkpoint = if changes.is_empty() { 0 } else { since_checkpoint + changes.len() };
        self.keep_checkpoint(&state, since_checkpoint).await?;
        Ok(state)
    }

    async fn replay_kind<T: Record + Sync>(
        &mut self,
        records: Records<T>,
        gone: Vec<HerokuId>,
    ) -> Result<(), StoreError> {
        let written = self.classify(&records);
        self.write(&records, &written).await?;
        self.retire(T::KIND, &gone).await
    }
}
