//! Plans as they are stored.

use metsuke_model::Moment;
use metsuke_model::approval::Approval;
use metsuke_model::audit::NewEvent;
use metsuke_model::plan::{Plan, PlanStatus, StepStatus};

use super::approvals::approvals;
use super::steps::StepRow;
use crate::connection::{Bind, Connection, Row};
use crate::{Store, StoreError, audit};

/// A stored plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// Its short name.
    pub id: String,
    /// Its hash when it was stored.
    pub hash: String,
    /// How far it has come.
    pub status: PlanStatus,
    /// The plan.
    pub plan: Plan,
    /// Why it stands as it does, where there is more to say.
    pub told: Option<String>,
    /// Its steps, in order.
    pub steps: Vec<StepRow>,
    /// Who approved it, oldest first, whether that counts or not.
    pub approvals: Vec<Approval>,
}

impl Store {
    /// Stores a plan with its steps, and the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said, also where the same plan is stored already; nothing is stored then.
    pub async fn keep_plan(&self, plan: &Plan, event: NewEvent) -> Result<(), StoreError> {
        let (id, hash) = (plan.id(), plan.hash());
        let document = serde_json::to_string(plan)
            .map_err(|error| StoreError::Damaged { what: format!("a plan cannot be written: {error}") })?;
        let mut connection = self.begin_write().await?;
        let row = [
            Bind::from(&*id),
            Bind::from(&*hash),
            PlanStatus::Planned.as_str().into(),
            plan.created_at.0.into(),
            plan.expires_at.0.into(),
            Bind::from(&*document),
        ];
        let head = "INSERT INTO plan (id, hash, status, created_at, expires_at, document) ";
        connection.insert("storing a plan", (head, ""), [row]).await?;
        let steps = plan.steps.iter().map(|step| {
            [
                Bind::from(&*id),
                i64::from(step.ordinal).into(),
                StepStatus::Planned.as_str().into(),
                0.into(),
                0.into(),
                Bind::from(&*step.capped().to_string()),
                i64::from(step.removes).into(),
                i64::from(step.removes_member()).into(),
                i64::from(step.elevates).into(),
            ]
        });
        let head = "INSERT INTO plan_step
            (plan_id, ordinal, status, attempt, fence, capped, removes, removes_member, elevates) ";
        connection.insert("storing a plan", (head, ""), steps).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }

    /// The plan of this name; a beginning of the name is enough where only one plan has it.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn plan(&self, id: &str) -> Result<Option<PlanRow>, StoreError> {
        if id.is_empty() {
            return Ok(None);
        }
        let mut connection = self.pool.begin_read().await?;
        let mut found = Vec::new();
        let sql = "SELECT id, hash, status, document, told FROM plan WHERE substr(id, 1, length($1)) = $1";
        connection
            .each("reading a plan", sql, &[id.into()], |row| {
                found.push(plan_row(row)?);
                Ok(())
            })
            .await?;
        let Some(mut plan) = found.pop().filter(|_| found.is_empty()) else { return Ok(None) };
        fill(&mut connection, &mut plan).await?;
        Ok(Some(plan))
    }

    /// The newest plans, with their steps.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn plans(&self, limit: u32) -> Result<Vec<PlanRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut found = Vec::new();
        let sql = "SELECT id, hash, status, document, told FROM plan ORDER BY created_at DESC, id LIMIT $1";
        connection
            .each("reading plans", sql, &[i64::from(limit).into()], |row| {
                found.push(plan_row(row)?);
                Ok(())
            })
            .await?;
        for plan in &mut found {
            fill(&mut connection, plan).await?;
        }
        Ok(found)
    }

    /// At most `count` plans made before one, newest first, with their steps; the newest ones without one.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn plans_before(
        &self,
        before: Option<(Moment, &str)>,
        count: u32,
    ) -> Result<Vec<PlanRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut found = Vec::new();
        let (at, id) = before.unwrap_or((Moment(i64::MAX), ""));
        let sql = "SELECT id, hash, status, document, told
                     FROM plan
                    WHERE created_at < $1 OR (created_at = $1 AND id > $2)
                    ORDER BY created_at DESC, id
                    LIMIT $3";
        let binds = [at.0.into(), Bind::from(id), i64::from(count).into()];
        connection
            .each("reading plans", sql, &binds, |row| {
                found.push(plan_row(row)?);
                Ok(())
            })
            .await?;
        for plan in &mut found {
            fill(&mut connection, plan).await?;
        }
        Ok(found)
    }

    /// Says how far a plan has come, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn mark_plan(
        &self,
        id: &str,
        status: PlanStatus,
        told: Option<&str>,
        event: Option<NewEvent>,
    ) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE plan SET status = $1, told = $2 WHERE id = $3";
        let binds = [status.as_str().into(), told.map_or(Bind::Text(None), Bind::from), id.into()];
        connection.execute("changing a plan", sql, &binds).await?;
        if let Some(event) = event {
            audit::append(&mut connection, event).await?;
        }
        connection.commit().await
    }
}

fn plan_row(row: Row<'_>) -> Result<PlanRow, StoreError> {
    let damaged = |what: &str| StoreError::Damaged { what: format!("a plan's {what}") };
    let plan = serde_json::from_str(&row.text(3)?.unwrap_or_default()).map_err(|_| damaged("document"))?;
    let status = row.text(2)?.and_then(|word| PlanStatus::parse(&word)).ok_or_else(|| damaged("status"))?;
    Ok(PlanRow {
        id: row.text(0)?.unwrap_or_default(),
        hash: row.text(1)?.unwrap_or_default(),
        status,
        plan,
        told: row.text(4)?,
        steps: Vec::new(),
        approvals: Vec::new(),
    })
}

/// Reads what a plan has beside its row.
async fn fill(connection: &mut Connection, plan: &mut PlanRow) -> Result<(), StoreError> {
    plan.steps = steps(connection, &plan.id).await?;
    plan.approvals = approvals(connection, &plan.id).await?;
    Ok(())
}

async fn steps(connection: &mut Connection, plan: &str) -> Result<Vec<StepRow>, StoreError> {
    let mut steps = Vec::new();
    let sql = "SELECT ordinal, status, attempt, sent_at, http_status, request_id, told
                 FROM plan_step
                WHERE plan_id = $1
                ORDER BY ordinal";
    connection
        .each("reading a plan", sql, &[plan.into()], |row| {
            steps.push(StepRow::read(row)?);
            Ok(())
        })
        .await?;
    Ok(steps)
}
