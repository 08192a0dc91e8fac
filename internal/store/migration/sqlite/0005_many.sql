-- +goose Up

-- What many rows are read by. The lists of a person come page by page, in
-- their order, from an index; what a node left behind is found by its name; and
-- whether a request has work left is one look, however many steps it has.
DROP INDEX step_executing;
CREATE INDEX step_executing ON step (node, org, until) WHERE state = 'EXECUTING';
CREATE INDEX step_open ON step (request, rank, id) WHERE state NOT IN ('DONE', 'WAIVED', 'CANCELLED');

DROP INDEX letter_open;
CREATE INDEX letter_open ON letter (
    (CASE due_at WHEN 0 THEN 9007199254740991 ELSE due_at END),
    (CASE WHEN right_name IN ('erasure', 'opt-out') THEN 0 ELSE 1 END),
    (CASE risk WHEN 'high' THEN 0 ELSE 1 END),
    number
) WHERE state = 'OPEN';
CREATE INDEX letter_release ON letter (org, release_by, due_at) WHERE state = 'OPEN';

CREATE INDEX finding_record ON finding (request, pass, record);

-- +goose Down
DROP INDEX finding_record;
DROP INDEX letter_release;
DROP INDEX letter_open;
CREATE INDEX letter_open ON letter (org, due_at) WHERE state = 'OPEN';
DROP INDEX step_open;
DROP INDEX step_executing;
CREATE INDEX step_executing ON step (node) WHERE state = 'EXECUTING';
