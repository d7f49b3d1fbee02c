//! Files that are carried off from a server: graphs, which this room writes, and c1z files, which the Baton door does.
//!
//! Invariant: a file is written where nobody else finds it.

use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom};

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use metsuke_baton::c1z::{self, SyncHead, SyncType, WriteOptions};
use metsuke_baton::expand::Expand;
use metsuke_baton::shape::Options;
use metsuke_baton::source::{Choice, Part, Source};
use metsuke_engine::EngineError;
use metsuke_engine::connector::View;
use metsuke_engine::desk::{Estate, Form, Forms};
use metsuke_model::AsOf;
use tokio_util::sync::CancellationToken;

use crate::commands::export::write_graph;

/// Writes them.
#[derive(Debug)]
pub(super) struct Written;

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
