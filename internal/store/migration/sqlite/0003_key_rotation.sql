-- +goose Up

-- The key-encryption keys, by id only: which one wraps, which only unwrap
-- until no request key needs them, and which were destroyed.
CREATE TABLE kek (
    id           TEXT PRIMARY KEY NOT NULL,
    version      INTEGER NOT NULL UNIQUE,
    state        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    destroyed_at INTEGER NOT NULL
);
CREATE INDEX request_key_kek ON request_key (kek, request) WHERE wrapped IS NOT NULL;

-- +goose Down
DROP INDEX request_key_kek;
DROP TABLE kek;
