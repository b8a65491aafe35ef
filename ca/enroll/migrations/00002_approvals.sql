-- +goose Up
-- When an approval is used, the database looks for rows that point to it as it was: without these it reads whole tables.
CREATE INDEX enroll_application_approval ON enroll_application (approval);
CREATE INDEX enroll_suspension_under_approval ON enroll_suspension (approval);
