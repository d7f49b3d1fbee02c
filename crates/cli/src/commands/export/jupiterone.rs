//! `metsuke export jupiterone`: the folder that JupiterOne's command line uploads.

use std::io::{BufReader, Seek as _};
use std::path::PathBuf;

use clap::ValueEnum;
use metsuke_engine::jupiterone::{Estate, Exported, Options, Profile, Unpacked, export, unpack};
use metsuke_model::AsOf;
use serde_json::json;

use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::remote::{Query, Remote, as_of as as_of_parameter};
use crate::text::{count, listed};
use crate::work;

/// Write what JupiterOne's Heroku integration would have written, and more
///
/// The folder has the layout of `.j1-integration`, which `j1-integration sync` uploads: one file of entities or
/// relationships a type and step, an index, and a summary that names every type of which something could not be read.
/// It names people, so only its owner can read it. An earlier export is replaced; any other folder is left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke export jupiterone --out .j1-integration
  metsuke export jupiterone --out .j1-integration --tag-account-name --account-name Production
  metsuke export jupiterone --out .j1-integration --profile current --as-of 2026-11-01")]
pub(super) struct Args {
    /// The folder; made, or replaced where it is an earlier export
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    shape: ShapeArgs,
    #[command(flatten)]
    version: VersionArgs,
}

/// What goes out, and how.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(in crate::commands) struct ShapeArgs {
    /// Whose idea of the properties: `classic` is the original integration's and that of data models up to 0.54,
    /// `current` that of data models from 0.62
    #[arg(long, value_enum, value_name = "classic|current", hide_possible_values = true, default_value_t = ProfileArg::Classic)]
    profile: ProfileArg,
    /// Tag every entity with the account name, as `tag.AccountName`
    #[arg(long, requires = "account_name")]
    tag_account_name: bool,
    /// The account name: what the integration is called in JupiterOne
    #[arg(long, value_name = "NAME")]
    account_name: Option<String>,
    /// Tag every entity as production, as `tag.Production`
    #[arg(long)]
    tag_production: bool,
    /// Leave out what JupiterOne's own integration never had
    ///
    /// What is left are Enterprise accounts, their members and teams, and those teams' apps with their add-ons.
    #[arg(long)]
    only_original: bool,
    /// Also let out effective access: who can do what on which app, one relationship for each way
    #[arg(long, conflicts_with = "only_original")]
    effective: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ProfileArg {
    /// As the original integration.
    Classic,
    /// As today's data model.
    Current,
}

impl ShapeArgs {
    /// As the engine takes it.
    pub(in crate::commands) fn options(&self) -> Options {
        Options {
            profile: match self.profile {
                ProfileArg::Classic => Profile::Classic,
                ProfileArg::Current => Profile::Current,
            },
            account_name: self.account_name.clone().filter(|_| self.tag_account_name),
            production: self.tag_production,
            only_original: self.only_original,
            effective: self.effective,
        }
    }
}

impl ShapeArgs {
    /// As a server takes it.
    pub(in crate::commands) fn parameters(&self) -> Query {
        let Options { profile, account_name, production, only_original, effective } = self.options();
        let flags =
            [("tag_production", production), ("only_original", only_original), ("effective", effective)];
        let flags = flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| (name, "true".to_owned()));
        std::iter::once(("profile", profile.as_str().to_owned()))
            .chain(account_name.map(|name| ("account_name", name)))
            .chain(flags)
            .collect()
    }
}

/// Which version goes out.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct VersionArgs {
    /// The version: its number, or a time; by default the newest one
    #[arg(long, value_name = "VERSION|TIME")]
    pub(in crate::commands) as_of: Option<AsOf>,
}

/// Opens the version with the scopes of its sync.
pub(in crate::commands) async fn as_of(context: &Context, as_of: Option<AsOf>) -> anyhow::Result<Estate> {
    let snapshot = context.version(as_of).await?;
    let store = context.database().await?;
    Ok(Estate::of(&store, snapshot).await?)
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut estate = as_of(context, self.version.as_of).await?;
        let version = estate.snapshot.sync().version;
        let Exported { entities, relationships, files, partial, .. } =
            export(&mut estate, &self.shape.options(), &self.out).await?;
        let partial = partial.into_iter().map(ToOwned::to_owned).collect();
        self.print(context, Unpacked { version: version.0, entities, relationships, files, partial })
    }

    /// Has a server write it, and unpacks it here.
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let mut query = as_of_parameter("as_of", self.version.as_of);
        query.extend(self.shape.parameters());
        let mut archive = tempfile::tempfile()?;
        let path = ["export", "jupiterone"];
        let carried = remote.download(&path, remote.query(query), &mut archive);
        work::awaited(context, "waiting for the server to write the folder", carried).await?;
        archive.rewind()?;
        let told = unpack(BufReader::new(archive), &self.out)?;
        self.print(context, told)
    }

    fn print(&self, context: &Context, told: Unpacked) -> anyhow::Result<Exit> {
        let Unpacked { version, entities, relationships, files, partial } = told;
        if matches!(context.output.format, Format::Json | Format::Jsonl) {
            context.output.document(&json!({
                "version": version,
                "folder": self.out,
                "entities": entities,
                "relationships": relationships,
                "files": files,
                "partial": partial,
            }))?;
        } else {
            let (entities, relationships) = (
                count(entities, "entity", "entities"),
                count(relationships, "relationship", "relationships"),
            );
            let told =
                format!("version {version}: {entities} and {relationships} in `{}`\n", self.out.display());
            context.output.print(&told)?;
        }
        note_partial(context, &partial);
        Ok(Exit::Done)
    }
}

/// Names the types of which something could not be read.
pub(in crate::commands) fn note_partial(context: &Context, partial: &[String]) {
    if !partial.is_empty() {
        let told = count(partial.len() as u64, "type is", "types are");
        context
            .note(&format!("note: {told} partial, so nothing of them is deleted there: {}", listed(partial)));
    }
}
