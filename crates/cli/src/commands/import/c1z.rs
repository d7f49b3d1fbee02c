//! `metsuke import c1z`: a connector's file held against a version.
//!
//! Which row is which is found behind the Baton door; here are flags, counts and rows.

use std::path::PathBuf;

use anyhow::Context as _;
use metsuke_baton::c1z::RowKind;
use metsuke_baton::compare::{self, Comparison, Count, Difference, LoneType, Subject};
use metsuke_clients::server::Content;
use metsuke_engine::connector::View;
use metsuke_engine::desk::FileCompared;
use metsuke_model::{AsOf, Moment, Version};
use serde::Serialize;
use serde_json::json;

use super::super::c1z::{About, Columns, ReadArgs, Scratch, plural};
use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::output::Output;
use crate::page::Page;
use crate::remote::{Remote, as_of};
use crate::rows::{self, Cell, Column};
use crate::text::{count, shown, time};
use crate::work;

/// Hold a c1z file, by whichever connector, against a version of the estate
///
/// Tells which resources, entitlements and grants are only there, in the file, or only here, in the version. Nothing is
/// taken over: the database stays as it is, and nothing is sent to Heroku.
///
/// Connectors may use ids of their own. Whatever has the same type and id is the same. Of the rest, users are found by
/// their e-mail address, teams, apps and everything else by name within their type, entitlements by their short name on a
/// resource that was found; a name that fits several finds none. How many were found by name is told: look at those before you
/// rely on them. Types that only one side has are listed; nothing of theirs can be found.
///
/// Grants count by who holds what. Where the file has inherited grants written out, they are compared with everything that
/// follows from roles and ownership here; else with what connectors of ours tell. A grant on both sides that is
/// direct on one and inherited on the other is told, too. Pending invitations are in no file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke import c1z sync.c1z
  metsuke import c1z sync.c1z --as-of 2026-11-01 --format csv > differences.csv
  metsuke import c1z sync.c1z --sync 2xKq7mDnVv0Rj4bTQzLw8YcHs1e --format json")]
pub(super) struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The sync in the file; by default the newest full one that is finished
    #[arg(long, value_name = "ID")]
    sync: Option<String>,
    /// The version to hold it against: a number, a date or a time; by default the newest
    #[arg(long, value_name = "VERSION|TIME")]
    as_of: Option<AsOf>,
    #[command(flatten)]
    reading: ReadArgs,
}

