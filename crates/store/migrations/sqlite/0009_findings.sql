-- What rules found, once for each rule and subject. number: in the order of finding; fingerprint: of rule and subject;
-- seen: the newest version whose evaluation changed the row; missing: since which version it was not found, though nothing
-- proves it gone; times: how often it was opened; until, reason and person: of what somebody said; print: of the document,
-- to see whether it changed; document: what was found, as JSON.
CREATE TABLE finding (
    fingerprint TEXT PRIMARY KEY,
    number BIGINT NOT NULL,
    rule TEXT NOT NULL,
    rule_name TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    level TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    opened BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    missing BIGINT,
    times BIGINT NOT NULL,
    until BIGINT,
    reason TEXT,
    person TEXT,
    print TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE UNIQUE INDEX finding_number ON finding (number);
CREATE INDEX finding_rule ON finding (rule);
CREATE INDEX finding_until ON finding (until) WHERE until IS NOT NULL;

-- What happened to findings, and by whom.
CREATE TABLE finding_event (
    fingerprint TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    at BIGINT NOT NULL,
    version BIGINT,
    what TEXT NOT NULL,
    person TEXT,
    reason TEXT,
    PRIMARY KEY (fingerprint, ordinal)
);

-- What came of each rule last. revision: of the rule's text; version: which one was evaluated; alert: its alert instance, with since when;
-- document: what was told of the evaluation, as JSON.
CREATE TABLE rule_state (
    rule TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    revision TEXT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    why TEXT,
    level TEXT,
    alert TEXT NOT NULL,
    alert_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    ended TEXT,
    document TEXT NOT NULL
);

-- What is to be told. id: the same for the same news; sequence: in which order; subject: deliveries of one keep their order; critical: 1 where
-- it may pass quiet hours; message: with which others it is sent; attempt: how often it was taken up, which is also the number of whoever holds it; document: the alert as JSON; receipt: what the receiver calls it.
CREATE TABLE delivery (
    id TEXT PRIMARY KEY,
    sequence BIGINT NOT NULL,
    channel TEXT NOT NULL,
    subject TEXT NOT NULL,
    rule TEXT NOT NULL,
    version BIGINT NOT NULL,
    critical BIGINT NOT NULL,
    state TEXT NOT NULL,
    message TEXT,
    attempt BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_until BIGINT,
    first_at BIGINT,
    sent_at BIGINT,
    told TEXT,
    receipt TEXT,
    document TEXT NOT NULL
);
CREATE UNIQUE INDEX delivery_sequence ON delivery (sequence);
CREATE INDEX delivery_waiting ON delivery (channel, subject, sequence) WHERE state = 'waiting';
CREATE INDEX delivery_message ON delivery (message) WHERE message IS NOT NULL;
CREATE INDEX delivery_subject ON delivery (channel, subject, sequence);

-- How the channels fare. failures: one after the other; retry_at: nothing is tried before.
CREATE TABLE channel_health (
    channel TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    retry_at BIGINT,
    last_sent_at BIGINT,
    told TEXT
);

-- Where alerts go. document: the settings as JSON; secret: sealed.
CREATE TABLE channel (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document TEXT NOT NULL,
    secret BLOB
);
CREATE UNIQUE INDEX channel_name ON channel (name);

-- Rules of people's own, and what is set of shipped ones. document: the rule, or the parameters of a shipped one, as JSON.
CREATE TABLE rule (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document TEXT NOT NULL
);
