//! Which estates an installation has, and whose they are.

use std::collections::BTreeMap;

use metsuke_store::Store;

use super::Estate;
use crate::EngineError;
use crate::identity::{Caller, Operation};

/// The estates of an installation.
#[derive(Clone, Debug)]
pub struct Desk {
    main: Store,
}

impl Desk {
    /// The estates of this database.
    #[must_use]
    pub const fn new(main: Store) -> Self {
        Self { main }
    }

    /// All estates that are in use, or the one of a connector.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`] for a connector that there is not, and what the database said.
    pub async fn estates(&self, connector: Option<&str>) -> Result<Vec<Estate>, EngineError> {
        if let Some(asked) = connector {
            return Err(EngineError::Unknown { what: "connector", asked: asked.into() });
        }
        Ok(vec![Estate { connector: None, name: "main".into(), store: self.main.clone() }])
    }

    /// The one estate that is meant.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates); [`EngineError::Wrong`] where there are several and none is named.
    pub async fn estate(&self, connector: Option<&str>) -> Result<Estate, EngineError> {
        let mut estates = self.estates(connector).await?;
        if estates.len() > 1 {
            let names: Vec<String> = estates.iter().map(|estate| estate.name.clone()).collect();
            let reason = format!("name one of: {}", names.join(", "));
            return Err(EngineError::Wrong { field: "connector", reason });
        }
        estates.pop().ok_or(EngineError::NoVersion)
    }

    /// Whether what an operation is about belongs to a caller, as far as the path tells.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn owns(
        &self,
        caller: &Caller,
        operation: Operation,
        path: &BTreeMap<String, String>,
    ) -> Result<bool, EngineError> {
        tracing::trace!(operation = operation.id(), ?path, person = caller.person, "asked whose it is");
        Ok(false)
    }

    /// Whether requests can be answered.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn ready(&self) -> Result<(), EngineError> {
        drop(self.main.snapshot(None).await?);
        Ok(())
    }
}
