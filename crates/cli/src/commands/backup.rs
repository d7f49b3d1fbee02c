//! `metsuke backup` and `metsuke restore`: a copy of the whole installation in a file, and the way back.
//!
//! What a copy holds and when it may be brought back is the engine's to say.
//!
//! Invariant: what is not in a backup, and what has to be done after a restore, is told each time.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use metsuke_clients::server::Content;
use metsuke_engine::EngineError;
use metsuke_engine::backup::{self, Key, Lock};
use metsuke_model::SystemClock;
use metsuke_store::{Manifest, OpenMode, Part};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::args::Format;
use crate::config::{spelled, text_of};
use crate::context::{Context, sqlite_file};
use crate::failure::{Exit, Failure};
use crate::operator::operator;
use crate::remote::{Query, Remote};
use crate::rows::{self, Cell, Column};
use crate::text::{bytes, count, number, shown};
use crate::work;

const NOT_IN_IT: &str = "note: the sealing key and the audit key are not in it; keep copies of their files elsewhere, apart from it";

/// Write an encrypted copy of the whole installation, while others go on working
///
/// The main database and that of every connector, each as it was at one moment: every version, the audit trail, rules,
/// settings and sealed tokens. SQLite and PostgreSQL write the same form, and either reads what the other wrote. The file
/// gets its name when it is whole, and is encrypted in the format of age, so `age -d` opens it as well.
///
/// Not in it: the keys in files beside the database. Keep copies of them elsewhere, apart from the backups: without the
/// sealing key tokens have to be set anew after a restore, without the audit key the trail gets no further signature.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  age-keygen -o backup-key.txt                     once; keep it apart from the backups
  metsuke backup --out metsuke-2026-11-22.age --recipient age1…
  metsuke backup --out metsuke.age --passphrase-file /run/secrets/backup")]
pub(crate) struct Args {
    /// The file, which must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Whoever may open it: a public key as `age-keygen -y` writes it
    #[arg(long, value_name = "AGE-KEY", conflicts_with = "passphrase_file")]
    recipient: Option<String>,
    /// A file whose text opens it, of at least 12 characters
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Bring an installation back from a backup, into an empty database
///
/// Everything is read, checked against the digests in the backup, and seen by nobody before it is whole. Afterwards no
/// change is made on Heroku until each connector's estate was synced anew and steps of plans that were open are settled.
/// Stop the program that the backup was made of first: two of them would both work on the same Heroku accounts. What was
/// revoked after the backup was made (API tokens, accounts) is valid again and has to be revoked again; everybody signs in anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke restore metsuke-2026-11-22.age --database sqlite:metsuke.db --identity backup-key.txt
  metsuke restore metsuke.age --database postgres://metsuke@db/metsuke --passphrase-file /run/secrets/backup")]
pub(crate) struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file with the secret key that opens it, as `age-keygen` writes it
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity: Option<PathBuf>,
    /// The file with the passphrase that opens it
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// In the place of the installation that --database names, which nobody may use: SQLite files are put aside, the
    /// tables in PostgreSQL are dropped
    #[arg(long)]
    force: bool,
}

/// What is told of a backup.
#[derive(Debug, Serialize)]
struct Line {
    file: PathBuf,
    made_at: String,
    schema: i64,
    connectors: u64,
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    put_aside: Vec<PathBuf>,
}

impl Line {
    fn of(file: &Path, manifest: &Manifest) -> Self {
        let connectors = manifest.parts().iter().filter(|part| **part != Part::Main).count();
        Self {
            file: file.to_path_buf(),
            made_at: manifest.head.made_at.to_string(),
            schema: manifest.head.schema,
            connectors: connectors as u64,
            rows: manifest.rows(),
            bytes: None,
            put_aside: Vec::new(),
        }
    }

    fn told(&self) -> String {
        let connectors = count(self.connectors, "connector", "connectors");
        let size = self.bytes.map(|size| format!(", {}", bytes(size))).unwrap_or_default();
        format!(
            "`{}` of {}: {connectors}, {} rows, schema {}{size}\n",
            shown(&self.file.display().to_string()),
            self.made_at,
            number(self.rows),
            self.schema
        )
    }
}

impl Args {
    /// Makes the backup and says what is in it.
    ///
    /// # Errors
    ///
    /// [`Failure`] where nothing closes it; what the engine met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let lock = match (&self.recipient, &self.passphrase_file) {
            (Some(recipient), _) => Lock::recipient(recipient)?,
            (None, Some(file)) => Lock::passphrase(&text_of("passphrase", file)?)?,
            (None, None) => return Err(unlocked().into()),
        };
        let store = context.main(OpenMode::Existing).await?;
        let made = tokio::select! {
            made = backup::make(&store, &self.out, lock, &SystemClock) => made?,
            () = context.cancel.cancelled() => return Err(EngineError::Cancelled.into()),
        };
        let line = Line { bytes: Some(made.bytes), ..Line::of(&made.file, &made.manifest) };
        print(context, &line)?;
        context.note(NOT_IN_IT);
        Ok(Exit::Done)
    }
}

