-- +goose Up

-- Fewer index entries to write when a step moves: only what is ready is looked
-- for by urgency, and that a step has not ended stays true through most moves.
-- What executes is counted for each org before every claim.
ALTER TABLE step ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
UPDATE step SET ended = 1 WHERE state IN ('DONE', 'WAIVED', 'CANCELLED');
DROP INDEX step_open;
CREATE INDEX step_open ON step (request, rank, id) WHERE ended = 0;
DROP INDEX step_claimable;
CREATE INDEX step_ready ON step (org, shed, due_at, request, rank, id) WHERE state = 'READY';
DROP INDEX step_executing;
CREATE INDEX step_executing ON step (org, node, until) WHERE state = 'EXECUTING';

-- The rows without a number are found in the unique index of seq, in order.
DROP INDEX entry_unnumbered;

-- +goose Down
CREATE INDEX entry_unnumbered ON entry (id) WHERE seq IS NULL;
DROP INDEX step_executing;
CREATE INDEX step_executing ON step (node, org, until) WHERE state = 'EXECUTING';
DROP INDEX step_ready;
CREATE INDEX step_claimable ON step (org, state, shed, due_at, request, rank, id);
DROP INDEX step_open;
CREATE INDEX step_open ON step (request, rank, id) WHERE state NOT IN ('DONE', 'WAIVED', 'CANCELLED');
ALTER TABLE step DROP COLUMN ended;
