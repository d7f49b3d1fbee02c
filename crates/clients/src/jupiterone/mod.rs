//! JupiterOne's synchronization API: a job is started, filled with entities and relationships, and finalized.
//!
//! It knows how objects travel, not what they say: they are JSON objects, made by the engine.
//!
//! Invariant: the key travels encrypted or not beyond this machine, and stands in no error and no log line.

mod batch;
mod job;
mod send;
mod shrink;

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value, json};
use url::Url;

pub use self::batch::{Batch, MOST_BYTES, MOST_OBJECTS, Packer, Part};
pub use self::job::{Counted, Job, JobStatus};
use self::send::Sender;
use crate::error::ClientError;

/// The most batches that are uploaded at one moment.
///
/// Source: the upload of JupiterOne's integration SDK.
pub const CONCURRENT_UPLOADS: usize = 6;

/// Where the API is for accounts in the United States.
pub const DEFAULT_URL: &str = "https://api.us.jupiterone.io";

/// How to reach JupiterOne.
#[derive(Clone)]
pub struct Settings {
    /// Where the API is; plain http is for a server on this machine only.
    pub base_url: Url,
    /// The API key, sent as bearer.
    pub api_key: SecretString,
    /// The account's id.
    pub account: String,
    /// What to call ourselves.
    pub user_agent: String,
    /// The limit of one request, from sending it to the last byte of the answer.
    pub request_timeout: Duration,
    /// The limit of connecting, and of the silence within an answer.
    pub idle_timeout: Duration,
    /// How often one request is sent before its error is final.
    pub attempts: u32,
    /// The wait before the second attempt; each further one is a twentieth longer.
    pub first_delay: Duration,
}

impl Settings {
    /// Settings with the defaults of JupiterOne's own client: five attempts, 200 ms apart.
    #[must_use]
    pub fn new(base_url: Url, api_key: SecretString, account: String) -> Self {
        Self {
            base_url,
            api_key,
            account,
            user_agent: concat!("metsuke/", env!("CARGO_PKG_VERSION")).to_owned(),
            request_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_secs(30),
            attempts: 5,
            first_delay: Duration::from_millis(200),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Host and port only: an address that was not checked yet could hold a password.
        f.debug_struct("Settings")
            .field("scheme", &self.base_url.scheme())
            .field("host", &self.base_url.host_str())
            .field("port", &self.base_url.port())
            .field("api_key", &self.api_key)
            .finish_non_exhaustive()
    }
}

/// Whose objects a job brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Those of an integration instance, by its id.
    Instance(String),
    /// Those of a scope of this name, which belongs to no integration.
    Scope(String),
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Objects that arrived.
    pub objects: u64,
    /// Objects whose raw data was shortened or left out, because the batch was too large.
    pub shortened: u64,
    /// Keys of objects that are too large even alone, and did not go.
    pub skipped: Vec<String>,
}

/// The way to JupiterOne.
#[derive(Debug)]
pub struct JupiterOne {
    sender: Sender,
}

impl JupiterOne {
    /// A client with these settings; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] names the first setting that cannot work; never the key.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        Ok(Self { sender: Sender::new(settings)? })
    }

    /// Starts a job whose objects replace those that this origin had before.
    ///
    /// # Errors
    ///
    /// What kept it from being started.
    pub async fn start(&self, origin: &Origin) -> Result<Job, ClientError> {
        let body = match origin {
            Origin::Instance(id) => json!({ "source": "integration-managed", "integrationInstanceId": id }),
            Origin::Scope(scope) => json!({ "source": "api", "scope": scope }),
        };
        self.sender.job("POST", "/persister/synchronization/jobs", Some(&body)).await
    }

    /// Uploads a batch; one that is too large is made smaller by shortening what is raw in it, then by cutting it in two.
    ///
    /// `correlation` names the batch, so that one that arrives twice counts once.
    ///
    /// # Errors
    ///
    /// What kept it from arriving.
    pub async fn upload(&self, job: &Job, batch: Batch, correlation: &str) -> Result<Delivered, ClientError> {
        let path = format!("{}/{}", path(job), batch.part.as_str());
        let mut delivered = Delivered::default();
        let mut waiting = vec![(batch.objects, correlation.to_owned(), shrink::Effort::default())];
        while let Some((mut objects, correlation, mut effort)) = waiting.pop() {
            let Err(error) = self.sender.objects(&path, batch.part, &objects, &correlation).await else {
                delivered.objects += objects.len() as u64;
                delivered.shortened += effort.shortened();
                continue;
            };
            if !send::is_too_large(&error) {
                return Err(error);
            }
            if effort.shrink(&mut objects) {
                waiting.push((objects, correlation, effort));
            } else if objects.len() > 1 {
                let second = objects.split_off(objects.len() / 2);
                waiting.push((second, format!("{correlation}-2"), shrink::Effort::spent(effort.shortened())));
                waiting.push((objects, format!("{correlation}-1"), shrink::Effort::spent(0)));
            } else {
                delivered.skipped.extend(objects.iter().map(key));
            }
        }
        Ok(delivered)
    }

    /// Tells of something that happened; it shows in the log of the integration's job.
    ///
    /// # Errors
    ///
    /// What kept it from being told.
    pub async fn event(&self, job: &Job, name: &str, description: &str) -> Result<(), ClientError> {
        let body = json!({ "events": [{ "name": name, "description": description }] });
        self.sender.post(&format!("{}/events", path(job)), &body).await
    }

    /// Ends the uploads: what was not uploaded is deleted, but for objects of the types that are `partial`.
    ///
    /// # Errors
    ///
    /// What kept it from being finalized.
    pub async fn finalize(&self, job: &Job, partial: &[&str]) -> Result<Job, ClientError> {
        let body = json!({ "partialDatasets": { "types": partial } });
        match self.sender.job("POST", &format!("{}/finalize", path(job)), Some(&body)).await {
            // An answer may have been lost on the way, and the job gone on.
            Err(error) if send::code(&error) == Some("JOB_NOT_AWAITING_UPLOADS") => {
                let job = self.job(job).await?;
                if job.status.goes_on() || job.status == JobStatus::Finished { Ok(job) } else { Err(error) }
            }
            other => other,
        }
    }

    /// Gives the job up; nothing that it brought is kept.
    ///
    /// # Errors
    ///
    /// What kept it from being given up.
    pub async fn abort(&self, job: &Job, reason: &str) -> Result<Job, ClientError> {
        self.sender.job("POST", &format!("{}/abort", path(job)), Some(&json!({ "reason": reason }))).await
    }

    /// How far a job is.
    ///
    /// # Errors
    ///
    /// What kept it from being read.
    pub async fn job(&self, job: &Job) -> Result<Job, ClientError> {
        self.sender.job("GET", &path(job), None).await
    }
}

fn path(job: &Job) -> String {
    format!(
        "/persister/synchronization/jobs/{}",
        percent_encoding::utf8_percent_encode(&job.id, percent_encoding::NON_ALPHANUMERIC)
    )
    .replace("%2D", "-")
}

fn key(object: &Map<String, Value>) -> String {
    object.get("_key").and_then(Value::as_str).unwrap_or_default().to_owned()
}