/// How many there are of one kind.
#[derive(Debug, Serialize)]
struct CountLine {
    what: &'static str,
    #[serde(flatten)]
    count: Count,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let reading = async {
            let mut snapshot = context.version(self.as_of).await?;
            Ok(View::read(&mut snapshot).await?)
        };
        let view = Box::pin(work::until_stopped(context, reading)).await?;
        let version = view.sync().version;
        let scratch = Scratch::new()?;
        let options = self.reading.options_in(&scratch);
        let doing = format!("reading `{}`", self.file.display());
        let (file, sync, cancel) = (self.file.clone(), self.sync.clone(), context.cancel.clone());
        let work = move || compare::with_view(&file, sync.as_deref(), &options, view, cancel);
        let (run, comparison) = work::stoppable(context, &doing, work).await?;
        self.print(context, version, (run.id.as_str(), run.ended_at), &comparison)?;
        Ok(Exit::Done)
    }

    /// Sends the file to a server, which holds it against a version of its own.
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let mut query = as_of("as_of", self.as_of);
        query.extend(self.sync.clone().map(|sync| ("sync", sync)));
        let doing = format!("sending `{}`, and waiting for what the server finds", self.file.display());
        let (path, file) = (["import", "c1z"], Content::File(self.file.clone()));
        let patient = remote.patient();
        let found = patient.send("POST", &path, remote.query(query), file);
        let FileCompared { sync, ended_at, version, compared, left_out } =
            work::awaited(context, &doing, found).await?;
        let compared: Comparison =
            serde_json::from_value(compared).context("the server's answer is not what this version reads")?;
        self.print(context, version, (&sync, ended_at), &compared)?;
        if left_out > 0 {
            let told = count(left_out, "difference is", "differences are");
            context.note(&format!("note: {told} not told one by one; the counts have all of them"));
        }
        Ok(Exit::Done)
    }

    fn print(
        &self,
        context: &Context,
        version: Version,
        (sync, ended_at): (&str, Option<Moment>),
        found: &Comparison,
    ) -> anyhow::Result<()> {
        let output = context.output;
        let head = self.head(version, (sync, ended_at));
        match output.format {
            Format::Json => output.document(&json!({
                "file": self.file,
                "sync": sync,
                "ended_at": ended_at,
                "version": version,
                "compared": found,
            }))?,
            Format::Jsonl | Format::Csv => {
                rows::write(output, Columns::<Difference>::ALL, &found.differences)?;
                context.note(&format!("note: {head}"));
                for line in count_lines(found) {
                    let Count { only_there, only_here, both, .. } = line.count;
                    let told = format!("{only_there} only there, {only_here} only here, {both} in both");
                    context.note(&format!("note: {}: {told}", line.what));
                }
            }
            Format::Table => {
                output.print(&format!("{head}\n\n"))?;
                rows::write(output, COUNTS, &count_lines(found))?;
                output.print(&remarks(output, found))?;
                if !found.differences.is_empty() {
                    output.print("\n")?;
                }
                rows::write(output, Columns::<Difference>::ALL, &found.differences)?;
            }
        }
        Ok(())
    }

    fn head(&self, version: Version, (sync, ended_at): (&str, Option<Moment>)) -> String {
        let ended = ended_at.map_or_else(String::new, |at| format!(", {} UTC", time(at)));
        let (id, file) = (sync, self.file.display().to_string());
        format!("sync {} of `{}`{ended}, against version {version}", shown(id), shown(&file))
    }
}

fn count_lines(found: &Comparison) -> Vec<CountLine> {
    let line = |kind, count| CountLine { what: plural(kind), count };
    vec![
        line(RowKind::Resource, found.resources),
        line(RowKind::Entitlement, found.entitlements),
        line(RowKind::Grant, found.grants),
    ]
}

/// What the counts do not say.
fn remarks(output: Output, found: &Comparison) -> String {
    let mut page = Page::new(output);
    let not = if found.is_expanded { "" } else { "not " };
    page.line("");
    page.say(&format!("Inherited grants are {not}written out in the file, and {not}compared."), 0);
    for lone in &found.types {
        page.say(&lone_type(lone), 0);
    }
    page.into_text()
}

fn lone_type(lone: &LoneType) -> String {
    let LoneType { side, id, resources, entitlements, grants } = lone;
    format!(
        "Type `{}` is {}: {}, {}, {}.",
        shown(id),
        side.as_str(),
        count(*resources, "resource", "resources"),
        count(*entitlements, "entitlement", "entitlements"),
        count(*grants, "grant", "grants"),
    )
}

impl About for Difference {
    const NAME: &'static str = "where";
    const HEADING: &'static str = "WHERE";

    fn verb(&self) -> &'static str {
        self.side.as_str()
    }

    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn detail(&self) -> Option<String> {
        match (&self.manners, &self.subject) {
            (Some((there, here)), _) => Some(format!("{} there, {} here", there.as_str(), here.as_str())),
            (None, Subject::Grant { manner: Some(manner), .. }) => Some(manner.as_str().to_owned()),
            (None, _) => None,
        }
    }
}

const COUNTS: &[Column<CountLine>] = &[
    Column::new("what", "", |line| Cell::text(Some(line.what))),
    Column::new("only_there", "ONLY THERE", |line| Cell::Count(line.count.only_there)),
    Column::new("only_here", "ONLY HERE", |line| Cell::Count(line.count.only_here)),
    Column::new("both", "BOTH", |line| Cell::Count(line.count.both)),
    Column::new("by_name", "FOUND BY NAME", |line| Cell::Count(line.count.by_name)),
    Column::new("otherwise", "HELD OTHERWISE", |line| Cell::Count(line.count.otherwise)),
];
