//! What a connector of an identity-governance platform needs: an account's estate, synced, shown and changed.
//!
//! It knows no file format and no protocol of such platforms; the door that speaks them imports nothing below the
//! engine. What is shown stands in [`View`]; what changes goes through [`provision`].
//!
//! Invariant: nothing is called granted or revoked that was not read back, and nothing is shown that no version holds.

mod change;
mod derived;
mod events;
mod load;
mod open;
mod view;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use metsuke_clients::ErrorKind as ClientKind;
use metsuke_clients::heroku::Heroku;
use metsuke_model::record::{App, EnterpriseAccount, Team, User};
use metsuke_model::{AsOf, Clock, HerokuId, Moment, ResourceRef, ResourceType};
use metsuke_store::{AccessSelect, Select, Snapshot, Store};
use tokio_util::sync::CancellationToken;

pub use change::{Granted, Revoked};
pub use derived::{Because, Edge, Given, Source};
pub use events::{Event, EventPage, Feed, Happened, Held, Someone};
pub use open::Opening;
pub use view::{At, View, ViewSync, document};

use crate::access::provision;
pub use crate::sync::Target;
use crate::sync::{self, SyncSummary};
use crate::{EngineError, Progress};

/// How a connector syncs and changes, and what time it is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What a sync leaves out.
    pub sync: sync::Settings,
    /// What holds grants and revokes back.
    pub provision: provision::Settings,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// An account's estate, ready to be synced, shown and changed.
#[derive(Debug)]
pub struct Connector {
    store: Store,
    heroku: Heroku,
    settings: Settings,
    trail: events::Trail,
    /// One change at a time, and one sync at a time.
    turn: tokio::sync::Mutex<()>,
    syncing: tokio::sync::Mutex<()>,
    /// What was changed since the last sync began.
    touched: Mutex<BTreeSet<Target>>,
}

/// Whose token it is, as far as the token may know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Heroku's id of the user; none for a token whose scope does not cover it.
    pub id: Option<HerokuId>,
    /// The address.
    pub email: Option<Box<str>>,
    /// The name.
    pub name: Option<Box<str>>,
    /// The scopes of the token; empty where Heroku did not tell.
    pub scopes: Vec<String>,
}

/// The account's pool of requests, as Heroku last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The size of the pool.
    pub limit: u32,
    /// What is left of it; none before Heroku's first answer.
    pub remaining: Option<u32>,
    /// When it is full again, if nobody asks for anything.
    pub full_at: Moment,
}

impl Connector {
    /// A connector of one account and its database; nothing is sent.
    #[must_use]
    pub fn new(store: Store, heroku: Heroku, settings: Settings) -> Self {
        Self {
            store,
            heroku,
            settings,
            trail: events::Trail::default(),
            turn: tokio::sync::Mutex::default(),
            syncing: tokio::sync::Mutex::default(),
            touched: Mutex::default(),
        }
    }

    /// Whether Heroku knows the token, and whose it is.
    ///
    /// # Errors
    ///
    /// [`EngineError::WrongToken`] where Heroku does not know it, [`EngineError::Upstream`] where it cannot be asked.
    pub async fn validate(&self) -> Result<Account, EngineError> {
        let answer = self.heroku.account().await;
        let scopes = self.heroku.scopes().unwrap_or_default();
        match answer {
            Ok(account) => Ok(Account {
                id: Some(HerokuId::new(&account.id)),
                email: account.email.map(Into::into),
                name: account.name.map(Into::into),
                scopes,
            }),
            // The token is good, and its scope does not cover the account.
            Err(error) if matches!(error.kind(), ClientKind::Forbidden { .. }) => {
                Ok(Account { scopes, ..Account::default() })
            }
            Err(source) if source.kind() == ClientKind::Unauthorized => {
                Err(EngineError::WrongToken { source })
            }
            Err(source) => Err(EngineError::Upstream { source }),
        }
    }

    /// Reads everything that the token can see, as the next version. One that would take away too much is kept apart
    /// and named in the summary's `quarantine`; the last version stays.
    ///
    /// One sync runs at a time. What this connector changed meanwhile may have been read before the change, so it is read
    /// once more: the newest version has it, and may be a later one than the summary's.
    ///
    /// # Errors
    ///
    /// What kept a version from being made: a wrong token, nothing readable, a stop asked for, a database that fails.
    pub async fn sync(
        &self,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<SyncSummary, EngineError> {
        let Settings { sync, clock, .. } = &self.settings;
        let _syncing = self.syncing.lock().await;
        self.take_touched();
        let done = sync::run(&self.heroku, &self.store, sync, &**clock, progress, cancel).await;
        let summary = done.map_err(|failure| failure.error)?;
        let _turn = self.turn.lock().await;
        for target in self.take_touched() {
            sync::refresh(&self.heroku, &self.store, &target, &**clock).await?;
        }
        Ok(summary)
    }

    /// Remembers what was changed, for a sync that is under way.
    fn touch(&self, resource: &ResourceRef) {
        let id = resource.id.clone();
        let target = match resource.resource_type {
            ResourceType::Team => Target::Team(id),
            ResourceType::EnterpriseAccount => Target::EnterpriseAccount(id),
            ResourceType::App => Target::App(id),
            ResourceType::Space => return,
        };
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).insert(target);
    }

