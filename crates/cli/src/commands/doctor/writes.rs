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
    vec![allowed(context), kill_switch(context, store).await]
}

fn allowed(context: &Context) -> Check {
    let told = if context.config.provisioning() {
        "allowed by METSUKE_PROVISIONING=true"
    } else {
        "not allowed, so plans are made and refused: METSUKE_PROVISIONING is not `true`; --allow-writes allows one command"
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
