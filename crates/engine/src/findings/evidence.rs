//! What is kept of a finding beside its state: the rows that show it, what changed, for whom, by what path, and the fix.
//!
//! Invariant: what is kept reads back; a member that is not there is empty.

use std::fmt::Write as _;

use metsuke_store::Document;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// What a finding rests on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Evidence {
    /// It was found in the change log, so that it stands until the change is undone.
    pub of_change: bool,
    /// What the rule finds, in words.
    pub title: String,
    /// Why that matters.
    pub explanation: String,
    /// What to do about it, in words.
    pub fix: String,
    /// The command that plans the fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The controls that the rule bears on.
    #[serde(skip_serializing_if = "Json::is_null")]
    pub controls: Json,
    /// The rows that show it.
    pub rows: Vec<Json>,
    /// Whom it is about.
    pub who: Vec<String>,
    /// By what path they hold what they hold.
    pub path: Vec<String>,
    /// What changed, where the change log tells.
    pub changes: Vec<Difference>,
}

/// What differs, before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Of what, in words.
    pub what: String,
    /// Which property.
    pub property: String,
    /// As it was; null where there was nothing.
    pub before: Json,
    /// As it is; null where there is nothing.
    pub after: Json,
}

impl Evidence {
    /// Reads what was kept.
    #[must_use]
    pub fn read(document: &Document) -> Self {
        document.read().unwrap_or_default()
    }

    /// As it is kept.
    #[must_use]
    pub fn to_document(&self) -> Document {
        Document::of(self)
    }

    /// What tells whether it is about the same rows.
    pub(crate) fn print(&self) -> String {
        let rows = serde_json::to_string(&self.rows).unwrap_or_default();
        hash(&[&rows, self.command.as_deref().unwrap_or_default()])
    }
}

/// The hash of some texts, in 32 digits.
pub(crate) fn hash(parts: &[&str]) -> String {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    let mut text = String::with_capacity(32);
    for byte in digest(&SHA256, &bytes).as_ref().iter().take(16) {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}
