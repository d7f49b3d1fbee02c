//! Commits what a sync read: compares it with the last version and applies only the difference.
//!
//! What may be called gone is not decided here but proved by the [`Coverage`].
//!
//! Invariant: one transaction holds the whole version with its change log; a crash leaves the last one untouched.

mod accept;
mod access;
mod amend;
mod brake;
mod halves;
mod heads;
mod objects;
mod properties;
mod rows;
mod state;

pub use amend::Amendment;
pub(crate) use properties::hash as properties_hash;

use metsuke_model::access::Mask;
use metsuke_model::audit::EventCode;
use metsuke_model::{
    Changes, Clock, Counts, Coverage, Estate, HerokuId, Kind, Moment, Records, SyncReport, SyncStatus,
    Version,
};

use crate::connection::{Bind, Connection};
use crate::indexes::SECONDARY;
use crate::{Store, StoreError, audit, jobs, syncs};
use heads::Heads;

/// A committed version, or a run that was put into quarantine instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its number.
    pub version: Version,
    /// When its sync was finished.
    pub finished_at: Moment,
    /// What is in it.
    pub counts: Counts,
    /// What differs from the version before; all of it, for a first one.
    pub changes: Changes,
    /// Why it is not current and waits for [`Store::accept`]; empty for a version.
    pub quarantine: Vec<String>,
}

/// The transaction of one commit, with what it learns on its way.
#[derive(Debug)]
struct Writer {
    connection: Connection,
    heads: Heads,
    next_properties: i64,
    version: i64,
    /// The version that this one is compared with; none for a first one.
    base: Option<Version>,
    first: bool,
    changes: Changes,
    other_grants: u64,
}

impl Store {
    /// Commits a complete or partial sync as the next version; it is finished at the moment that `clock` tells at
    /// the end of the comparison. One that would take away more than the [`Brake`](crate::Brake) allows is put into
    /// quarantine instead: recorded, and no version.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`]; nothing is written then, and the last version stays as it was.
    pub async fn commit(
        &self,
        mut estate: Estate,
        coverage: &Coverage,
        report: &SyncReport,
        clock: &dyn Clock,
    ) -> Result<Committed, StoreError> {
        let connection = self.begin_write().await?;
        let mut writer = Writer::open(connection).await?;
        let first = writer.first;
        if first {
            for (drop, _) in SECONDARY {
                writer.connection.execute("preparing a first load", drop, &[]).await?;
            }
        }
        writer.apply_objects(std::mem::take(&mut estate.users), Records::default(), coverage).await?;
        writer
            .apply_objects(std::mem::take(&mut estate.enterprise_accounts), Records::default(), coverage)
            .await?;
        let (teams, unlisted): (Vec<_>, Vec<_>) =
            std::mem::take(&mut estate.teams).into_iter().partition(|team| team.listed == Some(true));
        writer.apply_objects(teams.into(), unlisted.into(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.spaces), Records::default(), coverage).await?;
        let hinted = std::mem::take(&mut estate.hinted_apps);
        writer.apply_objects(std::mem::take(&mut estate.apps), hinted, coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.addons), Records::default(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.attachments), Records::default(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.pipelines), Records::default(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.couplings), Records::default(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.invitations), Records::default(), coverage).await?;
        writer
            .apply_objects(std::mem::take(&mut estate.unresolved_members), Records::default(), coverage)
            .await?;
        let authorizations = std::mem::take(&mut estate.authorizations);
        writer.apply_objects(authorizations, Records::default(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.keys), Records::default(), coverage).await?;
        let listed = writer.list_access(&mut estate)?;
        let (state, losses) = writer.apply_access(listed, coverage).await?;
        let reasons = writer.judge(&losses, self.brake).await?;
        if !reasons.is_empty() {
            let manners = estate.listing_manners;
            return Box::pin(self.hold_up(writer, &state, reasons, &manners, report, clock)).await;
        }
        writer.keep_manners(&estate.listing_manners).await?;
        if first {
            for (_, create) in SECONDARY {
                writer.connection.execute("building indexes", create, &[]).await?;
            }
        }
        writer.heads.save(&mut writer.connection, writer.version).await?;
        let counts = writer.counts(&state).await?;
        let report = SyncReport { finished_at: clock.now(), ..report.clone() };
        let committed = Committed {
            version: Version(writer.version),
            finished_at: report.finished_at,
            counts,
            changes: writer.changes,
            quarantine: Vec::new(),
        };
        syncs::insert(&mut writer.connection, committed.version, &report, &counts, &writer.changes).await?;
        let code = match report.status {
            SyncStatus::Complete => EventCode::SyncCompleted,
            _ => EventCode::SyncPartial,
        };
        let event = self.event(report.finished_at, code);
        let event = syncs::tell(event, committed.version, &report, &counts, &committed.changes);
        audit::append(&mut writer.connection, event).await?;
        self.follow(&mut writer.connection, &committed, clock).await?;
        writer.connection.commit().await?;
        if first {
            told(self.pool.analyze().await);
            self.settle().await;
        }
        Ok(committed)
    }

    /// Puts what follows a version into the queue, and says that whoever commits for a job is still at it: nobody could
    /// be told so while the commit kept all others from writing.
    async fn follow(
        &self,
        connection: &mut Connection,
        committed: &Committed,
        clock: &dyn Clock,
    ) -> Result<(), StoreError> {
        let now = clock.now();
        jobs::follow(connection, self.follow_ups, committed.version, now).await?;
        match &self.held {
            Some(claim) => claim.renew(connection, now).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Tidies the database up, best done when nobody waits: what commits left in SQLite's write-ahead log goes into
    /// the file. Nothing is lost where this is never called, and a failure is only told in the log.
    pub async fn settle(&self) {
        told(self.pool.settle().await);
    }

    /// Records a sync of which no version came; what was known stays current.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn record_failure(&self, report: &SyncReport) -> Result<Version, StoreError> {
        let mut connection = self.begin_write().await?;
        let version =
            Version(syncs::newest(&mut connection, false).await?.map_or(0, |version| version.0) + 1);
        let report = SyncReport { status: SyncStatus::Failed, ..report.clone() };
        let (counts, changes) = (Counts::default(), Changes::default());
        syncs::insert(&mut connection, version, &report, &counts, &changes).await?;
        let event = self.event(report.finished_at, EventCode::SyncFailed);
        audit::append(&mut connection, syncs::tell(event, version, &report, &counts, &changes)).await?;
        connection.commit().await?;
        Ok(version)
    }
}

