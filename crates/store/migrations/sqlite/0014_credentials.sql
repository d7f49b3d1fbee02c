-- What lets programs in as the account whose token reads: its authorizations, of whose tokens nothing is kept, and its
-- SSH keys. What the first columns and the last two say is told in 0001 and 0005.
CREATE TABLE account_authorization (
    id INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    name TEXT,
    account BIGINT,
    scope TEXT,
    global BIGINT,
    never_expires BIGINT,
    own_token BIGINT,
    client TEXT,
    created_at BIGINT,
    updated_at BIGINT,
    properties BIGINT NOT NULL,
    begun BIGINT NOT NULL DEFAULT 0,
    edition BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE account_key (
    id INTEGER PRIMARY KEY,
    uuid BLOB NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    name TEXT,
    account BIGINT,
    fingerprint TEXT,
    created_at BIGINT,
    updated_at BIGINT,
    properties BIGINT NOT NULL,
    begun BIGINT NOT NULL DEFAULT 0,
    edition BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX account_authorization_uuid ON account_authorization (uuid);
CREATE UNIQUE INDEX account_key_uuid ON account_key (uuid);
