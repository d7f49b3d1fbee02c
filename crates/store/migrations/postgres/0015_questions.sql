-- Questions that people have kept. owner: the e-mail address of whose it is, or who else keeps it; owner_name: as it is shown;
-- shared: everybody who may ask sees it; document: the text and what is told of it, as JSON.
CREATE TABLE question (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    owner_name TEXT NOT NULL,
    shared BIGINT NOT NULL,
    title TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX question_owner ON question (owner);

-- Questions whose answers stand on somebody's overview, by their ids; place: in which order.
CREATE TABLE tile (
    owner TEXT NOT NULL,
    question TEXT NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (owner, question)
);
