-- +goose Up
-- A sealing with a sandbox key: marked 测试, and not counted against the grant.
ALTER TABLE sealing ADD COLUMN sandbox INTEGER NOT NULL DEFAULT 0 CHECK (sandbox IN (0, 1));
