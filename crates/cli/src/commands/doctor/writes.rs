//! The checks of what holds writes back: whether they are allowed at all, and the kill switch.
//!
//! Whether the token could write is told by its scope.
//!
//! Invariant: a switch that cannot be read is never told as off.

use metsuke_engine::desk::Check;
use metsuke_store::{ConnectorStatus, OpenMode, Restored, Store};

use super::{fail, ok, warn};
use crate::context::Context;
use crate::text::listed;

/// Whether Metsuke may write to Heroku.
pub(super) async fn check(context: &Context, store: Option<&Store>) -> Vec<Check> {
    let mut checks = vec![allowed(context), kill_switch(context, store).await];
    if let Some(store) = store {
        checks.extend(restored(store).await);
        checks.push(keys(context));
    }
    checks
}

/// Whether estates were restored and not held against Heroku since.
async fn restored(store: &Store) -> Option<Check> {
    let marks = match marks(store).await {
        Ok(marks) => marks,
        Err(error) => return Some(fail("restored", &error)),
    };
    let (_, first) = marks.first()?;
    let names: Vec<String> = marks.iter().filter_map(|(name, _)| name.as_deref().map(shown)).collect();
    let through = if names.is_empty() { String::new() } else { format!(" through {}", listed(&names)) };
    let told = format!("from a backup of {}, so nothing is changed on Heroku{through} yet", first.made_at);
    let unread = |(_, mark): &&(Option<String>, Restored)| mark.synced.is_none();
    let hint = match marks.iter().find(unread) {
        Some((None, _)) => "`metsuke sync` reads what Heroku has now",
        Some(_) => {
            "`metsuke connectors sync` reads what Heroku has now, and `metsuke serve` does so when it starts"
        }
        None => {
            "the next change settles what was open when the backup was made, and so does `metsuke plans reconcile`"
        }
    };
    Some(warn("restored", told, hint))
}

fn shown(name: &str) -> String {
    format!("`{}`", crate::text::shown(name))
}

/// The marks of the database's own estate, which has no name, and of every connector's.
async fn marks(store: &Store) -> anyhow::Result<Vec<(Option<String>, Restored)>> {
    let mut live = store.connectors().await?;
    live.retain(|row| row.status == ConnectorStatus::Live);
    let mut marks = Vec::new();
    if live.is_empty() || !store.syncs(1).await?.is_empty() {
        marks.extend(store.restored().await?.map(|mark| (None, mark)));
    }
    for row in live {
        let estate = store.estate(row.id, OpenMode::Existing).await?;
        marks.extend(estate.restored().await?.map(|mark| (Some(row.name), mark)));
        estate.close().await;
    }
    Ok(marks)
}

/// Which keys a backup leaves out.
fn keys(context: &Context) -> Check {
    let named = |path: Option<String>| path.map(|path| format!(" (`{path}`)")).unwrap_or_default();
    let audit = context.config.audit_key(None).map(|key| key.path().display().to_string());
    let sealing = context.config.seal_file().ok().map(|key| key.path().display().to_string());
    ok(
        "keys",
        format!(
            "in no backup: the one that signs the audit trail{}, and the one that seals tokens{}; keep copies apart from backups",
            named(audit),
            named(sealing)
        ),
    )
}

fn allowed(context: &Context) -> Check {
    let told = if context.config.provisioning() {
        match context.config.settings().from("provisioning.allow_writes") {
            Some("METSUKE_PROVISIONING") => "allowed by METSUKE_PROVISIONING=true".to_owned(),
            from => format!("allowed by {}", from.unwrap_or("the settings")),
        }
    } else {
        "not allowed, so plans are made and refused: METSUKE_PROVISIONING is not `true`; --allow-writes allows one command".to_owned()
    };
    ok("writes", told)
}

async fn kill_switch(context: &Context, store: Option<&Store>) -> Check {
    let mut on = Vec::new();
    let mut ways = Vec::new();
    if let Some(store) = store {
        match store.kill_switch().await {
            Ok(true) => {
                on.push("in the database".to_owned());
                ways.push("`metsuke kill-switch off`".to_owned());
            }
            Ok(false) => {}
            Err(error) => return fail("kill switch", &error.into()),
        }
    }
    if let Some(file) = context.kill_file().filter(|file| file.exists()) {
        on.push(format!("by the file `{}`", file.display()));
        ways.push(format!("removing `{}`", file.display()));
    }
    if on.is_empty() {
        return ok("kill switch", "off");
    }
    let told = format!("on {}: nothing is written to Heroku", listed(&on));
    warn("kill switch", told, format!("writes are allowed again after {}", listed(&ways)))
}
