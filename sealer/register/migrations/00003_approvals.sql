-- +goose Up
-- When an approval is used, the database looks for rows that point to it as it was: without these it reads whole tables.
CREATE INDEX seal_grant_approval ON seal_grant (approval_id);
CREATE INDEX seal_instance_approval ON seal_instance (approval_id);
CREATE INDEX seal_state_approval ON seal_state (approval_id);
