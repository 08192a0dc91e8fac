-- +goose Up

-- What a request costs in calls, and whether the schedule has given it up. Its
-- steps carry the same mark, because the next step is chosen by it.
CREATE TABLE workload (
    request       TEXT PRIMARY KEY NOT NULL REFERENCES request (id),
    calls         INTEGER NOT NULL, -- made so far
    expected      INTEGER NOT NULL, -- in all, as its plan says; 0 before
    shed          INTEGER NOT NULL,
    foreseen_from INTEGER NOT NULL, -- when a finish was last foreseen in earnest
    foreseen_to   INTEGER NOT NULL
);
ALTER TABLE step ADD COLUMN shed INTEGER NOT NULL DEFAULT 0;
DROP INDEX step_claimable;
CREATE INDEX step_claimable ON step (org, state, shed, due_at, request, rank, id);

-- +goose Down
DROP INDEX step_claimable;
CREATE INDEX step_claimable ON step (org, state, due_at, rank, id);
ALTER TABLE step DROP COLUMN shed;
DROP TABLE workload;
