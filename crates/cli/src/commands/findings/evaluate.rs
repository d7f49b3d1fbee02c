//! `metsuke findings evaluate`: evaluates the newest version, keeps what was found, and puts what is to be told in line.

use std::collections::BTreeSet;

use metsuke_engine::EngineError;
use metsuke_engine::findings::{self, Asked, Watched, Which, watched};
use metsuke_engine::rules::Limits;
use metsuke_model::SystemClock;
use metsuke_store::OpenMode;
use serde_json::{Value, json};

use super::channels;
use crate::context::Context;
use crate::failure::Exit;
use crate::remote::Remote;
use crate::text::{count, shown};

/// Evaluate the newest version and keep what is found
///
/// `metsuke serve` does so after each sync. What is to be told waits until `metsuke channels deliver` or the server
/// sends it. Evaluating a version again changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke sync && metsuke findings evaluate && metsuke channels deliver
  metsuke findings evaluate --rule D12")]
pub(super) struct Args {
    /// Evaluate this rule alone, by its id or name; a rule that is polled never is evaluated so
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// End with exit code 3 where a finding came
    #[arg(long)]
    exit_code: bool,
}

impl Args {
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let body = json!({ "connector": remote.connector() });
        let told: Value = remote.post(&["findings", "evaluate"], body).await?;
        for unjudged in told["unjudged"].as_array().into_iter().flatten() {
            let text = |name: &str| shown(unjudged[name].as_str().unwrap_or_default()).into_owned();
            context.note(&format!("note: {} was not judged: {}", text("rule"), text("reason")));
        }
        let number = |name: &str| told[name].as_u64().unwrap_or_default();
        context.output.print(&format!(
            "Version {}: {}; {} came, {} gone, {} there; {} to be told.\n",
            number("version"),
            count(number("rules"), "rule", "rules"),
            number("opened"),
            number("resolved"),
            number("standing"),
            number("deliveries"),
        ))?;
        Ok(if self.exit_code && number("opened") > 0 { Exit::Findings } else { Exit::Done })
    }

    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        let newest = store.snapshot(None).await?.ok_or(EngineError::NoVersion)?.sync().version;
        let (rules, wrong) = watched(&context.main(OpenMode::Existing).await?.rules().await?);
        for (rule, mistakes) in wrong {
            let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
            context.note(&format!("note: rule {} cannot be read: {}", shown(&rule), shown(&first)));
        }
        let these = self.rule.as_deref().map(|asked| chosen(&rules, asked)).transpose()?;
        let channels = channels(context).await?;
        let folder = tempfile::tempdir()?;
        let asked = Asked {
            store: &store,
            rules: &rules,
            of: these.as_ref().map_or(Which::Following, Which::These),
            channels: &channels,
            connector: None,
            account_name: None,
            limits: Limits::default(),
            folder: folder.path(),
        };
        let summary = findings::evaluate(&asked, newest, &SystemClock).await?;
        for (rule, why) in &summary.unjudged {
            context.note(&format!("note: {} was not judged: {}", shown(rule), shown(why)));
        }
        let rules = count(u64::try_from(summary.rules)?, "rule", "rules");
        context.output.print(&format!(
            "Version {}: {rules}; {} came, {} gone, {} there; {} to be told.\n",
            summary.version, summary.opened, summary.resolved, summary.standing, summary.deliveries
        ))?;
        Ok(if self.exit_code && summary.opened > 0 { Exit::Findings } else { Exit::Done })
    }
}

/// The rule of this id or name.
fn chosen(rules: &[Watched], asked: &str) -> anyhow::Result<BTreeSet<String>> {
    let is = |rule: &&Watched| rule.key().eq_ignore_ascii_case(asked) || rule.name() == asked;
    let rule =
        rules.iter().find(is).ok_or_else(|| EngineError::Unknown { what: "rule", asked: asked.into() })?;
    Ok(BTreeSet::from([rule.key().to_owned()]))
}
