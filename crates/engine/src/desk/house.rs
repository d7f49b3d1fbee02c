//! Which estates and audit trails an installation has, and whose they are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use metsuke_clients::deliver::Outside;
use metsuke_model::ConnectorId;
use metsuke_model::approval::Demand;
use metsuke_store::{ConnectorStatus, Store};
use url::Url;

use super::directory::Directories;
use super::shelves::Shelves;
use super::{Doctor, Estate, Forms};
use crate::EngineError;
use crate::access::Layouts;
use crate::audit::KeyFile;
use crate::changes::Watch;
use crate::connectors::{Connector, Installation};
use crate::identity::{Caller, Operation};
use crate::retention::Keep;

/// All that an installation has, for whoever asks from outside.
#[derive(Clone, Debug)]
pub struct Desk {
    installation: Installation,
    kill_file: Option<PathBuf>,
    approval: Demand,
    outside: Option<Outside>,
    watch: Watch,
    audit_key: Option<KeyFile>,
    forms: Option<Arc<dyn Forms>>,
    doctor: Option<Arc<dyn Doctor>>,
    keep: Keep,
    jupiterone: Option<Url>,
    directories: Directories,
    pub(super) shelves: Shelves,
    pub(super) layouts: Layouts,
}

impl Desk {
    /// The desk of an installation.
    #[must_use]
    pub fn new(installation: Installation) -> Self {
        Self {
            installation,
            kill_file: None,
            approval: Demand::None,
            outside: None,
            watch: Watch::default(),
            audit_key: None,
            forms: None,
            doctor: None,
            keep: Keep::default(),
            jupiterone: None,
            directories: Directories::default(),
            shelves: Shelves::default(),
            layouts: Layouts::default(),
        }
    }

    /// The same with a file whose presence stops every write to Heroku.
    #[must_use]
    pub fn stopped_by(self, kill_file: Option<PathBuf>) -> Self {
        Self { kill_file, ..self }
    }

    /// The same where a second person has to approve such plans of an estate that no connector reads.
    #[must_use]
    pub fn asking_for_approval(self, approval: Demand) -> Self {
        Self { approval, ..self }
    }

    /// The same with a way out, by which channels are tried.
    #[must_use]
    pub fn sending(self, outside: Outside) -> Self {
        Self { outside: Some(outside), ..self }
    }

