//! Uploads a version to JupiterOne: one job, from start to finalize, or given up.
//!
//! Invariant: a job that did not take everything is aborted and never finalized.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use metsuke_clients::ClientError;
use metsuke_clients::jupiterone::{
    Batch, CONCURRENT_UPLOADS, Counted, Delivered, Job, JobStatus, JupiterOne, Origin, Packer, Part,
};
use serde_json::{Map, Value as Json};
use tokio_util::sync::CancellationToken;

use super::folder::uuid;
use super::objects::Source;
use super::partial::Partial;
use super::steps::{Made, steps};
use super::{Estate, Options};
use crate::{EngineError, Progress, ProgressState};

/// The longest text that a property may hold there, in characters.
const LONGEST_TEXT: usize = 4_096;

/// The first wait between two looks at a job that is being finalized; each further one is twice as long.
const FIRST_LOOK: Duration = Duration::from_millis(20);
/// The longest wait between two looks.
const LONGEST_LOOK: Duration = Duration::from_secs(5);
/// So many looks are taken: about ten minutes of them. JupiterOne goes on without us.
const MOST_LOOKS: u32 = 128;

/// What an upload did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// The job's id.
    pub job: String,
    /// How far the job was when it was last looked at.
    pub status: JobStatus,
    /// What JupiterOne made of it.
    pub counted: Counted,
    /// Entities that were sent.
    pub entities: u64,
    /// Relationships that were sent.
    pub relationships: u64,
    /// Objects whose raw data was shortened because a batch was too large.
    pub shortened: u64,
    /// Keys of objects that are too large even alone, and were not sent.
    pub skipped: Vec<String>,
    /// Types of which something could not be read.
    pub partial: Vec<&'static str>,
}

/// Uploads an estate and waits until JupiterOne has taken it.
///
/// # Errors
///
/// [`EngineError::JupiterOne`] where JupiterOne did not take it, [`EngineError::Cancelled`] where somebody asked to stop
/// before the end; the job is aborted then. And what the database said.
pub async fn upload(
    jupiterone: &JupiterOne,
    origin: &Origin,
    estate: &mut Estate,
    options: &Options,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Uploaded, EngineError> {
    let refused = |source| EngineError::JupiterOne { source };
    let job = jupiterone.start(origin).await.map_err(refused)?;
    let mut run = Run { jupiterone, job: &job, progress, sent: Sent::default() };
    let partial = Partial::of(&estate.scopes, options);
    let filled = cancel.run_until_cancelled(run.fill(estate, options)).await;
    let types = partial.types(&steps(options));
    let ended = match filled.unwrap_or(Err(EngineError::Cancelled)) {
        Ok(()) => jupiterone.finalize(&job, &types).await.map_err(refused),
        Err(error) => Err(error),
    };
    let mut state = match ended {
        Ok(state) => state,
        Err(error) => {
            if let Err(source) = jupiterone.abort(&job, &error.to_string()).await {
                tracing::warn!(job.id = job.id, "the job {} could not be aborted: {source}", job.id);
            }
            return Err(error);
        }
    };
    let mut wait = FIRST_LOOK;
    for _ in 0..MOST_LOOKS {
        if !state.status.goes_on() {
            break;
        }
        state = jupiterone.job(&job).await.map_err(refused)?;
        if state.status.goes_on() && cancel.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            break;
        }
        wait = (wait * 2).min(LONGEST_LOOK);
    }
    let Sent { entities, relationships, shortened, skipped, .. } = run.sent;
    let (status, counted) = (state.status, state.counted);
    Ok(Uploaded { job: job.id, status, counted, entities, relationships, shortened, skipped, partial: types })
}

#[derive(Debug, Default)]
struct Sent {
    entities: u64,
    relationships: u64,
    shortened: u64,
    skipped: Vec<String>,
    batches: u64,
}

struct Run<'a> {
    jupiterone: &'a JupiterOne,
    job: &'a Job,
    progress: &'a dyn Progress,
    sent: Sent,
}

