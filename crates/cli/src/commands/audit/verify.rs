//! `metsuke audit verify`: whether a log is as it was recorded, from an export or from the database.
//!
//! What is found is the model's to say; here it is told.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use metsuke_engine::audit::{self, Verified};
use metsuke_model::audit::{Expected, Finding, FindingKind, MAX_NOTE_BYTES, PublicKey, Verdict};
use serde::Serialize;
use serde_json::{Value, json};

use super::{KeyArgs, is_stream};
use crate::args::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::page::Page;
use crate::remote::Remote;
use crate::rows::{self, Cell, Column};
use crate::text::{count, length, shown};

/// Check that nothing in the log was changed, left out, reordered or brought back
///
/// An export is verified without the database and without the network. Exit code 0 says that nothing was found,
/// 1 that something was; what could not be shown is named in both cases.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke audit verify
  metsuke audit verify audit.jsonl --public-key metsuke/3f2a…+c74f20a3+ARpc…
  metsuke audit verify audit.jsonl --checkpoint old.checkpoint --checkpoint older.checkpoint")]
pub(super) struct Args {
    /// An export, `-` for stdin; without it the database is verified
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The public key, as it was kept elsewhere
    #[arg(long, value_name = "KEY")]
    public_key: Option<PublicKey>,
    /// A checkpoint that was kept elsewhere; may be given several times
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
}

/// What was found, for programs.
#[derive(Debug, Serialize)]
struct Told<'a> {
    clean: bool,
    #[serde(flatten)]
    verdict: &'a Verdict,
    caveats: &'a [String],
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let checkpoints = self.checkpoint.iter().map(|file| note(file)).collect::<Result<_, _>>()?;
        let expected = Expected { public_key: self.public_key, checkpoints };
        let verified = if let Some(file) = &self.file {
            Verified { verdict: verify_file(file, expected)?, key_from_file: false }
        } else {
            let store = context.database().await?;
            audit::verify(&store, self.key.file(context).as_ref(), expected).await?
        };
        let Verified { verdict, key_from_file } = verified;
        let mut caveats = verdict.caveats();
        if let (true, Some(key)) = (key_from_file, &verdict.public_key) {
            caveats.insert(
                0,
                format!(
                    "the public key was taken from the key file; compare it with the one you keep: {key}"
                ),
            );
        }
        tell(context, &verdict, &caveats)?;
        if verdict.findings.iter().any(|finding| finding.kind == FindingKind::NoKey) {
            context.note("hint: name the key with --public-key; a log that never had one gets it with `metsuke audit checkpoint`");
        }
        Ok(if verdict.is_clean() { Exit::Done } else { Exit::Failure })
    }
}

impl Args {
    /// Has a server verify its trail; an export is verified here.
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        if self.file.is_some() {
            return self.run(context).await;
        }
        let checkpoints = self.checkpoint.iter().map(|file| note(file)).collect::<Result<Vec<_>, _>>()?;
        let key = self.public_key.as_ref().map(ToString::to_string);
        let body = json!({ "public_key": key, "checkpoints": checkpoints, "connector": remote.connector() });
        let told: Value = remote.post(&["audit", "verify"], body).await?;
        let clean = told["clean"] == true;
        if context.output.format == Format::Table {
            let mut page = Page::new(context.output);
            let heading =
                if clean { "Nothing was changed, as far as can be shown" } else { "The log does not verify" };
            page.heading(heading);
            let findings = told["findings"].as_array().into_iter().flatten();
            for text in findings.filter_map(|finding| finding["text"].as_str()) {
                page.say(&shown(text), 2);
            }
            page.heading("What was verified");
            let events = count(told["events"].as_u64().unwrap_or_default(), "event", "events");
            page.say(&format!("{events} with the root {}", told["root"].as_str().unwrap_or_default()), 2);
            let caveats: Vec<&str> =
                told["caveats"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if !caveats.is_empty() {
                page.heading("What was not shown");
            }
            for caveat in caveats {
                page.say(&shown(caveat), 2);
            }
            context.output.print(&page.into_text())?;
        } else {
            context.output.document(&told)?;
        }
        Ok(if clean { Exit::Done } else { Exit::Failure })
    }
}

/// A checkpoint that was kept.
fn note(file: &Path) -> Result<String, Failure> {
    let refused = |error| {
        Failure::usage(format!("the checkpoint in file `{}` cannot be read: {error}", file.display()))
    };
    let mut text = String::new();
    let most = u64::try_from(MAX_NOTE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    File::open(file).map_err(refused)?.take(most).read_to_string(&mut text).map_err(refused)?;
    Ok(text)
}

fn verify_file(file: &Path, expected: Expected) -> Result<Verdict, Failure> {
    let refused =
        |error| Failure::new(format!("the export in file `{}` cannot be read: {error}", file.display()));
    let export: Box<dyn BufRead> = if is_stream(file) {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(BufReader::with_capacity(1 << 17, File::open(file).map_err(refused)?))
    };
    audit::verify_export(export, expected).map_err(refused)
}

fn tell(context: &Context, verdict: &Verdict, caveats: &[String]) -> anyhow::Result<()> {
    let output = context.output;
    match output.format {
        Format::Json | Format::Jsonl => {
            output.document(&Told { clean: verdict.is_clean(), verdict, caveats })?;
        }
        Format::Csv => rows::write(output, FINDINGS, &verdict.findings)?,
        Format::Table => {
            let mut page = Page::new(output);
            let found = length(&verdict.findings).saturating_add(verdict.unlisted);
            if verdict.is_clean() {
                page.heading("Nothing was changed, as far as can be shown");
            } else {
                page.heading(&format!("The log does not verify: {}", count(found, "finding", "findings")));
            }
            for finding in &verdict.findings {
                page.say(&shown(&finding.text), 2);
            }
            if verdict.unlisted > 0 {
                page.say(&format!("and {} more", verdict.unlisted), 2);
            }
            page.heading("What was verified");
            page.say(&totals(verdict), 2);
            if let Some(key) = &verdict.public_key {
                page.say(&format!("public key: {}", shown(&key.to_string())), 2);
            }
            if !caveats.is_empty() {
                page.heading("What was not shown");
            }
            for caveat in caveats {
                page.say(&shown(caveat), 2);
            }
            output.print(&page.into_text())?;
        }
    }
    Ok(())
}

fn totals(verdict: &Verdict) -> String {
    format!(
        "{} with the root {}; the first {} confirmed by signed checkpoints, the first {} by checkpoints kept elsewhere",
        count(verdict.events, "event", "events"),
        verdict.root,
        verdict.confirmed,
        verdict.confirmed_elsewhere,
    )
}

const FINDINGS: &[Column<Finding>] = &[
    Column::new("kind", "KIND", |finding| {
        Cell::text(serde_json::to_value(finding.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)))
    }),
    Column::new("sequence", "EVENT", |finding| Cell::text(finding.sequence)),
    Column::new("finding", "FINDING", |finding| Cell::text(Some(&finding.text))),
];
