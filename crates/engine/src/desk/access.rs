//! Who can do what on one app, what one person can do, and how a question would be answered.

use metsuke_model::AsOf;
use metsuke_store::Snapshot;

use super::query::{Question, explained};
use super::{Desk, Estate, Placed};
use crate::EngineError;
use crate::access::{AppAccess, UserAccess, app_access, user_access};
use crate::query::Statement;

impl Desk {
    /// Everybody's access to one app, by name or id.
    ///
    /// # Errors
    ///
    /// As [`estate`](Self::estate) and [`app_access`]; [`EngineError::NoVersion`].
    pub async fn app_access(
        &self,
        connector: Option<&str>,
        app: &str,
        as_of: Option<AsOf>,
    ) -> Result<Placed<AppAccess>, EngineError> {
        let estate = self.estate(connector).await?;
        let mut snapshot = opened(&estate, as_of).await?;
        let row = app_access(&mut snapshot, app).await?;
        Ok(Placed { connector: estate.connector, version: Some(snapshot.sync().version), row })
    }

    /// What one person can do, by e-mail address or id.
    ///
    /// # Errors
    ///
    /// As [`estate`](Self::estate) and [`user_access`]; [`EngineError::NoVersion`].
    pub async fn user_access(
        &self,
        connector: Option<&str>,
        user: &str,
        as_of: Option<AsOf>,
    ) -> Result<Placed<UserAccess>, EngineError> {
        let estate = self.estate(connector).await?;
        let mut snapshot = opened(&estate, as_of).await?;
        let row = user_access(&mut snapshot, user).await?;
        Ok(Placed { connector: estate.connector, version: Some(snapshot.sync().version), row })
    }

    /// How the database would answer a question: the statement, and its steps.
    ///
    /// # Errors
    ///
    /// As [`explained`].
    pub async fn explain(
        &self,
        connector: Option<&str>,
        question: Question,
    ) -> Result<(Statement, Vec<String>), EngineError> {
        let estate = self.estate(connector).await?;
        explained(&estate, question, self.installation().clock().now()).await
    }
}

async fn opened(estate: &Estate, as_of: Option<AsOf>) -> Result<Snapshot, EngineError> {
    estate.version(as_of).await?.ok_or(EngineError::NoVersion)
}
