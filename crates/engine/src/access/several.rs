//! Who can do what on several apps at once.
//!
//! Invariant: what is told of an app here is what [`app_access`](super::app_access) tells of it.

use metsuke_model::record::App;
use metsuke_model::{HerokuId, ResourceRef};
use metsuke_store::{Select, Snapshot};

use super::PersonOnApp;
use super::app::people_on;
use super::effective::{AppFacts, Extent, World};
use crate::EngineError;

/// Everybody who holds something on one of several apps.
#[derive(Clone, Debug)]
pub struct PeopleOnApp {
    /// The app.
    pub app: ResourceRef,
    /// Everybody who holds something on it, by e-mail address.
    pub people: Vec<PersonOnApp>,
}

/// Answers who can do what on the apps of these ids; one that is not there is left out.
///
/// # Errors
///
/// What the database said.
pub async fn people_on_apps(
    snapshot: &mut Snapshot,
    apps: &[HerokuId],
) -> Result<Vec<PeopleOnApp>, EngineError> {
    let found = snapshot.columns::<App>(&Select::Ids(apps.to_vec())).await?;
    let dense: Vec<i64> = found.into_iter().map(|stored| stored.dense).collect();
    if dense.is_empty() {
        return Ok(Vec::new());
    }
    let world = World::load(snapshot, &Extent::Resources(dense), true).await?;
    let told = |app: &AppFacts| PeopleOnApp { app: app.resource.clone(), people: people_on(&world, app) };
    Ok(world.apps.iter().map(told).collect())
}
