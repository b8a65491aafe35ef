-- +goose Up
-- 用章范围: the networks on which a seal may be used, blank-separated; empty for seals that were registered before it was kept.
ALTER TABLE seal ADD COLUMN networks TEXT NOT NULL DEFAULT '';
