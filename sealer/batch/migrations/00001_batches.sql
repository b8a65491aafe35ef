-- +goose Up
-- Many documents sealed in the same way for one caller (批量盖章). The order is JSON, without a document.
CREATE TABLE sealing_batch (
    id              TEXT PRIMARY KEY,
    caller          TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_digest  TEXT NOT NULL,
    title           TEXT NOT NULL,
    seal_code       TEXT NOT NULL,
    request         TEXT NOT NULL,
    total           INTEGER NOT NULL CHECK (total > 0),
    state           TEXT NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
    round           INTEGER NOT NULL DEFAULT 1, -- of taking up what failed
    created_at      TEXT NOT NULL,
    finished_at     TEXT,
    UNIQUE (caller, idempotency_key),
    CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE INDEX sealing_batch_running ON sealing_batch (id) WHERE state = 'running';

CREATE TABLE sealing_batch_item (
    batch_id    TEXT NOT NULL REFERENCES sealing_batch (id),
    number      INTEGER NOT NULL CHECK (number > 0),
    document_id TEXT NOT NULL,
    reference   TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'sealed', 'failed', 'cancelled')),
    tries       INTEGER NOT NULL DEFAULT 0,
    sealing_id  TEXT,
    result_id   TEXT,
    failure     TEXT NOT NULL DEFAULT '', -- JSON of the failure, for the person
    PRIMARY KEY (batch_id, number),
    CHECK ((state = 'sealed') = (result_id IS NOT NULL)),
    CHECK ((state = 'failed') = (failure <> ''))
);
CREATE INDEX sealing_batch_item_state ON sealing_batch_item (batch_id, state, number);

-- +goose Down
DROP TABLE sealing_batch_item;
DROP TABLE sealing_batch;
