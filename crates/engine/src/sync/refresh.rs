//! Reads one object afresh, with everybody's direct access to it, and commits that as the next version.
//!
//! What the rows mean is decided as in a whole sync; what of the estate is not asked for stays as it is.
//!
//! Invariant: the version is written only where everything about the object was read to its end.

use std::time::Instant;

use metsuke_clients::heroku::{Heroku, Item, item, wire};
use metsuke_clients::{ClientError, ErrorKind};
use metsuke_model::record::Team;
use metsuke_model::{Clock, HerokuId, Outcome, ScopeReport, SyncReport, SyncStatus, Version};
use metsuke_store::{Select, Store};
use serde::de::DeserializeOwned;

use super::collect::Gather;
use super::listing::{Listing, Reading, Rows};
use super::plan::Outcomes;
use super::{Settings, outcome};
use crate::EngineError;

/// One object that can be read afresh.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A person.
    User(HerokuId),
    /// A team.
    Team(HerokuId),
    /// An Enterprise account.
    EnterpriseAccount(HerokuId),
    /// An app.
    App(HerokuId),
}

/// Reads the object and commits it; none where Heroku shows none, and the last version stays as it was.
///
/// Of people, only the account of the token can be read so.
///
/// # Errors
///
/// [`EngineError::Upstream`] where something could not be read, [`EngineError::Refused`] where so much would go that a
/// person has to look at it, and what the database said. Nothing is current then that was not before.
pub async fn refresh(
    heroku: &Heroku,
    store: &Store,
    target: &Target,
    clock: &dyn Clock,
) -> Result<Option<Version>, EngineError> {
    let started_at = clock.now();
    let before = heroku.usage().requests;
    let mut afresh =
        Afresh { heroku, gather: Gather::default(), outcomes: Outcomes::new(), scopes: Vec::new() };
    let there = match target {
        Target::User(id) => afresh.user(id).await?,
        Target::Team(id) => afresh.team(&id.to_string(), true).await?,
        Target::EnterpriseAccount(id) => afresh.enterprise_account(id).await?,
        Target::App(id) => afresh.app(store, id).await?,
    };
    if !there {
        return Ok(None);
    }
    let Afresh { gather, outcomes, scopes, .. } = afresh;
    let (status, scopes) = standing(store, scopes).await?;
    let report = SyncReport {
        status,
        started_at,
        finished_at: clock.now(),
        requests: heroku.usage().requests.saturating_sub(before),
        waited_ms: 0,
        error: None,
        scopes,
    };
    // Nobody is called gone for not being named here.
    let gaps = true;
    let reading =
        outcome::conclude(gather, &outcomes, &std::collections::HashMap::new(), &Settings::default(), gaps);
    let committed = store.commit(reading.estate, &reading.coverage, &report, clock).await?;
    if !committed.quarantine.is_empty() {
        return Err(EngineError::Refused {
            reason: format!("what was read would take away too much: {}", committed.quarantine.join("; ")),
            hint: Some("`metsuke syncs` shows it, and `metsuke syncs accept` makes it current".into()),
        });
    }
    crate::people::renew(store).await;
    Ok(Some(committed.version))
}

/// How the next version stands: what the last one lacks it lacks as well, except what was read now.
async fn standing(
    store: &Store,
    read: Vec<ScopeReport>,
) -> Result<(SyncStatus, Vec<ScopeReport>), EngineError> {
    let mut gaps = match store.snapshot(None).await? {
        Some(mut snapshot) => snapshot.scopes().await?,
        None => vec![everything_else()],
    };
    gaps.retain(|gap| gap.gap && read.iter().all(|scope| scope.scope != gap.scope));
    let status = if gaps.is_empty() { SyncStatus::Complete } else { SyncStatus::Partial };
    gaps.extend(read);
    Ok((status, gaps))
}

/// The gap of a database into which nothing was synced before.
fn everything_else() -> ScopeReport {
    ScopeReport {
        scope: "everything else".into(),
        outcome: Outcome::Skipped,
        reason: Some("only single objects were read so far".into()),
        gap: true,
        pages: 0,
        rows: 0,
        calls: 0,
        duration_ms: 0,
    }
}

/// What was read so far.
struct Afresh<'a> {
    heroku: &'a Heroku,
    gather: Gather,
    outcomes: Outcomes,
    scopes: Vec<ScopeReport>,
}

