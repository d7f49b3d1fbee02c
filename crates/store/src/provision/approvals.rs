//! Who approved which plan, by its hash.
//!
//! Whose approval counts is [`metsuke_model::approval`]'s to say.
//!
//! Invariant: an approval is stored with its event or not at all, and only while the plan is open and has the hash that was
//! approved.

use metsuke_model::Moment;
use metsuke_model::approval::{Approval, Party};
use metsuke_model::audit::NewEvent;
use metsuke_model::plan::PlanStatus;

use crate::connection::{Bind, Connection};
use crate::{Store, StoreError, audit};

/// What came of storing an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approved {
    /// It is stored.
    Now,
    /// The same person had approved it before; nothing is stored.
    Before,
    /// The plan has ended, is another or is not there; nothing is stored.
    Gone,
}

impl Store {
    /// Stores that somebody approved a plan, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is stored then.
    pub async fn approve_plan(
        &self,
        plan: &str,
        approval: &Approval,
        event: NewEvent,
    ) -> Result<Approved, StoreError> {
        let party = serde_json::to_string(&approval.party)
            .map_err(|error| StoreError::Damaged { what: format!("a party cannot be written: {error}") })?;
        let mut connection = self.begin_write().await?;
        let mut open = false;
        let sql = "SELECT status FROM plan WHERE id = $1 AND hash = $2";
        connection
            .each(APPROVING, sql, &[plan.into(), Bind::from(&*approval.hash)], |row| {
                let status = row.text(0)?.and_then(|word| PlanStatus::parse(&word));
                open = status.is_some_and(PlanStatus::can_be_applied);
                Ok(())
            })
            .await?;
        if !open {
            return Ok(Approved::Gone);
        }
        let sql = "INSERT INTO plan_approval (plan_id, party, hash, actor, approved_at)
                   VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (plan_id, party) DO NOTHING";
        let binds = [
            plan.into(),
            Bind::from(&*party),
            Bind::from(&*approval.hash),
            Bind::from(&*approval.by),
            approval.at.0.into(),
        ];
        if connection.execute(APPROVING, sql, &binds).await? == 0 {
            return Ok(Approved::Before);
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(Approved::Now)
    }
}

/// The approvals of a plan, oldest first.
pub(super) async fn approvals(connection: &mut Connection, plan: &str) -> Result<Vec<Approval>, StoreError> {
    let mut found = Vec::new();
    let sql = "SELECT party, hash, actor, approved_at
                 FROM plan_approval
                WHERE plan_id = $1
                ORDER BY approved_at, party";
    connection
        .each("reading approvals of a plan", sql, &[plan.into()], |row| {
            // Whoever a newer version knows is nobody to this one.
            let party = serde_json::from_str(&row.text(0)?.unwrap_or_default()).unwrap_or(Party::Nobody);
            found.push(Approval {
                by: row.text(2)?.unwrap_or_default(),
                party,
                hash: row.text(1)?.unwrap_or_default(),
                at: Moment(row.number(3)?),
            });
            Ok(())
        })
        .await?;
    Ok(found)
}

const APPROVING: &str = "storing an approval";
