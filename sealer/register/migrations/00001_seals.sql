-- +goose Up
-- The tables of access must exist already: every instance and every grant stands on a used approval, and an approval
-- has two people behind it.
CREATE TABLE seal (
    code         TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    organisation TEXT NOT NULL,
    credit_code  TEXT NOT NULL,
    type         INTEGER NOT NULL,
    created_at   TEXT NOT NULL
);

CREATE TABLE seal_template (
    seal_code  TEXT NOT NULL REFERENCES seal (code),
    version    INTEGER NOT NULL,
    width_um   INTEGER NOT NULL CHECK (width_um > 0),
    height_um  INTEGER NOT NULL CHECK (height_um > 0),
    template   BYTEA NOT NULL,
    picture    BYTEA NOT NULL,
    digest     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (seal_code, version)
);

-- One row per electronic seal: the central one and one per Key user, with the same picture and name.
CREATE TABLE seal_instance (
    id               TEXT PRIMARY KEY,
    seal_code        TEXT NOT NULL,
    template_version INTEGER NOT NULL,
    custody          TEXT NOT NULL CHECK (custody IN ('central', 'key')),
    holder           TEXT NOT NULL,
    key_name         TEXT NOT NULL,
    certificate      BYTEA NOT NULL,
    certificate_hash TEXT NOT NULL,
    approval_id      TEXT NOT NULL,
    approval_kind    TEXT NOT NULL CHECK (approval_kind = 'seal.make'),
    approval_used    INTEGER NOT NULL CHECK (approval_used = 1),
    state            TEXT NOT NULL CHECK (state IN ('making', 'active', 'superseded', 'failed')),
    seal             BYTEA,
    valid_from       TEXT NOT NULL,
    valid_until      TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    FOREIGN KEY (seal_code, template_version) REFERENCES seal_template (seal_code, version),
    FOREIGN KEY (approval_id, approval_kind, approval_used) REFERENCES access_approval (id, kind, used),
    CHECK (state <> 'active' OR seal IS NOT NULL)
);
CREATE UNIQUE INDEX seal_instance_active ON seal_instance (seal_code, custody, holder) WHERE state = 'active';

-- The history of a seal's state: the newest row not after a time is the state at that time.
CREATE TABLE seal_state (
    seal_code TEXT NOT NULL REFERENCES seal (code),
    number    INTEGER NOT NULL,
    since     TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('making', 'active', 'suspended', 'collected', 'cancelled')),
    actor     TEXT NOT NULL,
    reason    TEXT NOT NULL,
    approval_id   TEXT,
    approval_kind TEXT,
    approval_used INTEGER,
    PRIMARY KEY (seal_code, number),
    FOREIGN KEY (approval_id, approval_kind, approval_used) REFERENCES access_approval (id, kind, used),
    -- One person may take a seal out of use; everything else takes two.
    CHECK (state = 'suspended' OR (approval_id IS NOT NULL AND approval_used = 1 AND approval_kind IS NOT NULL
        AND approval_kind IN ('seal.make', 'seal.resume', 'seal.cancel')))
);

CREATE TABLE seal_grant (
    id          TEXT PRIMARY KEY,
    seal_code   TEXT NOT NULL REFERENCES seal (code),
    actor_id    TEXT NOT NULL,
    valid_from  TEXT NOT NULL,
    valid_until TEXT NOT NULL,
    quota       INTEGER NOT NULL CHECK (quota >= 0),
    used        INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0),
    approval_id   TEXT NOT NULL,
    approval_kind TEXT NOT NULL CHECK (approval_kind = 'seal.grant'),
    approval_used INTEGER NOT NULL CHECK (approval_used = 1),
    withdrawn   INTEGER NOT NULL DEFAULT 0,
    FOREIGN KEY (approval_id, approval_kind, approval_used) REFERENCES access_approval (id, kind, used),
    CHECK (quota = 0 OR used <= quota)
);
CREATE INDEX seal_grant_actor ON seal_grant (actor_id, seal_code);

-- +goose Down
DROP TABLE seal_grant;
DROP TABLE seal_state;
DROP TABLE seal_instance;
DROP TABLE seal_template;
DROP TABLE seal;
