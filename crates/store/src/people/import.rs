//! Replaces what one roster says.
//!
//! Invariant: nobody is ever deleted; whom a roster names no more stays, not active.

use std::collections::HashMap;

use metsuke_model::Moment;
use metsuke_model::audit::EventCode;
use metsuke_model::graph::{Employee, Table};
use metsuke_model::people::RosterKind;

use super::rows::History;
use super::{Imported, matches, rows};
use crate::connection::Bind;
use crate::{Store, StoreError, audit, syncs};

impl Store {
    /// Replaces what a roster says, matches the accounts anew and records it, if `allowed` agrees to what would come of
    /// it. Dense ids, roster and time of the given rows are not looked at; their keys must be distinct, and no other
    /// roster's.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is imported then.
    pub async fn import_roster(
        &self,
        (roster, kind): (&str, RosterKind),
        named: Vec<Employee>,
        now: Moment,
        allowed: impl FnOnce(&Imported) -> bool,
    ) -> Result<Imported, StoreError> {
        let mut connection = self.begin_write().await?;
        let version = syncs::newest(&mut connection, true).await?.map_or(0, |version| version.0);
        let known = rows::of_roster(&mut connection, roster).await?;
        let mut number = 0;
        connection
            .each("numbering people", "SELECT COALESCE(MAX(id), 0) FROM employee", &[], |row| {
                number = crate::dense::number(row.number(0)?);
                Ok(())
            })
            .await?;
        let mut imported = Imported {
            before: known.iter().filter(|(employee, _)| employee.missing_since.is_none()).count() as u64,
            rows: named.len() as u64,
            ..Imported::default()
        };
        let mut known: HashMap<Box<str>, (Employee, History)> =
            known.into_iter().map(|row| (row.0.key.clone(), row)).collect();
        let mut written = Vec::new();
        for employee in named {
            let mut employee = Employee { roster: roster.into(), missing_since: None, ..employee };
            if let Some((before, history)) = known.remove(&employee.key) {
                employee.dense = before.dense;
                if employee != before {
                    imported.changed += 1;
                    written.push((employee, changed(history, version)));
                }
            } else {
                number += 1;
                imported.added += 1;
                employee.dense = number << 6 | Table::Employees.number();
                written.push((employee, History { since: version, begun: version, edition: 1 }));
            }
        }
        let mut missing: Vec<(Employee, History)> =
            known.into_values().filter(|(employee, _)| employee.missing_since.is_none()).collect();
        missing.sort_unstable_by_key(|(employee, _)| employee.dense);
        imported.missing = missing.len() as u64;
        written.extend(missing.into_iter().map(|(employee, history)| {
            (Employee { active: false, missing_since: Some(now), ..employee }, changed(history, version))
        }));
        rows::write(&mut connection, &written).await?;
        let sql = "INSERT INTO roster (name, kind, imported_at, row_count) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (name) DO UPDATE SET
                       kind = excluded.kind, imported_at = excluded.imported_at, row_count = excluded.row_count";
        let count = i64::try_from(imported.rows).unwrap_or(i64::MAX);
        let binds = [Bind::from(roster), Bind::from(kind.as_str()), now.0.into(), count.into()];
        connection.execute("writing a roster", sql, &binds).await?;
        imported.matching = matches::renew(&mut connection).await?;
        if !allowed(&imported) {
            connection.rollback().await?;
            return Ok(imported);
        }
        let event = self
            .event(now, EventCode::RosterImported)
            .about("roster", roster)
            .detail("kind", kind.as_str())
            .detail("people", imported.rows)
            .detail("added", imported.added)
            .detail("changed", imported.changed)
            .detail("missing", imported.missing)
            .detail("accounts_matched", imported.matching.matched)
            .detail("accounts_changed", imported.matching.changed);
        super::advance(&mut connection).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(Imported { stored: true, ..imported })
    }
}

const fn changed(history: History, version: i64) -> History {
    History { begun: version, edition: history.edition + 1, ..history }
}
