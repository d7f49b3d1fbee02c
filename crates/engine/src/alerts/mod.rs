//! Alerts: what is told of findings, to which channels, in which words, and when.
//!
//! What is found is decided in [`findings`](crate::findings); requests and mails leave through `metsuke-clients`.
//!
//! Invariant: what is to be told is stored with the finding and told at least once, each time with the same id; of one
//! subject in order.

mod channel;
mod deliver;
mod handlers;
mod inert;
mod quiet;
mod registry;
mod render;
pub(crate) mod route;
mod send;

use metsuke_model::Moment;
use metsuke_model::finding::FindingEvent;
use metsuke_store::FindingRow;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub use channel::{Channel, ChannelSettings, Encryption, Unseal, Way};
pub use deliver::{Desk, DeskSettings, FAILING, Pass, deliver_due};
pub use handlers::{Courier, DELIVER, Evaluator};
pub use quiet::Quiet;
pub use registry::{NewChannel, open_channels, remove_channel, save_channel};
pub use render::{digest_text, mail_subject, slack, text, webhook};
pub use send::try_channel;

use crate::findings::Difference;

/// Something that happened to a finding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct News<'n> {
    pub(crate) finding: &'n FindingRow,
    pub(crate) event: FindingEvent,
}

/// What a channel is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// What tells it from every other; the same each time it is told.
    pub id: String,
    /// What happened: `opened`, `resolved` and so on; `action` for what a rule's own actions say, `test` for a trial.
    pub event: String,
    /// How bad it is.
    pub level: String,
    /// The rule's id.
    pub rule: String,
    /// The rule's name.
    pub rule_name: String,
    /// The finding's fingerprint; empty where it is about none.
    pub finding: String,
    /// What it is about.
    pub subject: String,
    /// What the rule finds, in words.
    pub title: String,
    /// Why that matters.
    pub explanation: String,
    /// The connector's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// The version that it came with.
    pub version: i64,
    /// When it was found.
    pub at: Moment,
    /// Whom it is about.
    pub who: Vec<String>,
    /// By what path they hold what they hold.
    pub path: Vec<String>,
    /// What changed.
    pub changes: Vec<Difference>,
    /// How to undo it, in words.
    pub fix: String,
    /// The command that plans that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What a rule's own action says and where to; null for what findings say.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub action: Json,
}
