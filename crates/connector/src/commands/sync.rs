//! A sync, once, into the file.
//!
//! What is read and written is in [`crate::sync`].
//!
//! Invariant: nothing is printed on stdout.

use metsuke_baton::expand;
use tokio_util::sync::CancellationToken;

use crate::estate::Estate;
use crate::failure::complain;
use crate::progress::Reporter;
use crate::settings::{Settings, Wish};
use crate::sync::{self, Place};

/// Syncs.
///
/// # Errors
///
/// Why nothing was written.
pub(crate) async fn run(
    estate: &Estate,
    settings: &Settings,
    wish: &Wish,
    cancel: &CancellationToken,
) -> anyhow::Result<()> {
    let place = Place {
        file: settings.file.clone(),
        folder: estate.folder().to_owned(),
        keep: settings.keep,
        shape: settings.shape,
    };
    let progress = Reporter::new();
    let synced = sync::run(&estate.connector, &*estate.clock, wish, place, &progress, cancel).await;
    progress.end();
    let synced = synced?;
    if synced.left_out {
        let most = expand::MOST;
        complain(&format!(
            "note: grants that follow from others were left out, because there would be more than {most} rows; \
             whoever reads the file can expand them, and --expand=always writes them"
        ));
    }
    if !synced.gaps.is_empty() {
        let count = synced.gaps.len();
        complain(&format!(
            "note: Heroku does not show {count} listings to the token, so what is in them is not in the file"
        ));
    }
    Ok(())
}
