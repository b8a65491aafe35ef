-- +goose Up
-- Who ended a grant, when and why; empty for grants that ended before it was kept.
ALTER TABLE seal_grant ADD COLUMN ended TEXT NOT NULL DEFAULT '';
ALTER TABLE seal_grant ADD COLUMN ended_by TEXT NOT NULL DEFAULT '';
ALTER TABLE seal_grant ADD COLUMN end_reason TEXT NOT NULL DEFAULT '';
