-- +goose Up
CREATE TABLE document (
    id           TEXT PRIMARY KEY,
    owner        TEXT NOT NULL,
    organisation TEXT NOT NULL,
    name         TEXT NOT NULL,
    size         BIGINT NOT NULL CHECK (size >= 0),
    sm3          TEXT NOT NULL,
    hash_state   BYTEA NOT NULL,
    created_at   TEXT NOT NULL
);

-- A document is its parts in order: the original as it came, then one update per sealing.
CREATE TABLE document_part (
    document_id TEXT NOT NULL REFERENCES document (id),
    number      INTEGER NOT NULL,
    object      TEXT NOT NULL,
    size        BIGINT NOT NULL CHECK (size >= 0),
    PRIMARY KEY (document_id, number)
);

CREATE TABLE sealing (
    id              TEXT PRIMARY KEY,
    caller          TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_digest  TEXT NOT NULL,
    document_id     TEXT NOT NULL REFERENCES document (id),
    seal_code       TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    grant_id        TEXT NOT NULL,
    signing_time    TEXT NOT NULL,
    data_hash       TEXT NOT NULL,
    byte_range      TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('intended', 'released', 'failed', 'abandoned')),
    failure         TEXT NOT NULL DEFAULT '',
    result_id       TEXT REFERENCES document (id),
    intended_at     TEXT NOT NULL,
    lease_until     TEXT NOT NULL,
    finished_at     TEXT,
    CHECK (state <> 'released' OR result_id IS NOT NULL)
);
-- At most one living or released sealing per caller and key; a failed or abandoned one released nothing.
CREATE UNIQUE INDEX sealing_key ON sealing (caller, idempotency_key) WHERE state IN ('intended', 'released');
CREATE INDEX sealing_open ON sealing (lease_until) WHERE state = 'intended';

-- +goose Down
DROP TABLE sealing;
DROP TABLE document_part;
DROP TABLE document;
