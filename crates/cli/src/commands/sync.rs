//! `metsuke sync`: reads the estate, commits it as the next version, and tells what came of it.
//!
//! Reading and committing are the engine's; here are the settings, the progress and the report.
//!
//! Invariant: whatever happens, a sync that began prints its report, and its exit code agrees with it.

pub(super) mod report;

use metsuke_clients::heroku::Heroku;
use metsuke_engine::sync::{self, Skip};
use metsuke_engine::{EngineError, lists};
use metsuke_model::{Clock as _, Counts, SyncReport, SyncStatus, SystemClock};
use metsuke_store::{Brake, OpenMode, Store};

use crate::args::{Format, HerokuArgs, LimitArgs};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::operator::operator;
use crate::output::complain;
use crate::progress::Reporter;
use report::Told;

/// Read the estate from Heroku and keep it as the next version
///
/// Reads everything that the token's account can see, compares it with the last version, and commits the
/// difference. What could not be read is named and never reported as gone. Interrupted at any moment, it leaves
/// the last version untouched.
///
/// A sync that would take away very much at once is more often a mistake than a wish: a token that lost its rights, a
/// listing that came empty. It is put into quarantine: recorded and shown, while the last version stays current, until
/// `metsuke syncs accept` makes it current or the next sync is compared anew.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With --format json, stdout is one object: {\"sync\": {\"version\", \"status\", \"started_at\",
\"finished_at\", \"duration_ms\", \"requests\", \"waited_ms\", \"counts\", \"changes\", \"incomplete\"}};
a quarantined one has \"quarantine\": {\"reasons\"} beside.

Exit codes: 0 complete, 4 partial or quarantined, 1 failed, 2 wrong usage.

Environment: METSUKE_HEROKU_TOKEN, BATON_API_TOKEN, HEROKU_API_KEY, METSUKE_HEROKU_URL,
METSUKE_DATABASE_URL, DATABASE_URL.

Examples:
  metsuke sync
  metsuke sync --token-file /run/secrets/heroku --database postgres://metsuke@db/metsuke
  metsuke sync --skip pipelines,spaces --quiet --format json"
)]
pub(crate) struct Args {
    /// What to leave out: addons, pipelines, spaces, invitations
    ///
    /// What is left out is not a gap. Without add-ons there is no data reach.
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "What to read")]
    skip: Vec<Skip>,
    #[command(flatten)]
    heroku: HerokuArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    brake: BrakeArgs,
}

/// How much may go with one sync.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Quarantine")]
struct BrakeArgs {
    /// The most of all grants that may go with one sync, in percent, 0 to 100
    ///
    /// A sync that would take away more of them, or all that is held on a team, is put into quarantine. 100 lets any
    /// part go; whole teams are held up still.
    #[arg(long, value_name = "PERCENT", default_value_t = Brake::default().percent, value_parser = clap::value_parser!(u8).range(0..=100))]
    brake_percent: u8,
    /// The number of grants from which on syncs are held up; a very high one holds up none
    #[arg(long, value_name = "N", default_value_t = Brake::default().least_grants)]
    brake_from: u64,
}

impl Args {
    /// Syncs.
    ///
    /// # Errors
    ///
    /// Why no version came of it.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let settings = context.config.heroku(&self.heroku, Some(&self.limits))?;
        let heroku = Heroku::new(settings)?;
        let settings = sync::Settings { skip: self.skip.into_iter().collect() };
        let brake = Brake { percent: self.brake.brake_percent, least_grants: self.brake.brake_from };
        let opened = Store::open(&context.config.database().value, OpenMode::Create).await;
        let store = match opened {
            Ok(store) => store.acting_as(operator()).braked(brake),
            Err(error) => {
                // Programs that read stdout are told in the form that they expect.
                let now = SystemClock.now();
                print(context, &Told::failed(None, &empty(now)))?;
                return Err(error.into());
            }
        };
        let told = sync_into(context, &heroku, &store, &settings).await?;
        if !context.config.quiet {
            warn_of_scope(&heroku, &told);
            warn_of_federation(&store).await?;
        }
        Ok(if told.status == SyncStatus::Complete { Exit::Done } else { Exit::Partial })
    }
}

/// Syncs and prints the report; used by the demo as well.
///
/// # Errors
///
/// Why no version came of it; its report is printed all the same.
pub(crate) async fn sync_into(
    context: &Context,
    heroku: &Heroku,
    store: &Store,
    settings: &sync::Settings,
) -> anyhow::Result<Told> {
    let before = counts_before(store).await?;
    let progress = Reporter::new(context.config.quiet);
    let ran = Box::pin(sync::run(heroku, store, settings, &SystemClock, &progress, &context.cancel)).await;
    progress.end();
    match ran {
        Ok(summary) => {
            let told = Told::committed(&summary, before);
            print(context, &told)?;
            Ok(told)
        }
        Err(failure) => {
            print(context, &Told::failed(failure.version, &failure.report))?;
            Err(explained(failure.error))
        }
    }
}

/// What the newest version holds; none where there is none.
async fn counts_before(store: &Store) -> anyhow::Result<Option<Counts>> {
    Ok(store.snapshot(None).await?.map(|snapshot| snapshot.sync().counts))
}

fn print(context: &Context, told: &Told) -> anyhow::Result<()> {
    let output = context.output;
    match output.format {
        Format::Table if told.status == SyncStatus::Failed => {}
        Format::Table => output.print(&format!("{}{}", told.summary(output), told.advice(output)))?,
        Format::Json | Format::Jsonl => output.document(&told.document())?,
        Format::Csv => told.counts_as_rows(output)?,
    }
    Ok(())
}

/// The error with a better hint, where the command line knows one.
fn explained(error: EngineError) -> anyhow::Error {
    match error {
        EngineError::Cancelled => {
            Failure::new("the sync was stopped before its end; the last version is untouched")
                .hint("run it again; it starts from the beginning")
                .into()
        }
        error => error.into(),
    }
}

/// Says what a token of small scope cannot read, where that left gaps.
fn warn_of_scope(heroku: &Heroku, told: &Told) {
    let Some(scopes) = heroku.scopes().filter(|scopes| !scopes.iter().any(|scope| scope == "global")) else {
        return;
    };
    if told.status == SyncStatus::Complete {
        return;
    }
    complain(&format!(
        "warning: the token's scope is `{}`, with which Heroku does not show the members of teams",
        scopes.join(" ")
    ));
    complain(
        "hint: make a token with `heroku authorizations:create --scope global`, best on an account of its own",
    );
}

/// Says that the token will not last, where its account signs in through an identity provider.
async fn warn_of_federation(store: &Store) -> anyhow::Result<()> {
    let Some(mut snapshot) = store.snapshot(None).await? else { return Ok(()) };
    let users = lists::users(&mut snapshot).await?;
    if users.iter().any(|user| user.own_account && user.federated == Some(true)) {
        complain(
            "warning: the token's account is federated, and such an account cannot keep a lasting token",
        );
        complain(
            "hint: make the token on a service account that signs in with password and second factor; see `metsuke doctor`",
        );
    }
    Ok(())
}

fn empty(now: metsuke_model::Moment) -> SyncReport {
    SyncReport {
        status: SyncStatus::Failed,
        started_at: now,
        finished_at: now,
        requests: 0,
        waited_ms: 0,
        error: None,
        scopes: Vec::new(),
    }
}
