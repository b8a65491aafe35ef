-- +goose Up
-- A key may be narrowed to networks (blank-separated, empty for all): listeners with these labels.
ALTER TABLE access_key ADD COLUMN networks TEXT NOT NULL DEFAULT '';
