-- One run of a sync; every one that is not failed is a version of the estate.
CREATE TABLE sync (
    id BIGINT PRIMARY KEY,
    status TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    waited_ms BIGINT NOT NULL,
    error TEXT,
    users BIGINT NOT NULL,
    teams BIGINT NOT NULL,
    enterprise_accounts BIGINT NOT NULL,
    apps BIGINT NOT NULL,
    addons BIGINT NOT NULL,
    invitations BIGINT NOT NULL,
    grants BIGINT NOT NULL,
    added BIGINT NOT NULL,
    removed BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    digest BYTEA
);

-- What each listing of a run came to.
CREATE TABLE scope (
    sync_id BIGINT NOT NULL REFERENCES sync (id),
    ordinal BIGINT NOT NULL,
    scope TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    gap BIGINT NOT NULL,
    pages BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    PRIMARY KEY (sync_id, ordinal)
);

-- The objects of each kind with the hashes of their contents, packed: what a sync compares with.
-- part 0 holds them all; later parts, numbered by version, the lines that changed since.
CREATE TABLE heads (
    kind BIGINT NOT NULL,
    part BIGINT NOT NULL,
    packed BYTEA NOT NULL,
    PRIMARY KEY (kind, part)
);

-- What Heroku sent beyond the typed columns, each distinct document once.
CREATE TABLE properties (
    id BIGINT PRIMARY KEY,
    hash BIGINT NOT NULL UNIQUE,
    document TEXT NOT NULL
);