impl Args {
    /// Has a server copy itself, and carries the copy here.
    ///
    /// The passphrase goes to the server, over the way that the token takes; a public key is no secret.
    ///
    /// # Errors
    ///
    /// [`Failure`] where nothing closes it, or the file is there; what the server said, or writing met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let ask = match (&self.recipient, &self.passphrase_file) {
            (Some(recipient), _) => json!({ "recipient": recipient }),
            (None, Some(file)) => json!({ "passphrase": spelled(&text_of("passphrase", file)?).trim_end() }),
            (None, None) => return Err(unlocked().into()),
        };
        let unwritten = |error: std::io::Error| {
            Failure::new(format!("`{}` cannot be written: {error}", shown(&self.out.display().to_string())))
        };
        if self.out.symlink_metadata().is_ok() {
            let told =
                format!("`{}` is there already, and a backup is never written over", self.out.display());
            return Err(Failure::new(told).into());
        }
        let folder =
            self.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let draft = tempfile::Builder::new().prefix(".metsuke-backup.").suffix(".tmp").tempfile_in(folder);
        let mut draft = draft.map_err(unwritten)?;
        let carried =
            remote.carry("POST", &["backup"], Query::new(), Content::Json(ask), draft.as_file_mut());
        let carried = work::awaited(context, "copying the installation", carried).await?;
        draft.as_file().sync_all().map_err(unwritten)?;
        draft.persist_noclobber(&self.out).map_err(|error| unwritten(error.error))?;
        let about: About = serde_json::from_value(carried.about.unwrap_or_default())
            .context("the server does not tell what it gave")?;
        let About { made_at, schema, connectors, rows } = about;
        let bytes = Some(carried.bytes);
        let line = Line { file: self.out, made_at, schema, connectors, rows, bytes, put_aside: Vec::new() };
        print(context, &line)?;
        context.note(NOT_IN_IT);
        Ok(Exit::Done)
    }
}

/// What a server tells of a copy, which nobody can look into.
#[derive(Debug, Deserialize)]
struct About {
    made_at: String,
    schema: i64,
    connectors: u64,
    rows: u64,
}

/// What is said where nothing closes a backup.
fn unlocked() -> Failure {
    Failure::usage("nothing says what the backup is encrypted with")
        .hint("name a public key of age with --recipient, or a file with --passphrase-file")
}

impl RestoreArgs {
    /// Restores and says what is to be done next.
    ///
    /// # Errors
    ///
    /// [`Failure`] where nothing opens it or no database is named; what the engine met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let key = match (&self.identity, &self.passphrase_file) {
            (Some(file), _) => Key::identities(&text_of("key", file)?)?,
            (None, Some(file)) => Key::passphrase(&text_of("passphrase", file)?),
            (None, None) => {
                return Err(Failure::usage("nothing says what opens the backup")
                    .hint("name the file of the secret key with --identity, or of the passphrase with --passphrase-file")
                    .into());
            }
        };
        if self.force && context.config.database_flag.is_none() {
            return Err(Failure::usage("--force replaces only a database that --database names").into());
        }
        let url = context.config.database().value;
        let loaded = tokio::select! {
            loaded = backup::restore(&self.file, key, (&url, self.force), operator(), &SystemClock) => loaded?,
            () = context.cancel.cancelled() => return Err(EngineError::Cancelled.into()),
        };
        let line = Line { put_aside: loaded.aside, ..Line::of(&self.file, &loaded.manifest) };
        print(context, &line)?;
        for aside in &line.put_aside {
            context.note(&format!("note: what was there is now `{}`", shown(&aside.display().to_string())));
        }
        let beside = sqlite_file(&url)
            .map_or("where METSUKE_KEY_FILE and METSUKE_AUDIT_KEY name them", |_| "beside the database");
        context.note(&format!(
            "note: put the sealing key and the audit key back {beside}; they are in no backup"
        ));
        context.note("note: nothing is changed on Heroku before each estate was synced anew and open steps are settled");
        context.note("note: API tokens, passwords and accounts are as they were when the backup was made; take back again what was taken back since");
        Ok(Exit::Done)
    }
}

fn print(context: &Context, line: &Line) -> anyhow::Result<()> {
    let output = context.output;
    match output.format {
        Format::Json | Format::Jsonl => output.document(line)?,
        Format::Csv => rows::write(output, COLUMNS, std::slice::from_ref(line))?,
        Format::Table => output.print(&line.told())?,
    }
    Ok(())
}

const COLUMNS: &[Column<Line>] = &[
    Column::csv("file", |line| Cell::text(Some(line.file.display()))),
    Column::csv("made_at", |line| Cell::text(Some(&line.made_at))),
    Column::csv("schema", |line| Cell::Count(line.schema.unsigned_abs())),
    Column::csv("connectors", |line| Cell::Count(line.connectors)),
    Column::csv("rows", |line| Cell::Count(line.rows)),
    Column::csv("bytes", |line| line.bytes.map_or(Cell::text(None::<&str>), Cell::Count)),
];
