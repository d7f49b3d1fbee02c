//! The steps of plans: intents, calls and what became of them.

use metsuke_model::Moment;
use metsuke_model::audit::NewEvent;
use metsuke_model::plan::{Plan, StepStatus};

use super::ProvisioningLock;
use crate::connection::{Bind, Connection, Row};
use crate::{Store, StoreError, audit};

/// A step as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Its place in the plan.
    pub ordinal: u32,
    /// How far it has come.
    pub status: StepStatus,
    /// How many times an intent was written for it.
    pub attempt: u32,
    /// When its call was last about to be sent.
    pub sent_at: Option<Moment>,
    /// What Heroku answered.
    pub http_status: Option<u16>,
    /// Heroku's id of the request.
    pub request_id: Option<String>,
    /// What there is to say of it.
    pub told: Option<String>,
}

/// A step that began and has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenStep {
    /// The plan's name.
    pub plan: String,
    /// The step.
    pub step: StepRow,
}

/// What is to be written of a step.
#[derive(Clone, Debug, Default)]
pub struct StepMark {
    /// What Heroku answered.
    pub http_status: Option<u16>,
    /// Heroku's id of the request.
    pub request_id: Option<String>,
    /// What there is to say.
    pub told: Option<String>,
}

/// What was done since a moment, by all workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapCounts {
    /// Removals: one for each plan and team, or app without one.
    pub removals: u64,
    /// People taken out of the team that was asked about.
    pub of_team: u64,
    /// Grants of `admin` and `manage`.
    pub elevations: u64,
}

impl StepRow {
    pub(super) fn read(row: Row<'_>) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged { what: "a step of a plan".into() };
        let small = |number: i64| u32::try_from(number).map_err(|_| damaged());
        Ok(Self {
            ordinal: small(row.number(0)?)?,
            status: row.text(1)?.and_then(|word| StepStatus::parse(&word)).ok_or_else(damaged)?,
            attempt: small(row.number(2)?)?,
            sent_at: row.int(3)?.map(Moment),
            http_status: row.int(4)?.and_then(|status| u16::try_from(status).ok()),
            request_id: row.text(5)?,
            told: row.text(6)?,
        })
    }
}