-- Every object ever seen, a table for each kind. id: a dense id of our own, in its lowest six bits the kind;
-- since: the version that it came with; gone: the version since which it is no more, 0 where it was referred to
-- and never listed.
CREATE TABLE person (
    id BIGINT PRIMARY KEY,
    uuid BYTEA NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    email TEXT,
    name TEXT,
    federated BIGINT,
    two_factor_authentication BIGINT,
    last_login BIGINT,
    own_account BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE enterprise_account (
    id BIGINT PRIMARY KEY,
    uuid BYTEA NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    name TEXT,
    created_at BIGINT,
    updated_at BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE team (
    id BIGINT PRIMARY KEY,
    uuid BYTEA NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    name TEXT,
    type TEXT,
    enterprise_account BIGINT,
    listed BIGINT,
    created_at BIGINT,
    updated_at BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE app (
    id BIGINT PRIMARY KEY,
    uuid BYTEA NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    name TEXT,
    team BIGINT,
    owner BIGINT,
    space BIGINT,
    locked BIGINT,
    maintenance BIGINT,
    archived_at BIGINT,
    created_at BIGINT,
    released_at BIGINT,
    updated_at BIGINT,
    repo_size BIGINT,
    slug_size BIGINT,
    web_url TEXT,
    properties BIGINT NOT NULL
);
CREATE TABLE space (
    id BIGINT PRIMARY KEY,
    uuid BYTEA NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    name TEXT,
    team BIGINT,
    state TEXT,
    created_at BIGINT,
    updated_at BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE addon (
    id BIGINT PRIMARY KEY,
    uuid BYTEA NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    name TEXT,
    app BIGINT,
    addon_service TEXT,
    provider_id TEXT,
    web_url TEXT,
    created_at BIGINT,
    updated_at BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE attachment (
    id BIGINT PRIMARY KEY,
    uuid BYTEA NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    name TEXT,
    addon BIGINT,
    app BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE pipeline (
    id BIGINT PRIMARY KEY,
    uuid BYTEA NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    name TEXT,
    owner TEXT,
    owner_type TEXT,
    properties BIGINT NOT NULL
);
CREATE TABLE coupling (
    id BIGINT PRIMARY KEY,
    uuid BYTEA NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    app BIGINT,
    pipeline BIGINT,
    stage TEXT,
    properties BIGINT NOT NULL
);
CREATE TABLE invitation (
    id BIGINT PRIMARY KEY,
    uuid BYTEA NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    email TEXT,
    team BIGINT,
    role TEXT,
    invited_by BIGINT,
    created_at BIGINT,
    updated_at BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE unresolved_member (
    id BIGINT PRIMARY KEY,
    uuid BYTEA NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    email TEXT,
    team BIGINT,
    role TEXT,
    properties BIGINT NOT NULL
);

-- Direct access: one row for a resource and a principal, the known entitlements as bits of a mask. It stands
-- twice, ordered by resource and (held) by principal: two sorted loads are much faster than a load and an index.
CREATE TABLE access (
    resource_id BIGINT NOT NULL,
    principal_id BIGINT NOT NULL,
    mask BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (resource_id, principal_id)
);

CREATE TABLE held (
    principal_id BIGINT NOT NULL,
    resource_id BIGINT NOT NULL,
    mask BIGINT NOT NULL,
    PRIMARY KEY (principal_id, resource_id)
);

-- Entitlements that this version of Metsuke does not know, verbatim.
CREATE TABLE access_other (
    resource_id BIGINT NOT NULL,
    principal_id BIGINT NOT NULL,
    slug TEXT NOT NULL,
    PRIMARY KEY (resource_id, principal_id, slug)
);

-- History. change: 1 added, 2 removed, 3 changed; before and after: the properties that differ, as JSON.
CREATE TABLE object_change (
    version BIGINT NOT NULL,
    object_id BIGINT NOT NULL,
    change BIGINT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    PRIMARY KEY (version, object_id)
);
CREATE TABLE access_change (
    version BIGINT NOT NULL,
    resource_id BIGINT NOT NULL,
    principal_id BIGINT NOT NULL,
    before BIGINT NOT NULL,
    after BIGINT NOT NULL,
    PRIMARY KEY (version, resource_id, principal_id)
);
CREATE TABLE access_other_change (
    version BIGINT NOT NULL,
    resource_id BIGINT NOT NULL,
    principal_id BIGINT NOT NULL,
    slug TEXT NOT NULL,
    added BIGINT NOT NULL,
    PRIMARY KEY (version, resource_id, principal_id, slug)
);

-- All of access at a version, packed; with the access changes since the newest one it says what the access table says.
CREATE TABLE checkpoint (
    version BIGINT PRIMARY KEY,
    packed BYTEA NOT NULL,
    digest BYTEA NOT NULL
);

-- Which roles a team's permissions listing shows implicitly, settled once per team.
CREATE TABLE listing_manner (
    team_id BIGINT PRIMARY KEY,
    implicit_roles BIGINT NOT NULL
);

CREATE UNIQUE INDEX person_uuid ON person (uuid);
CREATE UNIQUE INDEX enterprise_account_uuid ON enterprise_account (uuid);
CREATE UNIQUE INDEX team_uuid ON team (uuid);
CREATE UNIQUE INDEX app_uuid ON app (uuid);
CREATE UNIQUE INDEX space_uuid ON space (uuid);
CREATE UNIQUE INDEX addon_uuid ON addon (uuid);
CREATE UNIQUE INDEX attachment_uuid ON attachment (uuid);
CREATE UNIQUE INDEX pipeline_uuid ON pipeline (uuid);
CREATE UNIQUE INDEX coupling_uuid ON coupling (uuid);
CREATE UNIQUE INDEX invitation_uuid ON invitation (uuid);
CREATE UNIQUE INDEX unresolved_member_uuid ON unresolved_member (uuid);
CREATE INDEX person_email ON person (lower(email));
CREATE INDEX team_name ON team (name);
CREATE INDEX enterprise_account_name ON enterprise_account (name);
CREATE INDEX app_name ON app (name);
CREATE INDEX app_team ON app (team);
CREATE INDEX app_owner ON app (owner) WHERE owner IS NOT NULL;
CREATE INDEX addon_app ON addon (app, addon_service);
CREATE INDEX attachment_app ON attachment (app);
CREATE INDEX invitation_team ON invitation (team);
