-- Every difference between versions, told once. place: its place in the change log of its version; turn: when it was
-- written, or last given another author, in a count of its own; edition: 1, and one more with each author; since: it
-- was made after this moment; object_id: the object, or what a grant is on; about: the ids that Heroku's audit trail
-- would name it by; words: what a search looks in, in small letters; author: who did it, as JSON.
CREATE TABLE change_event (
    version BIGINT NOT NULL,
    place BIGINT NOT NULL,
    turn BIGINT NOT NULL,
    edition BIGINT NOT NULL,
    at BIGINT NOT NULL,
    since BIGINT NOT NULL,
    kind TEXT NOT NULL,
    change BIGINT NOT NULL,
    object_id BIGINT NOT NULL,
    principal_id BIGINT,
    document TEXT NOT NULL,
    about TEXT NOT NULL,
    words TEXT NOT NULL,
    actor TEXT NOT NULL,
    author TEXT,
    PRIMARY KEY (version, place)
);
CREATE UNIQUE INDEX change_event_turn ON change_event (turn);
CREATE INDEX change_event_at ON change_event (at);

-- Effective access that a change gave or took: gained is 1, or 0 for lost; via: by which way it is or was held; mask
-- and other: the entitlements, as in access and, beyond that, as a list in JSON.
CREATE TABLE change_effect (
    version BIGINT NOT NULL,
    place BIGINT NOT NULL,
    resource_id BIGINT NOT NULL,
    principal_id BIGINT NOT NULL,
    gained BIGINT NOT NULL,
    via TEXT NOT NULL,
    mask BIGINT NOT NULL,
    other TEXT NOT NULL,
    PRIMARY KEY (version, place, resource_id, principal_id, gained, via)
);
CREATE INDEX change_effect_principal ON change_effect (principal_id);
CREATE INDEX change_effect_resource ON change_effect (resource_id);

-- The one row: up to which version events are written, and the last turn given.
CREATE TABLE change_mark (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    turn BIGINT NOT NULL
);
INSERT INTO change_mark (id, version, turn) VALUES (1, 0, 0);

-- Entries of Heroku's audit trail that were read: for telling who made a change, and for acting on none twice.
CREATE TABLE trail_entry (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX trail_entry_at ON trail_entry (at);

-- When each day of an Enterprise account's trail was last read.
CREATE TABLE trail_day (
    account TEXT NOT NULL,
    day BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (account, day)
);

-- Objects that are to be read again, since something told that they changed; target: kind and Heroku's id.
CREATE TABLE wanted_read (
    target TEXT PRIMARY KEY,
    wanted_at BIGINT NOT NULL,
    because TEXT NOT NULL
);

-- Webhooks of apps that lead here. id: our name for one, part of its address; secret: sealed.
CREATE TABLE webhook (
    id TEXT PRIMARY KEY,
    app TEXT NOT NULL,
    app_name TEXT NOT NULL,
    url TEXT NOT NULL,
    heroku_id TEXT,
    secret BYTEA NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    heard_at BIGINT
);

-- Deliveries that were taken, so that none is taken twice.
CREATE TABLE webhook_delivery (
    webhook TEXT NOT NULL,
    event TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    PRIMARY KEY (webhook, event)
);
