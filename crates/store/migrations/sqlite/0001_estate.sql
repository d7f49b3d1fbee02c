-- One run of a sync; every one that is not failed is a version of the estate.
CREATE TABLE sync (
    id INTEGER PRIMARY KEY,
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
    digest BLOB
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
) WITHOUT ROWID;

-- Every object ever seen, under a dense id of our own. gone: the version since which it is no more;
-- 0: referred to, never listed.
CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    kind BIGINT NOT NULL,
    uuid BLOB NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT
);
CREATE UNIQUE INDEX object_uuid ON object (kind, uuid);

-- The objects of each kind with the hashes of their contents, packed: what a sync compares with.
CREATE TABLE heads (
    kind INTEGER PRIMARY KEY,
    packed BLOB NOT NULL
);

-- What Heroku sent beyond the typed columns, each distinct document once.
CREATE TABLE properties (
    id INTEGER PRIMARY KEY,
    hash BIGINT NOT NULL UNIQUE,
    document TEXT NOT NULL
);

CREATE TABLE person (
    id INTEGER PRIMARY KEY,
    email TEXT,
    name TEXT,
    federated BIGINT,
    two_factor_authentication BIGINT,
    last_login BIGINT,
    own_account BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE enterprise_account (
    id INTEGER PRIMARY KEY,
    name TEXT,
    created_at BIGINT,
    updated_at BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE team (
    id INTEGER PRIMARY KEY,
    name TEXT,
    type TEXT,
    enterprise_account BIGINT,
    listed BIGINT,
    created_at BIGINT,
    updated_at BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE app (
    id INTEGER PRIMARY KEY,
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
    id INTEGER PRIMARY KEY,
    name TEXT,
    team BIGINT,
    state TEXT,
    created_at BIGINT,
    updated_at BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE addon (
    id INTEGER PRIMARY KEY,
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
    id INTEGER PRIMARY KEY,
    name TEXT,
    addon BIGINT,
    app BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE pipeline (
    id INTEGER PRIMARY KEY,
    name TEXT,
    owner TEXT,
    owner_type TEXT,
    properties BIGINT NOT NULL
);
CREATE TABLE coupling (
    id INTEGER PRIMARY KEY,
    app BIGINT,
    pipeline BIGINT,
    stage TEXT,
    properties BIGINT NOT NULL
);
CREATE TABLE invitation (
    id INTEGER PRIMARY KEY,
    email TEXT,
    team BIGINT,
    role TEXT,
    invited_by BIGINT,
    created_at BIGINT,
    updated_at BIGINT,
    properties BIGINT NOT NULL
);
CREATE TABLE unresolved_member (
    id INTEGER PRIMARY KEY,
    email TEXT,
    team BIGINT,
    role TEXT,
    properties BIGINT NOT NULL
);

-- Direct access: one row for a resource and a principal, the known entitlements as bits of a mask.
CREATE TABLE access (
    resource_id BIGINT NOT NULL,
    principal_id BIGINT NOT NULL,
    mask BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (resource_id, principal_id)
) WITHOUT ROWID;

-- Entitlements that this version of Metsuke does not know, verbatim.
CREATE TABLE access_other (
    resource_id BIGINT NOT NULL,
    principal_id BIGINT NOT NULL,
    slug TEXT NOT NULL,
    PRIMARY KEY (resource_id, principal_id, slug)
) WITHOUT ROWID;

-- History. change: 1 added, 2 removed, 3 changed; before and after: the properties that differ, as JSON.
CREATE TABLE object_change (
    version BIGINT NOT NULL,
    object_id BIGINT NOT NULL,
    change BIGINT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    PRIMARY KEY (version, object_id)
) WITHOUT ROWID;
CREATE TABLE access_change (
    version BIGINT NOT NULL,
    resource_id BIGINT NOT NULL,
    principal_id BIGINT NOT NULL,
    before BIGINT NOT NULL,
    after BIGINT NOT NULL,
    PRIMARY KEY (version, resource_id, principal_id)
) WITHOUT ROWID;
CREATE TABLE access_other_change (
    version BIGINT NOT NULL,
    resource_id BIGINT NOT NULL,
    principal_id BIGINT NOT NULL,
    slug TEXT NOT NULL,
    added BIGINT NOT NULL,
    PRIMARY KEY (version, resource_id, principal_id, slug)
) WITHOUT ROWID;

-- All of access at a version, packed; the newest one mirrors the access table.
CREATE TABLE checkpoint (
    version INTEGER PRIMARY KEY,
    packed BLOB NOT NULL,
    digest BLOB NOT NULL
);

-- Which roles a team's permissions listing shows implicitly, settled once per team.
CREATE TABLE listing_manner (
    team_id INTEGER PRIMARY KEY,
    implicit_roles BIGINT NOT NULL
);

CREATE INDEX access_principal ON access (principal_id, resource_id, mask);
CREATE INDEX person_email ON person (lower(email));
CREATE INDEX team_name ON team (name);
CREATE INDEX enterprise_account_name ON enterprise_account (name);
CREATE INDEX app_name ON app (name);
CREATE INDEX app_team ON app (team);
CREATE INDEX app_owner ON app (owner) WHERE owner IS NOT NULL;
CREATE INDEX addon_app ON addon (app, addon_service);
CREATE INDEX attachment_app ON attachment (app);
CREATE INDEX invitation_team ON invitation (team);
