-- +goose Up
-- Where an actor's program wants to be told. The secret is sealed; kinds are words between spaces.
CREATE TABLE webhook_endpoint (
    id         TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    url        TEXT NOT NULL,
    kinds      TEXT NOT NULL,
    secret     BYTEA NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'removed')),
    failures   INTEGER NOT NULL DEFAULT 0, -- deliveries given up since the last that arrived
    created_at TEXT NOT NULL
);
CREATE INDEX webhook_endpoint_owner ON webhook_endpoint (owner, state);

CREATE TABLE webhook_delivery (
    id          TEXT PRIMARY KEY,
    endpoint    TEXT NOT NULL REFERENCES webhook_endpoint (id),
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    body        TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    tries       INTEGER NOT NULL DEFAULT 0,
    answer      TEXT NOT NULL DEFAULT '', -- of the last try: an HTTP status, or why there was none
    created_at  TEXT NOT NULL,
    finished_at TEXT
);
CREATE INDEX webhook_delivery_endpoint ON webhook_delivery (endpoint, created_at);
CREATE INDEX webhook_delivery_age ON webhook_delivery (created_at);

-- +goose Down
DROP TABLE webhook_delivery;
DROP TABLE webhook_endpoint;
