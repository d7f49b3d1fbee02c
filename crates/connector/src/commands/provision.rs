//! One grant or revocation, of what the file names.
//!
//! What is allowed, and the calls themselves, are the engine's.
//!
//! Invariant: the file is read and never written, so that it tells of the change only after the next sync.

use std::path::Path;

use metsuke_baton::any;
use metsuke_baton::c1z::{C1z, C1zError, ReadOptions};
use metsuke_baton::id::ResourceKey;
use metsuke_baton::proto::connector::{
    GrantAlreadyExists, GrantAlreadyRevoked, GrantManagerServiceGrantRequest,
    GrantManagerServiceRevokeRequest, GrantReplaced,
};
use tracing::info;

use crate::estate::Estate;
use crate::settings::Settings;

/// Grants an entitlement of the file to a principal of the file.
///
/// # Errors
///
/// What the file does not hold, and why the grant was not made.
pub(crate) async fn grant(
    estate: &Estate,
    settings: &Settings,
    entitlement: &str,
    principal: &ResourceKey,
) -> anyhow::Result<()> {
    let (id, key) = (entitlement.to_owned(), principal.clone());
    let found =
        looked_up(estate, settings, move |file| Ok((file.find_entitlement(&id)?, file.find_resource(&key)?)));
    let (found, principal) = found.await?;
    let request = GrantManagerServiceGrantRequest {
        entitlement: Some(found),
        principal: Some(principal),
        ..GrantManagerServiceGrantRequest::default()
    };
    let answer = estate.service(settings).grant(&request).await?;
    if any::find::<GrantAlreadyExists>(&answer.annotations).is_some() {
        info!(entitlement.id = entitlement, "the grant is there already");
    } else if let Some(replaced) = any::find::<GrantReplaced>(&answer.annotations) {
        info!(
            entitlement.id = entitlement,
            grant.replaced = replaced.replaced_grant_id,
            "granted, in the place of another grant"
        );
    } else {
        info!(entitlement.id = entitlement, grant.count = answer.grants.len(), "granted");
    }
    Ok(())
}

/// Revokes a grant of the file.
///
/// # Errors
///
/// As [`grant`].
pub(crate) async fn revoke(estate: &Estate, settings: &Settings, grant: &str) -> anyhow::Result<()> {
    let id = grant.to_owned();
    let found = looked_up(estate, settings, move |file| file.find_grant(&id)).await?;
    let request = GrantManagerServiceRevokeRequest {
        grant: Some(found),
        ..GrantManagerServiceRevokeRequest::default()
    };
    let answer = estate.service(settings).revoke(&request).await?;
    if any::find::<GrantAlreadyRevoked>(&answer.annotations).is_some() {
        info!(grant.id = grant, "the grant is revoked already");
    } else {
        info!(grant.id = grant, "revoked");
    }
    Ok(())
}

/// Asks the file for something, on a thread of its own.
async fn looked_up<T: Send + 'static>(
    estate: &Estate,
    settings: &Settings,
    ask: impl FnOnce(&C1z) -> Result<T, C1zError> + Send + 'static,
) -> anyhow::Result<T> {
    let (path, folder) = (settings.file.clone(), estate.folder().to_owned());
    let asked = tokio::task::spawn_blocking(move || ask(&open(&path, &folder)?));
    Ok(asked.await??)
}

fn open(path: &Path, folder: &Path) -> Result<C1z, C1zError> {
    C1z::open(path, &ReadOptions { temp_dir: Some(folder.to_owned()), ..ReadOptions::default() })
}