    fn take_touched(&self) -> BTreeSet<Target> {
        std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The newest version, or the one asked for; none where nothing was ever read.
    ///
    /// # Errors
    ///
    /// What the database said, a version that it does not hold included.
    pub async fn view(&self, as_of: Option<AsOf>) -> Result<Option<View>, EngineError> {
        match self.store.snapshot(as_of).await? {
            Some(mut snapshot) => View::read(&mut snapshot).await.map(Some),
            None => Ok(None),
        }
    }

    /// Which version a [`view`](Self::view) would show, without reading it.
    ///
    /// # Errors
    ///
    /// As [`view`](Self::view).
    pub async fn version(&self, as_of: Option<AsOf>) -> Result<Option<ViewSync>, EngineError> {
        match self.store.snapshot(as_of).await? {
            Some(mut snapshot) => load::view_sync(&mut snapshot).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads one object from Heroku with everybody's direct access to it, as the next version, and shows it with what
    /// belongs to it. None where Heroku shows no such object; the last version stays as it was then.
    ///
    /// Heroku lets nobody read other people one by one: of them, the first team, Enterprise account or app is read in
    /// which they hold something; none for somebody who is in no version.
    ///
    /// # Errors
    ///
    /// [`EngineError::Upstream`] where something could not be read, [`EngineError::Refused`] where so much would go that a
    /// person has to look at it, and what the database said.
    pub async fn refresh(&self, target: &Target) -> Result<Option<View>, EngineError> {
        if !self.read_afresh(target).await? {
            return Ok(None);
        }
        match self.store.snapshot(None).await? {
            Some(mut snapshot) => View::read_one(&mut snapshot, target).await,
            None => Ok(None),
        }
    }

    /// The account's pool of requests.
    #[must_use]
    pub fn rate(&self) -> Rate {
        let budget = self.heroku.budget();
        let micros = i64::try_from(budget.full_in().as_micros()).unwrap_or(i64::MAX);
        Rate {
            limit: budget.size(),
            remaining: budget.remaining(),
            full_at: Moment(self.settings.clock.now().0.saturating_add(micros)),
        }
    }

    /// Whether grants and revokes are allowed at all.
    #[must_use]
    pub const fn allows_writes(&self) -> bool {
        self.settings.provision.allow_writes
    }

    /// Makes the object part of a new version; false where Heroku, or for other people every version, has none.
    async fn read_afresh(&self, target: &Target) -> Result<bool, EngineError> {
        let clock = &*self.settings.clock;
        let mut asked = target.clone();
        if let Target::User(id) = target {
            let account = self.validate().await?;
            if account.id.as_ref() != Some(id) {
                match self.where_held(id).await? {
                    None => return Ok(false),
                    // Somebody who holds nothing is as the last sync saw them.
                    Some(None) => return Ok(true),
                    Some(Some(held)) => asked = held,
                }
            }
        }
        Ok(sync::refresh(&self.heroku, &self.store, &asked, clock).await?.is_some() || asked != *target)
    }

    /// The first team, Enterprise account or app in which a person holds something; none for an unknown person.
    async fn where_held(&self, id: &HerokuId) -> Result<Option<Option<Target>>, EngineError> {
        let Some(mut snapshot) = self.store.snapshot(None).await? else { return Ok(None) };
        let found = snapshot.objects::<User>(&Select::Id(id.clone())).await?;
        let Some(user) = found.first().map(|stored| stored.dense) else { return Ok(None) };
        let held = snapshot.access(&AccessSelect::Of(vec![user])).await?;
        let held = Select::Dense(held.into_iter().map(|entry| entry.resource).collect());
        Ok(Some(first_of(&mut snapshot, &held).await?))
    }
}

async fn first_of(snapshot: &mut Snapshot, held: &Select) -> Result<Option<Target>, EngineError> {
    let teams = snapshot.objects::<Team>(held).await?;
    if let Some(id) = teams.into_iter().map(|stored| stored.record.id).min() {
        return Ok(Some(Target::Team(id)));
    }
    let accounts = snapshot.objects::<EnterpriseAccount>(held).await?;
    if let Some(id) = accounts.into_iter().map(|stored| stored.record.id).min() {
        return Ok(Some(Target::EnterpriseAccount(id)));
    }
    let apps = snapshot.objects::<App>(held).await?;
    Ok(apps.into_iter().map(|stored| stored.record.id).min().map(Target::App))
}
