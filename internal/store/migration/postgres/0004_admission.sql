-- +goose Up

-- Calls of other programs that asked through the socket and may be under way.
CREATE TABLE admission (
    id     TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    org    TEXT COLLATE "C" NOT NULL REFERENCES org (id),
    node   TEXT COLLATE "C" NOT NULL,
    holder TEXT COLLATE "C" NOT NULL, -- the person whose program it is
    cost   BIGINT NOT NULL, -- 0 once the outcome is known and only the answer is still being read
    at     BIGINT NOT NULL,
    until  BIGINT NOT NULL
);
CREATE INDEX admission_org ON admission (org, until);

-- +goose Down
DROP TABLE admission;