impl Run<'_> {
    /// Sends all objects, up to so many batches at a time.
    async fn fill(&mut self, estate: &mut Estate, options: &Options) -> Result<(), EngineError> {
        self.tell("sync_upload_start", "The upload of the estate begins.").await;
        let steps = steps(options);
        let mut source = Source::new(estate, options).await?;
        for (place, (step, made)) in steps.iter().enumerate() {
            let part = match made {
                Made::Entities(_) => Part::Entities,
                Made::Relationships(_) => Part::Relationships,
            };
            let mut objects = source.objects(*made).await?;
            let mut packer = Packer::new(part);
            let mut in_flight = FuturesUnordered::new();
            loop {
                while in_flight.len() < CONCURRENT_UPLOADS {
                    let Some(batch) = next(&mut packer, &mut objects) else { break };
                    self.sent.batches += 1;
                    let correlation = uuid(&format!("{}/{}", self.job.id, self.sent.batches));
                    in_flight.push(send(self.jupiterone, self.job, batch, correlation));
                }
                let Some(delivered) = in_flight.next().await else { break };
                self.count(part, delivered.map_err(|source| EngineError::JupiterOne { source })?);
                self.progress.update(&ProgressState {
                    doing: format!("uploading {}", step.makes),
                    done: place as u64,
                    known: steps.len() as u64,
                    rows: self.sent.entities + self.sent.relationships,
                    calls: self.sent.batches,
                    ..ProgressState::default()
                });
            }
        }
        let Sent { entities, relationships, .. } = self.sent;
        let told = format!("{entities} entities and {relationships} relationships were uploaded.");
        self.tell("sync_upload_end", &told).await;
        Ok(())
    }

    fn count(&mut self, part: Part, delivered: Delivered) {
        match part {
            Part::Entities => self.sent.entities += delivered.objects,
            Part::Relationships => self.sent.relationships += delivered.objects,
        }
        self.sent.shortened += delivered.shortened;
        self.sent.skipped.extend(delivered.skipped);
    }

    /// Tells of something in the log of the integration's job; what cannot be told is no reason to stop.
    async fn tell(&self, name: &str, description: &str) {
        if self.job.integration_job_id.is_none() {
            return;
        }
        if let Err(error) = self.jupiterone.event(self.job, name, description).await {
            tracing::warn!(job.id = self.job.id, "the event {name} could not be told: {error}");
        }
    }
}

async fn send(
    jupiterone: &JupiterOne,
    job: &Job,
    batch: Batch,
    correlation: String,
) -> Result<Delivered, ClientError> {
    jupiterone.upload(job, batch, &correlation).await
}

/// The next batch, or none where all objects are sent.
fn next(packer: &mut Packer, objects: &mut dyn Iterator<Item = Map<String, Json>>) -> Option<Batch> {
    for mut object in objects {
        cut(&mut object);
        if let Some(batch) = packer.add(object) {
            return Some(batch);
        }
    }
    packer.take()
}

/// Shortens texts that are longer than a property may be.
fn cut(object: &mut Map<String, Json>) {
    for (_, value) in object.iter_mut().filter(|(name, _)| !name.starts_with('_')) {
        if let Json::String(text) = value
            && text.chars().count() > LONGEST_TEXT
        {
            *text = text.chars().take(LONGEST_TEXT - 3).chain("...".chars()).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_text_is_cut_and_what_is_raw_is_not() {
        let long = "é".repeat(5_000);
        let object = json!({ "name": long, "short": "x", "_rawData": [{ "rawData": { "name": long } }] });
        let mut object = object.as_object().unwrap().clone();
        cut(&mut object);
        let name = object["name"].as_str().unwrap();
        assert_eq!(name.chars().count(), 4_096);
        assert!(name.ends_with("é..."));
        assert_eq!(object["_rawData"][0]["rawData"]["name"], json!(long));
    }
}
