//! Finds the object that a person means by a name, an e-mail address or an id.

use metsuke_model::record::{App, EnterpriseAccount, Team, User};
use metsuke_model::{HerokuId, Record};
use metsuke_store::{Select, Snapshot, Stored};

use crate::EngineError;

/// The app of this name or id.
///
/// # Errors
///
/// [`EngineError::NotFound`], and what the database said.
pub async fn find_app(snapshot: &mut Snapshot, asked: &str) -> Result<Stored<App>, EngineError> {
    find(snapshot, "app", asked).await
}

/// The team of this name or id.
///
/// # Errors
///
/// [`EngineError::NotFound`], and what the database said.
pub async fn find_team(snapshot: &mut Snapshot, asked: &str) -> Result<Stored<Team>, EngineError> {
    find(snapshot, "team", asked).await
}

/// The user of this e-mail address (whatever its case) or id.
///
/// # Errors
///
/// [`EngineError::NotFound`], [`EngineError::Ambiguous`] where several accounts have the address, and what the
/// database said.
pub async fn find_user(snapshot: &mut Snapshot, asked: &str) -> Result<Stored<User>, EngineError> {
    find(snapshot, "user", asked).await
}

/// The Enterprise account of this name or id.
pub(super) async fn find_enterprise_account(
    snapshot: &mut Snapshot,
    asked: &str,
) -> Result<Stored<EnterpriseAccount>, EngineError> {
    find(snapshot, "enterprise-account", asked).await
}

async fn find<T: Record>(
    snapshot: &mut Snapshot,
    what: &'static str,
    asked: &str,
) -> Result<Stored<T>, EngineError> {
    let mut found: Vec<Stored<T>> = snapshot.objects(&Select::Named(asked.into())).await?;
    if found.is_empty() {
        found = snapshot.objects(&Select::Id(HerokuId::new(asked))).await?;
    }
    if found.len() > 1 {
        let ids: Vec<String> = found.iter().map(|stored| stored.record.id().to_string()).collect();
        return Err(EngineError::Ambiguous { what, asked: asked.into(), candidates: ids.join(", ") });
    }
    let version = snapshot.sync().version.0;
    found.pop().ok_or_else(|| EngineError::NotFound { what, asked: asked.into(), version })
}
