//! The estate behind the token: the way to Heroku, and the database that readings are kept in.
//!
//! What is read and changed is the engine's.
//!
//! Invariant: a database that nobody named is a private folder of its own, and goes with the process.

use std::path::Path;
use std::sync::Arc;

use metsuke_baton::service;
use metsuke_clients::heroku::Heroku;
use metsuke_engine::connector::{self, Connector};
use metsuke_engine::sync;
use metsuke_model::{Clock, SystemClock};
use metsuke_store::{Brake, OpenMode, Store};
use tempfile::TempDir;

use crate::failure::{Code, Failure};
use crate::settings::Settings;

/// An estate that can be read and changed.
#[derive(Debug)]
pub(crate) struct Estate {
    /// Reads and changes.
    pub(crate) connector: Arc<Connector>,
    /// Tells the time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where the database and other files of this run are, until it ends.
    folder: TempDir,
}

impl Estate {
    /// Opens it; nothing is sent.
    ///
    /// # Errors
    ///
    /// What is wrong with the settings, the directory for temporary files or the database.
    pub(crate) async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let heroku = Heroku::new(settings.heroku.clone())?;
        let folder = folder(settings.temporary.as_deref())?;
        let url = match &settings.database {
            Some(url) => url.clone(),
            None => format!("sqlite:{}", folder.path().join("estate.db").display()),
        };
        let store = Store::open(&url, OpenMode::Create).await?;
        // Nobody could accept a quarantined sync of a database that goes with the process.
        let store = match settings.database {
            Some(_) => store,
            None => store.braked(Brake { percent: 100, least_grants: u64::MAX }),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let connector = Connector::new(
            store,
            heroku,
            connector::Settings {
                // Only users, teams, Enterprise accounts and apps are shown, and what access to them there is.
                sync: sync::Settings { skip: [sync::Skip::AddOns, sync::Skip::Pipelines].into() },
                provision: settings.provision.clone(),
                clock: Arc::clone(&clock),
            },
        );
        Ok(Self { connector: Arc::new(connector), clock, folder })
    }

    /// The folder for files of this run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The same as answers to the messages of the contract.
    pub(crate) fn service(&self, settings: &Settings) -> service::Connector {
        let options = service::Options {
            provisioning: settings.provision.allow_writes,
            shape: settings.shape,
            ..service::Options::default()
        };
        service::Connector::new(Arc::clone(&self.connector), Arc::clone(&self.clock), options)
    }
}

/// A folder that its owner alone may read.
fn folder(parent: Option<&Path>) -> Result<TempDir, Failure> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("baton-heroku-");
    let made = match parent {
        Some(parent) => builder.tempdir_in(parent),
        None => builder.tempdir(),
    };
    made.map_err(|error| {
        Failure::new(Code::Internal, format!("no temporary folder can be made: {error}"))
            .hint("name one that can be written to with --c1z-temp-dir or BATON_TMPDIR")
    })
}
