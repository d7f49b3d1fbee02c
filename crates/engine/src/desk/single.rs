//! One object of whichever estate has it, as it was in a version.
//!
//! Invariant: what is shown of an object and the version that is named with it were read in one transaction.

use std::sync::Arc;

use metsuke_model::record::{EnterpriseAccount, Team};
use metsuke_model::{AsOf, Grant, HerokuId};
use metsuke_store::{Select, Snapshot, Store};

use super::shelves::Reading;
use super::{Desk, Estate};
use crate::EngineError;
use crate::access::{
    AppAccess, GrantFilter, Layouts, PeopleOnApp, Reach, UserAccess, app_access, find_team, grants,
    people_on_apps, reach, user_access,
};
use crate::changes::{Event, EventFilter, event, events_in_short};
use crate::lists::{
    AppLine, EnterpriseAccountLine, InvitationLine, ListedLine as _, TeamLine, invitations_to,
};

/// Something that was found, and where.
#[derive(Clone, Debug)]
pub struct Single<T> {
    /// The version that it stands in.
    pub reading: Reading,
    /// What was found.
    pub found: T,
}

/// An app with everybody's access to it.
#[derive(Clone, Debug)]
pub struct AppShown {
    /// The app.
    pub line: AppLine,
    /// Who can do what.
    pub access: AppAccess,
}

/// A team with its members.
#[derive(Clone, Debug)]
pub struct TeamShown {
    /// The team.
    pub line: TeamLine,
    /// Who holds which role.
    pub roles: Vec<Grant>,
    /// Who is invited.
    pub invitations: Vec<InvitationLine>,
}

/// An Enterprise account with its members and teams.
#[derive(Clone, Debug)]
pub struct EnterpriseAccountShown {
    /// The account.
    pub line: EnterpriseAccountLine,
    /// Who holds which permission.
    pub permissions: Vec<Grant>,
    /// Its teams.
    pub teams: Vec<TeamLine>,
}

/// What is asked of one object.
#[derive(Clone, Copy, Debug)]
pub struct SingleAsk<'a> {
    /// The connector, by name or id; none for whichever estate has the object.
    pub connector: Option<&'a str>,
    /// The version or time; none for the newest.
    pub as_of: Option<AsOf>,
    /// The object, by name, e-mail address or id.
    pub object: &'a str,
}

/// Something that is read of one version.
trait Object: Sized + Send {
    /// What it is called where it is not there.
    const WHAT: &'static str;

    fn read(
        snapshot: &mut Snapshot,
        asked: SingleAsk<'_>,
        kept: (&Layouts, &str),
    ) -> impl Future<Output = Result<Self, EngineError>> + Send;
}

impl Object for AppShown {
    const WHAT: &'static str = "app";

    async fn read(
        snapshot: &mut Snapshot,
        asked: SingleAsk<'_>,
        _: (&Layouts, &str),
    ) -> Result<Self, EngineError> {
        let access = app_access(snapshot, asked.object).await?;
        let stored = snapshot.objects(&Select::Id(access.app.id.clone())).await?;
        let line = first(AppLine::lines(snapshot, stored).await?, Self::WHAT, asked, snapshot)?;
        Ok(Self { line, access })
    }
}

impl Object for UserAccess {
    const WHAT: &'static str = "user";

    async fn read(
        snapshot: &mut Snapshot,
        asked: SingleAsk<'_>,
        _: (&Layouts, &str),
    ) -> Result<Self, EngineError> {
        user_access(snapshot, asked.object).await
    }
}

impl Object for Arc<Reach> {
    const WHAT: &'static str = "user";

    async fn read(
        snapshot: &mut Snapshot,
        asked: SingleAsk<'_>,
        kept: (&Layouts, &str),
    ) -> Result<Self, EngineError> {
        reach(snapshot, asked.object, Some(kept)).await
    }
}

impl Object for TeamShown {
    const WHAT: &'static str = "team";

    async fn read(
        snapshot: &mut Snapshot,
        asked: SingleAsk<'_>,
        _: (&Layouts, &str),
    ) -> Result<Self, EngineError> {
        let stored = find_team(snapshot, asked.object).await?;
        let (id, dense) = (stored.record.id.clone(), stored.dense);
        let line = first(TeamLine::lines(snapshot, vec![stored]).await?, Self::WHAT, asked, snapshot)?;
        let filter = GrantFilter { team: Some(id.to_string()), ..GrantFilter::default() };
        let roles = gathered(snapshot, &filter).await?;
        let invitations = invitations_to(snapshot, dense).await?;
        Ok(Self { line, roles, invitations })
    }
}

impl Object for EnterpriseAccountShown {
    const WHAT: &'static str = "enterprise-account";

