//! `metsuke people import` and `metsuke people fetch`: rosters from files and from a server.
//!
//! Invariant: a roster is imported whole or not at all, and every wrong row is named on stderr.

use std::io::Read;
use std::path::{Path, PathBuf};

use metsuke_clients::roster::{Roster, Settings};
use metsuke_clients::server::Content;
use metsuke_engine::EngineError;
use metsuke_engine::desk::{Accounts, RosterTaken};
use metsuke_engine::people::{self, DEFAULT_ROSTER, MOST_BYTES, Parsed};
use metsuke_model::SystemClock;
use metsuke_model::people::RosterKind;
use metsuke_store::{OpenMode, Store};
use serde_json::json;
use url::Url;

use crate::args::Format;
use crate::config::spelled;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::operator::operator;
use crate::output::complain;
use crate::remote::Remote;
use crate::text::{count, length, listed, number, shown};

/// Import a roster from a file, in place of what it said before
///
/// A CSV file has a heading with some of these columns, in any order: employee_id, email, emails, name, first_name,
/// last_name, username, aliases, title, department, manager_email, employee_type, and status (or active). Several
/// addresses or aliases stand in one field with `;` between. Headings may be in any case and written with blanks or
/// hyphens. Each person needs an employee_id, an address or a username.
///
/// A SCIM document is a list response or a list of users, with the enterprise extension where there is one.
///
/// Whom the file names no more counts as having left. One wrong row, and nothing is imported.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::doc_markdown,
    reason = "these comments are the help texts, in which names of columns stand as they are"
)]
#[command(after_help = "Examples:
  metsuke people import staff.csv
  metsuke people import contractors.csv --roster contractors
  metsuke people import users.json --kind scim")]
pub(super) struct ImportArgs {
    /// The file; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What it is; by default a file that ends in .json is SCIM, and every other CSV
    #[arg(long, value_enum, value_name = "csv|scim", hide_possible_values = true)]
    kind: Option<Kind>,
    #[command(flatten)]
    target: Target,
}

/// Fetch a roster from a server that answers as Okta's users API does
///
/// Reads GET /api/v1/users page by page, on the named host only, with the token of METSUKE_ROSTER_TOKEN or of a file.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::doc_markdown,
    reason = "these comments are the help texts, in which names of variables stand as they are"
)]
#[command(after_help = "Examples:
  metsuke people fetch https://example.okta.com
  metsuke people fetch https://example.okta.com --roster okta --token-file /run/secrets/okta")]
pub(super) struct FetchArgs {
    /// The server's address; plain http is accepted for this machine only
    #[arg(value_name = "URL")]
    url: Url,
    /// A file with the token; `-` reads it from stdin
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

/// Where a roster goes.
#[derive(Debug, clap::Args)]
struct Target {
    /// The roster's name; each import replaces what the roster of this name said
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ROSTER)]
    roster: String,
    /// Import it although more than half of its people are missing
    #[arg(long)]
    accept_missing: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    Csv,
    Scim,
}

impl ImportArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let json = self.file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let kind = match self.kind {
            Some(Kind::Scim) => RosterKind::Scim,
            None if json => RosterKind::Scim,
            Some(Kind::Csv) | None => RosterKind::Csv,
        };
        let bytes = read(&self.file)?;
        let parsed = people::parse(&self.target.roster, kind, &bytes);
        self.target.import(context, kind, named(parsed)?).await
    }
}

impl ImportArgs {
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let json = self.file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let scim = matches!((self.kind, json), (Some(Kind::Scim), _) | (None, true));
        let media = if scim { "application/scim+json" } else { "text/csv" };
        let mut query = remote.query(Vec::new());
        query.extend(self.target.accept_missing.then(|| ("accept_missing", "true".to_owned())));
        let (path, bytes) = (["rosters", self.target.roster.as_str()], read(&self.file)?);
        let told: Taken = remote.send("PUT", &path, query, Content::Bytes(media, bytes)).await?;
        told.print(context)
    }
}

