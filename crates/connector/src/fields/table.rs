//! The table of settings, in sections.
//!
//! Names, defaults and bounds of the ecosystem's own settings are a contract; those of ours are
//! `heroku-url`, `database`, `newer-annotations`, `expand`, `kill-switch-file`, `connector-account` and the three caps
//! of provisioning.
//!
//! Invariant: what cannot be done is refused with a reason, and nothing is taken in silence that would change what is
//! done.

use super::Field;

/// Settings under one heading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    /// The heading in the help.
    pub(crate) heading: &'static str,
    /// Its settings.
    pub(crate) fields: &'static [Field],
}

/// Every setting.
pub(crate) static SECTIONS: &[Section] = &[
    Section { heading: "Heroku", fields: CONNECTOR },
    Section { heading: "Sync", fields: SYNC },
    Section { heading: "Provisioning", fields: PROVISIONING },
    Section { heading: "Events", fields: EVENTS },
    Section { heading: "ConductorOne", fields: SERVICE },
    Section { heading: "Logs", fields: LOGS },
    Section { heading: "Running", fields: RUNNING },
    Section { heading: "Health", fields: HEALTH },
    Section { heading: "Taken, without effect", fields: IDLE },
    Section { heading: "Refused", fields: REFUSED },
];

static CONNECTOR: &[Field] = &[
    Field::text("api-token")
        .secret()
        .required()
        .connector("API token")
        .help("The Heroku API token; it is better set as BATON_API_TOKEN, because others can read arguments"),
    Field::text("heroku-url")
        .connector("Heroku API address")
        .help("The address of the Heroku API; else METSUKE_HEROKU_URL, else https://api.heroku.com"),
    Field::text("database").help(
        "Keep what is read in this database, sqlite:FILE or postgres://…; else in a temporary one that is removed",
    ),
    Field::flag("newer-annotations").connector("Newer annotations").help(
        "Also write annotations that command lines of 2025 cannot read, such as groups of roles that exclude each other",
    ),
];

static SYNC: &[Field] = &[
    Field::text("file").short('f').default("sync.c1z").help("The path of the c1z file to sync with"),
    Field::choice("expand", "auto", &["auto", "always", "never"]).help(
        "Whether a one-shot sync writes the grants that follow from others: auto (up to 2,000,000 rows), always, never",
    ),
    Field::list("sync-resources").help("Sync these resources alone, in the bid notation: bid:r:<type>/<id>"),
    Field::list("sync-resource-types").help("Sync these resource types alone: user, team, enterprise_account, app"),
    Field::flag("skip-full-sync").help("Check the token, then write an empty sync"),
    Field::flag("skip-entitlements-and-grants").help("Sync resources alone"),
    Field::flag("skip-grants").hidden().help("Sync no grants; only with --sync-resources"),
    Field::choice("storage-engine", "", &["", "sqlite", "pebble"])
        .help("How the c1z file is stored: sqlite, which is also the default; pebble is refused"),
    Field::text("c1z-temp-dir").hidden().help(
        "The directory for temporary files, which must exist; else BATON_TMPDIR, else the system's",
    ),
    Field::number("workers", 0, -1, 1_000)
        .help("The most requests to Heroku at one moment; 0 and -1 stand for 8, and more than 32 for 32"),
    Field::flag("parallel-sync").help("Older name of --workers=-1"),
];

static PROVISIONING: &[Field] = &[
    Field::flag("provisioning").short('p').help("Allow grants and revocations"),
    Field::text("kill-switch-file").help("A file whose presence stops every change; else METSUKE_KILL_SWITCH_FILE"),
    Field::text("connector-account").help(
        "The e-mail address or id of the token's own account, where Heroku does not tell it; it is never changed",
    ),
    Field::number("hourly-removals", 50, 1, 1_000_000)
        .help("The most people whose access is taken in an hour; what goes beyond is refused"),
    Field::number("hourly-elevations", 5, 0, 1_000_000)
        .help("The most grants of admin and manage in an hour; what goes beyond is refused"),
    Field::number("team-removal-percent", 20, 1, 100)
        .help("The most people taken out of one team in an hour, in percent of it; one is always allowed"),
    Field::text("grant-entitlement").hidden().help("Grant this entitlement, by its id in the file"),
    Field::text("grant-principal").hidden().help("To this principal, by its id in the file"),
    Field::text("grant-principal-type").hidden().help("Which is of this resource type"),
    Field::text("revoke-grant").hidden().help("Revoke this grant, by its id in the file"),
];

static EVENTS: &[Field] = &[
    Field::flag("event-feed").hidden().help("Print events, one JSON object a line"),
    Field::text("event-feed-id").hidden().help("Of this feed; else of the first"),
    Field::text("event-feed-start-at").hidden().help("From this time on, in RFC 3339; else from a day ago"),
    Field::text("event-feed-cursor").hidden().help("From where an earlier reading ended"),
];

static SERVICE: &[Field] = &[
    Field::text("client-id")
        .help("The client id of ConductorOne; with it the program serves until it is stopped"),
    Field::text("client-secret").secret().help("The client secret of ConductorOne"),
    Field::number("task-concurrency", 3, 1, 100)
        .help("The most tasks at one moment in service mode, 1 to 100"),
];

static LOGS: &[Field] = &[
    Field::choice("log-level", "info", &["debug", "info", "warn", "error"])
        .operations()
        .help("The log level: debug, info, warn, error"),
    Field::text("log-level-debug-expires-at")
        .operations()
        .help("When the level debug ends and info begins, in RFC 3339"),
    Field::choice("log-format", "", &["", "json", "console"])
        .help("The format of logs: json, console; by default console where stdout is a terminal, else json"),
    Field::list("log-path").help("The files to write logs to; else stderr"),
];

