-- +goose Up
-- When an approval is used, the database looks for rows that point to it as it was: without these it reads whole tables.
CREATE INDEX access_role_approval ON access_role (approval);
