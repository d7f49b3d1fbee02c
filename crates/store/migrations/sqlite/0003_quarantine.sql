-- Runs that would have taken away too much, and so are no versions until somebody accepts them. base: the version
-- that they were compared with; status: how they were read; reasons: why they wait, a JSON list of sentences;
-- packed: what they would change of the base, for as long as they can be accepted.
CREATE TABLE quarantine (
    sync_id INTEGER PRIMARY KEY REFERENCES sync (id),
    base BIGINT NOT NULL,
    status TEXT NOT NULL,
    reasons TEXT NOT NULL,
    packed BLOB
);
