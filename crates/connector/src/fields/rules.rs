//! Which settings go together, which shut each other out, and which need another.
//!
//! Whether a value alone is sound is checked where it is read.
//!
//! Source: the relations that the ecosystem's connectors have among their standard settings.

/// A relation between settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// All or none.
    Together(&'static [&'static str]),
    /// At most one.
    Exclusive(&'static [&'static str]),
    /// Any of the first needs the second.
    Needs(&'static [&'static str], &'static str),
}

/// Every relation.
///
/// Those among refused settings are left out, because such a setting is refused by itself; verbs that are refused stand
/// in the groups, so that what shuts them out is told first.
pub(crate) const fn relations() -> &'static [Relation] {
    RELATIONS
}

static RELATIONS: &[Relation] = &[
    Relation::Together(&["grant-entitlement", "grant-principal"]),
    Relation::Together(&["client-id", "client-secret"]),
    Relation::Exclusive(&[
        "grant-entitlement",
        "revoke-grant",
        "create-account-login",
        "delete-resource",
        "rotate-credentials",
        "event-feed",
        "create-ticket",
        "get-ticket",
        "list-ticket-schemas",
        "bulk-create-ticket",
    ]),
    Relation::Exclusive(&[
        "grant-entitlement",
        "revoke-grant",
        "create-account-email",
        "delete-resource-type",
        "rotate-credentials-type",
        "event-feed",
        "diff-syncs",
        "compact-syncs",
        "list-ticket-schemas",
    ]),
    Relation::Needs(&["skip-grants"], "sync-resources"),
    Relation::Needs(&["health-check-port", "health-check-bind-address"], "health-check"),
    Relation::Needs(&["event-feed-id", "event-feed-start-at", "event-feed-cursor"], "event-feed"),
];
