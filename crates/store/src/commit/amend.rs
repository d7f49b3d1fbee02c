//! Writes what was changed on Heroku through us, as a version of its own, without a new sync.
//!
//! Invariant: an amendment touches what it names and nothing else; absence from it proves nothing.

use metsuke_model::audit::NewEvent;
use metsuke_model::plan::StepStatus;
use metsuke_model::record::{Invitation, User};
use metsuke_model::{Access, Counts, Coverage, HerokuId, Kind, Records, Resource, SyncReport, Version};

use super::{Committed, Writer};
use crate::checkpoint::key;
use crate::provision::{ProvisioningLock, StepMark, mark_in};
use crate::{Store, StoreError, audit, jobs, syncs};

/// What Heroku was seen to hold after a write.
#[derive(Clone, Debug, Default)]
pub struct Amendment {
    /// People who were not known.
    pub users: Vec<User>,
    /// Who holds what on which resource now; nothing held means no row.
    pub access: Vec<(Resource, HerokuId, Access)>,
    /// Invitations that are there.
    pub invitations: Vec<Invitation>,
    /// Invitations that are no more.
    pub withdrawn: Vec<HerokuId>,
}

impl Amendment {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.access.is_empty() && self.invitations.is_empty() && self.withdrawn.is_empty()
    }
}

impl Store {
    /// Marks a step verified and writes what was seen, as the next version, in one transaction with the event.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`]; nothing is written then.
    pub async fn amend(
        &self,
        lock: &ProvisioningLock,
        step: (&str, u32),
        amendment: Amendment,
        report: &SyncReport,
        event: NewEvent,
    ) -> Result<Option<Committed>, StoreError> {
        let mut connection = self.begin_write().await?;
        lock.check(&mut connection).await?;
        mark_in(&mut connection, step, StepStatus::Verified, report.finished_at, StepMark::default()).await?;
        audit::append(&mut connection, event).await?;
        if amendment.is_empty() || syncs::newest(&mut connection, true).await?.is_none() {
            connection.commit().await?;
            return Ok(None);
        }
        let mut writer = Writer::open(connection).await?;
        let nothing = Coverage::default();
        let unknown = amendment
            .users
            .into_iter()
            .filter(|user| writer.heads.find(Kind::User, &user.id).is_none_or(|head| head.gone.is_some()));
        // The same person may be seen more than once.
        let unknown: Records<User> = unknown.collect();
        writer.apply_objects(unknown, Records::default(), &nothing).await?;
        writer.apply_objects(amendment.invitations.into(), Records::default(), &nothing).await?;
        writer.retire(Kind::Invitation, &amendment.withdrawn).await?;
        let counts = writer.amend_access(amendment.access).await?;
        writer.heads.save(&mut writer.connection, writer.version).await?;
        let committed = Committed {
            version: Version(writer.version),
            finished_at: report.finished_at,
            counts,
            changes: writer.changes,
            quarantine: Vec::new(),
        };
        syncs::insert(&mut writer.connection, committed.version, report, &counts, &writer.changes).await?;
        jobs::follow(&mut writer.connection, self.follow_ups, committed.version, report.finished_at).await?;
        writer.connection.commit().await?;
        Ok(Some(committed))
    }
}

impl Writer {
    /// Changes single rows of access, and counts what the version holds. A resource that no sync has read yet is
    /// left to the next one.
    async fn amend_access(
        &mut self,
        access: Vec<(Resource, HerokuId, Access)>,
    ) -> Result<Counts, StoreError> {
        let (known, since_checkpoint) = self.known_access().await?;
        let known_other = self.known_other().await?;
        let mut other = known_other.clone();
        let mut changes = Vec::new();
        for (resource, user, access) in access {
            let resource = self.heads.dense(resource.resource_type.kind(), &resource.id);
            let (Some(resource), Some(user)) = (resource, self.heads.dense(Kind::User, &user)) else {
                continue;
            };
            let key = key(resource, user)?;
            let before = known.binary_search_by_key(&key, |(key, _)| *key).ok();
            let before = before.and_then(|place| known.get(place)).map_or(0, |(_, mask)| *mask);
            if before != access.mask.0 {
                changes.push((key, before, access.mask.0));
            }
            other.retain(|(of, _)| *of != key);
            other.extend(access.other.into_iter().map(|slug| (key, slug)));
        }
        changes.sort_unstable();
        changes.dedup_by_key(|change| change.0);
        self.write_changes(&changes).await?;
        let state = super::state::applied(known, &changes);
        self.apply_other(known_other, other, |_| true).await?;
        if !changes.is_empty() {
            self.keep_checkpoint(&state, since_checkpoint + changes.len()).await?;
        }
        self.counts(&state).await
    }
}
