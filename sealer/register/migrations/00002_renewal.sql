-- +goose Up
-- Instances that wait for their holder's acceptance, renewals under the original approval, and names of their own: a
-- seal whose holder changed its name keeps what was sealed under the old one.
CREATE TABLE seal_instance_2 (
    id               TEXT PRIMARY KEY,
    seal_code        TEXT NOT NULL,
    template_version INTEGER NOT NULL,
    name             TEXT NOT NULL,
    organisation     TEXT NOT NULL,
    credit_code      TEXT NOT NULL,
    custody          TEXT NOT NULL CHECK (custody IN ('central', 'key')),
    holder           TEXT NOT NULL,
    key_name         TEXT NOT NULL,
    certificate      BYTEA NOT NULL,
    certificate_hash TEXT NOT NULL,
    approval_id      TEXT NOT NULL,
    approval_kind    TEXT NOT NULL CHECK (approval_kind = 'seal.make'),
    approval_used    INTEGER NOT NULL CHECK (approval_used = 1),
    approved         TEXT NOT NULL,
    renews           TEXT,
    state            TEXT NOT NULL CHECK (state IN ('waiting', 'active', 'superseded', 'withdrawn', 'failed')),
    seal             BYTEA,
    valid_from       TEXT NOT NULL,
    valid_until      TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    UNIQUE (id, seal_code, template_version, name, custody, holder, approval_id),
    FOREIGN KEY (seal_code, template_version) REFERENCES seal_template (seal_code, version),
    FOREIGN KEY (approval_id, approval_kind, approval_used, approved) REFERENCES access_approval (id, kind, used, approved),
    FOREIGN KEY (renews, seal_code, template_version, name, custody, holder, approval_id)
        REFERENCES seal_instance_2 (id, seal_code, template_version, name, custody, holder, approval_id),
    CHECK (state = 'failed' OR seal IS NOT NULL),
    -- An approval carries renewals for five years.
    CHECK (renews IS NULL OR created_at < CAST(CAST(substr(approved, 1, 4) AS INTEGER) + 5 AS TEXT) || substr(approved, 5))
);

INSERT INTO seal_instance_2 (id, seal_code, template_version, name, organisation, credit_code, custody, holder, key_name, certificate, certificate_hash,
        approval_id, approval_kind, approval_used, approved, renews, state, seal, valid_from, valid_until, created_at)
    SELECT i.id, i.seal_code, i.template_version, s.name, s.organisation, s.credit_code, i.custody, i.holder, i.key_name, i.certificate, i.certificate_hash,
        i.approval_id, i.approval_kind, i.approval_used, a.approved, NULL, CASE WHEN i.state = 'making' THEN 'failed' ELSE i.state END, i.seal,
        i.valid_from, i.valid_until, i.created_at
    FROM seal_instance i JOIN seal s ON s.code = i.seal_code JOIN access_approval a ON a.id = i.approval_id;

DROP TABLE seal_instance;
ALTER TABLE seal_instance_2 RENAME TO seal_instance;
CREATE UNIQUE INDEX seal_instance_active ON seal_instance (seal_code, custody, holder) WHERE state = 'active';
CREATE UNIQUE INDEX seal_instance_one_per_approval ON seal_instance (approval_id) WHERE renews IS NULL;
CREATE UNIQUE INDEX seal_instance_one_renewal ON seal_instance (renews) WHERE state NOT IN ('failed', 'withdrawn');

-- The names that a seal and its holder had before (变更前机构名称).
CREATE TABLE seal_former_name (
    seal_code    TEXT NOT NULL REFERENCES seal (code),
    number       INTEGER NOT NULL,
    name         TEXT NOT NULL,
    organisation TEXT NOT NULL,
    credit_code  TEXT NOT NULL,
    until        TEXT NOT NULL,
    instance     TEXT NOT NULL REFERENCES seal_instance (id),
    PRIMARY KEY (seal_code, number)
);

-- +goose Down
DROP TABLE seal_former_name;
