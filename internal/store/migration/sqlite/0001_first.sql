-- +goose Up

-- Counters that no count over the tables can replace: what was ever accepted,
-- and the numbers of the last dead letter and of the ledger's last entry.
CREATE TABLE tally (
    name  TEXT PRIMARY KEY NOT NULL,
    total INTEGER NOT NULL
);
INSERT INTO tally (name, total) VALUES ('accepted_requests', 0), ('accepted_steps', 0), ('letters', 0), ('ledger', 0);

CREATE TABLE setting (
    name  TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

CREATE TABLE node (
    id         TEXT PRIMARY KEY NOT NULL,
    started_at INTEGER NOT NULL,
    beat_at    INTEGER NOT NULL
);

CREATE TABLE org (
    id           TEXT PRIMARY KEY NOT NULL,
    version      INTEGER NOT NULL,
    governor     BLOB,
    capabilities BLOB,
    wake_at      INTEGER NOT NULL,
    decisions    INTEGER NOT NULL -- how many there are: the last one's seq
);

CREATE TABLE object_schema (
    org    TEXT NOT NULL REFERENCES org (id),
    object TEXT NOT NULL,
    doc    TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (org, object)
);

CREATE TABLE request (
    id            TEXT PRIMARY KEY NOT NULL,
    org           TEXT NOT NULL REFERENCES org (id),
    right_name    TEXT NOT NULL, -- RIGHT is a word of SQL
    law           TEXT NOT NULL,
    risk          TEXT NOT NULL,
    stage         TEXT NOT NULL,
    version       INTEGER NOT NULL,
    subject       TEXT NOT NULL, -- short keyed hash, for people
    subject_index TEXT NOT NULL, -- full keyed hash, for finding
    ref           TEXT NOT NULL,
    evidence      TEXT NOT NULL,
    reason        TEXT NOT NULL,
    recipient     TEXT NOT NULL,
    submitted_by  TEXT NOT NULL,
    received_at   INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    closed_at     INTEGER NOT NULL,
    moved_at      INTEGER NOT NULL, -- when the stage last changed
    resume_stage  TEXT NOT NULL,    -- where a paused request goes back to
    pass          TEXT NOT NULL,
    plan_hash     TEXT NOT NULL
);
CREATE INDEX request_due ON request (due_at, id);
CREATE INDEX request_subject ON request (org, subject_index);

CREATE TABLE request_key (
    request     TEXT PRIMARY KEY NOT NULL REFERENCES request (id),
    org         TEXT NOT NULL,
    kek         TEXT NOT NULL,
    wrapped     BLOB, -- NULL once shredded
    created_at  INTEGER NOT NULL,
    shredded_at INTEGER NOT NULL
);

CREATE TABLE blob (
    request TEXT NOT NULL REFERENCES request (id),
    kind    TEXT NOT NULL,
    object  TEXT NOT NULL,
    page    INTEGER NOT NULL,
    epoch   INTEGER NOT NULL,
    name    TEXT NOT NULL,
    size    INTEGER NOT NULL,
    sha256  TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (request, kind, object, page)
);

CREATE TABLE plan (
    request TEXT NOT NULL REFERENCES request (id),
    hash    TEXT NOT NULL,
    doc     TEXT NOT NULL,
    PRIMARY KEY (request, hash)
);

CREATE TABLE approval (
    id         INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    request    TEXT NOT NULL REFERENCES request (id),
    plan_hash  TEXT NOT NULL,
    actor      TEXT NOT NULL,
    note       TEXT NOT NULL,
    at         INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX approval_plan ON approval (request, plan_hash);

CREATE TABLE finding (
    request TEXT NOT NULL REFERENCES request (id),
    pass    TEXT NOT NULL,
    object  TEXT NOT NULL,
    record  TEXT NOT NULL,
    version TEXT NOT NULL,
    why     TEXT NOT NULL,
    review  INTEGER NOT NULL,
    shared  INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    PRIMARY KEY (request, pass, object, record)
);

CREATE TABLE step (
    id        TEXT PRIMARY KEY NOT NULL,
    request   TEXT NOT NULL REFERENCES request (id),
    org       TEXT NOT NULL,
    kind      TEXT NOT NULL,
    phase     TEXT NOT NULL,
    state     TEXT NOT NULL,
    epoch     INTEGER NOT NULL,
    shape     TEXT NOT NULL,
    object    TEXT NOT NULL,
    record    TEXT NOT NULL,
    rank      INTEGER NOT NULL,
    args      BLOB,
    attempts  INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    due_at    INTEGER NOT NULL,
    wake_at   INTEGER NOT NULL,
    cause     TEXT NOT NULL,
    node      TEXT NOT NULL,
    until     INTEGER NOT NULL,
    claim     TEXT NOT NULL -- the batch that the step was last claimed with
);
CREATE INDEX step_claimable ON step (org, state, due_at, rank, id);
CREATE INDEX step_waiting ON step (org, wake_at) WHERE state = 'WAITING';
CREATE INDEX step_executing ON step (node) WHERE state = 'EXECUTING';
CREATE INDEX step_request ON step (request, rank, id);

CREATE TABLE intent (
    step          TEXT NOT NULL REFERENCES step (id),
    epoch         INTEGER NOT NULL,
    request       TEXT NOT NULL,
    org           TEXT NOT NULL,
    object        TEXT NOT NULL,
    record        TEXT NOT NULL,
    action        TEXT NOT NULL,
    rung          TEXT NOT NULL,
    precondition  TEXT NOT NULL,
    before_digest TEXT NOT NULL,
    after_digest  TEXT NOT NULL,
    state         TEXT NOT NULL,
    opened_at     INTEGER NOT NULL,
    closed_at     INTEGER NOT NULL,
    PRIMARY KEY (step, epoch)
);
-- Two requests never write one record at once.
CREATE UNIQUE INDEX intent_open ON intent (org, record) WHERE state = 'OPEN';
CREATE INDEX intent_request ON intent (request);

CREATE TABLE policy (
    hash TEXT PRIMARY KEY NOT NULL,
    doc  BLOB NOT NULL
);

CREATE TABLE decision (
    org         TEXT NOT NULL REFERENCES org (id),
    seq         INTEGER NOT NULL,
    node        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    org_version INTEGER NOT NULL,
    policy      TEXT NOT NULL,
    input       BLOB,
    ruling      BLOB,
    state_hash  TEXT NOT NULL,
    snapshot    BLOB, -- the state before, now and then
    steps       TEXT NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (org, seq)
);
CREATE INDEX decision_snapshot ON decision (org, seq) WHERE snapshot IS NOT NULL;

-- Which decisions a step took part in.
CREATE TABLE decision_step (
    step TEXT NOT NULL,
    org  TEXT NOT NULL,
    seq  INTEGER NOT NULL,
    PRIMARY KEY (step, org, seq)
);

CREATE TABLE letter (
    id            TEXT PRIMARY KEY NOT NULL,
    number        INTEGER NOT NULL UNIQUE,
    step          TEXT NOT NULL UNIQUE REFERENCES step (id),
    request       TEXT NOT NULL,
    org           TEXT NOT NULL,
    state         TEXT NOT NULL,
    cause         TEXT NOT NULL,
    code          TEXT NOT NULL,
    object        TEXT NOT NULL,
    record        TEXT NOT NULL,
    kind          TEXT NOT NULL,
    attempts      INTEGER NOT NULL,
    first_at      INTEGER NOT NULL,
    last_at       INTEGER NOT NULL,
    opened_at     INTEGER NOT NULL, -- when it was last opened: its age in the backlog
    due_at        INTEGER NOT NULL,
    right_name    TEXT NOT NULL,
    risk          TEXT NOT NULL,
    release_by    TEXT NOT NULL,
    sealed_name   TEXT NOT NULL,
    sealed_size   INTEGER NOT NULL,
    sealed_sha256 TEXT NOT NULL,
    times         INTEGER NOT NULL
);
CREATE INDEX letter_open ON letter (org, due_at) WHERE state = 'OPEN';
CREATE INDEX letter_request ON letter (request);

CREATE TABLE letter_event (
    id     INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    letter TEXT NOT NULL REFERENCES letter (id),
    at     INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    act    TEXT NOT NULL,
    note   TEXT NOT NULL
);
CREATE INDEX letter_event_letter ON letter_event (letter, id);

-- The audit ledger. No foreign keys: it outlives what it speaks of.
CREATE TABLE entry (
    id      INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    seq     INTEGER UNIQUE, -- NULL until the sequencer numbered it
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    act     TEXT NOT NULL,
    org     TEXT NOT NULL,
    request TEXT NOT NULL,
    step    TEXT NOT NULL,
    detail  TEXT NOT NULL
);
CREATE INDEX entry_unnumbered ON entry (id) WHERE seq IS NULL;
CREATE INDEX entry_request ON entry (request, id);

CREATE TABLE tree_hash (
    position INTEGER PRIMARY KEY NOT NULL,
    hash     BLOB NOT NULL
);

CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY NOT NULL,
    note BLOB NOT NULL,
    at   INTEGER NOT NULL
);

-- +goose Down
DROP TABLE checkpoint;
DROP TABLE tree_hash;
DROP TABLE entry;
DROP TABLE letter_event;
DROP TABLE letter;
DROP TABLE decision_step;
DROP TABLE decision;
DROP TABLE policy;
DROP TABLE intent;
DROP TABLE step;
DROP TABLE finding;
DROP TABLE approval;
DROP TABLE plan;
DROP TABLE blob;
DROP TABLE request_key;
DROP TABLE request;
DROP TABLE object_schema;
DROP TABLE org;
DROP TABLE node;
DROP TABLE setting;
DROP TABLE tally;
