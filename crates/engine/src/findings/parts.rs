//! Stores what a rule found in parts, where it found more than is to be held beside what is stored of it.
//!
//! Invariant: once the last part is stored, everything is as if it had been stored at once. Where the parts end before
//! that, what is stored of them stands, and the next evaluation stores the others.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use metsuke_store::FindingStanding;

use super::compare::{Judged, Part};
use super::evaluate::Run;
use super::settle::{Found, Settled};
use crate::EngineError;
use crate::rules::{Evaluation, Subject};

impl Run<'_> {
    /// Stores what one rule found, so many subjects at a time, and behind them what it does not find any more.
    pub(super) async fn in_parts(&mut self, much: Judged<'_>) -> Result<Settled, EngineError> {
        let Judged { rule, mut evaluation, log, .. } = much;
        let most = self.asked.limits.most_held.max(1);
        let mut subjects = std::mem::take(&mut evaluation.subjects);
        let mut gone = self.asked.store.standing_of(rule.key()).await?;
        for subject in &subjects {
            gone.remove(&subject.fingerprint);
        }
        subjects.reverse();
        let (mut part, mut standing, opened_before) = (Part::First, None, self.summary.opened);
        loop {
            let (of_part, touched) = next(&mut subjects, &mut gone, most);
            let evaluation = Evaluation { subjects: of_part, ..evaluation.clone() };
            let judged = Judged { rule, evaluation, log: Arc::clone(&log), touched: Some(touched), part };
            let mut found = Found::upon(standing.as_ref().unwrap_or(self.standing));
            found.judged.push(judged);
            let settled = self.settled(&found, false).await?;
            drop(found);
            let Settled::Stored(_, edition) = settled else { return Ok(settled) };
            if subjects.is_empty() && gone.is_empty() {
                return Ok(settled);
            }
            let now = self.asked.store.finding_standing().await?;
            if written(&now, rule.key()).is_some_and(|written| written > edition) {
                // Somebody else evaluated the rule meanwhile.
                return Ok(Settled::Otherwise);
            }
            let acted = self.summary.opened > opened_before;
            (part, standing) = (Part::Further { acted }, Some(now));
        }
    }
}

/// The next subjects, the last ones of the list first, or findings that are gone where no subject is left; and of which
/// findings is told, by their fingerprints.
fn next(
    subjects: &mut Vec<Subject>,
    gone: &mut BTreeSet<String>,
    most: usize,
) -> (Vec<Subject>, HashSet<String>) {
    let mut of_part = subjects.split_off(subjects.len().saturating_sub(most));
    of_part.reverse();
    subjects.shrink_to_fit();
    let mut touched: HashSet<String> = of_part.iter().map(|subject| subject.fingerprint.clone()).collect();
    while touched.len() < most
        && let Some(print) = gone.pop_first()
    {
        touched.insert(print);
    }
    (of_part, touched)
}

/// The edition of the findings with which a rule's state was written.
fn written(standing: &FindingStanding, rule: &str) -> Option<i64> {
    let state = standing.rules.iter().find(|state| state.rule == rule)?;
    state.document.get("edition")?.as_i64()
}