    async fn read(
        snapshot: &mut Snapshot,
        asked: SingleAsk<'_>,
        _: (&Layouts, &str),
    ) -> Result<Self, EngineError> {
        let mut stored = snapshot.objects::<EnterpriseAccount>(&Select::Named(asked.object.into())).await?;
        if stored.is_empty() {
            stored = snapshot.objects(&Select::Id(HerokuId::new(asked.object))).await?;
        }
        let dense = stored.first().map(|account| account.dense).into_iter().collect();
        let lines = EnterpriseAccountLine::lines(snapshot, stored).await?;
        let line = first(lines, Self::WHAT, asked, snapshot)?;
        let filter = GrantFilter { enterprise_account: Some(line.id.to_string()), ..GrantFilter::default() };
        let permissions = gathered(snapshot, &filter).await?;
        let mut stored = snapshot.columns::<Team>(&Select::Within(dense)).await?;
        stored.retain(TeamLine::is_listed);
        let mut teams = TeamLine::lines(snapshot, stored).await?;
        teams.sort_by_cached_key(|team| team.name.as_deref().map(str::to_lowercase));
        Ok(Self { line, permissions, teams })
    }
}

impl Desk {
    /// One app.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotFound`], [`EngineError::Ambiguous`], and what the database said; so for every object here.
    pub async fn app(&self, asked: SingleAsk<'_>) -> Result<Single<AppShown>, EngineError> {
        self.single(asked).await
    }

    /// One person's access everywhere.
    ///
    /// # Errors
    ///
    /// As [`app`](Self::app).
    pub async fn person(&self, asked: SingleAsk<'_>) -> Result<Single<UserAccess>, EngineError> {
        self.single(asked).await
    }

    /// One person's access everywhere, put together by what is held and why.
    ///
    /// # Errors
    ///
    /// As [`app`](Self::app).
    pub async fn reach(&self, asked: SingleAsk<'_>) -> Result<Single<Arc<Reach>>, EngineError> {
        self.single(asked).await
    }

    /// One team.
    ///
    /// # Errors
    ///
    /// As [`app`](Self::app).
    pub async fn team(&self, asked: SingleAsk<'_>) -> Result<Single<TeamShown>, EngineError> {
        self.single(asked).await
    }

    /// One Enterprise account.
    ///
    /// # Errors
    ///
    /// As [`app`](Self::app).
    pub async fn enterprise_account(
        &self,
        asked: SingleAsk<'_>,
    ) -> Result<Single<EnterpriseAccountShown>, EngineError> {
        self.single(asked).await
    }

    /// Who can do what on several apps of the estate and the version of a reading.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], [`EngineError::NoVersion`], and what the database said.
    pub async fn people_on_apps(
        &self,
        reading: &Reading,
        apps: &[HerokuId],
    ) -> Result<Vec<PeopleOnApp>, EngineError> {
        let store = self.store_of(reading).await?;
        let snapshot = store.snapshot(Some(AsOf::Version(reading.version))).await?;
        people_on_apps(&mut snapshot.ok_or(EngineError::NoVersion)?, apps).await
    }

    /// The newest changes that are meant, of the estate of a reading, with what they gave and took in short.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn happened(
        &self,
        reading: &Reading,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<Event>, EngineError> {
        events_in_short(&self.store_of(reading).await?, filter, limit).await
    }

    /// One change of the estate of a reading; none where there is no such change.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadCursor`], [`EngineError::NoConnector`], and what the database said.
    pub async fn happening(&self, reading: &Reading, id: &str) -> Result<Option<Event>, EngineError> {
        event(&self.store_of(reading).await?, id).await
    }

    pub(super) async fn store_of(&self, reading: &Reading) -> Result<Store, EngineError> {
        match &reading.connector {
            None => Ok(self.installation().main().clone()),
            Some(connector) => Ok(self.estate(Some(connector)).await?.store),
        }
    }

    async fn single<T: Object>(&self, asked: SingleAsk<'_>) -> Result<Single<T>, EngineError> {
        let mut missing = None;
        for estate in self.estates(asked.connector).await? {
            let reading = self.reading(&estate, asked.as_of).await?;
            let Some((reading, mut snapshot)) = opened(&estate, reading).await? else { continue };
            match T::read(&mut snapshot, asked, (&self.layouts, estate.place())).await {
                Ok(found) => return Ok(Single { reading, found }),
                Err(error) if matches!(error, EngineError::NotFound { .. }) => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        let unknown = || EngineError::Unknown { what: T::WHAT, asked: asked.object.into() };
        Err(missing.unwrap_or_else(unknown))
    }
}

/// The version that was read of, once more.
async fn opened(
    estate: &Estate,
    reading: Option<Reading>,
) -> Result<Option<(Reading, Snapshot)>, EngineError> {
    let Some(reading) = reading else { return Ok(None) };
    let snapshot = estate.version(Some(AsOf::Version(reading.version))).await?;
    Ok(snapshot.map(|snapshot| (reading, snapshot)))
}

async fn gathered(snapshot: &mut Snapshot, filter: &GrantFilter) -> Result<Vec<Grant>, EngineError> {
    let mut found = Vec::new();
    let mut keep = |grant: &Grant| {
        found.push(grant.clone());
        Ok(())
    };
    // Keeping a line in memory does not fail.
    drop(grants(snapshot, filter, &mut keep).await?);
    Ok(found)
}

fn first<L>(
    lines: Vec<L>,
    what: &'static str,
    asked: SingleAsk<'_>,
    snapshot: &Snapshot,
) -> Result<L, EngineError> {
    let version = snapshot.sync().version.0;
    let none = || EngineError::NotFound { what, asked: asked.object.into(), version };
    lines.into_iter().next().ok_or_else(none)
}
