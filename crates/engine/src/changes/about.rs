//! What an entry of the change log belongs to, in the words by which Heroku's audit trail would name it.
//!
//! Invariant: an object that is gone belongs to what it belonged to before.

use std::collections::{BTreeSet, HashMap};

use metsuke_model::record::{AddOn, App, Attachment, Coupling, Invitation, Space, Team, UnresolvedMember};
use metsuke_model::{AsOf, HerokuId, Record, ResourceType, Version};
use metsuke_store::{Changed, Logged, Select, Snapshot, Store, kind_of};

use crate::EngineError;

/// The words of objects, by dense id.
pub(super) type Words = HashMap<i64, BTreeSet<String>>;

/// A word, such as `app:ID`.
pub(super) fn word(kind: &str, id: &HerokuId) -> String {
    format!("{kind}:{id}")
}

/// The words of everything that the log names, in two versions.
///
/// # Errors
///
/// What the database said.
pub(super) async fn words(
    store: &Store,
    log: &[Logged],
    versions: [Version; 2],
) -> Result<Words, EngineError> {
    let mut words = Words::new();
    for logged in log {
        let (kind, id) = match &logged.change.changed {
            Changed::Object { kind, id, .. } => (kind.as_str(), id),
            Changed::Grant { resource_type, resource, .. } => (resource_type.as_str(), resource),
        };
        words.entry(logged.object).or_default().insert(word(kind, id));
    }
    let ids: Vec<i64> = words.keys().copied().collect();
    for version in versions {
        let opened = store.snapshot(Some(AsOf::Version(version))).await?;
        let mut snapshot = opened.ok_or(EngineError::NoVersion)?;
        let snapshot = &mut snapshot;
        add(snapshot, &ids, &mut words, |app: &App| [("team", &app.team), NONE]).await?;
        add(snapshot, &ids, &mut words, |team: &Team| [(ACCOUNT, &team.enterprise_account), NONE]).await?;
        add(snapshot, &ids, &mut words, |addon: &AddOn| [("app", &addon.app), NONE]).await?;
        add(snapshot, &ids, &mut words, |row: &Attachment| [("app", &row.app), ("addon", &row.addon)])
            .await?;
        add(snapshot, &ids, &mut words, |row: &Coupling| [("app", &row.app), NONE]).await?;
        add(snapshot, &ids, &mut words, |row: &Invitation| [("team", &row.team), NONE]).await?;
        add(snapshot, &ids, &mut words, |row: &UnresolvedMember| [("team", &row.team), NONE]).await?;
        add(snapshot, &ids, &mut words, |space: &Space| [("team", &space.team), NONE]).await?;
    }
    Ok(words)
}

const ACCOUNT: &str = ResourceType::EnterpriseAccount.as_str();
const NONE: (&str, &Option<HerokuId>) = ("", &None);

async fn add<T: Record>(
    snapshot: &mut Snapshot,
    ids: &[i64],
    words: &mut Words,
    parents: impl for<'r> Fn(&'r T) -> [(&'static str, &'r Option<HerokuId>); 2],
) -> Result<(), EngineError> {
    let ids: Vec<i64> = ids.iter().copied().filter(|id| kind_of(*id) == Some(T::KIND)).collect();
    if ids.is_empty() {
        return Ok(());
    }
    for stored in snapshot.objects::<T>(&Select::Dense(ids)).await? {
        for (kind, parent) in parents(&stored.record) {
            if let Some(parent) = parent {
                words.entry(stored.dense).or_default().insert(word(kind, parent));
            }
        }
    }
    Ok(())
}
