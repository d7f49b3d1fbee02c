-- People who sign in. email: in small letters, and by it somebody owns connectors and apps; source: 'local', or 'oidc' where
-- the role comes from a provider's claims; password: argon2id in the PHC format; totp: the sealed secret of the second
-- factor, asked for from totp_since on; totp_step: the last step whose code was taken, so that none is taken twice.
CREATE TABLE account (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    source TEXT NOT NULL,
    password TEXT,
    totp BLOB,
    totp_since BIGINT,
    totp_step BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    disabled_at BIGINT,
    signed_in_at BIGINT
);
CREATE UNIQUE INDEX account_email ON account (email);

-- Which person of which OpenID provider an account belongs to.
CREATE TABLE account_identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account (id),
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

-- Codes for whoever has lost the second factor, by their hashes.
CREATE TABLE recovery_code (
    account TEXT NOT NULL REFERENCES account (id),
    hash BLOB NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (account, hash)
);

-- Sessions of browsers. hash: of what the cookie holds, which stands nowhere; method: password or oidc.
CREATE TABLE sign_in_session (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL,
    account TEXT NOT NULL REFERENCES account (id),
    method TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX sign_in_session_hash ON sign_in_session (hash);
CREATE INDEX sign_in_session_account ON sign_in_session (account);

-- Browsers in which somebody has signed in before, by the hash of what their cookie holds.
CREATE TABLE known_device (
    account TEXT NOT NULL REFERENCES account (id),
    hash BLOB NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (account, hash)
);

-- Tries to sign in that were looked at, for as long as they count. bucket: a hash of what they are counted by.
CREATE TABLE sign_in_try (
    id TEXT NOT NULL,
    bucket BLOB NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
);
CREATE INDEX sign_in_try_at ON sign_in_try (at);

-- When it was last told that a bucket is full.
CREATE TABLE sign_in_lock (
    bucket BLOB PRIMARY KEY,
    told_at BIGINT NOT NULL
);

-- The link by which the first person is set up, by the hash of what it holds; one at a time.
CREATE TABLE setup_link (
    one BIGINT PRIMARY KEY,
    hash BLOB NOT NULL,
    expires_at BIGINT NOT NULL
);
