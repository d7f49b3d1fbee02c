//! `_connector-service`: serves a parent process, such as the ecosystem's own syncer.
//!
//! How the parent is recognised, and what it may ask, is the Baton door's.
//!
//! Invariant: it ends, and well, when the parent does.

use std::net::TcpListener;
use std::sync::Arc;

use metsuke_baton::child;
use tokio_util::sync::CancellationToken;

use crate::estate::Estate;
use crate::settings::Settings;

/// Serves until the parent is gone or `cancel` is set.
///
/// # Errors
///
/// Why the parent could not be served.
pub(crate) async fn run(
    estate: &Estate,
    settings: &Settings,
    listener: TcpListener,
    cancel: &CancellationToken,
) -> anyhow::Result<()> {
    let connector = Arc::new(estate.service(settings));
    Ok(child::serve(connector, listener, tokio::io::stdin(), cancel).await?)
}
