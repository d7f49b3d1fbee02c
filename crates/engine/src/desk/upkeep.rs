//! Looking after an installation from outside: whether it is fit, removing what is not to be kept, and a copy of it.
//!
//! What is looked at is for the room that knows the settings, and comes in through [`Doctor`]. Bringing a copy back is nobody's
//! to ask for from outside: it would replace the trail of what that very caller did.
//!
//! Invariant: whoever asks stands in the trail.

use std::borrow::Cow;
use std::fs::File;

use futures::future::BoxFuture;
use metsuke_clients::heroku::Heroku;
use metsuke_model::JobId;
use metsuke_model::audit::{Actor, EventCode};
use metsuke_store::{NewJob, Part};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::apart::apart;
use super::{Desk, JobLine, Placed};
use crate::EngineError;
use crate::backup::{self, Lock};
use crate::connectors::Installation;
use crate::retention::{Keep, PRUNE};

/// The key of removals that somebody asked for.
const ASKED: &str = "asked";

/// How one thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fitness {
    /// Fit.
    Ok,
    /// Fit, with something to know.
    Warn,
    /// Not fit.
    Fail,
}

impl Fitness {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Warn, Self::Fail];

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The connector's name, where it is about one.
    pub connector: Option<String>,
    /// What was looked at, in a word or two.
    #[serde(rename = "check")]
    pub name: Cow<'static, str>,
    /// How it was found.
    pub status: Fitness,
    /// A sentence on it.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A connector as it is looked at.
#[derive(Debug)]
pub struct Patient {
    /// What it is called.
    pub name: String,
    /// Where its Heroku is.
    pub host: String,
    /// The way to Heroku with its token; or why there is none.
    pub heroku: Result<Heroku, EngineError>,
}

/// Looks an installation over.
pub trait Doctor: Send + Sync + std::fmt::Debug {
    /// Looks at these connectors, at the database, and at what holds writes back.
    fn look<'a>(
        &'a self,
        installation: &'a Installation,
        patients: Vec<Patient>,
    ) -> BoxFuture<'a, Vec<Check>>;
}

/// A copy of an installation that can be carried off.
#[derive(Debug)]
pub struct Copied {
    /// The encrypted file, to be read from its beginning.
    pub file: File,
    /// What is in it, for whoever cannot open it: `made_at`, `schema`, `connectors`, `rows`, `bytes`.
    pub about: Value,
}

impl Desk {
    /// Looks at every live connector, or at one; at the database, and at what holds writes back.
    ///
    /// Takes up to six requests of each connector's budget, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said; what a look finds is a row of its own.
    pub async fn examine(&self, connector: Option<&str>) -> Result<Vec<Check>, EngineError> {
        let installation = self.installation();
        let chosen = match connector {
            Some(asked) => Some(installation.find(asked).await?),
            None => None,
        };
        let mut rows = installation.live().await?;
        rows.retain(|row| chosen.is_none_or(|chosen| row.id == chosen));
        let mut patients = Vec::new();
        for row in rows {
            let heroku = installation.heroku(row.id).await;
            let settings = match installation.connector(row.id).await {
                Ok(connector) => connector.settings,
                // It was removed meanwhile.
                Err(EngineError::NoConnector { .. }) => continue,
                Err(error) => return Err(error),
            };
            let host = Url::parse(&settings.api_url).ok();
            let host = host.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned();
            patients.push(Patient { name: row.name, host, heroku });
        }
        let doctor = self.doctor().ok_or_else(|| EngineError::field("doctor", "there is none here"))?;
        Ok(doctor.look(installation, patients).await)
    }

    /// Asks for the removal of what is not to be kept; where one is open that somebody asked for, that is the answer.
    ///
    /// # Errors
    ///
    /// [`EngineError::Fields`] where the settings say that everything is kept, and what the database said.
    pub async fn prune_now(&self, by: &Actor) -> Result<Placed<JobLine>, EngineError> {
        if self.keep() == Keep::default() {
            return Err(EngineError::field("retention", "the settings say that everything is kept"));
        }
        let installation = self.installation();
        let now = installation.now();
        let store = installation.main().clone().acting_as(by.clone());
        let job = NewJob {
            id: JobId::new(now, installation.chance()?),
            kind: PRUNE,
            dedup: Some(ASKED.to_owned()),
            document: json!({}),
            run_at: now,
            created_at: now,
        };
        let event = store.event(now, EventCode::HistoryPruneAsked).about("job", job.id);
        let (asked, _) = store.ask_job(&job, None, event).await?;
        installation.wake();
        self.job(None, asked).await
    }

    /// A copy of the whole installation in a file that belongs to nobody.
    ///
    /// # Errors
    ///
    /// As [`backup::make`]; [`EngineError::Scratch`] where there is no room for it.
    pub async fn copy(&self, by: &Actor, lock: Lock) -> Result<Copied, EngineError> {
        let installation = self.installation().clone();
        let store = installation.main().clone().acting_as(by.clone());
        apart(async move || {
            let scratch = |source| EngineError::Scratch { source };
            let folder = tempfile::tempdir().map_err(scratch)?;
            let place = folder.path().join("metsuke.age");
            let made = backup::make(&store, &place, lock, installation.clock()).await?;
            let head = &made.manifest.head;
            let connectors = made.manifest.parts().iter().filter(|part| **part != Part::Main).count();
            let about = json!({
                "made_at": head.made_at.to_string(),
                "schema": head.schema,
                "connectors": connectors,
                "rows": made.manifest.rows(),
                "bytes": made.bytes,
            });
            // The folder goes; what is open stays readable.
            Ok(Copied { file: File::open(&place).map_err(scratch)?, about })
        })
        .await
    }
}
