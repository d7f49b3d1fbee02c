//! The checks of what holds writes back: whether they are allowed at all, and the kill switch.
//!
//! Whether the token could write is told by its scope.
//!
//! Invariant: a switch that cannot be read is never told as off.

use metsuke_store::Store;

use super::Check;
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

/// Whether the database was restored and not held against Heroku since.
async fn restored(store: &Store) -> Option<Check> {
    let restored = match store.restored().await {
        Ok(restored) => restored?,
        Err(error) => return Some(Check::fail("restored", &error.into())),
    };
    let told = format!("from a backup of {}, so nothing is changed on Heroku yet", restored.made_at);
    let hint = match restored.synced {
        None => "`metsuke sync` reads what Heroku has now",
        Some(_) => "`metsuke plans reconcile` settles what was open when the backup was made",
    };
    Some(Check::warn("restored", told, hint))
}

/// Which keys a backup leaves out.
fn keys(context: &Context) -> Check {
    let audit = context.config.audit_key(None).map(|key| format!(" (`{}`)", key.path().display()));
    Check::ok(
        "keys",
        format!(
            "in no backup: the one that signs the audit trail{}, and `metsuke.key`, which seals tokens; keep copies apart from backups",
            audit.unwrap_or_default()
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
    Check::ok("writes", told)
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
            Err(error) => return Check::fail("kill switch", &error.into()),
        }
    }
    if let Some(file) = context.kill_file().filter(|file| file.exists()) {
        on.push(format!("by the file `{}`", file.display()));
        ways.push(format!("removing `{}`", file.display()));
    }
    if on.is_empty() {
        return Check::ok("kill switch", "off");
    }
    let told = format!("on {}: nothing is written to Heroku", listed(&on));
    Check::warn("kill switch", told, format!("writes are allowed again after {}", listed(&ways)))
}
