-- +goose Up
-- A code with which a clerk pairs a terminal. The key is derived from its secret part and is gone when the pairing has ended.
CREATE TABLE terminal_pairing (
    id      TEXT PRIMARY KEY,
    name    TEXT NOT NULL,
    clerk   TEXT NOT NULL,
    key     BYTEA NOT NULL,
    created TEXT NOT NULL,
    expires TEXT NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    state   TEXT NOT NULL CHECK (state IN ('open', 'used', 'ended'))
);
CREATE UNIQUE INDEX terminal_pairing_name ON terminal_pairing (name) WHERE state = 'open';
CREATE UNIQUE INDEX terminal_pairing_clerk ON terminal_pairing (clerk) WHERE state = 'open';
CREATE INDEX terminal_pairing_recent ON terminal_pairing (clerk, created);

-- A terminal of one clerk: public_key signs its requests, manifest_key names the key of the service that it pinned.
CREATE TABLE terminal (
    id           TEXT PRIMARY KEY,
    clerk        TEXT NOT NULL,
    name         TEXT NOT NULL,
    public_key   BYTEA NOT NULL,
    manifest_key TEXT NOT NULL,
    pairing      TEXT NOT NULL UNIQUE REFERENCES terminal_pairing (id),
    paired       TEXT NOT NULL,
    last_seen    TEXT NOT NULL DEFAULT '',
    ended        TEXT NOT NULL DEFAULT '',
    UNIQUE (id, clerk)
);
CREATE INDEX terminal_of_clerk ON terminal (clerk, id);

-- A list of sealings for one clerk. One terminal at a time has claimed it, and only one of that clerk can.
CREATE TABLE terminal_task (
    id              TEXT PRIMARY KEY,
    clerk           TEXT NOT NULL,
    creator         TEXT NOT NULL,
    origin          TEXT NOT NULL,
    note            TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_digest  TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('open', 'cancelled', 'expired')),
    total           INTEGER NOT NULL CHECK (total BETWEEN 1 AND 1000),
    created         TEXT NOT NULL,
    expires         TEXT NOT NULL,
    claimed_by      TEXT,
    claimed_until   TEXT NOT NULL DEFAULT '',
    UNIQUE (creator, idempotency_key),
    FOREIGN KEY (claimed_by, clerk) REFERENCES terminal (id, clerk)
);
CREATE INDEX terminal_task_of_clerk ON terminal_task (clerk, created);
CREATE INDEX terminal_task_open ON terminal_task (expires) WHERE state = 'open';
CREATE INDEX terminal_task_claimed ON terminal_task (claimed_by);

CREATE TABLE terminal_item (
    id            TEXT PRIMARY KEY,
    task          TEXT NOT NULL REFERENCES terminal_task (id),
    number        INTEGER NOT NULL CHECK (number BETWEEN 1 AND 1000),
    document_id   TEXT NOT NULL,
    document_name TEXT NOT NULL,
    document_size BIGINT NOT NULL CHECK (document_size > 0),
    document_sm3  TEXT NOT NULL,
    seal_code     TEXT NOT NULL,
    seal_order    TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('queued', 'prepared', 'sealed', 'failed', 'declined')),
    reason        TEXT NOT NULL DEFAULT '',
    result_id     TEXT,
    changed       TEXT NOT NULL,
    UNIQUE (task, number),
    CHECK (state <> 'sealed' OR result_id IS NOT NULL)
);
CREATE INDEX terminal_item_state ON terminal_item (task, state);

-- A sealing that was prepared for a terminal; the id is that of the sealing. It is given up in two steps (discarding, then discarded), since
-- the sealing itself is of another room. A signature that was taken (consumed) is kept until the sealing has ended.
CREATE TABLE terminal_job (
    id        TEXT PRIMARY KEY,
    item      TEXT NOT NULL REFERENCES terminal_item (id),
    terminal  TEXT NOT NULL REFERENCES terminal (id),
    nonce     BYTEA NOT NULL,
    issued    TEXT NOT NULL,
    expires   TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('prepared', 'consumed', 'sealed', 'failed', 'discarding', 'discarded')),
    signature BYTEA NOT NULL,
    consumed  TEXT NOT NULL DEFAULT '', -- when the signature was taken
    CHECK (state IN ('prepared', 'discarding', 'discarded') OR LENGTH(signature) > 0)
);
CREATE UNIQUE INDEX terminal_job_of_item ON terminal_job (item) WHERE state IN ('prepared', 'consumed', 'sealed');
CREATE INDEX terminal_job_unended ON terminal_job (state, expires) WHERE state IN ('prepared', 'consumed', 'discarding');
CREATE INDEX terminal_job_of_terminal ON terminal_job (terminal);
CREATE INDEX terminal_job_items ON terminal_job (item);

-- +goose Down
DROP TABLE terminal_job;
DROP TABLE terminal_item;
DROP TABLE terminal_task;
DROP TABLE terminal;
DROP TABLE terminal_pairing;