    /// The same, told of recorded changes by this watch as soon as there are any.
    #[must_use]
    pub fn watching(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    /// The same with a file for the key that signs audit trails.
    #[must_use]
    pub fn signing(self, audit_key: Option<KeyFile>) -> Self {
        Self { audit_key, ..self }
    }

    /// The same with forms of files that another room makes.
    #[must_use]
    pub fn writing(self, forms: Arc<dyn Forms>) -> Self {
        Self { forms: Some(forms), ..self }
    }

    /// The same with somebody who looks installations over.
    #[must_use]
    pub fn looked_over_by(self, doctor: Arc<dyn Doctor>) -> Self {
        Self { doctor: Some(doctor), ..self }
    }

    /// The same where so much is kept.
    #[must_use]
    pub fn keeping(self, keep: Keep) -> Self {
        Self { keep, ..self }
    }

    /// The same where versions go to the API at this address.
    #[must_use]
    pub fn uploading_to(self, jupiterone: Url) -> Self {
        Self { jupiterone: Some(jupiterone), ..self }
    }

    pub(super) fn forms(&self) -> Option<Arc<dyn Forms>> {
        self.forms.clone()
    }

    pub(super) fn doctor(&self) -> Option<Arc<dyn Doctor>> {
        self.doctor.clone()
    }

    pub(super) const fn keep(&self) -> Keep {
        self.keep
    }

    pub(super) fn jupiterone(&self) -> Option<Url> {
        self.jupiterone.clone()
    }

    pub(super) fn audit_key(&self) -> Option<KeyFile> {
        self.audit_key.clone()
    }

    pub(super) const fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(super) const fn outside(&self) -> Option<&Outside> {
        self.outside.as_ref()
    }

    /// The installation.
    #[must_use]
    pub const fn installation(&self) -> &Installation {
        &self.installation
    }

    pub(super) fn kill_file(&self) -> Option<PathBuf> {
        self.kill_file.clone()
    }

    /// What was synced into the main database by hand.
    pub(super) fn main_estate(&self) -> Estate {
        let store = self.installation.main().clone();
        let directories = self.directories.clone();
        Estate { connector: None, name: "main".into(), store, approval: self.approval, directories }
    }

    fn connector_estate(&self, connector: ConnectorId, name: impl Into<String>, store: Store) -> Estate {
        Estate {
            connector: Some(connector.to_string()),
            name: name.into(),
            store,
            approval: Demand::None,
            directories: self.directories.clone(),
        }
    }

    /// All estates that are in use, or the one of a connector, by name or id.
    ///
    /// What was synced into the main database by hand is one of them.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn estates(&self, connector: Option<&str>) -> Result<Vec<Estate>, EngineError> {
        if let Some(asked) = connector {
            let id = self.installation.find(asked).await?;
            let store = self.installation.estate(id).await?;
            return Ok(vec![self.connector_estate(id, asked, store)]);
        }
        let mut estates = Vec::new();
        let main = self.installation.main();
        if main.snapshot(None).await?.is_some() {
            estates.push(self.main_estate());
        }
        for row in self.installation.live().await? {
            match self.installation.estate(row.id).await {
                Ok(store) => {
                    estates.push(self.connector_estate(row.id, row.name, store));
                }
                // Somebody has removed it meanwhile.
                Err(EngineError::NoConnector { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(estates)
    }

    /// The one estate that is meant.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates); [`EngineError::Fields`] where there are several and none is named,
    /// [`EngineError::NoVersion`] where there is none.
    pub async fn estate(&self, connector: Option<&str>) -> Result<Estate, EngineError> {
        let mut estates = self.estates(connector).await?;
        if estates.len() > 1 {
            let names: Vec<String> = estates.iter().map(|estate| estate.name.clone()).collect();
            return Err(EngineError::field("connector", format!("name one of: {}", names.join(", "))));
        }
        estates.pop().ok_or(EngineError::NoVersion)
    }

    /// The audit trails: of the installation, and of every connector that there is or was; or that of one connector.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the databases said.
    pub async fn trails(&self, connector: Option<&str>) -> Result<Vec<Estate>, EngineError> {
        let trail = async |id: ConnectorId, name: String| -> Result<Estate, EngineError> {
            let store = self.installation.trail(id).await?;
            Ok(self.connector_estate(id, name, store))
        };
        if let Some(asked) = connector {
            let id = match asked.parse::<ConnectorId>() {
                Ok(id) => id,
                Err(_) => self.installation.find(asked).await?,
            };
            return Ok(vec![trail(id, asked.to_owned()).await?]);
        }
        let mut trails = vec![self.main_estate()];
        for row in self.installation.main().connectors().await? {
            if row.status != ConnectorStatus::Making {
                trails.push(trail(row.id, row.name).await?);
            }
        }
        Ok(trails)
    }

    /// Whether what an operation is about may belong to a caller, as far as the path tells.
    ///
    /// Of an app, which no path names, whoever does the operation finds out more.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn owns(
        &self,
        caller: &Caller,
        operation: Operation,
        path: &BTreeMap<String, String>,
    ) -> Result<bool, EngineError> {
        if caller.person.is_none() {
            return Ok(false);
        }
        if operation == Operation::CreatePlan {
            return Ok(true);
        }
        let Some(id) = path.get("id").and_then(|id| id.parse::<ConnectorId>().ok()) else { return Ok(false) };
        match self.installation.connector(id).await {
            Ok(connector) => Ok(belongs(&connector, caller)),
            Err(EngineError::NoConnector { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether requests can be answered.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn ready(&self) -> Result<(), EngineError> {
        drop(self.installation.main().snapshot(None).await?);
        Ok(())
    }
}

/// Whether somebody answers for a connector.
fn belongs(connector: &Connector, caller: &Caller) -> bool {
    let settings = &connector.settings;
    caller.is_one_of(std::iter::once(&settings.owner).chain(&settings.co_owners).map(String::as_str))
}
