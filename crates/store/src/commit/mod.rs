//! Commits what a sync read: compares it with the last version and applies only the difference.
//!
//! What may be called gone is not decided here but proved by the [`Coverage`].
//!
//! Invariant: one transaction holds the whole version with its change log; a crash leaves the last one untouched.

mod access;
mod hash;
mod heads;
mod objects;

use metsuke_model::access::Mask;
use metsuke_model::{
    Changes, Clock, Counts, Coverage, Estate, HerokuId, Kind, Moment, SyncReport, SyncStatus, Version,
};

use crate::connection::{Bind, Connection};
use crate::indexes::SECONDARY;
use crate::{Store, StoreError, syncs};
use heads::Heads;

/// A committed version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its number.
    pub version: Version,
    /// When its sync was finished.
    pub finished_at: Moment,
    /// What is in it.
    pub counts: Counts,
    /// What differs from the version before; all of it, for a first one.
    pub changes: Changes,
}

/// The transaction of one commit, with what it learns on its way.
#[derive(Debug)]
struct Writer {
    connection: Connection,
    heads: Heads,
    next_properties: i64,
    version: i64,
    first: bool,
    changes: Changes,
    other_grants: u64,
}

impl Store {
    /// Commits a complete or partial sync as the next version; it is finished at the moment that `clock` tells at
    /// the end of the comparison.
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
        let connection = self.pool.begin_write().await?;
        let mut writer = Writer::open(connection).await?;
        let first = writer.first;
        if first {
            for (drop, _) in SECONDARY {
                writer.connection.execute("preparing a first load", drop, &[]).await?;
            }
        }
        writer.apply_objects(std::mem::take(&mut estate.users), Vec::new(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.enterprise_accounts), Vec::new(), coverage).await?;
        let (teams, unlisted) =
            std::mem::take(&mut estate.teams).into_iter().partition(|team| team.listed == Some(true));
        writer.apply_objects(teams, unlisted, coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.spaces), Vec::new(), coverage).await?;
        let hinted = std::mem::take(&mut estate.hinted_apps);
        writer.apply_objects(std::mem::take(&mut estate.apps), hinted, coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.addons), Vec::new(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.attachments), Vec::new(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.pipelines), Vec::new(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.couplings), Vec::new(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.invitations), Vec::new(), coverage).await?;
        writer.apply_objects(std::mem::take(&mut estate.unresolved_members), Vec::new(), coverage).await?;
        let listed = writer.list_access(&mut estate)?;
        let state = writer.apply_access(listed, coverage).await?;
        writer.keep_manners(&estate.listing_manners).await?;
        if first {
            for (_, create) in SECONDARY {
                writer.connection.execute("building indexes", create, &[]).await?;
            }
        }
        writer.heads.save(&mut writer.connection).await?;
        let counts = writer.counts(&state).await?;
        let report = SyncReport { finished_at: clock.now(), ..report.clone() };
        let committed = Committed {
            version: Version(writer.version),
            finished_at: report.finished_at,
            counts,
            changes: writer.changes,
        };
        syncs::insert(&mut writer.connection, committed.version, &report, &counts, &writer.changes).await?;
        writer.connection.commit().await?;
        self.tidy_up(first).await;
        Ok(committed)
    }

    /// What is good to do after a commit. The version stands already, so a failure here is only told in the log.
    async fn tidy_up(&self, first: bool) {
        let analyzed = if first { self.pool.analyze().await } else { Ok(()) };
        for error in [analyzed, self.pool.settle().await].into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "the version is committed, but the database could not be tidied up");
        }
    }

    /// Records a sync of which no version came; what was known stays current.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn record_failure(&self, report: &SyncReport) -> Result<Version, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let version =
            Version(syncs::newest(&mut connection, false).await?.map_or(0, |version| version.0) + 1);
        let report = SyncReport { status: SyncStatus::Failed, ..report.clone() };
        syncs::insert(&mut connection, version, &report, &Counts::default(), &Changes::default()).await?;
        connection.commit().await?;
        Ok(version)
    }
}

impl Writer {
    async fn open(mut connection: Connection) -> Result<Self, StoreError> {
        let newest = syncs::newest(&mut connection, false).await?;
        let first = syncs::newest(&mut connection, true).await?.is_none();
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
            first,
            changes: Changes::default(),
            other_grants: 0,
        })
    }

    /// Remembers what was settled about teams' permissions listings.
    async fn keep_manners(&mut self, manners: &[(HerokuId, Mask)]) -> Result<(), StoreError> {
        let heads = &self.heads;
        let rows = manners.iter().filter_map(|(team, roles)| {
            Some(vec![heads.dense(Kind::Team, team)?.into(), Bind::from(i64::from(roles.0))])
        });
        let head = "INSERT INTO listing_manner (team_id, implicit_roles) ";
        let tail = " ON CONFLICT (team_id) DO UPDATE SET implicit_roles = excluded.implicit_roles";
        self.connection.insert("keeping listing manners", (head, tail), rows).await
    }

    async fn counts(&mut self, state: &access::State) -> Result<Counts, StoreError> {
        let mut teams = 0;
        let sql = "SELECT COUNT(*)
                     FROM team
                     JOIN object ON object.id = team.id
                    WHERE object.gone IS NULL AND team.listed = 1";
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
