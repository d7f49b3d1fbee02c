//! Whose account is whose: read, and made anew after whatever may have changed it.
//!
//! Invariant: after [`renew`] every account that is there has the match that the rules give it, and no other; those
//! that are gone keep their last one, for looking back.

use std::collections::{BTreeMap, HashMap};

use metsuke_model::HerokuId;
use metsuke_model::people::{Account, Choice, MatchedBy, Verdict, verdicts};

use super::{HerokuAccount, MatchRow, Matching, rows};
use crate::connection::{Bind, Connection, Row};
use crate::{StoreError, syncs};

const READING: &str = "reading whose accounts are whose";
const MATCHING: &str = "matching accounts with people";

/// Every match, by the account's dense id.
pub(super) async fn stored(connection: &mut Connection) -> Result<Vec<MatchRow>, StoreError> {
    let mut matches = Vec::new();
    let sql = "SELECT user_id, employee_id, matched_by FROM employee_match ORDER BY user_id";
    connection
        .each(READING, sql, &[], |row| {
            let by = MatchedBy::from_word(&row.text(2)?.unwrap_or_default());
            matches.push(MatchRow { user: row.number(0)?, employee: row.number(1)?, by });
            Ok(())
        })
        .await?;
    Ok(matches)
}

/// The employee whom an account belongs to, by dense id, and by which rule; `None` where that is not known.
pub(super) async fn of_account(
    connection: &mut Connection,
    account: &HerokuId,
) -> Result<Option<(i64, Option<MatchedBy>)>, StoreError> {
    let mut found = None;
    let sql = "SELECT employee_id, matched_by FROM employee_match
               WHERE user_id = (SELECT id FROM person WHERE uuid = $1)";
    connection
        .each(READING, sql, &[Bind::Bytes(account.to_bytes())], |row| {
            found = Some((row.number(0)?, MatchedBy::from_word(&row.text(1)?.unwrap_or_default())));
            Ok(())
        })
        .await?;
    Ok(found)
}

/// Whether an account that belongs to no employee is nobody's, by itself or because the operator said so.
pub(super) async fn is_nobodys(connection: &mut Connection, account: &HerokuId) -> Result<bool, StoreError> {
    let mut found = false;
    let sql = "SELECT id, email, name, own_account,
                 (SELECT COUNT(*) FROM person_choice WHERE user_id = person.id),
                 (SELECT COUNT(*) FROM person_choice WHERE user_id = person.id AND employee_id IS NULL)
               FROM person WHERE uuid = $1";
    connection
        .each(READING, sql, &[Bind::Bytes(account.to_bytes())], |row| {
            let said = row.number(4)? > 0;
            found = if said { row.number(5)? > 0 } else { self::account(row)?.is_nobodys() };
            Ok(())
        })
        .await?;
    Ok(found)
}

/// The accounts that are there, by dense id.
pub(super) async fn accounts(connection: &mut Connection) -> Result<Vec<HerokuAccount>, StoreError> {
    let mut accounts = Vec::new();
    let sql = "SELECT id, email, name, own_account, uuid FROM person WHERE gone IS NULL ORDER BY id";
    connection
        .each(READING, sql, &[], |row| {
            let id = HerokuId::from_bytes(&row.bytes(4)?.unwrap_or_default());
            accounts.push(HerokuAccount { id, seen: account(row)? });
            Ok(())
        })
        .await?;
    Ok(accounts)
}

/// What the rules look at of a row: id, address, name, and whether it is the account whose token reads.
fn account(row: Row<'_>) -> Result<Account, StoreError> {
    Ok(Account {
        dense: row.number(0)?,
        email: row.text(1)?.map(Into::into),
        name: row.text(2)?.map(Into::into),
        own: row.int(3)? == Some(1),
    })
}

/// What the operator said of accounts.
pub(super) async fn choices(connection: &mut Connection) -> Result<HashMap<i64, Choice>, StoreError> {
    let mut choices = HashMap::new();
    connection
        .each(READING, "SELECT user_id, employee_id FROM person_choice", &[], |row| {
            choices.insert(row.number(0)?, row.int(1)?.map_or(Choice::Nobody, Choice::Employee));
            Ok(())
        })
        .await?;
    Ok(choices)
}

/// Matches every account that is there, and writes what differs.
pub(super) async fn renew(connection: &mut Connection) -> Result<Matching, StoreError> {
    let accounts = accounts(connection).await?;
    let employees = rows::employees(connection).await?;
    let choices = choices(connection).await?;
    let known: HashMap<i64, MatchRow> =
        stored(connection).await?.into_iter().map(|row| (row.user, row)).collect();
    let verdicts: BTreeMap<i64, Verdict> =
        verdicts(accounts.iter().map(|one| &one.seen), &employees, &choices).into_iter().collect();
    let version = syncs::newest(connection, true).await?.map_or(0, |version| version.0);
    let mut matching = Matching::default();
    let (mut written, mut ended) = (Vec::new(), Vec::new());
    for (user, verdict) in verdicts {
        let before = known.get(&user);
        match verdict {
            Verdict::Matched { employee, by } => {
                matching.matched += 1;
                if before != Some(&MatchRow { user, employee, by: Some(by) }) {
                    let by_hand = i64::from(by == MatchedBy::Hand);
                    let row: [Bind; 5] =
                        [user.into(), employee.into(), by.as_str().into(), by_hand.into(), version.into()];
                    written.push(row);
                }
                continue;
            }
            Verdict::Unsure { .. } => matching.unsure += 1,
            Verdict::Unknown => matching.unknown += 1,
            Verdict::Nobody => matching.nobody += 1,
        }
        if before.is_some() {
            ended.push(user);
        }
    }
    matching.changed = written.len() as u64 + ended.len() as u64;
    let delete = ("DELETE FROM employee_match WHERE user_id IN (", ")");
    connection.each_in(MATCHING, delete, &ended, |_| Ok(())).await?;
    let head = "INSERT INTO employee_match (user_id, employee_id, matched_by, by_hand, since) ";
    let tail = " ON CONFLICT (user_id) DO UPDATE SET
        employee_id = excluded.employee_id, matched_by = excluded.matched_by, by_hand = excluded.by_hand,
        since = excluded.since";
    connection.insert(MATCHING, (head, tail), written).await?;
    Ok(matching)
}
