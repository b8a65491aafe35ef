-- +goose Up
-- A small document that was received and sealed in one go lies with its update in one object: of the original that object
-- is the beginning (whole = 0), of the sealed document all of it.
ALTER TABLE document_part ADD COLUMN whole INTEGER NOT NULL DEFAULT 1 CHECK (whole IN (0, 1));

-- +goose Down
ALTER TABLE document_part DROP COLUMN whole;
