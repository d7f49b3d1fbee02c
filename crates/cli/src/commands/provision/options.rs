//! The flags of every command that writes to Heroku.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are help texts, in which variables stand as they are"
)]

use std::path::PathBuf;
use std::time::Duration;

use metsuke_clients::heroku::Heroku;
use metsuke_engine::EngineError;
use metsuke_engine::access::find_user;
use metsuke_engine::access::provision::{Point, Settings, Watch};
use metsuke_model::approval::Demand;
use metsuke_store::Store;

use crate::args::{HerokuArgs, LimitArgs, duration};
use crate::context::Context;
use crate::failure::Failure;
use crate::operator::operator;
use crate::output::complain;

/// How writes are held back, and how Heroku is reached.
#[derive(Debug, clap::Args)]
pub(crate) struct WriteArgs {
    /// Allow this command to write to Heroku
    ///
    /// A new installation is read only. METSUKE_PROVISIONING=true allows writes for good. Of a connector, its own
    /// setting decides: `metsuke connectors edit NAME --provisioning true`.
    #[arg(long, help_heading = "Writing")]
    allow_writes: bool,
    /// The number that releases a plan which is over a cap
    #[arg(long, value_name = "N", help_heading = "Writing")]
    pub(super) confirm_count: Option<usize>,
    /// Which plans a second person has to approve: none, sensitive or every
    ///
    /// Else METSUKE_APPROVAL, else none. Of a connector, its own setting decides: `metsuke connectors edit NAME --approval
    /// sensitive`.
    #[arg(long, value_name = "WHICH", help_heading = "Writing")]
    approval: Option<Demand>,
    /// The connector's own account, where Heroku does not tell it to the token
    #[arg(long, value_name = "EMAIL|ID", help_heading = "Writing")]
    connector_account: Option<String>,
    /// A file whose presence stops every write
    ///
    /// Else METSUKE_KILL_SWITCH_FILE, else the SQLite database's name with `.stop` behind it.
    #[arg(long, value_name = "FILE", help_heading = "Writing")]
    kill_switch_file: Option<PathBuf>,
    /// How long after its time limit an unanswered write may still arrive
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration, help_heading = "Writing")]
    late_window: Duration,
    /// How long Heroku may take to show what it confirmed
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration, help_heading = "Writing")]
    verify_patience: Duration,
    #[command(flatten)]
    heroku: HerokuArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

impl WriteArgs {
    /// The client, the database and the settings of a command that writes.
    ///
    /// # Errors
    ///
    /// What is missing, or what opening the database met.
    pub(super) async fn open(&self, context: &Context) -> anyhow::Result<(Heroku, Store, Settings)> {
        let (store, connector) = context.estate_in_use().await?;
        let store = store.acting_as(operator());
        let heroku = match &connector {
            Some((installation, id)) if !context.config.has_token(self.heroku.token_file.as_deref()) => {
                installation.heroku(*id).await?
            }
            _ => Heroku::new(context.config.heroku(&self.heroku, Some(&self.limits))?)?,
        };
        let connector = match &connector {
            Some((installation, id)) => Some(installation.connector(*id).await?),
            None => None,
        };
        if let Some(account) = &self.connector_account {
            known(&store, account).await?;
        }
        let settings = Settings {
            // A connector says itself whether anything is changed through it.
            allow_writes: match &connector {
                Some(connector) => connector.settings.provisioning,
                None => self.allow_writes || context.config.provisioning(),
            },
            approval: match &connector {
                Some(connector) => connector.settings.approval,
                None => self.approval.unwrap_or_else(|| context.config.approval()),
            },
            connector: connector.map(|connector| connector.name),
            connector_account: self.connector_account.clone(),
            kill_file: self.kill_switch_file.clone().or_else(|| context.kill_file()),
            late_window: self.limits.request_timeout + self.late_window,
            verify_patience: self.verify_patience,
            poll: Duration::from_millis(500).min(self.verify_patience).max(Duration::from_millis(20)),
            sabotage: context.config.sabotage(),
            ..Settings::default()
        };
        Ok((heroku, store, settings))
    }
}

/// Refuses an account that nobody has: keeping it safe would keep nobody safe.
async fn known(store: &Store, account: &str) -> anyhow::Result<()> {
    // Ids are compared in small letters, here as where the account is kept safe.
    let asked = if account.contains('@') { account.to_owned() } else { account.trim().to_lowercase() };
    let found = match store.snapshot(None).await? {
        Some(mut snapshot) => find_user(&mut snapshot, &asked).await,
        None => return Err(nobody(account).into()),
    };
    match found {
        Ok(_) | Err(EngineError::Ambiguous { .. }) => Ok(()),
        Err(EngineError::NotFound { .. }) => Err(nobody(account).into()),
        Err(error) => Err(error.into()),
    }
}

fn nobody(account: &str) -> Failure {
    let told = format!(
        "--connector-account `{account}` is nobody that a sync has seen, so it would keep nobody safe"
    );
    Failure::usage(told).hint("`metsuke list users` shows who is known; give the e-mail address or the id")
}

/// Tells on stderr what takes its time.
#[derive(Debug)]
pub(super) struct Teller {
    pub(super) quiet: bool,
    /// A test ends the process when this point is reached for the so-many-th time.
    pub(super) abort_at: Option<(String, u32)>,
    pub(super) reached: std::sync::Mutex<u32>,
}

impl Teller {
    pub(super) fn new(context: &Context) -> Self {
        Self {
            quiet: context.config.quiet,
            abort_at: context.config.abort_at(),
            reached: std::sync::Mutex::new(0),
        }
    }
}

impl Watch for Teller {
    fn reached(&self, point: Point) {
        tracing::debug!(point = point.as_str(), "reached");
        if let Some((name, times)) = &self.abort_at
            && name == point.as_str()
        {
            let mut reached = self.reached.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *reached += 1;
            if *reached == *times {
                std::process::abort();
            }
        }
    }

    fn waiting(&self, what: &str) {
        if !self.quiet {
            complain(&format!("note: {what}"));
        }
    }
}
