//! The kill switch, and people who are never changed, of all estates at once or of one.
//!
//! Invariant: whatever is set has an event in the trail of each estate that it is set in.

use metsuke_model::Moment;
use metsuke_model::audit::EventCode;
use metsuke_store::KillSwitch;
use serde::{Deserialize, Serialize};

use super::{Desk, Estate, Placed};
use crate::EngineError;
use crate::identity::Caller;

/// Whether an estate's kill switch is on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Switch {
    /// It is on: nothing is written to Heroku.
    pub on: bool,
    /// When it was turned last; null where it never was.
    pub turned_at: Option<Moment>,
    /// Who did it.
    pub turned_by: Option<String>,
}

/// Somebody who is protected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectedLine {
    /// The e-mail address or id, as it was named.
    pub person: String,
    /// Since when.
    pub added_at: Moment,
}

impl Desk {
    /// All estates that can be written to, or that of a connector; the main database is one, even before its first sync.
    async fn written(&self, connector: Option<&str>) -> Result<Vec<Estate>, EngineError> {
        let mut estates = self.estates(connector).await?;
        if connector.is_none() && estates.iter().all(|estate| estate.connector.is_some()) {
            estates.insert(0, self.main_estate());
        }
        Ok(estates)
    }

    /// The kill switch of each estate.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates).
    pub async fn kill_switch(&self, connector: Option<&str>) -> Result<Vec<Placed<Switch>>, EngineError> {
        let mut switches = Vec::new();
        for estate in self.written(connector).await? {
            let KillSwitch { on, at, by } = estate.store.kill_switch_turned().await?;
            let row = Switch { on, turned_at: at, turned_by: by };
            switches.push(Placed { connector: estate.connector, version: None, row });
        }
        Ok(switches)
    }

    /// Turns the kill switch on or off, everywhere or for one connector.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates).
    pub async fn set_kill_switch(
        &self,
        caller: &Caller,
        connector: Option<&str>,
        on: bool,
    ) -> Result<Vec<Placed<Switch>>, EngineError> {
        let code = if on { EventCode::KillSwitchOn } else { EventCode::KillSwitchOff };
        for estate in self.written(connector).await? {
            let store = estate.store.acting_as(caller.actor());
            let event = store.event(self.installation().clock().now(), code);
            store.set_kill_switch(on, event).await?;
        }
        self.kill_switch(connector).await
    }

    /// Who is protected.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates).
    pub async fn protected(
        &self,
        connector: Option<&str>,
    ) -> Result<Vec<Placed<ProtectedLine>>, EngineError> {
        let mut lines = Vec::new();
        for estate in self.written(connector).await? {
            let people = estate.store.protected_principals().await?;
            let line = |(person, added_at)| Placed {
                connector: estate.connector.clone(),
                version: None,
                row: ProtectedLine { person, added_at },
            };
            lines.extend(people.into_iter().map(line));
        }
        Ok(lines)
    }

    /// Protects somebody, or ends that; `false` where it was so already everywhere.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates).
    pub async fn protect(
        &self,
        caller: &Caller,
        connector: Option<&str>,
        person: &str,
        add: bool,
    ) -> Result<bool, EngineError> {
        let code =
            if add { EventCode::ProtectedPrincipalAdded } else { EventCode::ProtectedPrincipalRemoved };
        if person.trim().is_empty() {
            return Err(EngineError::field("person", "it is an e-mail address or an id"));
        }
        let mut changed = false;
        for estate in self.written(connector).await? {
            let store = estate.store.acting_as(caller.actor());
            let now = self.installation().clock().now();
            let event = store.event(now, code).detail("person", person.to_lowercase());
            changed |= store.protect(person, add, now, event).await?;
        }
        Ok(changed)
    }
}
