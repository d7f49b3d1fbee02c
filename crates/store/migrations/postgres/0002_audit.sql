-- The audit trail. Everything that counts of an event stands in its text: no column repeats any of it, for what a
-- column says is covered by no signature. leaf: the RFC 6962 leaf hash of the text.
CREATE TABLE audit_event (
    sequence BIGINT PRIMARY KEY,
    text TEXT NOT NULL,
    leaf BYTEA NOT NULL
);

-- The one row of the log: its name for good, random for each database; the public key of its first checkpoint;
-- what must be known to append to it, at first the frontier of no events.
CREATE TABLE audit_frontier (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    origin TEXT NOT NULL,
    public_key TEXT,
    frontier BYTEA NOT NULL
);
INSERT INTO audit_frontier (id, origin, frontier)
VALUES (1, 'metsuke/' || replace(CAST(gen_random_uuid() AS TEXT), '-', ''), '\x010000000000000000');

-- The signed checkpoints, in the order in which they were made; size: how many events one covers.
CREATE TABLE audit_checkpoint (
    number BIGINT PRIMARY KEY,
    size BIGINT NOT NULL,
    note TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