/// What a server made of a roster, in each estate.
#[derive(serde::Deserialize)]
struct Taken {
    estates: Vec<RosterTaken>,
}

impl Taken {
    fn print(&self, context: &Context) -> anyhow::Result<Exit> {
        for taken in &self.estates {
            if context.output.format == Format::Table {
                context.output.print(&told_of(taken))?;
            } else {
                context.output.document(taken)?;
            }
        }
        Ok(Exit::Done)
    }
}

impl FetchArgs {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let token = context.config.roster_token(self.token_file.as_deref())?;
        let server = Roster::new(Settings::new(self.url, token))?;
        let parsed = people::fetch(&self.target.roster, &server).await;
        self.target.import(context, RosterKind::Okta, named(parsed)?).await
    }
}

impl FetchArgs {
    /// Lets a server fetch it.
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let token = context.config.roster_token(self.token_file.as_deref())?;
        let ask = json!({
            "url": self.url,
            "token": spelled(&token),
            "connector": remote.connector(),
            "accept_missing": self.target.accept_missing,
        });
        let path = ["rosters", self.target.roster.as_str(), "fetch"];
        remote.post::<Taken>(&path, ask).await?.print(context)
    }
}

impl Target {
    async fn import(self, context: &Context, kind: RosterKind, parsed: Parsed) -> anyhow::Result<Exit> {
        if !parsed.ignored.is_empty() {
            let names: Vec<String> = parsed.ignored.iter().map(|name| format!("`{}`", shown(name))).collect();
            context.note(&format!("note: nothing is known of {}", listed(&names)));
        }
        let url = context.config.database().value;
        let store = Store::open(&url, OpenMode::Create).await?.acting_as(operator());
        let roster = (self.roster.as_str(), kind);
        let imported =
            people::import(&store, roster, parsed.employees, self.accept_missing, &SystemClock).await?;
        if context.output.format == Format::Table {
            context.output.print(&told_of(&RosterTaken::of(&self.roster, kind, &imported)))?;
        } else {
            context.output.document(&RosterTaken::of(&self.roster, kind, &imported))?;
        }
        if imported.matching.unsure + imported.matching.unknown > 0 {
            context.note("note: `metsuke people unmatched` lists what is open");
        }
        Ok(Exit::Done)
    }
}

/// The whole file, unless it is larger than any roster.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let whole = |source: &mut dyn Read| {
        let mut bytes = Vec::new();
        source.take(MOST_BYTES + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = if file.as_os_str() == "-" {
        whole(&mut std::io::stdin().lock())
    } else {
        std::fs::File::open(file).and_then(|mut file| whole(&mut file))
    };
    bytes.map_err(|error| Failure::new(format!("the roster `{}` cannot be read: {error}", file.display())))
}

/// Names every wrong row on stderr.
fn named(parsed: Result<Parsed, EngineError>) -> anyhow::Result<Parsed> {
    match parsed {
        Err(EngineError::BadRoster { rows }) => {
            for row in &rows {
                complain(&format!("error: {}", shown(&row.to_string())));
            }
            let wrong = count(length(&rows), "row of the roster is", "rows of the roster are");
            Err(Failure::usage(format!("nothing was imported, because {wrong} wrong")).into())
        }
        parsed => Ok(parsed?),
    }
}

fn told_of(taken: &RosterTaken) -> String {
    let RosterTaken { roster, people, added, changed, missing, accounts, .. } = taken;
    let Accounts { matched, unsure, unknown, nobody, .. } = accounts;
    format!(
        "Roster {roster}: {}; {} new, {} changed, {} missing.\n\
         {}: {} matched, {} not certain, {} unknown, {} of nobody.\n",
        count(*people, "person", "people"),
        number(*added),
        number(*changed),
        number(*missing),
        count(matched + unsure + unknown + nobody, "account", "accounts"),
        number(*matched),
        number(*unsure),
        number(*unknown),
        number(*nobody),
    )
}
