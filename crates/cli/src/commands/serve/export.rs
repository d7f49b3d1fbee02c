//! The job that writes a new version as a c1z file, where its connector is set so.
//!
//! Rows and bytes are made behind the Baton door, which only a street door may name.
//!
//! Invariant: the file is the newest version's whole, or the one of before; a connector that is set to write none writes none.

use std::path::PathBuf;
use std::time::Duration;

use futures::future::BoxFuture;
use metsuke_baton::c1z::{self, Keep, SyncHead, SyncType, WriteOptions};
use metsuke_baton::shape::Options;
use metsuke_baton::source::{Choice, Part, Source};
use metsuke_engine::connector::View;
use metsuke_engine::jobs::{Done, EXPORT, Handler, Stop, Work, backoff};
use serde_json::json;

const FIRST_WAIT: Duration = Duration::from_mins(1);
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Writes versions to files.
#[derive(Debug)]
pub(super) struct Exporter;

impl Handler for Exporter {
    fn kind(&self) -> &'static str {
        EXPORT
    }

    fn carry_out<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Done> {
        Box::pin(async move {
            match export_newest(work).await {
                Ok(told) => Done::Finished(told),
                Err(_) if work.stopped() == Some(Stop::Program) => Done::GivenBack,
                Err(error) => Done::Retry {
                    after: backoff(work.job.attempt, FIRST_WAIT, LONGEST_WAIT),
                    why: format!("{error:#}"),
                },
            }
        })
    }
}

/// Writes the newest version; nothing where none is to be written.
async fn export_newest(work: &Work) -> anyhow::Result<Option<serde_json::Value>> {
    let Some(connector) = work.connector else { return Ok(None) };
    let settings = work.installation.connector(connector).await?.settings;
    let Some(export) = settings.after_sync.c1z else { return Ok(None) };
    let Some(mut snapshot) = work.store.snapshot(None).await? else { return Ok(None) };
    let view = View::read(&mut snapshot).await?;
    drop(snapshot);
    let about = view.sync();
    let version = about.version;
    let head = SyncHead::of(version, about.started_at, about.finished_at, SyncType::Full);
    let options = WriteOptions { keep: Keep::OnlyNew, ..WriteOptions::of(head) };
    let (file, cancel) = (PathBuf::from(export.file), work.cancel.clone());
    let written = tokio::task::spawn_blocking(move || {
        let mut rows = Source::new(vec![Part::whole(view)], Choice::default(), Options::default(), cancel);
        c1z::write(&file, &mut rows, &options)
    });
    let written = written.await??;
    Ok(Some(json!({
        "version": version.0,
        "sync": written.sync.to_string(),
        "grants": written.stats.grants,
        "file_bytes": written.file_bytes,
    })))
}