const NO_SESSIONS: &str = "this connector keeps no session store";
const NO_OTEL: &str = "this connector sends no traces and no logs to a collector";

static RUNNING: &[Field] = &[
    Field::number("session-store-maximum-size", 15 * 1024 * 1024, 0, i64::MAX)
        .hidden()
        .operations()
        .idle(NO_SESSIONS)
        .help("The maximum size of the session store in bytes"),
    Field::text("otel-collector-endpoint")
        .operations()
        .idle(NO_OTEL)
        .help("The endpoint of an OpenTelemetry collector; nothing is sent to it"),
    Field::text("otel-collector-endpoint-tls-cert-path")
        .hidden()
        .operations()
        .idle(NO_OTEL)
        .help("A file with the collector's certificate authority"),
    Field::text("otel-collector-endpoint-tls-cert")
        .hidden()
        .operations()
        .idle(NO_OTEL)
        .help("The collector's certificate authority"),
    Field::flag("otel-collector-endpoint-tls-insecure")
        .hidden()
        .operations()
        .idle(NO_OTEL)
        .help("Allow connections to the collector without encryption"),
    Field::flag("otel-tracing-disabled").hidden().operations().help("Send no traces; none are sent"),
    Field::flag("otel-logging-disabled").hidden().operations().help("Send no logs; none are sent"),
];

static HEALTH: &[Field] = &[
    Field::flag("health-check").operations().help("Serve health checks over HTTP in service mode"),
    Field::number("health-check-port", 8081, 1, 65_535).operations().help("The port of the health checks"),
    Field::text("health-check-bind-address")
        .default("127.0.0.1")
        .hidden()
        .operations()
        .help("The address of the health checks"),
    Field::number("http-timeout-seconds", 300, 1, 1_800)
        .operations()
        .help("The longest time for one request to Heroku, in seconds, 1 to 1800"),
];

static IDLE: &[Field] = &[
    Field::text("auth-method").idle("there is one way to sign in to Heroku, an API token").help("No effect"),
    Field::flag("ticketing").idle("Heroku has no tickets").help("No effect: Heroku has no tickets"),
    Field::flag("keep-previous-sync-c1z")
        .idle("each sync reads everything, and replays nothing of an earlier file")
        .help("No effect: each sync reads everything"),
];

const NO_TICKETS: &str = "Heroku has no tickets";
const NO_ACCOUNTS: &str = "accounts of Heroku are their owners' and cannot be made here";
const NO_DELETION: &str = "this connector deletes no resources";
const NO_ROTATION: &str = "this connector rotates no credentials";
const NO_ACTIONS: &str = "this connector has no actions";
const NO_DIFFS: &str = "this connector makes no diffs; the command line `baton` does";
const NO_COMPACTION: &str = "this connector compacts no files; the command line `baton` does";
const NO_EXTERNAL: &str = "resources of other files are not matched";

static REFUSED: &[Field] = &[
    Field::flag("create-ticket").refused(NO_TICKETS),
    Field::flag("bulk-create-ticket").refused(NO_TICKETS),
    Field::text("bulk-ticket-template-path").refused(NO_TICKETS),
    Field::flag("get-ticket").refused(NO_TICKETS),
    Field::flag("list-ticket-schemas").refused(NO_TICKETS),
    Field::text("ticket-id").refused(NO_TICKETS),
    Field::text("ticket-template-path").refused(NO_TICKETS),
    Field::text("create-account-email").refused(NO_ACCOUNTS),
    Field::text("create-account-login").refused(NO_ACCOUNTS),
    Field::text("create-account-profile").refused(NO_ACCOUNTS),
    Field::text("create-account-resource-type").refused(NO_ACCOUNTS),
    Field::text("delete-resource").refused(NO_DELETION),
    Field::text("delete-resource-type").refused(NO_DELETION),
    Field::text("rotate-credentials").refused(NO_ROTATION),
    Field::text("rotate-credentials-type").refused(NO_ROTATION),
    Field::text("invoke-action").refused(NO_ACTIONS),
    Field::text("invoke-action-args").default("{}").refused(NO_ACTIONS),
    Field::text("invoke-action-resource-type").refused(NO_ACTIONS),
    Field::flag("list-action-schemas").refused(NO_ACTIONS),
    Field::text("list-action-schemas-resource-type").refused(NO_ACTIONS),
    Field::text("list-resource-actions").refused(NO_ACTIONS),
    Field::text("invoke-resource-action").refused(NO_ACTIONS),
    Field::text("invoke-resource-action-resource-type").refused(NO_ACTIONS),
    Field::text("invoke-resource-action-args").default("{}").refused(NO_ACTIONS),
    Field::flag("diff-syncs").refused(NO_DIFFS),
    Field::text("base-sync-id").refused(NO_DIFFS),
    Field::text("applied-sync-id").refused(NO_DIFFS),
    Field::flag("compact-syncs").refused(NO_COMPACTION),
    Field::list("compact-sync-ids").refused(NO_COMPACTION),
    Field::list("compact-file-paths").refused(NO_COMPACTION),
    Field::text("compact-output-path").refused(NO_COMPACTION),
    Field::text("external-resource-c1z").refused(NO_EXTERNAL),
    Field::text("external-resource-entitlement-id-filter").refused(NO_EXTERNAL),
    Field::list("external-resource-traits").refused(NO_EXTERNAL),
];
