-- +goose Up

-- Calls of other programs that asked through the socket and may be under way.
CREATE TABLE admission (
    id     TEXT PRIMARY KEY NOT NULL,
    org    TEXT NOT NULL REFERENCES org (id),
    node   TEXT NOT NULL,
    holder TEXT NOT NULL, -- the person whose program it is
    cost   INTEGER NOT NULL, -- 0 once the outcome is known and only the answer is still being read
    at     INTEGER NOT NULL,
    until  INTEGER NOT NULL
);
CREATE INDEX admission_org ON admission (org, until);

-- +goose Down
DROP TABLE admission;
