//! A sync into a `c1z` file: read from Heroku, shown in the ecosystem's words, written.
//!
//! Reading is the engine's, the words and the file are the Baton door's; here is what comes after what, for one-shot runs
//! and for tasks alike.
//!
//! Invariant: nothing is written of a reading that failed in part: what was not read would look as if it were gone.

use std::path::{Path, PathBuf};

use metsuke_baton::c1z::{self, C1z, C1zError, Keep, ReadOptions, SyncHead, SyncType, WriteOptions};
use metsuke_baton::shape::{Options, Type};
use metsuke_baton::source::{Choice, Part, Source};
use metsuke_engine::connector::{Connector, Target, View, ViewSync};
use metsuke_engine::{EngineError, Progress};
use metsuke_model::{Clock, HerokuId, Moment, ScopeReport, Version};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::failure::{Code, Failure};
use crate::settings::{Skip, Wish};

/// Gaps that are named one by one.
const NAMED: usize = 20;

/// Where a sync is written, and how.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The file.
    pub(crate) file: PathBuf,
    /// Where the database of the file is built.
    pub(crate) folder: PathBuf,
    /// What becomes of the syncs that the file holds.
    pub(crate) keep: Keep,
    /// What readers are known to take.
    pub(crate) shape: Options,
}

/// What came of a sync.
#[derive(Debug)]
pub(crate) struct Synced {
    /// Grants that follow from others were to be written, and are too many.
    pub(crate) left_out: bool,
    /// What Heroku did not show.
    pub(crate) gaps: Vec<ScopeReport>,
}

/// Reads what is wished, and writes it.
///
/// # Errors
///
/// What Heroku, the database or the file said, and [`Code::Unavailable`] where a part could not be read.
pub(crate) async fn run(
    connector: &Connector,
    clock: &dyn Clock,
    wish: &Wish,
    place: Place,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> anyhow::Result<Synced> {
    // A token that Heroku does not know is told apart from a reading that failed.
    connector.validate().await?;
    let began = clock.now();
    let views = if wish.empty {
        Vec::new()
    } else if wish.resources.is_empty() {
        vec![Part::whole(whole(connector, progress, cancel).await?)]
    } else {
        chosen(connector, wish, cancel).await?
    };
    let gaps = gaps(&views)?;
    let head = head(&views, wish, began, clock.now(), &place.file)?;
    let choice = Choice { expand: wish.expand, types: wish.types.clone(), skip: wish.skip };
    let cancel = cancel.clone();
    let writing = tokio::task::spawn_blocking(move || {
        let mut source = Source::new(views, choice, place.shape, cancel);
        let read = ReadOptions { temp_dir: Some(place.folder.clone()), ..ReadOptions::default() };
        let options = WriteOptions { head, keep: place.keep, temp_dir: Some(place.folder), read };
        let written = c1z::write(&place.file, &mut source, &options);
        written.map(|written| (written, source.left_out()))
    });
    let (written, left_out) = writing.await??;
    info!(
        sync.id = %written.sync,
        resource.count = written.stats.resources,
        entitlement.count = written.stats.entitlements,
        grant.count = written.stats.grants,
        file.bytes = written.file_bytes,
        "sync written"
    );
    if written.decoded_bytes > c1z::OLD_READERS_TAKE {
        warn!(database.bytes = written.decoded_bytes, "the file is larger than command lines of 2025 open");
    }
    Ok(Synced { left_out, gaps })
}

async fn whole(
    connector: &Connector,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> anyhow::Result<View> {
    let summary = Box::pin(connector.sync(progress, cancel)).await?;
    if !summary.quarantine.is_empty() {
        let told = format!("the sync would take away too much at once: {}", summary.quarantine.join("; "));
        let hint = "`metsuke syncs accept` makes it current where that is right";
        return Err(Failure::new(Code::FailedPrecondition, told).hint(hint).into());
    }
    Ok(connector.view(None).await?.ok_or(EngineError::NoVersion)?)
}

/// The resources that were named, each read afresh; one that is not there is left out.
async fn chosen(connector: &Connector, wish: &Wish, cancel: &CancellationToken) -> anyhow::Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut all_read = false;
    for key in &wish.resources {
        if cancel.is_cancelled() {
            return Err(EngineError::Cancelled.into());
        }
        let Some(kind) = Type::parse(&key.resource_type) else { continue };
        let filtered = !wish.types.is_empty() && !wish.types.contains(&kind);
        if filtered || parts.iter().any(|part| part.is_about(key)) {
            continue;
        }
        let id = HerokuId::new(&key.resource);
        let target = match kind {
            Type::User => Target::User(id),
            Type::EnterpriseAccount => Target::EnterpriseAccount(id),
            Type::Team => Target::Team(id),
            Type::App => Target::App(id),
        };
        let mut found = Box::pin(connector.refresh(&target)).await?;
        if found.is_none() && kind == Type::User && !all_read {
            // People cannot be asked for one by one: who they are is told by what they belong to.
            whole(connector, &(), cancel).await?;
            all_read = true;
            found = Box::pin(connector.refresh(&target)).await?;
        }
        if let Some(view) = found {
            parts.push(Part::of(view, key.clone()));
        } else {
            let (kind, id) = (&*key.resource_type, &*key.resource);
            warn!(resource.r#type = kind, resource.id = id, "there is no such resource");
        }
    }
    Ok(parts)
}

/// What Heroku did not show; an error where it could not be asked.
fn gaps(parts: &[Part]) -> Result<Vec<ScopeReport>, Failure> {
    // What is missing elsewhere is nothing to a part that was read for itself.
    let whole = || parts.iter().filter(|part| part.is_whole()).map(Part::sync);
    let gaps: Vec<_> = whole().flat_map(|sync| &sync.gaps).cloned().collect();
    if let Some(told) = whole().find_map(ViewSync::failed) {
        return Err(Failure::new(Code::Unavailable, told).hint("nothing was written; run it again"));
    }
    for gap in gaps.iter().take(NAMED) {
        let why = gap.reason.as_deref().unwrap_or_default();
        warn!(
            scope = &*gap.scope,
            reason = why,
            "Heroku does not show this to the token, so it is not in the sync"
        );
    }
    if gaps.len() > NAMED {
        warn!(gap.count = gaps.len(), "more listings than these are not shown to the token");
    }
    Ok(gaps)
}

/// What is said of the sync.
fn head(
    parts: &[Part],
    wish: &Wish,
    began: Moment,
    ended: Moment,
    file: &Path,
) -> Result<SyncHead, C1zError> {
    let version = parts.first().map_or(Version(0), |part| part.sync().version);
    let partial = !wish.resources.is_empty();
    let sync_type = match (partial, wish.skip) {
        (true, _) => SyncType::Partial,
        (false, Skip::EntitlementsAndGrants) => SyncType::ResourcesOnly,
        (false, Skip::Nothing | Skip::Grants) => SyncType::Full,
    };
    let head = SyncHead::of(version, began, ended, sync_type);
    if !partial {
        return Ok(head);
    }
    let parent = match C1z::open(file, &ReadOptions::default()) {
        Ok(open) => {
            open.newest().ok().filter(|run| run.sync_type == SyncType::Full).map(|run| run.id.clone())
        }
        Err(C1zError::Missing { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok(SyncHead { parent, ..head })
}
