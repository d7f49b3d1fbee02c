//! `metsuke audit export` and `metsuke audit checkpoint`: letting the log out, whole or as its signed root.
//!
//! What is signed, and when not, is the engine's to decide.
//!
//! Invariant: a file is whole or not there, and what left is recorded.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use metsuke_engine::EngineError;
use metsuke_engine::audit::{self, Signed};
use metsuke_model::SystemClock;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{KeyArgs, is_stream};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::buffered;
use crate::remote::Remote;
use crate::text::count;

/// Write the whole log as lines that can be verified without the database
///
/// A checkpoint over all events is signed first and stands in the last line. The file is readable by its owner
/// alone: it names people.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke audit export audit.jsonl
  metsuke audit export - | zstd > audit.jsonl.zst")]
pub(super) struct Args {
    /// The file; `-` writes to stdout
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    #[command(flatten)]
    key: KeyArgs,
}

/// Sign a checkpoint of the log and print it
///
/// It is a few lines that bind everything recorded so far. Keep it where those who run the database cannot write;
/// `metsuke audit verify --checkpoint` compares the log with it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke audit checkpoint > /mnt/elsewhere/metsuke.checkpoint")]
pub(super) struct CheckpointArgs {
    #[command(flatten)]
    key: KeyArgs,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let key = self.key.needed(context)?;
        let store = context.database().await?;
        let clock = SystemClock;
        let (signed, to) = if is_stream(&self.file) {
            (audit::export(&store, &key, &clock, &mut buffered()).await?, "stdout".to_owned())
        } else {
            let draft = draft(&self.file).map_err(|source| EngineError::AuditWrite { source })?;
            let mut writer = BufWriter::with_capacity(1 << 17, draft);
            let signed = audit::export(&store, &key, &clock, &mut writer).await?;
            let kept = writer.into_inner().map_err(std::io::IntoInnerError::into_error);
            if let Err(source) = kept.and_then(|draft| keep(draft, &self.file)) {
                let error = EngineError::AuditWrite { source };
                audit::record_failed(&store, &clock, &error).await;
                return Err(error.into());
            }
            (signed, self.file.display().to_string())
        };
        audit::record_exported(&store, &signed, &to, &clock).await?;
        note(context, &signed);
        Ok(Exit::Done)
    }
}

impl CheckpointArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let key = self.key.needed(context)?;
        let store = context.database().await?;
        let signed = audit::checkpoint(&store, &key, &SystemClock).await?;
        context.output.print(&signed.note)?;
        audit::record_exported(&store, &signed, "stdout", &SystemClock).await?;
        note(context, &signed);
        Ok(Exit::Done)
    }
}

impl Args {
    /// Carries a server's trail here.
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let (path, query) = (["audit", "export"], remote.query(Vec::new()));
        if is_stream(&self.file) {
            let mut stdout = buffered();
            remote.download(&path, query, &mut stdout).await?;
            stdout.flush()?;
        } else {
            let failed = |source| EngineError::AuditWrite { source };
            let mut writer = BufWriter::with_capacity(1 << 17, draft(&self.file).map_err(failed)?);
            remote.download(&path, query, &mut writer).await?;
            let kept = writer.into_inner().map_err(std::io::IntoInnerError::into_error);
            kept.and_then(|draft| keep(draft, &self.file)).map_err(failed)?;
        }
        context.note("note: `metsuke audit verify FILE` verifies it, with the public key that you keep");
        Ok(Exit::Done)
    }
}

/// Has a server sign a checkpoint, and prints it.
pub(super) async fn sign(context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
    let signed: Value =
        remote.post(&["audit", "checkpoint"], json!({ "connector": remote.connector() })).await?;
    context.output.print(signed["note"].as_str().unwrap_or_default())?;
    let events = count(signed["size"].as_u64().unwrap_or_default(), "event", "events");
    context.note(&format!("note: the checkpoint covers {events}; its public key, to keep elsewhere:"));
    context.note(&format!("note: {}", signed["public_key"].as_str().unwrap_or_default()));
    Ok(Exit::Done)
}

fn note(context: &Context, signed: &Signed) {
    let events = count(signed.checkpoint.size, "event", "events");
    context.note(&format!("note: the checkpoint covers {events}; its public key, to keep elsewhere:"));
    context.note(&format!("note: {}", signed.public_key));
}

/// The file as it is written: in the same folder, under a name of its own, for its owner alone.
fn draft(file: &Path) -> std::io::Result<NamedTempFile> {
    NamedTempFile::new_in(folder(file))
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Gives the whole file its name.
fn keep(mut draft: NamedTempFile, file: &Path) -> std::io::Result<()> {
    draft.flush()?;
    draft.as_file().sync_all()?;
    draft.persist(file).map_err(|error| error.error)?;
    std::fs::File::open(folder(file))?.sync_all()
}
