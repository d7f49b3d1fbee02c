//! `metsuke jupiterone`: bringing the estate to JupiterOne.
//!
//! How it travels is the engine's and the client's to say.
//!
//! Invariant: no flag takes the key.

use std::path::PathBuf;

use metsuke_clients::jupiterone::{JupiterOne, Origin, Settings};
use metsuke_engine::desk::UploadTold;
use metsuke_engine::jupiterone::{Options, upload};
use serde_json::json;
use url::Url;

use super::export::{ShapeArgs, VersionArgs, as_of, note_partial};
use crate::args::Format;
use crate::config::spelled;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::progress::Reporter;
use crate::remote::{Remote, as_of as as_of_parameter};
use crate::text::{count, listed, shown};
use crate::work;

/// Bring the estate to JupiterOne
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke jupiterone upload --integration-instance-id 01234567-89ab-cdef-0123-456789abcdef")]
pub(crate) struct Args {
    #[command(subcommand)]
    doing: Doing,
}

#[derive(Debug, clap::Subcommand)]
enum Doing {
    Upload(Box<UploadArgs>),
}

/// Upload a version to JupiterOne, as its own integration would
///
/// One job is started, filled and finalized; what was there before and is not uploaded is deleted there, but for types
/// of which something could not be read. A job that fails is aborted, and changes nothing. The API key is
/// `JUPITERONE_API_KEY`, or stands in a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  export JUPITERONE_API_KEY=… JUPITERONE_ACCOUNT=…
  metsuke jupiterone upload --integration-instance-id 01234567-89ab-cdef-0123-456789abcdef
  metsuke jupiterone upload --scope heroku --account-id acme --api-key-file /run/secrets/jupiterone")]
struct UploadArgs {
    /// The integration instance whose objects these are
    #[arg(long, value_name = "ID", required_unless_present = "scope", conflicts_with = "scope")]
    integration_instance_id: Option<String>,
    /// Upload under a scope of this name instead, which belongs to no integration
    #[arg(long, value_name = "NAME")]
    scope: Option<String>,
    /// The id of the JupiterOne account; else `JUPITERONE_ACCOUNT`
    #[arg(long, value_name = "ID")]
    account_id: Option<String>,
    /// A file with the API key; `-` reads it from stdin
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// The address of the API
    ///
    /// Else `METSUKE_JUPITERONE_URL`, else api.us.jupiterone.io. Plain http is accepted for this machine only.
    #[arg(long, value_name = "URL")]
    jupiterone_url: Option<Url>,
    #[command(flatten)]
    shape: ShapeArgs,
    #[command(flatten)]
    version: VersionArgs,
}

impl Args {
    /// Does what was asked for.
    ///
    /// # Errors
    ///
    /// What the engine said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.doing {
            Doing::Upload(args) => args.run(context).await,
        }
    }

    /// Has a server do it.
    ///
    /// # Errors
    ///
    /// What the server said.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self.doing {
            Doing::Upload(args) => args.through(context, remote).await,
        }
    }
}

impl UploadArgs {
    async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let key = context.config.jupiterone_key(self.api_key_file.as_deref())?;
        let account = context.config.jupiterone_account(self.account_id.as_deref())?;
        let url = context.config.jupiterone_url(self.jupiterone_url.as_ref())?;
        let jupiterone = JupiterOne::new(Settings::new(url, key, account))?;
        let origin = match (self.integration_instance_id, self.scope) {
            (Some(id), _) => Origin::Instance(id),
            (None, Some(scope)) => Origin::Scope(scope),
            (None, None) => {
                return Err(Failure::usage("there is no integration instance to upload to").into());
            }
        };
        let mut estate = as_of(context, self.version.as_of).await?;
        let version = estate.snapshot.sync().version;
        let reporter = Reporter::new(context.config.quiet);
        let options = self.shape.options();
        let ended = upload(&jupiterone, &origin, &mut estate, &options, &reporter, &context.cancel).await;
        reporter.end();
        print(context, &UploadTold::of(version, ended?))
    }

    async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        if self.jupiterone_url.is_some() {
            let told = "a server uploads to the address that its own settings name";
            return Err(Failure::usage(told).hint("leave --jupiterone-url out").into());
        }
        let key = context.config.jupiterone_key(self.api_key_file.as_deref())?;
        let Options { profile, account_name, production, only_original, effective } = self.shape.options();
        let ask = json!({
            "connector": remote.connector(),
            "as_of": as_of_parameter("as_of", self.version.as_of).pop().map(|(_, told)| told),
            "account_id": context.config.jupiterone_account(self.account_id.as_deref())?,
            "api_key": spelled(&key),
            "integration_instance_id": self.integration_instance_id,
            "scope": self.scope,
            "profile": profile.as_str(),
            "account_name": account_name,
            "tag_production": production,
            "only_original": only_original,
            "effective": effective,
        });
        let patient = remote.patient();
        let path = ["jupiterone", "upload"];
        let asked = patient.post(&path, ask);
        let told: UploadTold = work::awaited(context, "waiting for the server to upload", asked).await?;
        print(context, &told)
    }
}

fn print(context: &Context, told: &UploadTold) -> anyhow::Result<Exit> {
    let UploadTold { version, job, status, entities, relationships, skipped, partial, .. } = told;
    if matches!(context.output.format, Format::Json | Format::Jsonl) {
        context.output.document(told)?;
    } else {
        let (entities, relationships) = (
            count(entities.uploaded, "entity", "entities"),
            count(relationships.uploaded, "relationship", "relationships"),
        );
        let (status, job) = (shown(status), shown(job));
        let told =
            format!("version {version}: {entities} and {relationships} uploaded; job {job} is {status}\n");
        context.output.print(&told)?;
    }
    note_partial(context, partial);
    if !skipped.is_empty() {
        let told = count(skipped.len() as u64, "object is", "objects are");
        context.note(&format!("note: {told} too large and were left out: {}", listed(skipped)));
    }
    Ok(if told.is_taken() && skipped.is_empty() { Exit::Done } else { Exit::Failure })
}