impl Store {
    /// The plans with the steps whose calls were sent between two moments, both included, and not refused: what we may
    /// have changed then.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn sent_steps(&self, since: Moment, until: Moment) -> Result<Vec<(Plan, StepRow)>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut steps = Vec::new();
        let sql = "SELECT ordinal, plan_step.status, attempt, sent_at, http_status, request_id, plan_step.told, document
                     FROM plan_step
                     JOIN plan ON plan.id = plan_step.plan_id
                    WHERE sent_at >= $1 AND sent_at <= $2 AND plan_step.status <> 'refused'
                    ORDER BY sent_at, plan_id, ordinal";
        connection
            .each("reading sent steps", sql, &[since.0.into(), until.0.into()], |row| {
                let plan = serde_json::from_str(&row.text(7)?.unwrap_or_default())
                    .map_err(|_| StoreError::Damaged { what: "a plan's document".into() })?;
                steps.push((plan, StepRow::read(row)?));
                Ok(())
            })
            .await?;
        Ok(steps)
    }

    /// Steps whose effect nobody has seen yet, oldest first.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn open_steps(&self) -> Result<Vec<OpenStep>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut open = Vec::new();
        let sql = "SELECT ordinal, status, attempt, sent_at, http_status, request_id, told, plan_id
                     FROM plan_step
                    WHERE status IN ('intent', 'sent', 'confirmed', 'unknown')
                    ORDER BY intent_at, plan_id, ordinal";
        connection
            .each("reading open steps", sql, &[], |row| {
                open.push(OpenStep { plan: row.text(7)?.unwrap_or_default(), step: StepRow::read(row)? });
                Ok(())
            })
            .await?;
        Ok(open)
    }

    /// What was done since a moment; `capped` names the team that is asked about.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn cap_counts(&self, since: Moment, capped: &str) -> Result<CapCounts, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        counts(&mut connection, since, capped).await
    }

    /// Writes an intent down, unless `allowed` says no to what was done in the hour before it; `false` then. It is
    /// durable when this returns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] where a newer worker has taken over, and what the database said; nothing is written
    /// then, and the call must not be sent.
    pub async fn intend(
        &self,
        lock: &ProvisioningLock,
        (plan, ordinal): (&str, u32),
        now: Moment,
        capped: &str,
        allowed: impl FnOnce(CapCounts) -> bool,
        event: NewEvent,
    ) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        lock.check(&mut connection).await?;
        let hour_ago = Moment(now.0 - 3_600_000_000);
        if !allowed(counts(&mut connection, hour_ago, capped).await?) {
            return Ok(false);
        }
        let sql = "UPDATE plan_step
                      SET status = $1, attempt = attempt + 1, fence = $2, intent_at = $3, told = NULL
                    WHERE plan_id = $4 AND ordinal = $5";
        let binds = [
            StepStatus::Intent.as_str().into(),
            lock.fence().into(),
            now.0.into(),
            plan.into(),
            i64::from(ordinal).into(),
        ];
        connection.execute("writing an intent", sql, &binds).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// Says how far a step has come, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// As [`intend`](Self::intend).
    pub async fn mark_step(
        &self,
        lock: &ProvisioningLock,
        (plan, ordinal): (&str, u32),
        status: StepStatus,
        now: Moment,
        mark: StepMark,
        event: NewEvent,
    ) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        lock.check(&mut connection).await?;
        mark_in(&mut connection, (plan, ordinal), status, now, mark).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }
}

/// Writes how far a step has come, inside a transaction.
pub(crate) async fn mark_in(
    connection: &mut Connection,
    (plan, ordinal): (&str, u32),
    status: StepStatus,
    now: Moment,
    mark: StepMark,
) -> Result<(), StoreError> {
    let sql = "UPDATE plan_step
                  SET status = $1,
                      sent_at = CASE WHEN $1 = 'sent' THEN $2 ELSE sent_at END,
                      finished_at = $2,
                      http_status = COALESCE($3, http_status),
                      request_id = COALESCE($4, request_id),
                      told = COALESCE($5, told)
                WHERE plan_id = $6 AND ordinal = $7";
    let binds = [
        status.as_str().into(),
        now.0.into(),
        Bind::Int(mark.http_status.map(i64::from)),
        Bind::Text(mark.request_id),
        Bind::Text(mark.told),
        plan.into(),
        i64::from(ordinal).into(),
    ];
    connection.execute("marking a step", sql, &binds).await.map(|_| ())
}

/// What was intended since a moment. A step that was refused, or found done already, has changed nothing.
async fn counts(connection: &mut Connection, since: Moment, capped: &str) -> Result<CapCounts, StoreError> {
    let mut found = CapCounts::default();
    let sql = "SELECT CAST(COALESCE(SUM(elevations), 0) AS BIGINT),
                      CAST(COALESCE(SUM(members), 0) AS BIGINT),
                      CAST(COALESCE(SUM(removals), 0) AS BIGINT)
                 FROM (SELECT plan_id, capped,
                              SUM(elevates) AS elevations,
                              SUM(CASE WHEN capped = $2 THEN removes_member ELSE 0 END) AS members,
                              MAX(removes) AS removals
                         FROM plan_step
                        WHERE intent_at > $1 AND status <> 'refused'
                        GROUP BY plan_id, capped) AS done";
    connection
        .each("counting what was done", sql, &[since.0.into(), capped.into()], |row| {
            found = CapCounts { elevations: row.count(0)?, of_team: row.count(1)?, removals: row.count(2)? };
            Ok(())
        })
        .await?;
    Ok(found)
}
