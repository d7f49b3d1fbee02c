//! Access of an earlier version: rows as they are, and folded back where they differ.
//!
//! Invariant: `held` says what `access` says.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{AT_ONCE, REWINDING, Rewinding};
use crate::StoreError;
use crate::checkpoint::{key, parts};
use crate::connection::Bind;

const HEAD: &str = "INSERT INTO access (resource_id, principal_id, mask, since) ";

/// By key: what was held then, 0 for nothing, and since when.
type Before = FxHashMap<u64, (i64, i64)>;

impl Rewinding {
    /// Copies known entitlements.
    pub(super) async fn access(&mut self) -> Result<(), StoreError> {
        let mut before = self.before().await?;
        let mut last = (0, 0);
        loop {
            let mut page = Vec::new();
            let sql = "SELECT resource_id, principal_id, mask, since
                         FROM access
                        WHERE (resource_id, principal_id) > ($1, $2)
                        ORDER BY resource_id, principal_id
                        LIMIT $3";
            self.from
                .each(REWINDING, sql, &[last.0.into(), last.1.into(), AT_ONCE.into()], |row| {
                    page.push((row.number(0)?, row.number(1)?, (row.number(2)?, row.number(3)?)));
                    Ok(())
                })
                .await?;
            let Some(end) = page.last() else { break };
            last = (end.0, end.1);
            for row in &mut page {
                if let Some(then) = before.remove(&key(row.0, row.1)?) {
                    row.2 = then;
                }
            }
            page.retain(|(_, _, (mask, _))| *mask != 0);
            self.write(&page).await?;
        }
        // What has gone since stands in no row.
        before.retain(|_, (mask, _)| *mask != 0);
        let mut gone: Vec<(i64, i64, (i64, i64))> = before
            .into_iter()
            .map(|(key, then)| {
                let (resource, principal) = parts(key);
                (resource, principal, then)
            })
            .collect();
        gone.sort_unstable();
        self.write(&gone).await?;
        let sql = "INSERT INTO held (principal_id, resource_id, mask)
                   SELECT principal_id, resource_id, mask
                     FROM access
                    ORDER BY principal_id, resource_id";
        self.to.execute(REWINDING, sql, &[]).await.map(|_| ())
    }

    async fn write(&mut self, page: &[(i64, i64, (i64, i64))]) -> Result<(), StoreError> {
        for (resource, principal, _) in page {
            self.meet(*resource);
            self.meet(*principal);
        }
        let rows = page.iter().map(|(resource, principal, (mask, since))| {
            [(*resource).into(), (*principal).into(), (*mask).into(), Bind::from(*since)]
        });
        self.to.insert(REWINDING, (HEAD, ""), rows).await
    }

    /// The pairs that differ. What has no entry in the log up to then came with the first version, which has none, or
    /// before the oldest that was not left behind.
    async fn before(&mut self) -> Result<Before, StoreError> {
        let mut first = 0;
        let sql = "SELECT COALESCE(MIN(id), 0) FROM sync WHERE status IN ('complete', 'partial')";
        self.from
            .each(REWINDING, sql, &[], |row| {
                first = row.number(0)?;
                Ok(())
            })
            .await?;
        first = first.max(crate::prune::oldest(&mut self.from).await?.0);
        let mut before = Before::default();
        let sql = "SELECT resource_id, principal_id, before
                     FROM access_change
                    WHERE version > $1
                    ORDER BY version";
        self.from
            .each(REWINDING, sql, &[self.version.into()], |row| {
                before.entry(key(row.number(0)?, row.number(1)?)?).or_insert((row.number(2)?, first));
                Ok(())
            })
            .await?;
        if before.is_empty() {
            return Ok(before);
        }
        let sql = "SELECT resource_id, principal_id, version
                     FROM access_change
                    WHERE version <= $1
                    ORDER BY version";
        self.from
            .each(REWINDING, sql, &[self.version.into()], |row| {
                if let Some((_, since)) = before.get_mut(&key(row.number(0)?, row.number(1)?)?) {
                    *since = row.number(2)?;
                }
                Ok(())
            })
            .await?;
        Ok(before)
    }

    /// Copies entitlements without a bit.
    pub(super) async fn other_access(&mut self) -> Result<(), StoreError> {
        let mut held: BTreeMap<(i64, i64, String), bool> = BTreeMap::new();
        let sql = "SELECT resource_id, principal_id, slug FROM access_other";
        self.from
            .each(REWINDING, sql, &[], |row| {
                held.insert((row.number(0)?, row.number(1)?, row.text(2)?.unwrap_or_default()), true);
                Ok(())
            })
            .await?;
        let sql = "SELECT resource_id, principal_id, slug, added
                     FROM access_other_change
                    WHERE version > $1
                    ORDER BY version DESC";
        self.from
            .each(REWINDING, sql, &[self.version.into()], |row| {
                let entry = (row.number(0)?, row.number(1)?, row.text(2)?.unwrap_or_default());
                held.insert(entry, row.number(3)? == 0);
                Ok(())
            })
            .await?;
        held.retain(|_, held| *held);
        for (resource, principal, _) in held.keys() {
            self.meet(*resource);
            self.meet(*principal);
        }
        let rows = held.keys().map(|(resource, principal, slug)| {
            [(*resource).into(), (*principal).into(), Bind::from(slug.as_str())]
        });
        let insert = "INSERT INTO access_other (resource_id, principal_id, slug) ";
        self.to.insert(REWINDING, (insert, ""), rows).await
    }
}
