-- +goose Up
-- What the scan before sealing found (JSON): a document never changes, so it is looked through once.
ALTER TABLE document ADD COLUMN intake TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE document DROP COLUMN intake;
