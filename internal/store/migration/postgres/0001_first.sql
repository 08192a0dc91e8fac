-- +goose Up

-- The same tables as on SQLite. COLLATE "C" orders identifiers by their bytes,
-- as SQLite does, whatever the locale of the server is.

-- Counters that no count over the tables can replace: what was ever accepted,
-- and the numbers of the last dead letter and of the ledger's last entry.
CREATE TABLE tally (
    name  TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    total BIGINT NOT NULL
);
INSERT INTO tally (name, total) VALUES ('accepted_requests', 0), ('accepted_steps', 0), ('letters', 0), ('ledger', 0);

CREATE TABLE setting (
    name  TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE node (
    id         TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    started_at BIGINT NOT NULL,
    beat_at    BIGINT NOT NULL
);

CREATE TABLE org (
    id           TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    version      BIGINT NOT NULL,
    governor     BYTEA,
    capabilities BYTEA,
    wake_at      BIGINT NOT NULL,
    decisions    BIGINT NOT NULL -- how many there are: the last one's seq
);

CREATE TABLE object_schema (
    org    TEXT COLLATE "C" NOT NULL REFERENCES org (id),
    object TEXT COLLATE "C" NOT NULL,
    doc    TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (org, object)
);

CREATE TABLE request (
    id            TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    org           TEXT COLLATE "C" NOT NULL REFERENCES org (id),
    right_name    TEXT COLLATE "C" NOT NULL, -- RIGHT is a word of SQL
    law           TEXT COLLATE "C" NOT NULL,
    risk          TEXT COLLATE "C" NOT NULL,
    stage         TEXT COLLATE "C" NOT NULL,
    version       BIGINT NOT NULL,
    subject       TEXT COLLATE "C" NOT NULL, -- short keyed hash, for people
    subject_index TEXT COLLATE "C" NOT NULL, -- full keyed hash, for finding
    ref           TEXT COLLATE "C" NOT NULL,
    evidence      TEXT COLLATE "C" NOT NULL,
    reason        TEXT COLLATE "C" NOT NULL,
    recipient     TEXT COLLATE "C" NOT NULL,
    submitted_by  TEXT COLLATE "C" NOT NULL,
    received_at   BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    closed_at     BIGINT NOT NULL,
    moved_at      BIGINT NOT NULL, -- when the stage last changed
    resume_stage  TEXT COLLATE "C" NOT NULL,    -- where a paused request goes back to
    pass          TEXT COLLATE "C" NOT NULL,
    plan_hash     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX request_due ON request (due_at, id);
CREATE INDEX request_subject ON request (org, subject_index);

CREATE TABLE request_key (
    request     TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES request (id),
    org         TEXT COLLATE "C" NOT NULL,
    kek         TEXT COLLATE "C" NOT NULL,
    wrapped     BYTEA, -- NULL once shredded
    created_at  BIGINT NOT NULL,
    shredded_at BIGINT NOT NULL
);

CREATE TABLE blob (
    request TEXT COLLATE "C" NOT NULL REFERENCES request (id),
    kind    TEXT COLLATE "C" NOT NULL,
    object  TEXT COLLATE "C" NOT NULL,
    page    BIGINT NOT NULL,
    epoch   BIGINT NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    size    BIGINT NOT NULL,
    sha256  TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (request, kind, object, page)
);

CREATE TABLE plan (
    request TEXT COLLATE "C" NOT NULL REFERENCES request (id),
    hash    TEXT COLLATE "C" NOT NULL,
    doc     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (request, hash)
);

CREATE TABLE approval (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request    TEXT COLLATE "C" NOT NULL REFERENCES request (id),
    plan_hash  TEXT COLLATE "C" NOT NULL,
    actor      TEXT COLLATE "C" NOT NULL,
    note       TEXT COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX approval_plan ON approval (request, plan_hash);

CREATE TABLE finding (
    request TEXT COLLATE "C" NOT NULL REFERENCES request (id),
    pass    TEXT COLLATE "C" NOT NULL,
    object  TEXT COLLATE "C" NOT NULL,
    record  TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    why     TEXT COLLATE "C" NOT NULL,
    review  BIGINT NOT NULL,
    shared  BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    PRIMARY KEY (request, pass, object, record)
);

CREATE TABLE step (
    id        TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    request   TEXT COLLATE "C" NOT NULL REFERENCES request (id),
    org       TEXT COLLATE "C" NOT NULL,
    kind      TEXT COLLATE "C" NOT NULL,
    phase     TEXT COLLATE "C" NOT NULL,
    state     TEXT COLLATE "C" NOT NULL,
    epoch     BIGINT NOT NULL,
    shape     TEXT COLLATE "C" NOT NULL,
    object    TEXT COLLATE "C" NOT NULL,
    record    TEXT COLLATE "C" NOT NULL,
    rank      BIGINT NOT NULL,
    args      BYTEA,
    attempts  BIGINT NOT NULL,
    conflicts BIGINT NOT NULL,
    due_at    BIGINT NOT NULL,
    wake_at   BIGINT NOT NULL,
    cause     TEXT COLLATE "C" NOT NULL,
    node      TEXT COLLATE "C" NOT NULL,
    until     BIGINT NOT NULL,
    claim     TEXT COLLATE "C" NOT NULL -- the batch that the step was last claimed with
);
CREATE INDEX step_claimable ON step (org, state, due_at, rank, id);
CREATE INDEX step_waiting ON step (org, wake_at) WHERE state = 'WAITING';
CREATE INDEX step_executing ON step (node) WHERE state = 'EXECUTING';
CREATE INDEX step_request ON step (request, rank, id);

CREATE TABLE intent (
    step          TEXT COLLATE "C" NOT NULL REFERENCES step (id),
    epoch         BIGINT NOT NULL,
    request       TEXT COLLATE "C" NOT NULL,
    org           TEXT COLLATE "C" NOT NULL,
    object        TEXT COLLATE "C" NOT NULL,
    record        TEXT COLLATE "C" NOT NULL,
    action        TEXT COLLATE "C" NOT NULL,
    rung          TEXT COLLATE "C" NOT NULL,
    precondition  TEXT COLLATE "C" NOT NULL,
    before_digest TEXT COLLATE "C" NOT NULL,
    after_digest  TEXT COLLATE "C" NOT NULL,
    state         TEXT COLLATE "C" NOT NULL,
    opened_at     BIGINT NOT NULL,
    closed_at     BIGINT NOT NULL,
    PRIMARY KEY (step, epoch)
);
-- Two requests never write one record at once.
CREATE UNIQUE INDEX intent_open ON intent (org, record) WHERE state = 'OPEN';
CREATE INDEX intent_request ON intent (request);

CREATE TABLE policy (
    hash TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    doc  BYTEA NOT NULL
);

CREATE TABLE decision (
    org         TEXT COLLATE "C" NOT NULL REFERENCES org (id),
    seq         BIGINT NOT NULL,
    node        TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    org_version BIGINT NOT NULL,
    policy      TEXT COLLATE "C" NOT NULL,
    input       BYTEA,
    ruling      BYTEA,
    state_hash  TEXT COLLATE "C" NOT NULL,
    snapshot    BYTEA, -- the state before, now and then
    steps       TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (org, seq)
);
CREATE INDEX decision_snapshot ON decision (org, seq) WHERE snapshot IS NOT NULL;

-- Which decisions a step took part in.
CREATE TABLE decision_step (
    step TEXT COLLATE "C" NOT NULL,
    org  TEXT COLLATE "C" NOT NULL,
    seq  BIGINT NOT NULL,
    PRIMARY KEY (step, org, seq)
);

CREATE TABLE letter (
    id            TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    number        BIGINT NOT NULL UNIQUE,
    step          TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES step (id),
    request       TEXT COLLATE "C" NOT NULL,
    org           TEXT COLLATE "C" NOT NULL,
    state         TEXT COLLATE "C" NOT NULL,
    cause         TEXT COLLATE "C" NOT NULL,
    code          TEXT COLLATE "C" NOT NULL,
    object        TEXT COLLATE "C" NOT NULL,
    record        TEXT COLLATE "C" NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    attempts      BIGINT NOT NULL,
    first_at      BIGINT NOT NULL,
    last_at       BIGINT NOT NULL,
    opened_at     BIGINT NOT NULL, -- when it was last opened: its age in the backlog
    due_at        BIGINT NOT NULL,
    right_name    TEXT COLLATE "C" NOT NULL,
    risk          TEXT COLLATE "C" NOT NULL,
    release_by    TEXT COLLATE "C" NOT NULL,
    sealed_name   TEXT COLLATE "C" NOT NULL,
    sealed_size   BIGINT NOT NULL,
    sealed_sha256 TEXT COLLATE "C" NOT NULL,
    times         BIGINT NOT NULL
);
CREATE INDEX letter_open ON letter (org, due_at) WHERE state = 'OPEN';
CREATE INDEX letter_request ON letter (request);

CREATE TABLE letter_event (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    letter TEXT COLLATE "C" NOT NULL REFERENCES letter (id),
    at     BIGINT NOT NULL,
    actor  TEXT COLLATE "C" NOT NULL,
    act    TEXT COLLATE "C" NOT NULL,
    note   TEXT COLLATE "C" NOT NULL
);
CREATE INDEX letter_event_letter ON letter_event (letter, id);

-- The audit ledger. No foreign keys: it outlives what it speaks of.
CREATE TABLE entry (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq     BIGINT UNIQUE, -- NULL until the sequencer numbered it
    at      BIGINT NOT NULL,
    actor   TEXT COLLATE "C" NOT NULL,
    act     TEXT COLLATE "C" NOT NULL,
    org     TEXT COLLATE "C" NOT NULL,
    request TEXT COLLATE "C" NOT NULL,
    step    TEXT COLLATE "C" NOT NULL,
    detail  TEXT COLLATE "C" NOT NULL
);
CREATE INDEX entry_unnumbered ON entry (id) WHERE seq IS NULL;
CREATE INDEX entry_request ON entry (request, id);

CREATE TABLE tree_hash (
    position BIGINT PRIMARY KEY NOT NULL,
    hash     BYTEA NOT NULL
);

CREATE TABLE checkpoint (
    size BIGINT PRIMARY KEY NOT NULL,
    note BYTEA NOT NULL,
    at   BIGINT NOT NULL
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
