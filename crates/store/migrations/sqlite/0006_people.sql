-- Lists of people that were imported. kind: where it came from; row_count: the people that it named.
CREATE TABLE roster (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    imported_at BIGINT NOT NULL,
    row_count BIGINT NOT NULL
);

-- Everybody whom a roster ever named. id: as those of objects, with 12 in its lowest six bits; since: the newest version
-- when they came, 0 before the first; begun and edition: as those of objects, begun the newest version at that time;
-- gone: always null, for who is named no more stays, not active, from missing_since on. emails and aliases: JSON lists.
CREATE TABLE employee (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    since BIGINT NOT NULL,
    gone BIGINT,
    begun BIGINT NOT NULL,
    edition BIGINT NOT NULL,
    name TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    email TEXT,
    emails TEXT NOT NULL,
    aliases TEXT NOT NULL,
    username TEXT,
    title TEXT,
    department TEXT,
    manager_email TEXT,
    employee_id TEXT,
    employee_type TEXT,
    active BIGINT NOT NULL,
    roster TEXT NOT NULL,
    missing_since BIGINT
);
CREATE UNIQUE INDEX employee_key ON employee (key);
CREATE INDEX employee_email ON employee (email);
CREATE INDEX employee_roster ON employee (roster);

-- Which account belongs to whom. matched_by: the rule; by_hand: 1 where the operator said so; since: the newest version
-- at that time.
CREATE TABLE employee_match (
    user_id INTEGER PRIMARY KEY,
    employee_id BIGINT NOT NULL,
    matched_by TEXT NOT NULL,
    by_hand BIGINT NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX employee_match_employee ON employee_match (employee_id);

-- What the operator said of accounts; no employee_id: it belongs to nobody.
CREATE TABLE person_choice (
    user_id INTEGER PRIMARY KEY,
    employee_id BIGINT
);
