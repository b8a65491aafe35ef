-- +goose Up
-- What a sealing did, for the person who ordered it: places, notes, findings (JSON).
ALTER TABLE sealing ADD COLUMN details TEXT NOT NULL DEFAULT '';

-- A sealing that waits for a signature made elsewhere (分散式用章): the frozen update and what it was planned from.
CREATE TABLE sealing_job (
    sealing_id TEXT PRIMARY KEY REFERENCES sealing (id),
    update_object TEXT NOT NULL,
    request    TEXT NOT NULL,
    finished   INTEGER NOT NULL DEFAULT 0 CHECK (finished IN (0, 1))
);

-- +goose Down
DROP TABLE sealing_job;
ALTER TABLE sealing DROP COLUMN details;
