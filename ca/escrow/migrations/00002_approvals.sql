-- +goose Up
-- When an approval is used, the database looks for rows that point to it as it was: without these it reads whole tables.
CREATE INDEX escrow_recovery_key_approval ON escrow_recovery_key (approval);
