//! How many findings there are of each rule, state and level, and which are the worst.
//!
//! With hundreds of thousands of findings counting takes longer than everything else on a page, and they change with an evaluation or
//! with what somebody says of one. So what was counted is kept for as long as nothing is written of findings.
//!
//! Invariant: what is kept belongs to one edition, which is read in the same transaction as the findings would be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use metsuke_model::finding::FindingState;

use super::rows::finding_row;
use super::{EDITION, FindingRow, READING, finding_columns};
use crate::connection::{Bind, Connection};
use crate::{Store, StoreError, settings};

/// Findings of one rule in one state and of one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) rule: String,
    pub(super) state: String,
    pub(super) level: String,
    pub(super) findings: u64,
    /// How many of them were not found the last time, though nothing proves them gone.
    pub(super) missing: u64,
}

/// What was counted last; all clones of a store share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    edition: i64,
    counts: Option<Arc<[Count]>>,
    /// The worst of some states, at most so many.
    worst: Option<(Vec<FindingState>, usize, Arc<[FindingRow]>)>,
}

impl Tally {
    /// What is kept of an edition; what is kept of another is forgotten.
    fn of<T>(&self, edition: i64, take: impl FnOnce(&mut Kept) -> T) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.edition != edition {
            *kept = Kept { edition, ..Kept::default() };
        }
        take(&mut kept)
    }

    /// Every count of an edition, which is that of the transaction.
    pub(super) async fn counts(
        &self,
        connection: &mut Connection,
        edition: i64,
    ) -> Result<Arc<[Count]>, StoreError> {
        if let Some(counts) = self.of(edition, |kept| kept.counts.clone()) {
            return Ok(counts);
        }
        let mut counts = Vec::new();
        // In the order of an index, which needs no sorting.
        let sql =
            "SELECT rule, state, level, COUNT(*), COUNT(missing) FROM finding GROUP BY rule, state, level";
        connection
            .each(READING, sql, &[], |row| {
                let text = |index| Ok::<_, StoreError>(row.text(index)?.unwrap_or_default());
                counts.push(Count {
                    rule: text(0)?,
                    state: text(1)?,
                    level: text(2)?,
                    findings: row.count(3)?,
                    missing: row.count(4)?,
                });
                Ok(())
            })
            .await?;
        let counts: Arc<[Count]> = counts.into();
        self.of(edition, |kept| kept.counts = Some(Arc::clone(&counts)));
        Ok(counts)
    }
}

impl Store {
    /// How many findings there are of each level as it is spelled, and the worst of them: by level, then those that were opened last.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn worst_findings(
        &self,
        states: &[FindingState],
        most: usize,
    ) -> Result<(Vec<(String, u64)>, Arc<[FindingRow]>), StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let edition = settings::number(&mut connection, READING, EDITION).await?.unwrap_or(0);
        let words: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
        let mut levels: BTreeMap<String, u64> = BTreeMap::new();
        for count in &*self.tally.counts(&mut connection, edition).await? {
            if words.contains(&&*count.state) {
                *levels.entry(count.level.clone()).or_default() += count.findings;
            }
        }
        let levels = levels.into_iter().collect();
        let known = self.tally.of(edition, |kept| match &kept.worst {
            Some((of, count, worst)) if of == states && *count == most => Some(Arc::clone(worst)),
            _ => None,
        });
        if let Some(worst) = known {
            return Ok((levels, worst));
        }
        let mut worst = Vec::new();
        let sql = finding_columns!(
            "WHERE number IN (SELECT number
                                FROM finding
                               WHERE $1 LIKE '%,' || state || ',%'
                               ORDER BY CASE upper(level) WHEN 'CRITICAL' THEN 0 WHEN 'HIGH' THEN 1
                                                          WHEN 'MEDIUM' THEN 2 WHEN 'LOW' THEN 3 ELSE 4 END,
                                        opened_at DESC, number DESC
                               LIMIT $2)
              ORDER BY number DESC"
        );
        let binds =
            [Bind::from(&*format!(",{},", words.join(","))), i64::try_from(most).unwrap_or(i64::MAX).into()];
        connection
            .each(READING, sql, &binds, |row| {
                worst.push(finding_row(row)?);
                Ok(())
            })
            .await?;
        let worst: Arc<[FindingRow]> = worst.into();
        self.tally.of(edition, |kept| kept.worst = Some((states.to_vec(), most, Arc::clone(&worst))));
        Ok((levels, worst))
    }
}