impl Afresh<'_> {
    async fn user(&mut self, id: &HerokuId) -> Result<bool, EngineError> {
        let Some(account) = self.one(&item::account()).await? else { return Ok(false) };
        let own = HerokuId::new(&account.id) == *id;
        if own {
            self.gather.take_account(&account);
        }
        Ok(own)
    }

    /// A team; `whole` also reads its people.
    async fn team(&mut self, team: &str, whole: bool) -> Result<bool, EngineError> {
        let Some(row) = self.one(&item::team(team)).await? else { return Ok(false) };
        let follow = self.gather.take(&Listing::Teams, Rows::Teams(vec![row]));
        for listing in follow.into_iter().filter(|_| whole) {
            match listing {
                Listing::TeamMembers(_) => self.list(listing).await?,
                Listing::TeamInvitations(_) => self.list_if_allowed(listing).await?,
                _ => {}
            }
        }
        Ok(true)
    }

    async fn enterprise_account(&mut self, id: &HerokuId) -> Result<bool, EngineError> {
        let found = self.one(&item::enterprise_account(&id.to_string())).await?;
        let Some(row) = found else { return Ok(false) };
        let follow = self.gather.take(&Listing::EnterpriseAccounts, Rows::EnterpriseAccounts(vec![row]));
        for listing in follow {
            if matches!(listing, Listing::EnterpriseMembers(_)) {
                self.list(listing).await?;
            }
        }
        Ok(true)
    }

    async fn app(&mut self, store: &Store, id: &HerokuId) -> Result<bool, EngineError> {
        let Some(row) = self.one(&item::app(&id.to_string())).await? else { return Ok(false) };
        if let Some(team) = unknown_team(store, &row).await? {
            match self.team(&team, false).await {
                Ok(_) => {}
                // The app is seen by somebody who does not see its team.
                Err(error) if error.kind() == crate::ErrorKind::Forbidden => {}
                Err(error) => return Err(error),
            }
        }
        self.gather.take(&Listing::Apps, Rows::Apps(vec![row]));
        self.list(Listing::Collaborators(id.clone())).await?;
        Ok(true)
    }

    /// A single resource; none where Heroku answers 404.
    async fn one<T: DeserializeOwned>(&self, item: &Item<T>) -> Result<Option<T>, EngineError> {
        match self.heroku.one(item).await {
            Ok(row) => Ok(Some(row)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Reads a listing to its end.
    async fn list(&mut self, listing: Listing) -> Result<(), EngineError> {
        self.pages(listing).await.map_err(failed)
    }

    /// Heroku: teams without invitations have no such list.
    async fn list_if_allowed(&mut self, listing: Listing) -> Result<(), EngineError> {
        match self.pages(listing).await {
            Err(error) if matches!(error.kind(), ErrorKind::Forbidden { .. } | ErrorKind::NotFound) => Ok(()),
            outcome => outcome.map_err(failed),
        }
    }

    async fn pages(&mut self, listing: Listing) -> Result<(), ClientError> {
        let begun = Instant::now();
        let parent = self.gather.name_of(&listing);
        let mut reading = Reading::new(self.heroku, listing, parent);
        loop {
            let (rows, last) = reading.page().await?;
            self.gather.take(&reading.listing, rows);
            if last {
                break;
            }
        }
        let (pages, rows, calls) = reading.figures();
        self.scopes.push(ScopeReport {
            scope: reading.label().into(),
            outcome: Outcome::Complete,
            reason: None,
            gap: false,
            pages,
            rows,
            calls,
            duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        self.outcomes.insert(reading.listing, Outcome::Complete);
        Ok(())
    }
}

/// The id or name of the app's team where no version has it listed: without its kind, nothing can be derived.
async fn unknown_team(store: &Store, row: &wire::App) -> Result<Option<String>, EngineError> {
    let Some(team) = &row.team else { return Ok(None) };
    let Some(name) = team.id.as_deref().or(team.name.as_deref()) else { return Ok(None) };
    let Some(mut snapshot) = store.snapshot(None).await? else { return Ok(Some(name.into())) };
    let select = if team.id.is_some() { Select::Id(HerokuId::new(name)) } else { Select::Named(name.into()) };
    let known = snapshot.objects::<Team>(&select).await?;
    // A team that is named by its name only has to be read for its id.
    let told = team.id.is_some() && known.iter().any(|stored| stored.record.listed == Some(true));
    Ok((!told).then(|| name.into()))
}

fn failed(source: ClientError) -> EngineError {
    match source.kind() {
        ErrorKind::Unauthorized => EngineError::WrongToken { source },
        _ => EngineError::Upstream { source },
    }
}
