-- What is to be changed on Heroku. document: the plan as JSON; its hash is what gets approved.
CREATE TABLE plan (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    document TEXT NOT NULL,
    told TEXT
);

-- How far each step has come. fence: the number of the writer that holds it; attempt: how often its call was meant to
-- be sent. capped: the team, or the app without one, that a removal is counted for.
CREATE TABLE plan_step (
    plan_id TEXT NOT NULL REFERENCES plan (id),
    ordinal BIGINT NOT NULL,
    status TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    capped TEXT NOT NULL,
    removes BIGINT NOT NULL,
    removes_member BIGINT NOT NULL,
    elevates BIGINT NOT NULL,
    intent_at BIGINT,
    sent_at BIGINT,
    finished_at BIGINT,
    http_status BIGINT,
    request_id TEXT,
    told TEXT,
    PRIMARY KEY (plan_id, ordinal)
);
CREATE INDEX plan_step_intent ON plan_step (intent_at);
CREATE INDEX plan_step_status ON plan_step (status);

-- The number of the newest writer; an older one is refused.
CREATE TABLE fence (
    id BIGINT PRIMARY KEY,
    number BIGINT NOT NULL
);
INSERT INTO fence (id, number) VALUES (1, 0);

-- Switches that the operator sets.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Nobody's access is changed through us who stands here, by e-mail address in small letters or by id.
CREATE TABLE protected_principal (
    person TEXT PRIMARY KEY,
    added_at BIGINT NOT NULL
);
