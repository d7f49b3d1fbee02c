//! Reads again what something told to read again.
//!
//! Invariant: what is wanted stays wanted until it was read, or until Heroku says that it cannot be.

use std::collections::BTreeSet;

use metsuke_clients::heroku::Heroku;
use metsuke_model::record::{App, Team};
use metsuke_model::{Clock, HerokuId, Moment, Version};
use metsuke_store::{AccessSelect, Select, Store, WantedRead};

use super::target;
use super::webhooks::REMEMBERS;
use crate::sync::{Target, refresh};
use crate::{EngineError, ErrorKind};

/// Apps that are read again because somebody left their team.
const MOST_APPS: usize = 50;
/// For how long entries of the trail are kept.
const KEEPS: i64 = 40 * 86_400_000_000;

/// What reading again came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reread {
    /// What was read.
    pub read: Vec<Target>,
    /// What Heroku does not show, or not to us: the next sync tells what became of it.
    pub left: Vec<Target>,
    /// The last version that was made.
    pub version: Option<Version>,
    /// More is wanted.
    pub more: bool,
}

/// Reads what is wanted, the longest wanted first, at most so much of it.
///
/// # Errors
///
/// [`EngineError::Upstream`] and [`EngineError::WrongToken`] where Heroku cannot be read now, and what the database said;
/// what was not read stays wanted.
pub async fn read_again(
    store: &Store,
    heroku: &Heroku,
    clock: &dyn Clock,
    most: u32,
) -> Result<Reread, EngineError> {
    let mut done = Reread::default();
    for _ in 0..most {
        let Some(wanted) = store.wanted_reads(1).await?.pop() else { break };
        let Some(object) = target::parse(&wanted.target) else {
            store.read_again(&wanted).await?;
            continue;
        };
        let before = members(store, &object).await?;
        match refresh(heroku, store, &object, clock).await {
            Ok(Some(version)) => {
                done.version = Some(version);
                want_apps_of_leavers(store, &object, &before, clock).await?;
                done.read.push(object);
            }
            Ok(None) => done.left.push(object),
            Err(error) if gives_up(&error) => {
                tracing::info!(%error, target = %wanted.target, "it is left to the next sync");
                done.left.push(object);
            }
            Err(error) => return Err(error),
        }
        store.read_again(&wanted).await?;
    }
    done.more = !store.wanted_reads(1).await?.is_empty();
    let now = clock.now().0;
    store.forget_deliveries(Moment(now.saturating_sub(REMEMBERS))).await?;
    store.forget_trail(Moment(now.saturating_sub(KEEPS))).await?;
    Ok(done)
}

/// Whether there is no use in trying again.
fn gives_up(error: &EngineError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Refused
            | ErrorKind::Invalid
            | ErrorKind::Ambiguous
    )
}

/// Who is in a team, by dense ids; nobody for anything else.
async fn members(store: &Store, object: &Target) -> Result<BTreeSet<i64>, EngineError> {
    let Target::Team(id) = object else { return Ok(BTreeSet::new()) };
    let Some(mut snapshot) = store.snapshot(None).await? else { return Ok(BTreeSet::new()) };
    let teams = snapshot.objects::<Team>(&Select::Id(id.clone())).await?;
    let teams = AccessSelect::On(teams.iter().map(|team| team.dense).collect());
    Ok(snapshot.access(&teams).await?.into_iter().map(|entry| entry.principal).collect())
}

/// Heroku: whoever leaves a team leaves its apps, too, of which a reading of the team tells nothing.
async fn want_apps_of_leavers(
    store: &Store,
    object: &Target,
    before: &BTreeSet<i64>,
    clock: &dyn Clock,
) -> Result<(), EngineError> {
    let now = members(store, object).await?;
    let left: Vec<i64> = before.difference(&now).copied().collect();
    let Target::Team(team) = object else { return Ok(()) };
    if left.is_empty() {
        return Ok(());
    }
    let Some(mut snapshot) = store.snapshot(None).await? else { return Ok(()) };
    let held = snapshot.access(&AccessSelect::Of(left)).await?;
    let held = Select::Dense(held.into_iter().map(|entry| entry.resource).collect());
    let apps = snapshot.objects::<App>(&held).await?;
    drop(snapshot);
    let of_team = apps.into_iter().filter(|app| app.record.team.as_ref() == Some(team));
    let ids: Vec<HerokuId> = of_team.map(|app| app.record.id).take(MOST_APPS).collect();
    let wanted = ids.into_iter().map(|id| WantedRead {
        target: target::text(&Target::App(id)),
        wanted_at: clock.now(),
        because: format!("somebody left team {team}"),
    });
    store.want_reads(wanted.collect()).await?;
    Ok(())
}
