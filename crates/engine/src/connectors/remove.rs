//! Removing a connector with all it had, and finishing what a crash left half made or half removed.
//!
//! Invariant: the wiping is one transaction of the connector's store, with the proof of what was there in its audit
//! trail; the registry is told afterwards, and told again at the next start if that did not come to pass.

use std::collections::BTreeMap;

use metsuke_model::audit::{Actor, EventCode};
use metsuke_model::{ConnectorId, Moment};
use metsuke_store::{ConnectorRow, ConnectorStatus, OpenMode, Wiped};
use serde::Serialize;
use serde_json::Value;

use super::Installation;
use crate::EngineError;
use crate::jobs::Stop;

/// A connector that is not finished after so long (microseconds) was given up by its maker.
const MAKING: i64 = 600 * 1_000_000;

/// Tables whose rows are objects of the estate.
const ENTITIES: [&str; 13] = [
    "person",
    "enterprise_account",
    "team",
    "app",
    "space",
    "addon",
    "attachment",
    "pipeline",
    "coupling",
    "invitation",
    "unresolved_member",
    "account_authorization",
    "account_key",
];

/// What went with a connector.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Removal {
    /// The connector.
    pub id: ConnectorId,
    /// Its name, which is free again.
    pub name: String,
    /// When it went.
    pub removed_at: Moment,
    /// Objects that were ever seen.
    pub entities: u64,
    /// Rows of access.
    pub grants: u64,
    /// Versions of the estate.
    pub versions: u64,
    /// The last one's number.
    pub last_version: Option<i64>,
    /// A hash over all of them, which the audit trail keeps.
    pub fingerprint: String,
    /// All rows that went, by table.
    pub rows: BTreeMap<String, u64>,
}

impl Removal {
    fn of(row: &ConnectorRow, wiped: Wiped) -> Self {
        let count = |table: &str| wiped.rows.get(table).copied().unwrap_or_default();
        Self {
            id: row.id,
            name: row.name.clone(),
            removed_at: wiped.at,
            entities: ENTITIES.iter().map(|table| count(table)).sum(),
            grants: count("access"),
            versions: wiped.versions,
            last_version: wiped.last_version,
            fingerprint: wiped.fingerprint,
            rows: wiped.rows,
        }
    }
}

impl Installation {
    /// Removes a connector: credential, settings, schedule, entities, findings, jobs and deliveries go in one
    /// transaction; its audit trail stays, with the proof of what was there. What runs for it ends.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the databases said. Once begun, it is finished at the next start.
    pub async fn delete(&self, by: &Actor, id: ConnectorId) -> Result<Removal, EngineError> {
        let row = self.row(id).await?;
        if !matches!(row.status, ConnectorStatus::Live | ConnectorStatus::Removing) {
            return Err(EngineError::NoConnector { asked: id.to_string() });
        }
        self.main().mark_connector(id, ConnectorStatus::Removing, None, None).await?;
        self.remove(by, row).await
    }

    /// The connectors that were removed, as the registry remembers them.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn removed(&self) -> Result<Vec<ConnectorRow>, EngineError> {
        let mut rows = self.main().connectors().await?;
        rows.retain(|row| row.status == ConnectorStatus::Removed);
        Ok(rows)
    }

    /// Finishes what a crash left half made or half removed. Done at each start.
    ///
    /// # Errors
    ///
    /// What the databases said.
    pub async fn recover(&self) -> Result<(), EngineError> {
        for row in self.main().connectors().await? {
            match row.status {
                ConnectorStatus::Removing => {
                    self.remove(&Actor::connector(), row).await?;
                }
                ConnectorStatus::Making if self.now().0.saturating_sub(row.created_at.0) > MAKING => {
                    self.finish_making(row.id).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn remove(&self, by: &Actor, row: ConnectorRow) -> Result<Removal, EngineError> {
        let id = row.id;
        self.stop_running(id, None, Stop::LeaseLost);
        let store = self.open_estate(id, OpenMode::Existing).await?.acting_as(by.clone());
        let event = store
            .event(self.now(), EventCode::ConnectorRemoved)
            .about("connector", id)
            .detail("name", row.name.as_str());
        let wiped = store.wipe(self.now(), event.clone()).await?;
        let document = wiped.document();
        let part = |name: &str| document.get(name).cloned().unwrap_or(Value::Null);
        let event = event.detail("rows", part("rows")).detail("history", part("history"));
        let removed = Some((wiped.at, &document));
        self.main().mark_connector(id, ConnectorStatus::Removed, removed, Some(event)).await?;
        drop(store);
        self.close_estate(id).await;
        self.wake();
        Ok(Removal::of(&row, wiped))
    }

    /// Finishes a connector that has all it needs, and forgets one that has not.
    async fn finish_making(&self, id: ConnectorId) -> Result<(), EngineError> {
        let store = self.open_estate(id, OpenMode::Create).await?;
        if store.settings().await?.is_some() {
            if store.runs(None, 1).await?.is_empty() {
                self.ask(&store, &Actor::connector(), "created", None).await?;
            }
            let event = self.main().event(self.now(), EventCode::ConnectorCreated).about("connector", id);
            self.main().mark_connector(id, ConnectorStatus::Live, None, Some(event)).await?;
            return Ok(());
        }
        drop(store);
        self.close_estate(id).await;
        self.main().drop_estate(id).await?;
        self.main().forget_connector(id).await?;
        Ok(())
    }
}
