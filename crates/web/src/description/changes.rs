//! What a recorded change looks like.

use serde_json::Value;

use super::words::{anything, count, list, moment, named, object, one_of, or_null, text, with};

/// A change, with what followed from it and who made it.
pub(super) fn change() -> Value {
    let known = object([("how", one_of(&["plan", "audit_trail"])), ("actor", or_null(text()))]);
    let by = with(
        known,
        [
            ("actor_id", text()),
            ("ip", text()),
            ("at", moment()),
            ("plan", text()),
            ("reason", text()),
            ("audit_events", list(text())),
        ],
    );
    object([
        ("connector", or_null(text())),
        ("id", text()),
        ("version", count()),
        ("at", moment()),
        ("since", moment()),
        ("change", one_of(&["added", "removed", "changed"])),
        ("kind", text()),
        ("subject", object([("type", text()), ("id", text()), ("name", text())])),
        ("principal", or_null(object([("id", text()), ("email", text())]))),
        ("entitlement", or_null(text())),
        ("before", anything()),
        ("after", anything()),
        ("gained", list(named("EffectiveAccess"))),
        ("lost", list(named("EffectiveAccess"))),
        ("by", or_null(by)),
        ("edition", count()),
        ("turn", count()),
    ])
}

/// Effective access of one person to one resource.
pub(super) fn line() -> Value {
    object([
        ("principal", object([("id", text()), ("email", text())])),
        ("resource", named("Resource")),
        ("entitlements", list(text())),
        ("via", text()),
    ])
}
