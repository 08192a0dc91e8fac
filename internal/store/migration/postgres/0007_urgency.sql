-- +goose Up

-- The requests that a person marked as urgent. Their steps have -1 in shed, so
-- that they come before those in turn, 0, and those that were given up, 1.
CREATE TABLE urgency (
    request TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES request (id),
    actor   TEXT COLLATE "C" NOT NULL,
    reason  TEXT COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL
);

-- Whether what the org's work waits for until wake_at is known to hold urgent
-- work too; 1 = it has not been asked for.
ALTER TABLE org ADD COLUMN lets_urgent BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE org DROP COLUMN lets_urgent;
UPDATE step SET shed = coalesce((SELECT shed FROM workload WHERE workload.request = step.request), 0) WHERE shed = -1;
DROP TABLE urgency;
