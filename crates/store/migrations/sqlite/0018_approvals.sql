-- Who approved a plan. party: which person that is, as JSON; actor: as the audit trail names them; hash: of what they
-- approved.
CREATE TABLE plan_approval (
    plan_id TEXT NOT NULL REFERENCES plan (id),
    party TEXT NOT NULL,
    hash TEXT NOT NULL,
    actor TEXT NOT NULL,
    approved_at BIGINT NOT NULL,
    PRIMARY KEY (plan_id, party)
) WITHOUT ROWID;
