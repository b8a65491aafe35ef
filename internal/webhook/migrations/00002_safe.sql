-- +goose Up
-- Which safe a secret is sealed under: the one of its own that the room had, until it is sealed anew, or the shared one.
ALTER TABLE webhook_endpoint ADD COLUMN safe TEXT NOT NULL DEFAULT 'own' CHECK (safe IN ('own', 'shared'));
