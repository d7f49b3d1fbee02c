//! Findings about ourselves: what keeps the house from finding or from telling.

use metsuke_model::finding::FindingState;
use metsuke_model::{Moment, Version};
use metsuke_store::FindingRow;

use super::evidence::Evidence;
use crate::rules::Level;

/// A rule of the house about itself, and the finding of it that is meant.
pub(crate) struct Ourselves {
    /// The rule.
    pub(crate) rule: &'static str,
    /// What it is called.
    pub(crate) name: &'static str,
    /// What tells the finding from every other.
    pub(crate) fingerprint: String,
}

impl Ourselves {
    /// The finding as it opens, for the first time or again.
    pub(crate) fn row(
        self,
        subject: String,
        evidence: &Evidence,
        known: Option<&FindingRow>,
        (version, now): (Version, Moment),
    ) -> FindingRow {
        FindingRow {
            fingerprint: self.fingerprint,
            number: known.map_or(0, |known| known.number),
            rule: self.rule.into(),
            rule_name: self.name.into(),
            subject,
            state: FindingState::Open,
            level: Level::High.as_str().into(),
            opened_at: now,
            opened: version,
            changed_at: now,
            seen: version,
            missing: None,
            times: known.map_or(0, |known| known.times) + 1,
            until: None,
            reason: None,
            person: None,
            print: evidence.print(),
            document: evidence.to_document(),
        }
    }
}
