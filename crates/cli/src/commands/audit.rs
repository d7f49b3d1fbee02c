//! `metsuke audit`: what was done and by whom; letting the log out, and verifying it.
//!
//! What makes a log right, and when it is signed, is decided below; here it is asked for and told.
//!
//! Invariant: whatever is wrong with a log ends with exit code 1 and is named.

mod export;
mod list;
mod verify;

use std::path::{Path, PathBuf};

use metsuke_engine::audit::KeyFile;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::remote::Remote;

/// Show, export and verify the audit trail
///
/// Every plan, approval, call, outcome, setting change and sync is an event in a log that can only grow. Signed
/// checkpoints of it, kept where those who run the database cannot write, show later whether anything was
/// changed, left out or brought back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke audit list --code plan --since 2026-11-01
  metsuke audit checkpoint > /mnt/elsewhere/metsuke-2026-11-21.checkpoint
  metsuke audit export audit.jsonl
  metsuke audit verify --checkpoint /mnt/elsewhere/metsuke-2026-11-21.checkpoint
  metsuke audit verify audit.jsonl --public-key metsuke/3f2a…+c74f20a3+ARpc…")]
pub(crate) struct Args {
    #[command(subcommand)]
    doing: Doing,
}

#[derive(Debug, clap::Subcommand)]
enum Doing {
    List(list::Args),
    Export(export::Args),
    Checkpoint(export::CheckpointArgs),
    Verify(verify::Args),
}

/// Where the key is.
#[derive(Debug, clap::Args)]
struct KeyArgs {
    /// The file with the key that signs checkpoints; made when first needed
    ///
    /// Else `METSUKE_AUDIT_KEY`, else for SQLite the database's file with `.audit-key` behind its name. Whoever can
    /// read it can sign another history: keep it away from those who can write to the database.
    #[arg(long, value_name = "FILE")]
    audit_key: Option<PathBuf>,
}

impl KeyArgs {
    fn file(&self, context: &Context) -> Option<KeyFile> {
        context.config.audit_key(self.audit_key.as_deref())
    }

    fn needed(&self, context: &Context) -> Result<KeyFile, Failure> {
        self.file(context).ok_or_else(|| {
            Failure::usage("there is no file for the audit trail's key")
                .hint("name one with --audit-key or METSUKE_AUDIT_KEY; it is made when first needed")
        })
    }
}

impl Args {
    /// Does what was asked for at a server.
    ///
    /// # Errors
    ///
    /// What the server said, or reading and writing met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self.doing {
            Doing::List(args) => args.through(context, remote).await,
            Doing::Export(args) => args.through(context, remote).await,
            Doing::Checkpoint(_) => export::sign(context, remote).await,
            Doing::Verify(args) => args.through(context, remote).await,
        }
    }

    /// Does what was asked for.
    ///
    /// # Errors
    ///
    /// What the engine said, or reading and writing met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.doing {
            Doing::List(args) => args.run(context).await,
            Doing::Export(args) => args.run(context).await,
            Doing::Checkpoint(args) => args.run(context).await,
            Doing::Verify(args) => args.run(context).await,
        }
    }
}

fn is_stream(file: &Path) -> bool {
    file.as_os_str() == "-"
}