/// Tells of what went wrong after the version was committed already.
fn told(outcome: Result<(), StoreError>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "the version is committed, but the database could not be tidied up");
    }
}

impl Writer {
    async fn open(mut connection: Connection) -> Result<Self, StoreError> {
        let newest = syncs::newest(&mut connection, false).await?;
        let base = syncs::newest(&mut connection, true).await?;
        let heads = Heads::load(&mut connection).await?;
        let mut next_properties = 0;
        connection
            .each("reading properties", "SELECT COALESCE(MAX(id), 0) FROM properties", &[], |row| {
                next_properties = row.number(0)?;
                Ok(())
            })
            .await?;
        Ok(Self {
            connection,
            heads,
            next_properties,
            version: newest.map_or(0, |version| version.0) + 1,
            base,
            first: base.is_none(),
            changes: Changes::default(),
            other_grants: 0,
        })
    }

    /// Remembers what was settled about teams' permissions listings.
    async fn keep_manners(&mut self, manners: &[(HerokuId, Mask)]) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(manners.len());
        for (team, roles) in manners {
            let team = self.heads.dense(Kind::Team, team);
            rows.extend(team.map(|team| [team.into(), Bind::from(i64::from(roles.0))]));
        }
        let head = "INSERT INTO listing_manner (team_id, implicit_roles) ";
        let tail = " ON CONFLICT (team_id) DO UPDATE SET implicit_roles = excluded.implicit_roles";
        self.connection.insert("keeping listing manners", (head, tail), rows).await
    }

    async fn counts(&mut self, state: &state::State) -> Result<Counts, StoreError> {
        let mut teams = 0;
        let sql = "SELECT COUNT(*) FROM team WHERE gone IS NULL AND listed = 1";
        self.connection
            .each("counting teams", sql, &[], |row| {
                teams = row.count(0)?;
                Ok(())
            })
            .await?;
        let present = |kind| self.heads.present(kind).count() as u64;
        Ok(Counts {
            users: present(Kind::User),
            teams,
            enterprise_accounts: present(Kind::EnterpriseAccount),
            apps: present(Kind::App),
            addons: present(Kind::AddOn),
            invitations: present(Kind::Invitation),
            grants: self.grants(state) + self.other_grants,
        })
    }
}
