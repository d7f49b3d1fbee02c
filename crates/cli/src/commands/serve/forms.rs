//! Files that are carried off from a server, or brought to it: graphs, which this room writes, and c1z files, which the Baton
//! door does.
//!
//! Invariant: a file is written where nobody else finds it.

use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom};
use std::path::Path;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use metsuke_baton::c1z::{self, C1zError, ReadOptions, SyncHead, SyncType, WriteOptions};
use metsuke_baton::compare;
use metsuke_baton::expand::Expand;
use metsuke_baton::shape::Options;
use metsuke_baton::source::{Choice, Part, Source};
use metsuke_engine::EngineError;
use metsuke_engine::connector::View;
use metsuke_engine::desk::{Estate, FileCompared, Form, Forms};
use metsuke_model::AsOf;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::commands::export::write_graph;

/// Writes them.
#[derive(Debug)]
pub(crate) struct Written;

impl Forms for Written {
    fn write<'a>(
        &'a self,
        estate: &'a Estate,
        as_of: Option<AsOf>,
        form: &'a Form,
    ) -> LocalBoxFuture<'a, Result<File, EngineError>> {
        async move {
            let mut snapshot = estate.store.snapshot(as_of).await?.ok_or(EngineError::NoVersion)?;
            let scratch = |source| EngineError::Scratch { source };
            match form {
                Form::Graph { form, effective } => {
                    let mut out = BufWriter::new(tempfile::tempfile().map_err(scratch)?);
                    write_graph(&mut snapshot, form, *effective, &mut out).await?;
                    let mut file = out.into_inner().map_err(|error| scratch(error.into_error()))?;
                    file.seek(SeekFrom::Start(0)).map_err(scratch)?;
                    Ok(file)
                }
                Form::C1z { expand } => {
                    let expand: Expand =
                        expand.parse().map_err(|_| EngineError::field("expand", "it is none"))?;
                    let view = View::read(&mut snapshot).await?;
                    drop(snapshot);
                    c1z_file(view, expand)
                }
                Form::JupiterOne(_) => Err(EngineError::field("form", "it is not written here")),
            }
        }
        .boxed_local()
    }

    fn compare<'a>(
        &'a self,
        estate: &'a Estate,
        as_of: Option<AsOf>,
        file: &'a Path,
        sync: Option<&'a str>,
        most: usize,
    ) -> LocalBoxFuture<'a, Result<FileCompared, EngineError>> {
        async move {
            let mut snapshot = estate.store.snapshot(as_of).await?.ok_or(EngineError::NoVersion)?;
            let view = View::read(&mut snapshot).await?;
            drop(snapshot);
            let version = view.sync().version;
            let scratch = |source| EngineError::Scratch { source };
            let folder = tempfile::tempdir().map_err(scratch)?;
            let options = ReadOptions { temp_dir: Some(folder.path().to_owned()), ..ReadOptions::default() };
            let (run, mut compared) =
                compare::with_view(file, sync, &options, view, CancellationToken::new())
                    .map_err(|error| unread(error, sync.is_some()))?;
            let left_out = compared.differences.len().saturating_sub(most) as u64;
            compared.differences.truncate(most);
            Ok(FileCompared {
                sync: run.id.as_str().to_owned(),
                ended_at: run.ended_at,
                version,
                compared: json!(compared),
                left_out,
            })
        }
        .boxed_local()
    }
}

/// Why a file that somebody sent cannot be read; not where it lies here, which is nobody's business.
fn unread(error: C1zError, named: bool) -> EngineError {
    match error {
        C1zError::Invalid { found, .. } => EngineError::field("body", format!("it is no c1z file: {found}")),
        C1zError::TooLarge { what, .. } => EngineError::field("body", format!("it is refused: {what}")),
        C1zError::NoSync { asked, .. } => {
            EngineError::field(if named { "sync" } else { "body" }, format!("the file holds no {asked}"))
        }
        error => EngineError::Scratch { source: std::io::Error::other(error) },
    }
}

fn c1z_file(view: View, expand: Expand) -> Result<File, EngineError> {
    let scratch = |source| EngineError::Scratch { source };
    let about = view.sync();
    let head = SyncHead::of(about.version, about.started_at, about.finished_at, SyncType::Full);
    let folder = tempfile::tempdir().map_err(scratch)?;
    let path = folder.path().join("estate.c1z");
    let choice = Choice { expand, ..Choice::default() };
    let parts = vec![Part::whole(view)];
    let mut rows = Source::new(parts, choice, Options::default(), CancellationToken::new());
    c1z::write(&path, &mut rows, &WriteOptions::of(head))
        .map_err(|error| scratch(std::io::Error::other(error)))?;
    // The folder goes; what is open stays readable.
    File::open(&path).map_err(scratch)
}
