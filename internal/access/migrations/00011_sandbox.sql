-- +goose Up
-- With a sandbox key documents are sealed for trial alone.
ALTER TABLE access_key ADD COLUMN sandbox INTEGER NOT NULL DEFAULT 0 CHECK (sandbox IN (0, 1));
