-- The connectors of an installation; only its main store has rows. name_key: the name in small letters for as long as
-- it is taken; status: making, live, removing or removed; removal: what went with it, as JSON.
CREATE TABLE connector (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT UNIQUE,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    removed_at BIGINT,
    removal TEXT
);

-- What a connector is set to, in its own store: one row. edition: 1, and one more with each change.
CREATE TABLE connector_setting (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    edition BIGINT NOT NULL,
    document TEXT NOT NULL,
    paused_at BIGINT,
    changed_at BIGINT NOT NULL
);

-- A connector's API token, sealed: one row. account: whose it is, as far as Heroku was asked.
CREATE TABLE connector_credential (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL,
    set_at BIGINT NOT NULL,
    account_id TEXT,
    account_email TEXT
);

-- What is due by the clock. slot: the planned moment that was served last.
CREATE TABLE schedule (
    name TEXT PRIMARY KEY,
    next_at BIGINT,
    slot BIGINT
);

-- Syncs of a connector as they were asked for, carried out and ended. is_open: 1 for the one that waits or is being
-- carried out, else null.
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    is_open BIGINT UNIQUE,
    status TEXT NOT NULL,
    cause TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    version BIGINT,
    reason TEXT,
    document TEXT
);

-- What runs told on their way.
CREATE TABLE run_log (
    sequence BIGINT PRIMARY KEY,
    run_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX run_log_run ON run_log (run_id, sequence);

-- What is to be done. dedup: of one kind there is one open job with the same; status: waiting, running, finished or
-- dead; fence: one more with each worker that takes it, and an older one writes nothing.
CREATE TABLE job (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    dedup TEXT,
    document TEXT NOT NULL,
    status TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    worker TEXT,
    lease_until BIGINT,
    cancel_at BIGINT,
    finished_at BIGINT,
    why TEXT,
    result TEXT
);
CREATE UNIQUE INDEX job_dedup ON job (kind, dedup) WHERE dedup IS NOT NULL AND status IN ('waiting', 'running');
CREATE INDEX job_open ON job (run_at) WHERE status IN ('waiting', 'running');
CREATE INDEX job_closed ON job (finished_at) WHERE status IN ('finished', 'dead');
