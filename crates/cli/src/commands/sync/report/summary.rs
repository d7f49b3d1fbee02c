//! What a sync came to, in sentences for people.
//!
//! What a program reads of it is made one floor up.
//!
//! Invariant: a text that came from Heroku passes [`shown`] before it is printed.

use std::collections::BTreeMap;
use std::time::Duration;

use metsuke_model::Changes;

use super::Told;
use crate::context::gap_reason;
use crate::output::Output;
use crate::page::Page;
use crate::text::{count, length, length_of_time, number, shown};

/// Gaps of one reason that are named.
const NAMED: usize = 50;

impl Told {
    /// The summary for people.
    pub(crate) fn summary(&self, output: Output) -> String {
        let what = if self.quarantine.is_empty() { "Version" } else { "Sync" };
        let version = self.version.map(|version| format!("{what} {version}")).unwrap_or_default();
        let mut page = Page::new(output);
        page.heading(&format!("{version}: {}", self.status.as_str()));
        for (_, heading, count, before) in self.named_counts() {
            page.line(&format!("  {heading:<20}{:>12}{}", number(count), delta(count, before)));
        }
        page.line("");
        page.say(&self.change(), 2);
        let waited = match self.waited_ms {
            0 => String::new(),
            waited => format!(", {} of it waiting", length_of_time(Duration::from_millis(waited))),
        };
        let took = length_of_time(Duration::from_millis(self.duration_ms));
        page.say(&format!("{} in {took}{waited}", count(self.requests, "request", "requests")), 2);
        if !self.gaps.is_empty() {
            let gaps = count(length(&self.gaps), "gap", "gaps");
            let kept = if self.before.is_some() {
                "is kept as it was, and never reported as gone"
            } else {
                "is missing from this version"
            };
            page.heading(&format!("{gaps}: what could not be read {kept}"));
            self.tell_gaps(&mut page);
        }
        self.tell_quarantine(&mut page);
        page.into_text()
    }

    /// What can be done about a run in quarantine; nothing for any other.
    pub(in crate::commands::sync) fn advice(&self, output: Output) -> String {
        let Some(version) = self.version.filter(|_| !self.quarantine.is_empty()) else {
            return String::new();
        };
        let mut page = Page::new(output);
        page.line("");
        let then = format!(
            "If that is how it is on Heroku, `metsuke syncs accept {version}` makes it current. \
             If not, look at the token and its account with `metsuke doctor`, and sync again."
        );
        page.say(&then, 2);
        page.into_text()
    }

    fn tell_quarantine(&self, page: &mut Page) {
        if self.quarantine.is_empty() {
            return;
        }
        page.heading("In quarantine: too much would go at once, so the last version stays current");
        for reason in &self.quarantine {
            page.say(&shown(reason), 2);
        }
    }

    /// The gaps by name, those with the same reason together.
    fn tell_gaps(&self, page: &mut Page) {
        let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for gap in &self.gaps {
            reasons.entry(gap_reason(gap)).or_default().push(shown(&gap.scope).into_owned());
        }
        for (reason, scopes) in reasons {
            page.say(&format!("{reason}:"), 2);
            for scope in scopes.iter().take(NAMED) {
                page.line(&format!("    {scope}"));
            }
            if let (Some(more), Some(version)) = (scopes.len().checked_sub(NAMED + 1), self.version) {
                page.line(&format!("    and {} more, see `metsuke syncs show {version}`", more + 1));
            }
        }
    }

    fn change(&self) -> String {
        let Changes { added, removed, changed } = self.changes;
        if self.before.is_none() {
            return "the first version: everything in it is new".into();
        }
        if added + removed + changed == 0 {
            return "nothing changed since the version before".into();
        }
        let (added, removed, changed) = (number(added), number(removed), number(changed));
        if !self.quarantine.is_empty() {
            return format!("against the last version {added} added, {removed} removed, {changed} changed");
        }
        format!("since the version before {added} added, {removed} removed, {changed} changed")
    }
}

fn delta(count: u64, before: Option<u64>) -> String {
    match before {
        Some(before) if count > before => format!("  (+{})", number(count - before)),
        Some(before) if count < before => format!("  (-{})", number(before - count)),
        _ => String::new(),
    }
}
