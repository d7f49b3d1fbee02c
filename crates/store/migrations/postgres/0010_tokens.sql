-- Tokens of programs that use the API. hash: of the whole token, which stands nowhere; scopes: a JSON list, empty for all
-- that the role allows; person: whose connectors and apps count as its own.
CREATE TABLE api_token (
    id TEXT PRIMARY KEY,
    hash BYTEA NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    scopes TEXT NOT NULL,
    person TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT
);
CREATE UNIQUE INDEX api_token_hash ON api_token (hash);

-- What a request with an Idempotency-Key came to. caller: the token's id; request: the hash of what was asked; status: null
-- while it is not known what came of it.
CREATE TABLE idempotency_key (
    caller TEXT NOT NULL,
    operation TEXT NOT NULL,
    name TEXT NOT NULL,
    request BYTEA NOT NULL,
    begun_at BIGINT NOT NULL,
    status BIGINT,
    headers TEXT,
    body BYTEA,
    PRIMARY KEY (caller, operation, name)
);
CREATE INDEX idempotency_key_begun ON idempotency_key (begun_at);
