//! The job that uploads a new version to JupiterOne, where the connector is set so.
//!
//! Invariant: what is uploaded is the newest version, and a connector that is set to upload nothing sends nothing.

use std::time::Duration;

use futures::future::BoxFuture;
use metsuke_clients::jupiterone::{DEFAULT_URL, JupiterOne, Origin, Settings as ClientSettings};
use metsuke_model::ConnectorId;
use serde_json::json;
use url::Url;

use crate::connectors::{JupiterOneUpload, Settings, stored_settings};
use crate::jobs::{Done, Handler, Stop, UPLOAD, Work, backoff};
use crate::jupiterone::{Estate, Options, Uploaded, upload};
use crate::{EngineError, ErrorKind};

const FIRST_WAIT: Duration = Duration::from_mins(1);
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Uploads versions.
#[derive(Debug)]
pub(super) struct UploadHandler;

impl Handler for UploadHandler {
    fn kind(&self) -> &'static str {
        UPLOAD
    }

    fn carry_out<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Done> {
        Box::pin(carry_out(work))
    }
}

async fn carry_out(work: &Work) -> Done {
    match upload_newest(work).await {
        Ok(uploaded) => Done::Finished(uploaded.map(|uploaded| {
            json!({
                "job": uploaded.job,
                "entities": uploaded.entities,
                "relationships": uploaded.relationships,
                "skipped": uploaded.skipped.len(),
                "partial": uploaded.partial,
            })
        })),
        Err(EngineError::Cancelled) if work.stopped() == Some(Stop::Program) => Done::GivenBack,
        Err(error) => {
            let why = match std::error::Error::source(&error) {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            };
            match error.kind() {
                ErrorKind::Seal | ErrorKind::Invalid => Done::Dead { why },
                _ => Done::Retry { after: backoff(work.job.attempt, FIRST_WAIT, LONGEST_WAIT), why },
            }
        }
    }
}

async fn upload_newest(work: &Work) -> Result<Option<Uploaded>, EngineError> {
    let Some(id) = work.connector else { return Ok(None) };
    let Some((settings, _)) = stored_settings(&work.store).await? else { return Ok(None) };
    let Some(wish) = &settings.after_sync.jupiterone else { return Ok(None) };
    let client = client(work, id, wish).await?;
    let Some(snapshot) = work.store.snapshot(None).await? else { return Ok(None) };
    // A newer version has a job of its own; this one has nothing to add to it.
    if work.version().is_some_and(|version| version != snapshot.sync().version) {
        return Ok(None);
    }
    let mut estate = Estate::of(&work.store, snapshot).await?;
    let options = options(&settings);
    let origin = match (&wish.instance, &wish.scope) {
        (Some(instance), _) => Origin::Instance(instance.clone()),
        (None, scope) => Origin::Scope(scope.clone().unwrap_or_else(|| id.to_string())),
    };
    upload(&client, &origin, &mut estate, &options, &(), &work.cancel).await.map(Some)
}

fn options(settings: &Settings) -> Options {
    Options {
        account_name: settings.tag_account_name.clone(),
        production: settings.tag_production,
        ..Options::default()
    }
}

async fn client(work: &Work, id: ConnectorId, wish: &JupiterOneUpload) -> Result<JupiterOne, EngineError> {
    let bad = |problem: String| EngineError::Fields {
        fields: vec![crate::BadField { field: "after_sync.jupiterone", problem }],
    };
    let key = work.installation.jupiterone_key(id).await?;
    let key = key.ok_or_else(|| bad("there is no API key".to_owned()))?;
    let url = wish.api_url.as_deref().unwrap_or(DEFAULT_URL);
    let url = Url::parse(url).map_err(|error| bad(format!("its address cannot be read: {error}")))?;
    JupiterOne::new(ClientSettings::new(url, key, wish.account.clone()))
        .map_err(|source| EngineError::JupiterOne { source })
}
