//! What an evaluation is worked out from: what came of rules, and of the findings those that it may change.
//!
//! Invariant: everything is as of one moment; a finding that is not told stays as it is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use metsuke_model::finding::FindingState;
use metsuke_model::{Moment, Version};

use super::rows::finding_row;
use super::tally::Tally;
use super::{EDITION, EVALUATED, FindingRow, READING, RuleStateRow, finding_columns, states};
use crate::connection::{Bind, Connection, Row};
use crate::{Store, StoreError, settings};

/// What came of rules, and how many findings of each stand.
#[derive(Clone, Debug, Default)]
pub struct FindingStanding {
    /// Changes with everything that is written of findings.
    pub edition: i64,
    /// The newest version that was evaluated.
    pub evaluated: Option<Version>,
    /// What came of rules.
    pub rules: Vec<RuleStateRow>,
    /// How many findings of a rule are not resolved.
    pub open: BTreeMap<String, OpenFindings>,
}

/// Findings of one rule that are not resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFindings {
    /// How many.
    pub count: usize,
    /// How many of them were not found the last time, though nothing proves them gone.
    pub missing: usize,
}

/// Which findings an evaluation asks for.
#[derive(Clone, Debug)]
pub struct WantedFindings<'w> {
    /// Every finding of these rules, but for those of which the evaluation says what is known.
    pub rules: Vec<&'w str>,
    /// Of one of these rules only the findings among these, by their fingerprints.
    pub part: Option<(&'w str, &'w HashSet<String>)>,
    /// These findings.
    pub fingerprints: Vec<&'w str>,
    /// What is said of findings of those rules, by their fingerprints.
    pub said: HashMap<&'w str, Said<'w>>,
    /// The rules that are watched: findings of others that are not resolved are told.
    pub watched: &'w HashSet<&'w str>,
    /// What was accepted until then is told.
    pub now: Moment,
}

/// What an evaluation says of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<'w> {
    /// The rule's name.
    pub rule_name: &'w str,
    /// What it is about.
    pub subject: &'w str,
    /// How bad it is.
    pub level: &'static str,
    /// What tells whether its document changed.
    pub print: String,
}

/// What an evaluation is worked out from.
#[derive(Clone, Debug, Default)]
pub struct FindingGround {
    /// What came of rules.
    pub standing: FindingStanding,
    /// The findings that were asked for, by number.
    pub findings: Vec<FindingRow>,
    /// Findings that stand and of which the evaluation says what is known, by their fingerprints.
    pub same: HashSet<String>,
}

impl Store {
    /// What came of rules, and how many findings stand.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn finding_standing(&self) -> Result<FindingStanding, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        standing(&mut connection, &self.tally).await
    }

    /// What an evaluation is worked out from, as of one moment.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn finding_ground(&self, wanted: &WantedFindings<'_>) -> Result<FindingGround, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let standing = standing(&mut connection, &self.tally).await?;
        let mut ground = FindingGround { standing, ..FindingGround::default() };
        let mut seen = HashSet::new();
        let sql = finding_columns!("WHERE state = 'accepted' AND until <= $1");
        ground.read(&mut connection, (sql, &[wanted.now.0.into()]), &mut seen, (None, None)).await?;
        for rule in &wanted.rules {
            let sql = finding_columns!("WHERE rule = $1");
            let among = wanted.part.filter(|(of, _)| of == rule).map(|(_, among)| among);
            let which = (among, Some(&wanted.said));
            ground.read(&mut connection, (sql, &[(*rule).into()]), &mut seen, which).await?;
        }
        for fingerprint in &wanted.fingerprints {
            let sql = finding_columns!("WHERE fingerprint = $1");
            ground.read(&mut connection, (sql, &[(*fingerprint).into()]), &mut seen, (None, None)).await?;
        }
        let watched = |rule: &&String| wanted.watched.contains(rule.as_str());
        let others: Vec<String> =
            ground.standing.open.keys().filter(|rule| !watched(rule)).cloned().collect();
        for rule in others {
            let sql = finding_columns!("WHERE rule = $1 AND state <> 'resolved'");
            ground.read(&mut connection, (sql, &[Bind::from(&*rule)]), &mut seen, (None, None)).await?;
        }
        ground.findings.sort_by_key(|finding| finding.number);
        Ok(ground)
    }

    /// The findings of a rule that were found the last time, by their fingerprints.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn found_last(&self, rule: &str) -> Result<BTreeSet<String>, StoreError> {
        let sql = "SELECT fingerprint
                     FROM finding
                    WHERE rule = $1 AND missing IS NULL AND state <> 'resolved'";
        self.prints(sql, rule).await
    }

    /// The findings of a rule that are not resolved, whether they were found the last time or not, by their fingerprints.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn standing_of(&self, rule: &str) -> Result<BTreeSet<String>, StoreError> {
        self.prints("SELECT fingerprint FROM finding WHERE rule = $1 AND state <> 'resolved'", rule).await
    }

    async fn prints(&self, sql: &'static str, rule: &str) -> Result<BTreeSet<String>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut found = BTreeSet::new();
        connection
            .each(READING, sql, &[rule.into()], |row| {
                found.extend(row.text(0)?);
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// Changes with everything that is written of findings.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn finding_edition(&self) -> Result<i64, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        Ok(settings::number(&mut connection, READING, EDITION).await?.unwrap_or(0))
    }
}

impl FindingGround {
    /// Reads findings that were not read before, of a part alone where it is given; those that are as is said of them are
    /// only counted.
    async fn read(
        &mut self,
        connection: &mut Connection,
        (sql, binds): (&'static str, &[Bind]),
        seen: &mut HashSet<String>,
        (among, said): (Option<&HashSet<String>>, Option<&HashMap<&str, Said<'_>>>),
    ) -> Result<(), StoreError> {
        connection
            .each(READING, sql, binds, |row| {
                let fingerprint = row.text(0)?.unwrap_or_default();
                let meant = among.is_none_or(|among| among.contains(&fingerprint));
                if !meant || seen.contains(&fingerprint) {
                    return Ok(());
                }
                let said = said.and_then(|said| said.get(fingerprint.as_str()));
                if said.is_some_and(|said| is_said(row, said).unwrap_or(false)) {
                    self.same.insert(fingerprint.clone());
                } else {
                    self.findings.push(finding_row(row)?);
                }
                seen.insert(fingerprint);
                Ok(())
            })
            .await
    }
}

/// Whether a finding stands and is what is said of it.
fn is_said(row: Row<'_>, said: &Said<'_>) -> Result<bool, StoreError> {
    let is = |index, word: &str| Ok::<_, StoreError>(row.text(index)?.as_deref() == Some(word));
    let resolved = is(5, FindingState::Resolved.as_str())?;
    let found = !resolved && row.int(11)?.is_none();
    Ok(found && is(3, said.rule_name)? && is(4, said.subject)? && is(6, said.level)? && is(16, &said.print)?)
}

async fn standing(connection: &mut Connection, tally: &Tally) -> Result<FindingStanding, StoreError> {
    let mut standing = FindingStanding {
        edition: settings::number(connection, READING, EDITION).await?.unwrap_or(0),
        evaluated: settings::number(connection, READING, EVALUATED).await?.map(Version),
        rules: states(connection).await?,
        open: BTreeMap::new(),
    };
    let whole = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    for count in &*tally.counts(connection, standing.edition).await? {
        if count.state != FindingState::Resolved.as_str() {
            let open = standing.open.entry(count.rule.clone()).or_default();
            open.count += whole(count.findings);
            open.missing += whole(count.missing);
        }
    }
    Ok(standing)
}
